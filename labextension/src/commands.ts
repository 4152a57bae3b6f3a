import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette, IThemeManager } from '@jupyterlab/apputils';
import { URLExt } from '@jupyterlab/coreutils';
import type { ILauncher } from '@jupyterlab/launcher';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { applies, targetOf } from './control';
import type { JobDetail } from './generated/api';
import { ehpcIcon } from './icon';
import type { PanelModel, Tab } from './panelmodel';
import { CommandIDs, type IEhpc } from './tokens';

const NO_ARGUMENTS = { type: 'object', properties: {} } as const;

/** Without arguments, a command takes the job whose details are open in the panel. */
const JOB_ARGUMENTS = {
  type: 'object',
  properties: {
    cluster: { type: 'string', description: 'The name of the cluster' },
    jobId: { type: 'string', description: 'The id of the job; the one open in the panel if absent' },
    task: { type: 'number', description: 'The task, for an array job' }
  }
} as const;

/** Lab's own way to show a page of help: a tab of the main area, which is there again after a reload. */
const OPEN_HELP = 'help:open';

interface ICommandOptions {
  app: JupyterFrontEnd;
  ehpc: IEhpc;
  panel: PanelModel;
  panelId: string;
  trans: TranslationBundle;
  palette: ICommandPalette | null;
  launcher: ILauncher | null;
  themes: IThemeManager | null;
}

export function addCommands(options: ICommandOptions): void {
  const { app, ehpc, panel, panelId, trans, palette, launcher, themes } = options;
  const { commands, shell } = app;
  const { actions } = ehpc;
  const show = (tab: Tab | null): void => {
    if (tab) {
      panel.open(tab);
    }
    shell.activateById(panelId);
  };

  commands.addCommand(CommandIDs.openPanel, {
    label: trans.__('Show Cluster Jobs'),
    caption: trans.__('Show the panel of cluster jobs'),
    icon: ehpcIcon,
    describedBy: { args: NO_ARGUMENTS },
    execute: () => show(null)
  });
  commands.addCommand(CommandIDs.newJob, {
    label: args => (args.isLauncher ? trans.__('Cluster Job') : trans.__('New Cluster Job')),
    caption: trans.__('Fill in the form of a job for a cluster'),
    icon: ehpcIcon,
    describedBy: { args: NO_ARGUMENTS },
    execute: () => show('new')
  });
  commands.addCommand(CommandIDs.refresh, {
    label: trans.__('Refresh Cluster Jobs'),
    caption: trans.__('Ask the server for the clusters and their jobs again'),
    describedBy: { args: NO_ARGUMENTS },
    // The panel shows what went wrong.
    execute: () => panel.refresh().catch(() => undefined)
  });

  const jobOf = (args: ReadonlyPartialJSONObject): JobDetail | undefined => {
    const { cluster, jobId } = args;
    if (typeof jobId !== 'string') {
      return panel.selectedJob;
    }
    const ClusterId = typeof cluster === 'string' ? cluster : panel.cluster;
    return { ClusterId, JobId: jobId, JobName: jobId, RequestId: '', State: 'UNKNOWN' };
  };
  const addJobCommand = (
    id: string,
    label: string,
    caption: string,
    act: (job: JobDetail, task: number | undefined) => Promise<unknown>,
    fits: (job: JobDetail) => boolean = () => true
  ): void => {
    commands.addCommand(id, {
      label,
      caption,
      describedBy: { args: JOB_ARGUMENTS },
      isEnabled: args => {
        const job = jobOf(args);
        return job?.JobId !== undefined && fits(job);
      },
      execute: async args => {
        const job = jobOf(args);
        if (job) {
          await act(job, typeof args.task === 'number' ? args.task : undefined);
        }
      }
    });
  };
  addJobCommand(
    CommandIDs.openStdout,
    trans.__('Open Standard Output of Cluster Job'),
    trans.__('Open what the job wrote in a tab'),
    (job, task) => actions.openOutput(job, 'stdout', task)
  );
  addJobCommand(
    CommandIDs.openStderr,
    trans.__('Open Standard Error of Cluster Job'),
    trans.__('Open the error output of the job in a tab'),
    (job, task) => actions.openOutput(job, 'stderr', task)
  );
  addJobCommand(
    CommandIDs.openFolder,
    trans.__('Open Folder of Cluster Job'),
    trans.__('Open the folder of the job in a tab'),
    job => actions.openFolder(job)
  );
  addJobCommand(
    CommandIDs.copyJobId,
    trans.__('Copy Id of Cluster Job'),
    trans.__('Put the id of the job on the clipboard'),
    job => actions.copy(job.JobId ?? '')
  );
  addJobCommand(
    CommandIDs.stopJob,
    trans.__('Stop Cluster Job…'),
    trans.__('Stop the job, after a question'),
    job => actions.order('stop', targetOf('stop', [job])),
    job => applies('stop', job)
  );

  commands.addCommand(CommandIDs.openApi, {
    label: trans.__('Cluster Jobs API Reference'),
    caption: trans.__('Read what a program can ask of this server: actions, fields, examples and errors'),
    describedBy: { args: NO_ARGUMENTS },
    execute: async () => {
      const theme = themes?.theme;
      const look = theme ? { theme: themes.isLight(theme) ? 'light' : 'dark' } : {};
      const page = URLExt.join(app.serviceManager.serverSettings.baseUrl, 'ehpc', 'docs');
      const url = page + URLExt.objectToQueryString(look);
      if (commands.hasCommand(OPEN_HELP)) {
        await commands.execute(OPEN_HELP, { url, text: trans.__('Cluster Jobs API') });
      } else {
        window.open(url, '_blank', 'noopener');
      }
    }
  });

  panel.changed.connect(() => {
    commands.notifyCommandChanged();
  });
  const category = trans.__('Cluster Jobs');
  Object.values(CommandIDs).forEach(command => palette?.addItem({ command, category }));
  launcher?.add({
    command: CommandIDs.newJob,
    category: trans.__('Other'),
    args: { isLauncher: true },
    rank: 50
  });
}
