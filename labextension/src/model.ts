import { type ISignal, Signal } from '@lumino/signaling';

import { ApiError, type IApi } from './errors';
import type { JobDetail, ListJobsResponse } from './generated/api';
import { isFinal } from './state';

/** How far what is known of a job can be trusted. */
export type Origin =
  /** The server said so; events keep it so. */
  | 'server'
  /** A notebook said so, the server is being asked. */
  | 'asking'
  /** A notebook said so, the server knows no such job. */
  | 'unknown'
  /** A notebook said so, the server does not answer. */
  | 'offline';

export interface IEntry {
  readonly detail: JobDetail;
  readonly origin: Origin;
}

/** A browser opens six connections to a host; Lab's own requests need some of them. */
const AT_ONCE = 4;

/** The largest page that ListJobs gives. */
export const PAGE_SIZE = 50;

/** Cards of a notebook come one by one, but soon after each other; their jobs are asked for together. */
const COLLECT_MS = 20;

interface IBatch {
  jobs: JobDetail[];
  done: Promise<void>;
}

/** One job, whatever the scheduler calls it: job ids return after a scheduler's counter was reset, request ids do not. */
export function keyOf(job: Pick<JobDetail, 'ClusterId' | 'RequestId' | 'JobId'>): string {
  return job.RequestId ? `${job.ClusterId}/request/${job.RequestId}` : `${job.ClusterId}/job/${job.JobId ?? ''}`;
}

/** A job as far as a value from a notebook or an event is one. */
export function asJob(value: unknown): JobDetail | null {
  const job = value as Partial<JobDetail> | null;
  const isJob =
    typeof job === 'object' &&
    job !== null &&
    typeof job.ClusterId === 'string' &&
    typeof job.JobName === 'string' &&
    typeof job.State === 'string' &&
    (job.JobId === undefined || typeof job.JobId === 'string');
  return isJob ? ({ ...job, RequestId: job.RequestId ?? '' } as JobDetail) : null;
}

/** Every job that any part of the browser shows, once. */
export class JobModel {
  constructor(private readonly _api: IApi) {}

  /** Emitted with each job that the server told something new of. */
  get changed(): ISignal<this, JobDetail> {
    return this._changed;
  }

  /** Emitted with the key of each job that the server was told to forget. */
  get removed(): ISignal<this, string> {
    return this._removed;
  }

  get(key: string): IEntry | undefined {
    return this._entries.get(key);
  }

  /** Call `onChange` whenever the job changes, until the answer is called; `sync` asks for what is watched. */
  watch(key: string, onChange: () => void): () => void {
    const watchers = this._watchers.get(key) ?? new Set();
    this._watchers.set(key, watchers.add(onChange));
    return () => {
      watchers.delete(onChange);
      if (watchers.size === 0 && this._watchers.get(key) === watchers) {
        this._watchers.delete(key);
      }
    };
  }

  /** Take what the server said, unless more recent news are here: answers and events cross on their way. */
  receive(job: JobDetail): void {
    const key = keyOf(job);
    const known = this._entries.get(key);
    if (known?.origin === 'server') {
      const older = (job.CheckedTime ?? Infinity) < (known.detail.CheckedTime ?? 0);
      if (older || (isFinal(known.detail.State) && !isFinal(job.State))) {
        return;
      }
    }
    this._set(key, job, 'server');
    this._changed.emit(job);
  }

  /** The job was deleted: the server knows it no more. */
  forget(job: JobDetail): void {
    const key = keyOf(job);
    this._set(key, this._entries.get(key)?.detail ?? job, 'unknown');
    this._removed.emit(key);
  }

  /** Show a job that a notebook stored, and ask the server for it if nobody did. */
  async load(saved: JobDetail): Promise<void> {
    const key = keyOf(saved);
    const known = this._entries.get(key);
    if (known?.origin === 'server') {
      return;
    }
    // A kernel without this server writes the news into its notebook.
    if (!known || (saved.CheckedTime ?? 0) > (known.detail.CheckedTime ?? 0)) {
      this._set(key, saved, known?.origin ?? 'asking');
    }
    await this._ask(saved);
  }

  /** Ask for every job that is watched and not final: a list for each fifty of a cluster. */
  async sync(): Promise<void> {
    const open = [...this._watchers.keys()]
      .map(key => this._entries.get(key))
      .filter((entry): entry is IEntry => {
        return entry !== undefined && (entry.origin === 'offline' || !isFinal(entry.detail.State));
      })
      .filter(entry => entry.origin !== 'unknown');
    await Promise.all(
      clustersOf(open.map(entry => entry.detail)).map(([cluster, jobs]) => {
        return this._list(cluster, jobs).catch((reason: unknown) => {
          // A cluster that is down is no reason to believe that the server is.
          if (ApiError.from(reason).unanswered) {
            throw reason;
          }
        });
      })
    );
  }

