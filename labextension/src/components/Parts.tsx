import * as React from 'react';

import type { ApiError } from '../errors';
import type { JobDetail } from '../generated/api';
import { taskCounts, toneOf, wordOf } from '../state';
import { duration, elapsed } from '../time';
import { useNow, useServices } from './context';
import { Icon, type IconName } from './icons';

const ENABLE_COMMAND = 'jupyter server extension enable ehpc_jupyter';

interface IButtonProps extends React.ButtonHTMLAttributes<HTMLButtonElement> {
  icon?: IconName;
  look?: 'primary' | 'plain' | 'danger';
}

/** A button with a word, and an icon if it has one. */
export function Button({ icon, look = 'plain', children, ...rest }: IButtonProps): React.JSX.Element {
  return (
    <button type="button" className="jp-ehpc-Button" data-look={look} {...rest}>
      {icon && <Icon name={icon} />}
      {children && <span>{children}</span>}
    </button>
  );
}

/** The state's word, in its colour; the scheduler's own word is the tooltip. */
export function StateWord({ job }: { job: JobDetail }): React.JSX.Element {
  const { trans } = useServices();
  return (
    <span className="jp-ehpc-StateWord" data-tone={toneOf(job.State)} title={job.NativeState}>
      {wordOf(job.State, trans)}
    </span>
  );
}

/** How long it has run, and how long it may; ticks while it runs. */
export function Elapsed({ job, full = false }: { job: JobDetail; full?: boolean }): React.JSX.Element | null {
  const { trans } = useServices();
  const now = useNow(job.State === 'RUNNING' && job.EndTime === undefined);
  const seconds = elapsed(job, now);
  if (seconds === null) {
    return null;
  }
  const text = duration(seconds);
  return (
    <span className="jp-ehpc-Time">
      {full && job.WallTimeS ? trans.__('%1 of %2', text, duration(job.WallTimeS)) : text}
    </span>
  );
}

/** A thin bar: tasks by state for an array, else the part of the wall time that is gone. The words beside it say the same. */
export function ProgressBar({ job }: { job: JobDetail }): React.JSX.Element | null {
  const running = job.State === 'RUNNING';
  const now = useNow(running && !job.Tasks);
  const { all } = taskCounts(job);
  if (job.Tasks && all > 0) {
    const tones = ['good', 'bad', 'off', 'run', 'wait'] as const;
    const count = (tone: string): number =>
      Object.entries(job.Tasks ?? {}).reduce(
        (sum, [state, tasks]) => (toneOf(state as JobDetail['State']) === tone ? sum + tasks : sum),
        0
      );
    return (
      <div className="jp-ehpc-Bar" aria-hidden="true">
        {tones.map(tone => (
          <div key={tone} data-tone={tone} style={{ flexGrow: count(tone) }} />
        ))}
      </div>
    );
  }
  const seconds = elapsed(job, now);
  if (!running || seconds === null || !job.WallTimeS) {
    return null;
  }
  const part = Math.min(1, seconds / job.WallTimeS);
  return (
    <div className="jp-ehpc-Bar" aria-hidden="true">
      <div data-tone="run" style={{ flexGrow: part }} />
      <div style={{ flexGrow: 1 - part }} />
    </div>
  );
}

/** "7/10 tasks, 1 failed": how many have ended, of all. */
export function TaskWords({ job }: { job: JobDetail }): React.JSX.Element | null {
  const { trans } = useServices();
  const { all, ended } = taskCounts(job);
  if (all === 0) {
    return null;
  }
  const failed = job.Tasks?.FAILED ?? 0;
  return (
    <span>
      {trans.__('%1/%2 tasks', ended, all)}
      {failed > 0 && `, ${trans.__('%1 failed', failed)}`}
    </span>
  );
}

/** What is shown may be old, and why. */
export function StaleNote({ job }: { job: JobDetail }): React.JSX.Element | null {
  const { trans } = useServices();
  if (!job.StaleReason) {
    return null;
  }
  const time = job.CheckedTime ? new Date(job.CheckedTime * 1000).toLocaleTimeString() : '';
  return (
    <div className="jp-ehpc-Note" data-tone="wait">
      <Icon name="warning" />
      <span>{time ? trans.__('As of %1: %2', time, job.StaleReason) : job.StaleReason}</span>
    </div>
  );
}

/** An error of the server with all that helps to find its cause, or the reason why there is no answer. */
export function Alert({ error, onRetry }: { error: ApiError; onRetry?: () => void }): React.JSX.Element {
  const { trans } = useServices();
  let title = error.code || trans.__('HTTP %1', error.status);
  let text = error.message;
  if (error.unanswered) {
    title = trans.__('No answer');
    text = trans.__('The Jupyter server does not answer. Jobs on clusters go on without it.');
  } else if (error.missing) {
    title = trans.__('The server part is missing');
    text = trans.__('Enable it where Jupyter runs, then restart Jupyter:');
  }
  return (
    <div className="jp-ehpc-Alert" role="alert">
      <Icon name="warning" />
      <div>
        <strong>{title}</strong>
        <p>{text}</p>
        {error.missing && <code>{ENABLE_COMMAND}</code>}
        {error.recommend && <p>{error.recommend}</p>}
        {error.requestId && <p className="jp-ehpc-Muted">{trans.__('Request %1', error.requestId)}</p>}
        {onRetry && <Button onClick={onRetry}>{trans.__('Try again')}</Button>}
      </div>
    </div>
  );
}
