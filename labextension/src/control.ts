import { ApiError, type IApi } from './errors';
import type { JobDetail, JobOutcome, TaskGroup } from './generated/api';
import { isFinal } from './state';

/** What a person can have done to jobs, in the order of the buttons. */
export const ORDERS = ['stop', 'hold', 'release', 'rerun', 'delete'] as const;
export type Order = (typeof ORDERS)[number];

/** Jobs, or tasks of one, of one cluster. */
export interface ITarget {
  cluster: string;
  /** As the actions take them: `10`, `10_3`, `10_[1-5,7]`. */
  ids: string[];
  /** How a person calls them, if it is one. */
  name: string;
}

/** What became of an order. */
export interface IReport {
  order: Order;
  outcomes: readonly JobOutcome[];
  error: ApiError | null;
}

/** What goes with an order. */
export interface IExtras {
  deleteFolder?: boolean;
  password?: string;
  token?: string;
}

/** As many as the server takes in one request. */
const AT_ONCE = 1000;

/** Whether the order would change anything about the job. */
export function applies(order: Order, job: JobDetail): boolean {
  const has = (state: string): boolean => job.State === state || (job.Tasks?.[state] ?? 0) > 0;
  if (job.JobId === undefined) {
    return false;
  }
  switch (order) {
    case 'stop':
      return !isFinal(job.State);
    case 'hold':
      return !isFinal(job.State) && has('QUEUED');
    case 'release':
      return !isFinal(job.State) && has('HELD');
    case 'rerun':
      return isFinal(job.State);
    case 'delete':
      // Nobody may ever learn what became of a job that is unknown.
      return isFinal(job.State) || job.State === 'UNKNOWN';
  }
}

/** Whether the order would change anything about a group of tasks: the queue's orders only, the others take whole jobs. */
export function appliesToTasks(order: Order, group: TaskGroup): boolean {
  const states = { stop: !isFinal(group.State), hold: group.State === 'QUEUED', release: group.State === 'HELD' };
  return order in states && states[order as keyof typeof states];
}

/** The jobs of them that the order applies to; all are of one cluster. */
export function targetOf(order: Order, jobs: readonly JobDetail[]): ITarget {
  const meant = jobs.filter(job => applies(order, job));
  const ids = meant.map(job => job.JobId ?? '');
  return { cluster: meant[0]?.ClusterId ?? '', ids, name: meant.length === 1 ? (meant[0]?.JobName ?? '') : '' };
}

/** The tasks of a group, as the actions name them. */
export function taskIds(job: JobDetail, group: TaskGroup): ITarget {
  const one = /^\d+$/.test(group.Tasks);
  const id = one ? `${job.JobId ?? ''}_${group.Tasks}` : `${job.JobId ?? ''}_[${group.Tasks}]`;
  return { cluster: job.ClusterId, ids: [id], name: job.JobName };
}

/** Give the order. What was done before something failed is in the report, too. */
export async function give(api: IApi, order: Order, target: ITarget, extras: IExtras = {}): Promise<IReport> {
  const outcomes: JobOutcome[] = [];
  for (let start = 0; start < target.ids.length; start += AT_ONCE) {
    const part = { ClusterId: target.cluster, JobIds: target.ids.slice(start, start + AT_ONCE) };
    try {
      outcomes.push(...((await send(api, order, part, extras)) ?? []));
    } catch (reason) {
      return { order, outcomes, error: ApiError.from(reason) };
    }
  }
  return { order, outcomes, error: null };
}

async function send(
  api: IApi,
  order: Order,
  jobs: { ClusterId: string; JobIds: string[] },
  extras: IExtras
): Promise<JobOutcome[] | undefined> {
  switch (order) {
    case 'stop':
      return (await api.call('StopJobs', jobs)).Results;
    case 'hold':
      return (await api.call('HoldJobs', jobs)).Results;
    case 'release':
      return (await api.call('ReleaseJobs', jobs)).Results;
    case 'rerun':
      return (
        await api.call('RerunJobs', {
          ...jobs,
          ...(extras.token ? { ClientToken: extras.token } : {}),
          ...(extras.password ? { RunasUserPassword: extras.password } : {})
        })
      ).Results;
    case 'delete':
      return (await api.call('DeleteJobs', { ...jobs, DeleteFolder: extras.deleteFolder ?? false })).Results;
  }
}

/** `crypto.randomUUID` exists on secure pages only, and many Jupyter servers are reached by plain HTTP. */
export function newToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('');
}