  /** Ask for a job together with those that are asked for at the same time; joined with a question for it on its way. */
  private _ask(job: JobDetail): Promise<void> {
    const key = keyOf(job);
    let asked = this._asked.get(key);
    if (!asked) {
      this._batch ??= this._collect();
      this._batch.jobs.push(job);
      asked = this._batch.done.finally(() => this._asked.delete(key));
      this._asked.set(key, asked);
    }
    return asked;
  }

  private _collect(): IBatch {
    const jobs: JobDetail[] = [];
    const done = new Promise(resolve => setTimeout(resolve, COLLECT_MS)).then(async () => {
      this._batch = null;
      await Promise.all(
        clustersOf(jobs).map(([cluster, some]) =>
          this._askAll(cluster, some).catch((reason: unknown) => {
            some.forEach(job => this._doubtBecause(keyOf(job), reason));
          })
        )
      );
    });
    return { jobs, done };
  }

  /** Jobs of one cluster: one by itself, several by lists of them. */
  private _askAll(cluster: string, jobs: JobDetail[]): Promise<void> {
    const [only] = jobs;
    return only && jobs.length === 1 ? this._slot(() => this._fetch(keyOf(only), only)) : this._list(cluster, jobs);
  }

  private async _list(cluster: string, jobs: JobDetail[]): Promise<void> {
    const pages = Array.from({ length: Math.ceil(jobs.length / PAGE_SIZE) }, (_, page) =>
      jobs.slice(page * PAGE_SIZE, (page + 1) * PAGE_SIZE)
    );
    await Promise.all(pages.map(some => this._slot(() => this._page(cluster, some))));
  }

  private async _page(cluster: string, jobs: JobDetail[]): Promise<void> {
    let answer: ListJobsResponse;
    try {
      answer = await this._api.call('ListJobs', {
        ClusterId: cluster,
        PageSize: PAGE_SIZE,
        JobFilter: { JobIds: jobs.map(job => job.RequestId || (job.JobId ?? '')) }
      });
    } catch (reason) {
      if (ApiError.from(reason).status !== 400) {
        throw reason;
      }
      // Anybody may have written the notebook: one id that is none must not spoil the others.
      for (const job of jobs) {
        await this._fetch(keyOf(job), job);
      }
      return;
    }
    const found = new Set(answer.Jobs.map(job => keyOf(job.Detail)));
    answer.Jobs.forEach(job => this.receive(job.Detail));
    jobs.filter(job => !found.has(keyOf(job))).forEach(job => this._doubt(keyOf(job), 'unknown'));
  }

  private async _fetch(key: string, job: JobDetail): Promise<void> {
    try {
      const found = job.JobId ? await this._byId(job.ClusterId, job.JobId) : await this._byName(key, job);
      if (found && keyOf(found) === key) {
        this.receive(found);
      } else {
        this._doubt(key, 'unknown');
      }
    } catch (reason) {
      this._doubtBecause(key, reason);
    }
  }

  private _doubtBecause(key: string, reason: unknown): void {
    const error = ApiError.from(reason);
    this._doubt(key, error.unknown || error.status === 400 ? 'unknown' : 'offline');
  }

  private async _byId(cluster: string, jobId: string): Promise<JobDetail> {
    return (await this._api.call('GetJob', { ClusterId: cluster, JobId: jobId })).JobInfo.Detail;
  }

  /** A notebook that was saved while its job was being submitted knows no job id. */
  private async _byName(key: string, job: JobDetail): Promise<JobDetail | undefined> {
    const answer = await this._api.call('ListJobs', {
      ClusterId: job.ClusterId,
      PageSize: PAGE_SIZE,
      JobFilter: { JobName: job.JobName }
    });
    return answer.Jobs.map(listed => listed.Detail).find(detail => keyOf(detail) === key);
  }

  private _doubt(key: string, origin: Origin): void {
    const known = this._entries.get(key);
    if (known && known.origin !== 'server') {
      this._set(key, known.detail, origin);
    }
  }

  private _set(key: string, detail: JobDetail, origin: Origin): void {
    this._entries.set(key, { detail, origin });
    this._watchers.get(key)?.forEach(onChange => onChange());
  }

  private async _slot<T>(work: () => Promise<T>): Promise<T> {
    if (this._busy >= AT_ONCE) {
      await new Promise<void>(resolve => this._queue.push(resolve));
    } else {
      this._busy++;
    }
    try {
      return await work();
    } finally {
      const next = this._queue.shift();
      if (next) {
        next();
      } else {
        this._busy--;
      }
    }
  }

  private _busy = 0;
  private readonly _queue: (() => void)[] = [];
  private readonly _asked = new Map<string, Promise<void>>();
  private readonly _entries = new Map<string, IEntry>();
  private readonly _watchers = new Map<string, Set<() => void>>();
  private _batch: IBatch | null = null;
  private readonly _changed = new Signal<this, JobDetail>(this);
  private readonly _removed = new Signal<this, string>(this);
}

function clustersOf(jobs: JobDetail[]): [string, JobDetail[]][] {
  const found = new Map<string, JobDetail[]>();
  jobs.forEach(job => found.set(job.ClusterId, [...(found.get(job.ClusterId) ?? []), job]));
  return [...found];
}
