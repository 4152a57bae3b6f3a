import type { TranslationBundle } from '@jupyterlab/translation';

import type { JobDetail, JobState } from './generated/api';

/** What a state's colour says; its word and its icon say it too. */
export type Tone = 'wait' | 'run' | 'good' | 'bad' | 'off';

/* A newer server may have states that are not in here. */

const FINAL = {
  SUBMITTING: false,
  NOT_SUBMITTED: true,
  QUEUED: false,
  HELD: false,
  RUNNING: false,
  SUSPENDED: false,
  FINISHED: true,
  FAILED: true,
  CANCELLED: true,
  TIMEOUT: true,
  OUT_OF_MEMORY: true,
  NODE_FAILED: true,
  UNKNOWN: false
} satisfies Record<JobState, boolean> as Partial<Record<string, boolean>>;

const TONE = {
  SUBMITTING: 'wait',
  NOT_SUBMITTED: 'bad',
  QUEUED: 'wait',
  HELD: 'wait',
  RUNNING: 'run',
  SUSPENDED: 'wait',
  FINISHED: 'good',
  FAILED: 'bad',
  CANCELLED: 'off',
  TIMEOUT: 'bad',
  OUT_OF_MEMORY: 'bad',
  NODE_FAILED: 'bad',
  UNKNOWN: 'off'
} satisfies Record<JobState, Tone> as Partial<Record<string, Tone>>;

/** Whether a job in this state will never change again. */
export function isFinal(state: JobState): boolean {
  return FINAL[state] ?? false;
}

export function toneOf(state: JobState): Tone {
  return TONE[state] ?? 'off';
}

/** Whether it ended in a way that makes its standard error worth showing. */
export function isBad(state: JobState): boolean {
  return toneOf(state) === 'bad';
}

/** The state in a plain word. */
export function wordOf(state: JobState, trans: TranslationBundle): string {
  const words = {
    SUBMITTING: trans.__('Submitting'),
    NOT_SUBMITTED: trans.__('Not submitted'),
    QUEUED: trans.__('Queued'),
    HELD: trans.__('Held'),
    RUNNING: trans.__('Running'),
    SUSPENDED: trans.__('Suspended'),
    FINISHED: trans.__('Finished'),
    FAILED: trans.__('Failed'),
    CANCELLED: trans.__('Cancelled'),
    TIMEOUT: trans.__('Out of time'),
    OUT_OF_MEMORY: trans.__('Out of memory'),
    NODE_FAILED: trans.__('Node failed'),
    UNKNOWN: trans.__('Unknown')
  } satisfies Record<JobState, string> as Partial<Record<string, string>>;
  return words[state] ?? state;
}

/** Why a job is where it is, for a glance: a few plain words where there are some, else as the server says it. */
export function reasonOf(
  job: Pick<JobDetail, 'State' | 'ExitCode' | 'Reason' | 'Explanation'>,
  trans: TranslationBundle
): string | undefined {
  if (job.State === 'FAILED' && job.ExitCode) {
    return undefined; // a command that failed has no better reason than its exit code
  }
  const words: Partial<Record<string, string>> = {
    Resources: trans.__('waiting for free nodes'),
    Priority: trans.__('others come first')
  };
  return (job.State === 'QUEUED' ? words[job.Reason ?? ''] : undefined) ?? job.Explanation ?? job.Reason;
}

/** How many tasks an array has, and how many of them have ended. */
export function taskCounts(job: JobDetail): { all: number; ended: number } {
  const counts = Object.entries(job.Tasks ?? {});
  const sum = (rows: [string, number][]): number => rows.reduce((total, [, count]) => total + count, 0);
  return { all: sum(counts), ended: sum(counts.filter(([state]) => isFinal(state as JobState))) };
}

/** The tasks of `first-last:step`, without writing them all out. */
export function taskRange(request: string | undefined): { first: number; last: number; step: number } | null {
  const found = /^(\d+)-(\d+)(?::(\d+))?$/.exec((request ?? '').trim());
  return found ? { first: Number(found[1]), last: Number(found[2]), step: Number(found[3] ?? 1) } : null;
}
