import { type ISignal, Signal } from '@lumino/signaling';

import type { IReport } from './control';
import { ApiError, type IApi } from './errors';
import type { ClusterInfo, JobDetail } from './generated/api';
import { type IFilter, JobList, NO_FILTER } from './joblist';
import { type JobModel, keyOf } from './model';

export type Tab = 'jobs' | 'new';

const CLUSTERS_PAGE = 100;

/** Not more often, however often the cluster is asked, seconds. */
const LOOK_AGAIN_S = 5;

/** How long an answer of the cluster to "now" is waited for, seconds. */
const AFTER_REFRESH_S = 15;

const seconds = (): number => Math.floor(Date.now() / 1000);

/** What the side panel shows. */
export class PanelModel {
  constructor(
    private readonly _api: IApi,
    private readonly _jobs: JobModel,
    /** Called with the cluster that the person chose. */
    private readonly _remember: (cluster: string) => void
  ) {
    this.list = new JobList(_api, _jobs);
    _jobs.changed.connect((_, job) => {
      if (job.ClusterId === this.cluster) {
        this._heard = Math.max(this._heard, job.CheckedTime ?? 0);
      }
    });
    _jobs.removed.connect((_, key) => {
      this._marked.delete(key);
      this.selected = this.selected === key ? null : this.selected;
      this._changed.emit();
    });
  }

  readonly list: JobList;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  clusters: readonly ClusterInfo[] = [];
  cluster = '';
  loaded = false;
  error: ApiError | null = null;
  tab: Tab = 'jobs';
  /** Whether the form was ever looked at: it asks the cluster for its queues. */
  formOpened = false;
  /** The job whose details are unfolded. */
  selected: string | null = null;
  /** What became of the last order to several jobs. */
  report: IReport | null = null;
  /** What was last submitted, for the message about it. */
  submitted: string | null = null;

  get clusterInfo(): ClusterInfo | undefined {
    return this.clusters.find(one => one.ClusterId === this.cluster);
  }

  get selectedJob(): JobDetail | undefined {
    return this.selected === null ? undefined : this._jobs.get(this.selected)?.detail;
  }

  /** The jobs that are marked for an order to all of them, as far as they are known. */
  get marked(): JobDetail[] {
    return [...this._marked].map(key => this._jobs.get(key)?.detail).filter(job => job !== undefined);
  }

  isMarked(key: string): boolean {
    return this._marked.has(key);
  }

  mark(keys: readonly string[], on: boolean): void {
    keys.forEach(key => (on ? this._marked.add(key) : this._marked.delete(key)));
    this._changed.emit();
  }

  setReport(report: IReport | null): void {
    this.report = report;
    this._changed.emit();
  }

  /** From now on the server may be asked; of the clusters, the first wanted one that is there is chosen. */
  start(wanted: string[]): void {
    this._wanted = wanted;
    this.setVisible(this._visible);
  }

  /** Whether a person can see the panel: nothing is asked for while nobody does. */
  setVisible(visible: boolean): void {
    this._visible = visible;
    // What went wrong is shown, and the next round tries again.
    this.tick(false).catch(() => undefined);
  }

  /** Have the cluster asked now, also one that is left alone, and show again what the server knows. */
  async refresh(): Promise<void> {
    const { cluster } = this;
    if (cluster) {
      await this._api.call('RefreshJobs', { ClusterId: cluster }).catch((reason: unknown) => {
        // A cluster that cannot be asked shows by its status; a server that is away shows here.
        if (ApiError.from(reason).unanswered) {
          throw reason;
        }
      });
    }
    this._asked = seconds();
    await Promise.all([this._loadClusters(), this.list.refresh()]);
  }

  /**
   * Called every second: when the cluster's next look is due, what is known of the cluster is asked for again.
   * News of its jobs come by themselves, but a look that finds none says nothing.
   */
  async onSecond(): Promise<void> {
    const info = this.clusterInfo;
    const now = seconds();
    // A job's news say that the cluster was asked since.
    const due = (info?.NextCheckTime !== undefined && now > info.NextCheckTime) || this._heard > (info?.CheckedTime ?? 0);
    const answered = (info?.CheckedTime ?? 0) >= this._asked;
    const waiting = now - this._asked < AFTER_REFRESH_S && !answered;
    if (this._visible && (due || waiting) && now - this._loadedAt >= (waiting ? 1 : LOOK_AGAIN_S)) {
      this._loadedAt = now;
      await this._loadClusters();
    }
  }

  /** The regular round. */
  async tick(recovered: boolean): Promise<void> {
    if (!this._visible || !this._wanted) {
      return;
    }
    await Promise.all([this._loadClusters(), recovered ? this.list.refresh() : this.list.poll()]);
  }

  choose(cluster: string): void {
    this._remember(cluster);
    this._choose(cluster);
  }

  setFilter(filter: IFilter): void {
    this.selected = null;
    // An order must not reach jobs that are out of sight.
    this._marked.clear();
    this._show(this.cluster, filter);
    this._changed.emit();
  }

  open(tab: Tab): void {
    this.tab = tab;
    this.formOpened ||= tab === 'new';
    this.submitted = null;
    this._changed.emit();
  }

  select(key: string | null): void {
    this.selected = key;
    this.submitted = null;
    this._changed.emit();
  }

  /** A job was submitted: show it. */
  async follow(cluster: string, jobId: string): Promise<void> {
    this.submitted = jobId;
    this.tab = 'jobs';
    if (this.list.filter !== NO_FILTER) {
      this._show(cluster, NO_FILTER);
    }
    this._changed.emit();
    const answer = await this._api.call('GetJob', { ClusterId: cluster, JobId: jobId });
    this._jobs.receive(answer.JobInfo.Detail);
    this.selected = keyOf(answer.JobInfo.Detail);
    this._changed.emit();
    // The cluster was talked to: what is known of it may be new.
    await this._loadClusters();
  }

  private async _loadClusters(): Promise<void> {
    this._loadedAt = seconds();
    try {
      const found: ClusterInfo[] = [];
      for (let page = 1; ; page++) {
        const answer = await this._api.call('ListClusters', { PageNumber: page, PageSize: CLUSTERS_PAGE });
        found.push(...answer.Clusters);
        if (answer.Clusters.length < CLUSTERS_PAGE || found.length >= answer.TotalCount) {
          break;
        }
      }
      this.clusters = found;
      this.error = null;
      this.loaded = true;
    } catch (reason) {
      this.error = ApiError.from(reason);
      this._changed.emit();
      throw reason;
    }
    if (!this.clusterInfo) {
      const known = (id: string): boolean => this.clusters.some(one => one.ClusterId === id);
      this._choose(this._wanted?.find(known) ?? this.clusters[0]?.ClusterId ?? '');
    }
    this._changed.emit();
  }

  private _choose(cluster: string): void {
    this.cluster = cluster;
    this._heard = 0;
    this.selected = null;
    this.submitted = null;
    this.report = null;
    this._marked.clear();
    this._show(cluster, this.list.filter);
    this._changed.emit();
  }

  /** The list keeps its own error; a server that is away shows at the next round. */
  private _show(cluster: string, filter: IFilter): void {
    this.list.show(cluster, filter).catch(() => undefined);
  }

  /** When RefreshJobs was called, and when the clusters were asked for, UNIX seconds. */
  private _asked = 0;
  private _loadedAt = 0;
  /** When the cluster last spoke of a job, as its news say, UNIX seconds. */
  private _heard = 0;
  private readonly _marked = new Set<string>();
  private _visible = false;
  private _wanted: string[] | null = null;
  private readonly _changed = new Signal<this, void>(this);
}
