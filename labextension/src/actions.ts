import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard, MainAreaWidget, Notification } from '@jupyterlab/apputils';
import type { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { TranslationBundle } from '@jupyterlab/translation';

import { cellOf, isJobCell } from './clone';
import { give, type IReport, type ITarget, newToken, type Order } from './control';
import { askBefore, askPassword } from './dialogs';
import { drivePath } from './drive';
import { ApiError, type IApi } from './errors';
import type { JobDetail } from './generated/api';
import { ehpcIcon } from './icon';
import { insertBelow, placeOf } from './notebooks';
import { DRIVE, type IJobActions, type IOrderOptions } from './tokens';
import type { Which } from './output';

/** What a person can do with jobs, through Lab's own tabs, dialogs and notifications. */
export class JobActions implements IJobActions {
  constructor(
    private readonly _app: JupyterFrontEnd,
    private readonly _api: IApi,
    private readonly _trans: TranslationBundle,
    private readonly _browsers: IFileBrowserFactory | null
  ) {}

  async order(order: Order, target: ITarget, options: IOrderOptions = {}): Promise<IReport | null> {
    if (target.ids.length === 0) {
      return null;
    }
    const confirmed = await askBefore(order, target, this._trans);
    if (!confirmed) {
      return null;
    }
    options.onConfirmed?.();
    const extras = { ...confirmed, token: newToken() };
    let report = await give(this._api, order, target, extras);
    // The server keeps no passwords: an account whose connection is closed needs its own again.
    if (order === 'rerun' && report.error?.message.includes('RunasUserPassword')) {
      const password = await askPassword(report.error.message, this._trans);
      report = password ? await give(this._api, order, target, { ...extras, password }) : report;
    }
    if (report.error && !options.quiet) {
      const words = this._words(order, target.name || target.ids.join(', '));
      Notification.error(`${words} ${report.error.message}`, { autoClose: false });
    }
    return report;
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

  async copy(text: string): Promise<void> {
    Clipboard.copyToSystem(text);
    await Promise.resolve();
  }

  async cloneToCell(job: JobDetail, card: HTMLElement): Promise<void> {
    const trans = this._trans;
    const place = placeOf(this._app.shell, card);
    const cell = (await this._asSubmitted(job)) ?? oldCell(place?.source);
    if (!cell) {
      const text = trans.__('Job %1 cannot be cloned: its request is in its folder, which cannot be read.', job.JobId ?? '');
      Notification.error(text, { autoClose: 8000 });
      return;
    }
    if (place) {
      insertBelow(place, cell);
    } else {
      await this.copy(cell);
      Notification.info(trans.__('The cell is on the clipboard; this card stands in no notebook.'), { autoClose: 8000 });
    }
  }

  /** What was sent, whatever became of the cell since. */
  private async _asSubmitted(job: JobDetail): Promise<string | null> {
    const path = drivePath(job, 'request.json');
    try {
      return path === null ? null : cellOf(JSON.parse(await this._api.read(path.slice(DRIVE.length + 1))));
    } catch {
      return null;
    }
  }

  private _words(order: Order, name: string): string {
    const trans = this._trans;
    const words: Record<Order, string> = {
      stop: trans.__('%1 was not stopped.', name),
      hold: trans.__('%1 was not held.', name),
      release: trans.__('%1 was not released.', name),
      rerun: trans.__('%1 was not run again.', name),
      delete: trans.__('%1 was not deleted.', name)
    };
    return words[order];
  }
}

/** The cell that shows the card, where it is one that submits a job. */
function oldCell(source: string | undefined): string | null {
  return source !== undefined && isJobCell(source) ? source : null;
}
