import { type ISignal, Signal } from '@lumino/signaling';

import { ApiError, type IApi } from './errors';
import type { JobDetail, JobFilter } from './generated/api';
import { type JobModel, keyOf, PAGE_SIZE } from './model';
import { isFinal } from './state';

export type Status = NonNullable<JobFilter['JobStatus']>;

export interface IFilter {
  name: string;
  status: Status;
}

export const NO_FILTER: IFilter = { name: '', status: 'all' };

/** Pages that changed while they were being fetched are fetched again so often, then left to the next look. */
const ROUNDS = 3;

/**
 * The jobs of one cluster as the panel lists them: keys only, the jobs themselves are in the model.
 *
 * Only the pages that somebody looks at are fetched. Each job has a place; a place whose page was not fetched is empty.
 */
export class JobList {
  constructor(
    private readonly _api: IApi,
    private readonly _jobs: JobModel
  ) {
    _jobs.changed.connect(this._onChanged, this);
    _jobs.removed.connect(this._onRemoved, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  cluster = '';
  filter: IFilter = NO_FILTER;
  loading = false;
  /** Whether the server answered since the cluster or the filter changed. */
  loaded = false;
  error: ApiError | null = null;

  /** How many jobs there are, fetched or not. */
  get total(): number {
    return this._places.length;
  }

  /** The jobs that were fetched, in their order. */
  get keys(): string[] {
    return this._places.filter(key => key !== null);
  }

  /** Of the job at a place, counted from 0; null if it was not fetched yet. */
  keyAt(place: number): string | null {
    return this._places[place] ?? null;
  }

  indexOf(key: string): number {
    return this._places.indexOf(key);
  }

  async show(cluster: string, filter: IFilter): Promise<void> {
    this.cluster = cluster;
    this.filter = filter;
    this.loaded = false;
    this.error = null;
    this._places = [];
    this._stale.clear();
    this._seen = [0, 0];
    await this.refresh();
  }

  /** Fetch again what is looked at, and all else when it is looked at. */
  async refresh(): Promise<void> {
    this._distrust(-1);
    await this._run(0);
  }

  /** Look for what is new at the top; what is shown further down moves or stays. */
  async poll(): Promise<void> {
    await (this.loaded ? this._run(0) : this.refresh());
  }

  /** Somebody looks at these places: what is missing of them is fetched. */
  async look(first: number, last: number): Promise<void> {
    this._seen = [first, last];
    if (this.loaded && this._wanted().length) {
      await this._run();
    }
  }

  /** Fetch pages one after the other. One question at a time counts: the answers to older ones are dropped. */
  private async _run(...pages: number[]): Promise<void> {
    if (!this.cluster) {
      return;
    }
    const turn = ++this._turn;
    const fresh = (): boolean => turn === this._turn;
    this.loading = true;
    this._changed.emit();
    try {
      let next = [...new Set([...pages, ...(this.loaded ? this._wanted() : [])])];
      for (let round = 0; round < ROUNDS && next.length && fresh(); round++) {
        for (const page of next) {
          await this._fetch(page, fresh);
        }
        next = this._wanted();
      }
      if (fresh()) {
        this.error = null;
      }
    } catch (reason) {
      if (fresh()) {
        this.error = ApiError.from(reason);
      }
      if (ApiError.from(reason).unanswered) {
        throw reason;
      }
    } finally {
      if (fresh()) {
        this.loading = false;
        this._changed.emit();
      }
    }
  }

  private async _fetch(page: number, fresh: () => boolean): Promise<void> {
    if (!fresh()) {
      return;
    }
    const { name, status } = this.filter;
    const answer = await this._api.call('ListJobs', {
      ClusterId: this.cluster,
      PageNumber: page + 1,
      PageSize: PAGE_SIZE,
      JobFilter: { JobStatus: status, ...(name ? { JobName: name } : {}) }
    });
    if (!fresh()) {
      return;
    }
    this._filling = true;
    answer.Jobs.forEach(job => this._jobs.receive(job.Detail));
    this._filling = false;
    this._put(
      page,
      answer.Jobs.map(job => keyOf(job.Detail)),
      answer.TotalCount
    );
    this.loaded = true;
    this._changed.emit();
  }

  private _put(page: number, keys: string[], total: number): void {
    if (page === 0) {
      // New jobs come at the top, and move all others down.
      const shift = keys.indexOf(this._places[0] ?? '');
      this._places.splice(0, 0, ...Array<null>(Math.max(0, shift)).fill(null));
    }
    if (this._places.length !== total) {
      this._distrust(page);
    }
    const start = page * PAGE_SIZE;
    const put = new Set(keys);
    this._places = Array.from({ length: total }, (_, place) => {
      const key = this._places[place] ?? null;
      const isHere = place >= start && place < start + PAGE_SIZE;
      return isHere ? (keys[place - start] ?? null) : key !== null && put.has(key) ? null : key;
    });
    this._stale.delete(page);
  }

  /** Jobs came or went: what is known of the other pages may be wrong. */
  private _distrust(but: number): void {
    for (let page = 0; page * PAGE_SIZE < this._places.length; page++) {
      if (page !== but) {
        this._stale.add(page);
      }
    }
  }

  /** The pages that are looked at and not known. */
  private _wanted(): number[] {
    const [first, last] = this._seen;
    const pages: number[] = [];
    for (let page = Math.floor(first / PAGE_SIZE); page <= Math.floor(last / PAGE_SIZE); page++) {
      const places = this._places.slice(page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
      if (places.length && (this._stale.has(page) || places.includes(null))) {
        pages.push(page);
      }
    }
    return pages;
  }

  private _onChanged(_: JobModel, job: JobDetail): void {
    const key = keyOf(job);
    if (this._filling || !this.loaded || job.ClusterId !== this.cluster || this._places.includes(key)) {
      return;
    }
    const { name, status } = this.filter;
    const wanted = status === 'all' || isFinal(job.State) === (status === 'finished');
    // News of a job from an earlier page must not move it to the top.
    const newest = this._jobs.get(this._places[0] ?? '')?.detail.SubmitTime ?? 0;
    if (wanted && job.JobName.toLowerCase().includes(name.toLowerCase()) && (job.SubmitTime ?? Infinity) >= newest) {
      this._places.unshift(key);
      this._changed.emit();
    }
  }

  private _onRemoved(_: JobModel, key: string): void {
    const place = this._places.indexOf(key);
    if (place >= 0) {
      this._places.splice(place, 1);
      this._changed.emit();
    }
  }

  private _filling = false;
  private _places: (string | null)[] = [];
  /** Pages of which what is known may be wrong. */
  private readonly _stale = new Set<number>();
  /** The first and the last place that somebody looks at. */
  private _seen: [number, number] = [0, 0];
  private _turn = 0;
  private readonly _changed = new Signal<this, void>(this);
}
