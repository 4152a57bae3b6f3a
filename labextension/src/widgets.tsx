import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { type IServices, ServicesProvider } from './components/context';
import { JobCard } from './components/JobCard';
import { Panel } from './components/Panel';
import type { JobDetail } from './generated/api';
import { ehpcIcon } from './icon';
import { asJob } from './model';
import { ORIGIN } from './notebooks';
import type { PanelModel } from './panelmodel';
import { MIME_TYPE } from './tokens';

/** The side panel as a widget of Lab. */
export class PanelWidget extends ReactWidget {
  constructor(
    private readonly _services: IServices,
    private readonly _panel: PanelModel
  ) {
    super();
    const { trans } = _services;
    this.id = 'ehpc-jupyter-panel';
    this.title.icon = ehpcIcon;
    this.title.caption = trans.__('Cluster jobs');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Cluster jobs'));
    this.addClass('jp-ehpc-PanelWidget');
  }

  protected override render(): React.JSX.Element {
    return (
      <ServicesProvider value={this._services}>
        <Panel panel={this._panel} />
      </ServicesProvider>
    );
  }
}

/** A job's card in a notebook's output. */
export class JobRenderer extends ReactWidget implements IRenderMime.IRenderer {
  constructor(private readonly _services: IServices) {
    super();
    this.addClass('jp-ehpc-CardWidget');
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this._job = asJob(model.data[MIME_TYPE]);
    this._output = (model.metadata[MIME_TYPE] as { output?: unknown } | undefined)?.output !== false;
    this._origin = model.metadata[ORIGIN];
    this._noteOrigin();
    this.update();
    return Promise.resolve();
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    this._noteOrigin();
  }

  private _noteOrigin(): void {
    if (this._origin !== undefined && this.isAttached) {
      this._services.ehpc.actions.noteOrigin(this.node, this._origin);
    }
  }

  protected override render(): React.JSX.Element {
    const { trans } = this._services;
    return (
      <ServicesProvider value={this._services}>
        {this._job ? <JobCard saved={this._job} output={this._output} /> : <p>{trans.__('This output holds no job.')}</p>}
      </ServicesProvider>
    );
  }

  private _job: JobDetail | null = null;
  private _output = true;
  private _origin: unknown;
}

/** Cards are preferred over the HTML that the same output holds for other front ends (its rank is 50). */
export function rendererFactory(services: IServices): IRenderMime.IRendererFactory {
  return {
    // Nothing in a card is markup, and nothing acts without a click: it may stand in a notebook nobody trusts.
    safe: true,
    mimeTypes: [MIME_TYPE],
    defaultRank: 10,
    createRenderer: () => new JobRenderer(services)
  };
}
