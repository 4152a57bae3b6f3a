import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import * as React from 'react';

import { type IEntry, keyOf } from '../model';
import type { JobDetail } from '../generated/api';
import type { IEhpc } from '../tokens';

/** What every component needs. */
export interface IServices {
  readonly ehpc: IEhpc;
  readonly trans: TranslationBundle;
}

const Context = React.createContext<IServices | null>(null);

export const ServicesProvider = Context.Provider;

export function useServices(): IServices {
  const services = React.useContext(Context);
  if (!services) {
    throw new Error('A component stands outside of its ServicesProvider.');
  }
  return services;
}

/** The job as the shared model knows it, and as `saved` until then. */
export function useJob(key: string): IEntry | undefined {
  const { jobs } = useServices().ehpc;
  const subscribe = React.useCallback((onChange: () => void) => jobs.watch(key, onChange), [jobs, key]);
  return React.useSyncExternalStore(subscribe, () => jobs.get(key));
}

/** Ask for a job that a notebook stored, and follow it. */
export function useSavedJob(saved: JobDetail): IEntry {
  const { jobs } = useServices().ehpc;
  const entry = useJob(keyOf(saved));
  React.useEffect(() => void jobs.load(saved), [jobs, saved]);
  return entry ?? { detail: saved, origin: 'asking' };
}

/** Render again whenever the model says that it changed. */
export function useChanges<T>(model: { readonly changed: ISignal<T, unknown> }): void {
  const [, render] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    const { changed } = model;
    changed.connect(render);
    render();
    return () => void changed.disconnect(render);
  }, [model]);
}

const clock = { listeners: new Set<() => void>(), timer: 0, now: Math.floor(Date.now() / 1000) };

function onSecond(listener: () => void): () => void {
  clock.listeners.add(listener);
  if (!clock.timer) {
    clock.now = Math.floor(Date.now() / 1000);
    clock.timer = window.setInterval(() => {
      clock.now = Math.floor(Date.now() / 1000);
      clock.listeners.forEach(one => one());
    }, 1000);
  }
  return () => {
    clock.listeners.delete(listener);
    if (clock.listeners.size === 0) {
      window.clearInterval(clock.timer);
      clock.timer = 0;
    }
  };
}

/** UNIX seconds, new every second, or twice a minute where words like "2 hours ago" need no more: one timer for all. */
export function useNow(everySecond: boolean): number {
  return React.useSyncExternalStore(onSecond, () => clock.now - (everySecond ? 0 : clock.now % 30));
}

/** Whether a person can see the element: on the screen, in a tab that is not hidden. */
export function useVisible(ref: React.RefObject<HTMLElement | null>): boolean {
  const [inView, setInView] = React.useState(false);
  const [awake, setAwake] = React.useState(!document.hidden);
  React.useEffect(() => {
    const observer = new IntersectionObserver(entries => setInView(entries.some(entry => entry.isIntersecting)));
    const onVisibility = (): void => setAwake(!document.hidden);
    if (ref.current) {
      observer.observe(ref.current);
    }
    document.addEventListener('visibilitychange', onVisibility);
    return () => {
      observer.disconnect();
      document.removeEventListener('visibilitychange', onVisibility);
    };
  }, [ref]);
  return inView && awake;
}
