import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard, Dialog, MainAreaWidget, Notification, showDialog } from '@jupyterlab/apputils';
import type { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { TranslationBundle } from '@jupyterlab/translation';

import { drivePath } from './drive';
import { ApiError, type IApi } from './errors';
import type { JobDetail } from './generated/api';
import { ehpcIcon } from './icon';
import { DRIVE, type IJobActions } from './tokens';
import type { Which } from './output';

/** What a person can do with a job, through Lab's own tabs, dialogs and notifications. */
export class JobActions implements IJobActions {
  constructor(
    private readonly _app: JupyterFrontEnd,
    private readonly _api: IApi,
    private readonly _trans: TranslationBundle,
    private readonly _browsers: IFileBrowserFactory | null
  ) {}

  async stop(job: JobDetail, onConfirmed?: () => void): Promise<boolean> {
    const trans = this._trans;
    const answer = await showDialog({
      title: trans.__('Stop job %1?', job.JobId ?? ''),
      body: trans.__('“%1” on %2 will be cancelled. This cannot be undone.', job.JobName, job.ClusterId),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Leave it') }),
        Dialog.warnButton({ label: trans.__('Stop the job') })
      ],
      defaultButton: 0
    });
    if (!answer.button.accept || job.JobId === undefined) {
      return false;
    }
    onConfirmed?.();
    try {
      await this._api.call('StopJobs', { ClusterId: job.ClusterId, JobIds: [job.JobId] });
      return true;
    } catch (reason) {
      const error = ApiError.from(reason);
      Notification.error(trans.__('Job %1 was not stopped. %2', job.JobId, error.message), { autoClose: false });
      return false;
    }
  }

  async openOutput(job: JobDetail, which: Which, task?: number): Promise<void> {
    const first = /^\d+/.exec(job.ArrayRequest ?? '')?.[0];
    const index = task ?? first;
    const path = drivePath(job, index === undefined ? which : `${which}.${index}`);
    if (path === null) {
      return;
    }
    try {
      // A file that is not there yet is no error; Lab would show one, without the server's words.
      await this._api.look(path.slice(DRIVE.length + 1));
      await this._app.commands.execute('docmanager:open', { path });
    } catch (reason) {
      const text = this._trans.__('%1 of job %2: %3', which, job.JobId ?? '', ApiError.from(reason).message);
      Notification.info(text, { autoClose: 8000 });
    }
  }

  async openFolder(job: JobDetail): Promise<void> {
    const path = drivePath(job);
    if (path === null || !this._browsers) {
      return;
    }
    const { shell } = this._app;
    const id = `ehpc-folder-${path}`;
    const opened = [...shell.widgets('main')].find(widget => widget.id === id);
    if (opened) {
      shell.activateById(id);
      return;
    }
    const browser = this._browsers.createFileBrowser(`${id}-browser`, {
      driveName: DRIVE,
      auto: false,
      restore: false,
      state: null,
      allowFileUploads: false
    });
    const tab = new MainAreaWidget({ content: browser });
    tab.id = id;
    tab.title.label = this._trans.__('Job %1', job.JobId ?? '');
    tab.title.caption = job.Folder ?? path;
    tab.title.icon = ehpcIcon;
    tab.title.closable = true;
    shell.add(tab, 'main');
    await browser.model.cd(path.slice(DRIVE.length + 1));
  }

  async copyId(job: JobDetail): Promise<void> {
    Clipboard.copyToSystem(job.JobId ?? '');
    await Promise.resolve();
  }
}
