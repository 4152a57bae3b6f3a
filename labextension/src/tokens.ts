import { Token } from '@lumino/coreutils';

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

/** What a person can do with a job, wherever it is shown. */
export interface IJobActions {
  /** Ask, then stop it; false when it was not. `onConfirmed` is called between the two. */
  stop(job: JobDetail, onConfirmed?: () => void): Promise<boolean>;
  /** Open one of its outputs in a tab. */
  openOutput(job: JobDetail, which: 'stdout' | 'stderr', task?: number): Promise<void>;
  /** Open its folder in a tab. */
  openFolder(job: JobDetail): Promise<void>;
  /** Put its id on the clipboard. */
  copyId(job: JobDetail): Promise<void>;
}

/** What the panel and the cards share. */
export interface IEhpc {
  readonly api: IApi;
  readonly jobs: JobModel;
  readonly live: Live;
  readonly actions: IJobActions;
  /** How many bytes of an output's end are shown. */
  tailBytes: number;
}

export const IEhpc = new Token<IEhpc>(
  'ehpc-jupyter:IEhpc',
  'The cluster jobs known to this server, and what can be done with them.'
);
