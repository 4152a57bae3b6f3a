import type { Event, ServiceManager } from '@jupyterlab/services';
import { type IPoll, Poll } from '@lumino/polling';

import { ApiError } from './errors';
import { asJob, type JobModel } from './model';
import { EVENT_SCHEMA } from './tokens';

/** What else is to be brought up to date; `recovered` when the server was away in between. */
export type Task = (recovered: boolean) => Promise<void>;

/** While the server is away. */
const PROBE = { interval: 2_000, max: 30_000, backoff: true };

const every = (interval: number): IPoll.Frequency => ({ interval, max: interval, backoff: false });

/**
 * Keeps the jobs up to date: by the server's events, and by a slow poll.
 *
 * Lab's event socket comes back by itself after a server's restart, but does not say so, and what happened in
 * between was sent to nobody. The poll notices the silence and catches up.
 */
export class Live {
  constructor(services: ServiceManager.IManager, jobs: JobModel) {
    this._jobs = jobs;
    services.events.stream.connect(this._onEvent, this);
    services.connectionFailure.connect(this._onFailure, this);
    this._poll = new Poll({
      name: 'ehpc-jupyter:live',
      factory: () => this._tick(),
      frequency: every(this._intervalMs),
      standby: 'when-hidden'
    });
  }

  /** How often to look where no event told anything. */
  set intervalMs(value: number) {
    this._intervalMs = value;
    if (!this._away) {
      this._poll.frequency = every(value);
    }
  }

  /** Do this too on each round. */
  add(task: Task): void {
    this._tasks.add(task);
  }

  private async _tick(): Promise<void> {
    const recovered = this._away;
    try {
      await Promise.all([this._jobs.sync(), ...[...this._tasks].map(task => task(recovered))]);
    } catch (reason) {
      if (ApiError.from(reason).unanswered) {
        this._setAway(true);
      }
      throw reason;
    }
    this._setAway(false);
  }

  private _setAway(away: boolean): void {
    if (away !== this._away) {
      this._away = away;
      this._poll.frequency = away ? PROBE : every(this._intervalMs);
    }
  }

  private _onEvent(_: Event.IManager, event: Event.Emission): void {
    if (event.schema_id === EVENT_SCHEMA) {
      const job = asJob({ ...event, schema_id: undefined });
      if (job) {
        this._jobs.receive(job);
      }
    }
  }

  private _onFailure(): void {
    if (!this._away) {
      void this._poll.refresh();
    }
  }

  private _away = false;
  private _intervalMs = 30_000;
  private readonly _jobs: JobModel;
  private readonly _poll: Poll;
  private readonly _tasks = new Set<Task>();
}
