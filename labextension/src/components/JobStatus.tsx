import * as React from 'react';

import { ApiError } from '../errors';
import type { JobDetail } from '../generated/api';
import { isBad, isFinal, reasonOf, taskCounts, toneOf, type Tone, wordOf } from '../state';
import { clock, duration, elapsed, span } from '../time';
import { useNow, useServices } from './context';
import { Icon } from './icons';
import { Button, When } from './Parts';

/** The state's word, in its colour; the scheduler's own word is the tooltip. */
export function StateWord({ job }: { job: Pick<JobDetail, 'State' | 'NativeState'> }): React.JSX.Element {
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

const TONES: readonly Tone[] = ['good', 'bad', 'off', 'run', 'wait'];

/** A thin bar: tasks by state for an array, else the part of the wall time that is gone. */
export function ProgressBar({ job }: { job: JobDetail }): React.JSX.Element | null {
  const { trans } = useServices();
  const running = job.State === 'RUNNING';
  const now = useNow(running && !job.Tasks);
  const { all, ended } = taskCounts(job);
  if (job.Tasks && all > 0) {
    const count = (tone: Tone): number =>
      Object.entries(job.Tasks ?? {}).reduce(
        (sum, [state, tasks]) => (toneOf(state as JobDetail['State']) === tone ? sum + tasks : sum),
        0
      );
    return (
      <div
        className="jp-ehpc-Bar"
        role="progressbar"
        aria-label={trans.__('Tasks that have ended')}
        aria-valuemin={0}
        aria-valuemax={all}
        aria-valuenow={ended}
        title={tasksByState(job.Tasks, state => wordOf(state, trans)).join(', ')}
      >
        {TONES.map(tone => (
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
    <div
      className="jp-ehpc-Bar"
      role="progressbar"
      aria-label={trans.__('Elapsed of the wall time')}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(100 * part)}
      aria-valuetext={trans.__('%1 of %2', duration(seconds), duration(job.WallTimeS))}
    >
      <div data-tone={part > 0.9 ? 'late' : 'run'} style={{ flexGrow: part }} />
      <div style={{ flexGrow: 1 - part }} />
    </div>
  );
}

/** "35 finished", "2 failed": only states that some task is in. */
export function tasksByState(tasks: Record<string, number>, word: (state: JobDetail['State']) => string): string[] {
  return Object.entries(tasks)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${word(state as JobDetail['State']).toLowerCase()}`);
}

/** "37/100 done, 2 failed": how many tasks have ended, of all, and how many of these not well. */
export function TaskWords({ job }: { job: JobDetail }): React.JSX.Element | null {
  const { trans } = useServices();
  const { all, ended } = taskCounts(job);
  if (all === 0) {
    return null;
  }
  const counts = Object.entries(job.Tasks ?? {}) as [JobDetail['State'], number][];
  const failed = counts.reduce((sum, [state, count]) => sum + (isBad(state) ? count : 0), 0);
  return (
    <span>
      {trans.__('%1/%2 done', ended, all)}
      {failed > 0 && `, ${trans.__('%1 failed', failed)}`}
    </span>
  );
}

/** Why it waits, or why it did not end well, in plain words; the scheduler's own stand beside them. */
export function Why({ job }: { job: JobDetail }): React.JSX.Element | null {
  const { trans } = useServices();
  const waits = !isFinal(job.State) && job.State !== 'RUNNING' && job.State !== 'UNKNOWN';
  const text = job.Explanation ?? reasonOf(job, trans);
  const raw = job.Reason && job.Reason !== text ? job.Reason : null;
  const start = waits ? job.ExpectedStartTime : undefined;
  if (!text && !job.Advice && start === undefined) {
    return null;
  }
  return (
    <div className="jp-ehpc-Why" data-tone={toneOf(job.State)}>
      {start !== undefined && (
        <p>
          {trans.__('Expected to start:')} <When seconds={start}>{clock(start)}</When>
        </p>
      )}
      {text && (
        <p title={raw ?? undefined}>
          {text}
          {raw && job.Explanation && (
            <>
              {' '}
              <span className="jp-ehpc-Raw">{raw}</span>
            </>
          )}
        </p>
      )}
      {job.Advice && (
        <p>
          <strong>{trans.__('What to do:')}</strong> {job.Advice}
        </p>
      )}
    </div>
  );
}

/** What is shown may be old: how old, why, and a button to ask again. */
export function StaleNote({ job }: { job: JobDetail }): React.JSX.Element | null {
  const { trans } = useServices();
  const now = useNow(false);
  if (!job.StaleReason) {
    return null;
  }
  // Below half a minute "now" is older than the answer.
  const age = span(Math.max(0, now - (job.CheckedTime ?? now)));
  return (
    <div className="jp-ehpc-Note" data-tone="wait" role="status">
      <Icon name="warning" />
      <span>
        {job.CheckedTime === undefined
          ? trans.__('stale: %1', job.StaleReason)
          : trans.__('stale for %1: %2', age, job.StaleReason)}
      </span>
      <Retry cluster={job.ClusterId} />
    </div>
  );
}

const RETRY_MS = 5000;

/** Has the cluster asked at once; what it says comes as events. */
export function Retry({ cluster, onDone }: { cluster: string; onDone?: () => void }): React.JSX.Element {
  const { ehpc, trans } = useServices();
  const [busy, setBusy] = React.useState(false);
  const [error, setError] = React.useState('');
  React.useEffect(() => {
    const timer = busy ? window.setTimeout(() => setBusy(false), RETRY_MS) : 0;
    return () => window.clearTimeout(timer);
  }, [busy]);
  const retry = async (): Promise<void> => {
    setBusy(true);
    setError('');
    try {
      await ehpc.api.call('RefreshJobs', { ClusterId: cluster });
      onDone?.();
    } catch (reason) {
      setError(ApiError.from(reason).message);
      setBusy(false);
    }
  };
  return (
    <>
      <Button icon="refresh" disabled={busy} onClick={() => void retry()}>
        {busy ? trans.__('Asking…') : trans.__('Retry now')}
      </Button>
      {error && <span role="alert">{error}</span>}
    </>
  );
}
