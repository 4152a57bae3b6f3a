import * as React from 'react';

import { ApiError } from '../errors';
import type { JobDetail } from '../generated/api';
import { type ITail, OutputTail, type Which } from '../output';
import { isFinal } from '../state';
import { useServices } from './context';

const POLL_MS = 2000;

export interface ITailState {
  tail: ITail | null;
  error: ApiError | null;
}

const NOTHING: ITailState = { tail: null, error: null };

/** The end of one output; it follows the file while the job runs, if `active`. What was read stays when it is not. */
export function useTail(job: JobDetail, which: Which, task: number | undefined, active: boolean): ITailState {
  const { ehpc } = useServices();
  const { ClusterId: cluster, JobId: jobId = '' } = job;
  const { api, tailBytes } = ehpc;
  const source = React.useMemo(
    () => new OutputTail(api, { cluster, jobId, which, task, tailBytes }),
    [api, cluster, jobId, which, task, tailBytes]
  );
  const [read, setRead] = React.useState<{ of: OutputTail; state: ITailState }>({ of: source, state: NOTHING });
  /** The source that was read to its end after the job had ended. */
  const complete = React.useRef<OutputTail | null>(null);
  const started = hasOutput(job);
  const goesOn = !isFinal(job.State);

  React.useEffect(() => {
    if (!active || !started || complete.current === source) {
      return;
    }
    let timer = 0;
    let stopped = false;
    const round = async (): Promise<void> => {
      try {
        const tail = await source.read();
        if (!stopped) {
          setRead({ of: source, state: { tail, error: null } });
          complete.current = goesOn ? null : source;
        }
      } catch (reason) {
        const error = ApiError.from(reason);
        if (!stopped) {
          setRead(now => ({ of: source, state: { tail: now.of === source ? now.state.tail : null, error } }));
        }
      }
      if (!stopped && goesOn) {
        timer = window.setTimeout(() => void round(), POLL_MS);
      }
    };
    void round();
    return () => {
      stopped = true;
      window.clearTimeout(timer);
    };
  }, [source, active, started, goesOn]);

  return read.of === source ? read.state : NOTHING;
}

/** Whether it can have written something. */
export function hasOutput(job: JobDetail): boolean {
  return job.StartTime !== undefined || isFinal(job.State);
}
