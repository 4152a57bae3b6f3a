import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, IThemeManager, Sanitizer } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { IRenderMimeRegistry, renderText } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { JobActions } from './actions';
import { HttpApi } from './api';
import { addCommands } from './commands';
import { createDrive } from './drive';
import { Live } from './events';
import { JobModel } from './model';
import { PanelModel } from './panelmodel';
import { DOMAIN, IEhpc, NAMESPACE } from './tokens';
import { PanelWidget, rendererFactory } from './widgets';

const STATE_KEY = `${NAMESPACE}:cluster`;
const PANEL_ID = 'ehpc-jupyter:panel';

const jobs: JupyterFrontEndPlugin<IEhpc> = {
  id: 'ehpc-jupyter:jobs',
  description: 'Provides the cluster jobs that the panel and the cards share, kept up to date by events.',
  autoStart: true,
  provides: IEhpc,
  optional: [ITranslator, IFileBrowserFactory, IRenderMimeRegistry],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator | null,
    browsers: IFileBrowserFactory | null,
    rendermime: IRenderMimeRegistry | null
  ): IEhpc => {
    const sanitizer = rendermime?.sanitizer ?? new Sanitizer();
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const api = new HttpApi(app.serviceManager.serverSettings);
    const model = new JobModel(api);
    return {
      api,
      jobs: model,
      live: new Live(app.serviceManager, model),
      actions: new JobActions(app, api, trans, browsers),
      renderText: (host, source) => renderText({ host, source, sanitizer }),
      tailBytes: 10_240
    };
  }
};

const drive: JupyterFrontEndPlugin<void> = {
  id: 'ehpc-jupyter:drive',
  description: 'Adds the drive with the folders of the jobs, read only.',
  autoStart: true,
  activate: (app: JupyterFrontEnd): void => {
    const { contents, serverSettings } = app.serviceManager;
    contents.addDrive(createDrive(serverSettings));
  }
};

const cards: JupyterFrontEndPlugin<void> = {
  id: 'ehpc-jupyter:cards',
  description: 'Shows jobs in the outputs of notebooks as live cards.',
  autoStart: true,
  requires: [IEhpc, IRenderMimeRegistry],
  optional: [ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    ehpc: IEhpc,
    rendermime: IRenderMimeRegistry,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    rendermime.addFactory(rendererFactory({ ehpc, trans }));
  }
};

const panel: JupyterFrontEndPlugin<void> = {
  id: PANEL_ID,
  description: 'Adds the side panel of cluster jobs, its commands and its settings.',
  autoStart: true,
  requires: [IEhpc],
  optional: [ITranslator, ISettingRegistry, IStateDB, ILayoutRestorer, ICommandPalette, ILauncher, IThemeManager],
  activate: (
    app: JupyterFrontEnd,
    ehpc: IEhpc,
    translator: ITranslator | null,
    settingRegistry: ISettingRegistry | null,
    state: IStateDB | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    themes: IThemeManager | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const model = new PanelModel(ehpc.api, ehpc.jobs, cluster => void state?.save(STATE_KEY, cluster));
    const widget = new PanelWidget({ ehpc, trans }, model);
    restorer?.add(widget, widget.id);
    app.shell.add(widget, 'left', { rank: 650, type: 'Cluster jobs' });
    addCommands({ app, ehpc, panel: model, panelId: widget.id, trans, palette, launcher, themes });

    // The state database answers only after Lab has started: an activation that waits for it waits for itself.
    void start();
    async function start(): Promise<void> {
      const [settings, last] = await Promise.all([loadSettings(settingRegistry), state?.fetch(STATE_KEY)]);
      const apply = (): void => {
        const read = (key: string): unknown => settings?.get(key).composite;
        ehpc.live.intervalMs = 1000 * Number(read('refreshInterval') ?? 30);
        ehpc.tailBytes = Number(read('tailSize') ?? 10_240);
      };
      apply();
      settings?.changed.connect(apply);
      const preferred = settings?.get('defaultCluster').composite;
      model.start([last, preferred].map(String));
      ehpc.live.add(recovered => model.tick(recovered));
    }
  }
};

async function loadSettings(registry: ISettingRegistry | null): Promise<ISettingRegistry.ISettings | null> {
  try {
    return (await registry?.load(PANEL_ID)) ?? null;
  } catch (reason) {
    console.warn('ehpc-jupyter: the settings could not be loaded, defaults hold.', reason);
    return null;
  }
}

const plugins: JupyterFrontEndPlugin<unknown>[] = [jobs, drive, cards, panel];

export default plugins;
