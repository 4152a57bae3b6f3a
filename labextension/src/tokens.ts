import { Token } from '@lumino/coreutils';

import type { IReport, ITarget, Order } from './control';
import type { IApi } from './errors';
import type { JobDetail } from './generated/api';
import type { Live } from './events';
import type { JobModel } from './model';

/** The package's name: settings, state and layout are stored below it. */
export const NAMESPACE = 'ehpc-jupyter';

/** The translation domain. */
export const DOMAIN = 'ehpc_jupyter';

/** The drive that holds every job's folder, as `ehpc:<cluster>/<job id>/<file>`. */
export const DRIVE = 'ehpc';

/** What a notebook stores of a job: the wire form of `JobDetail`. */
export const MIME_TYPE = 'application/vnd.ehpc.job.v1+json';

/** The events that the server emits when a job changes; their payload is a `JobDetail`. */
export const EVENT_SCHEMA = 'urn:ehpc-jupyter:event:job:v1';

export const CommandIDs = {
  openPanel: 'ehpc:open-panel',
  newJob: 'ehpc:new-job',
  refresh: 'ehpc:refresh',
  openStdout: 'ehpc:open-stdout',
  openStderr: 'ehpc:open-stderr',
  openFolder: 'ehpc:open-folder',
  copyJobId: 'ehpc:copy-job-id',
  stopJob: 'ehpc:stop-job',
  openApi: 'ehpc:open-api'
} as const;

export interface IOrderOptions {
  /** Called when the order is about to be given. */
  onConfirmed?: () => void;
  /** The caller shows what went wrong itself. */
  quiet?: boolean;
}

/** What a person can do with jobs, wherever they are shown. */
export interface IJobActions {
  /** Ask if need be, then give the order; null when it was not given. */
  order(order: Order, target: ITarget, options?: IOrderOptions): Promise<IReport | null>;
  /** Open one of its outputs in a tab. */
  openOutput(job: JobDetail, which: 'stdout' | 'stderr', task?: number): Promise<void>;
  /** Open its folder in a tab. */
  openFolder(job: JobDetail): Promise<void>;
  /** Put text on the clipboard. */
  copy(text: string): Promise<void>;
  /** Put a cell that submits the job again below the one that shows its card. */
  cloneToCell(job: JobDetail, card: HTMLElement): Promise<void>;
}

/** What the panel and the cards share. */
export interface IEhpc {
  readonly api: IApi;
  readonly jobs: JobModel;
  readonly live: Live;
  readonly actions: IJobActions;
  /** Show text with a terminal's colours in an element, as Lab shows the output of a cell. */
  readonly renderText: (host: HTMLElement, text: string) => Promise<void>;
  /** How many bytes of an output's end are shown. */
  tailBytes: number;
}

export const IEhpc = new Token<IEhpc>(
  'ehpc-jupyter:IEhpc',
  'The cluster jobs known to this server, and what can be done with them.'
);
