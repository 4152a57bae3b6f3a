import { Drive, type ServerConnection } from '@jupyterlab/services';

import type { JobDetail } from './generated/api';
import { DRIVE } from './tokens';

/** The jobs' folders, read only: the server refuses every other verb and says `writable: false`. */
export function createDrive(serverSettings: ServerConnection.ISettings): Drive {
  return new Drive({ name: DRIVE, apiEndpoint: 'ehpc/contents', serverSettings });
}

/**
 * The path of a job's folder or of a file in it.
 *
 * Lab itself encodes the segments on their way to the server. A card shows what a notebook says, and anybody may
 * have written the notebook: a name that would lead elsewhere is refused.
 */
export function drivePath(job: JobDetail, file?: string): string | null {
  const segments = [job.ClusterId, job.JobId ?? '', ...(file ? [file] : [])];
  const safe = segments.every(segment => /^[A-Za-z0-9][^/\\]*$/.test(segment));
  return safe ? `${DRIVE}:${segments.join('/')}` : null;
}
