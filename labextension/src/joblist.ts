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

/** The jobs of one cluster as the panel lists them: keys only, the jobs themselves are in the model. */
export class JobList {
  constructor(
    private readonly _api: IApi,
    private readonly _jobs: JobModel
  ) {
    _jobs.changed.connect(this._onChanged, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  cluster = '';
  filter: IFilter = NO_FILTER;
  keys: readonly string[] = [];
  total = 0;
  loading = false;
  /** Whether the server answered since the cluster or the filter changed. */
  loaded = false;
  error: ApiError | null = null;

  get hasMore(): boolean {
    return this.loaded && this.keys.length < this.total;
  }

  async show(cluster: string, filter: IFilter): Promise<void> {
    this.cluster = cluster;
    this.filter = filter;
    this.keys = [];
    this.total = 0;
    this.loaded = false;
    this.error = null;
    this._pages = 0;
    await this.refresh();
  }

  /** Fetch again as many pages as are shown. */
  async refresh(): Promise<void> {
    await this._run(async fresh => {
      const keys: string[] = [];
      for (let page = 1; page <= Math.max(1, this._pages) && fresh(); page++) {
        const found = await this._page(page, fresh);
        keys.push(...found);
        if (found.length < PAGE_SIZE) {
          break;
        }
      }
      if (fresh()) {
        this._pages = Math.max(1, Math.ceil(keys.length / PAGE_SIZE));
        this.keys = [...new Set(keys)];
      }
    });
  }

  /** Look for what is new at the top; what is shown further down stays. */
  async poll(): Promise<void> {
    if (!this.loaded) {
      return this.refresh();
    }
    await this._run(async fresh => {
      const first = await this._page(1, fresh);
      if (fresh()) {
        const rest = this._pages > 1 ? this.keys.filter(key => !first.includes(key)) : [];
        this.keys = [...first, ...rest];
      }
    });
  }

  async more(): Promise<void> {
    await this._run(async fresh => {
      const found = await this._page(this._pages + 1, fresh);
      if (fresh()) {
        this._pages++;
        this.keys = [...new Set([...this.keys, ...found])];
      }
    });
  }

  private async _page(number: number, fresh: () => boolean): Promise<string[]> {
    const { name, status } = this.filter;
    const answer = await this._api.call('ListJobs', {
      ClusterId: this.cluster,
      PageNumber: number,
      PageSize: PAGE_SIZE,
      JobFilter: { JobStatus: status, ...(name ? { JobName: name } : {}) }
    });
    if (!fresh()) {
      return [];
    }
    this.total = answer.TotalCount;
    this._filling = true;
    answer.Jobs.forEach(job => this._jobs.receive(job.Detail));
    this._filling = false;
    return answer.Jobs.map(job => keyOf(job.Detail));
  }

  /** One question at a time counts: the answer to an older one is dropped. */
  private async _run(work: (fresh: () => boolean) => Promise<void>): Promise<void> {
    if (!this.cluster) {
      return;
    }
    const turn = ++this._turn;
    const fresh = (): boolean => turn === this._turn;
    this.loading = true;
    this._changed.emit();
    try {
      await work(fresh);
      if (fresh()) {
        this.error = null;
        this.loaded = true;
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

  private _onChanged(_: JobModel, job: JobDetail): void {
    const key = keyOf(job);
    if (this._filling || !this.loaded || job.ClusterId !== this.cluster || this.keys.includes(key)) {
      return;
    }
    const { name, status } = this.filter;
    const wanted = status === 'all' || isFinal(job.State) === (status === 'finished');
    // News of a job from an earlier page must not move it to the top.
    const newest = this._jobs.get(this.keys[0] ?? '')?.detail.SubmitTime ?? 0;
    if (wanted && job.JobName.toLowerCase().includes(name.toLowerCase()) && (job.SubmitTime ?? Infinity) >= newest) {
      this.keys = [key, ...this.keys];
      this.total++;
      this._changed.emit();
    }
  }

  private _filling = false;
  private _pages = 0;
  private _turn = 0;
  private readonly _changed = new Signal<this, void>(this);
}
