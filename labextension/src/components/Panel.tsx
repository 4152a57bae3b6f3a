import * as React from 'react';

import type { PanelModel, Tab } from '../panelmodel';
import { ClusterChooser, nameOf } from './ClusterChooser';
import { useChanges, useServices, useVisible } from './context';
import { JobForm } from './JobForm';
import { JobsView } from './JobsView';
import { Alert } from './Parts';

/** The side panel: where, then what runs there and what shall run. */
export function Panel({ panel }: { panel: PanelModel }): React.JSX.Element {
  const { trans } = useServices();
  const id = React.useId();
  const box = React.useRef<HTMLDivElement>(null);
  const visible = useVisible(box);
  React.useEffect(() => panel.setVisible(visible), [panel, visible]);
  useChanges(panel);
  useChanges(panel.list);
  // An error of either part is shown in its place.
  const refresh = (): void => void panel.refresh().catch(() => undefined);

  const tabs: [Tab, string][] = [
    ['jobs', panel.list.loaded ? trans.__('Jobs (%1)', panel.list.total) : trans.__('Jobs')],
    ['new', trans.__('New job')]
  ];
  const info = panel.clusterInfo;
  if (!panel.loaded) {
    return (
      <div ref={box} className="jp-ehpc-Panel">
        {panel.error ? (
          <Alert error={panel.error} onRetry={refresh} />
        ) : (
          <p className="jp-ehpc-Muted">{trans.__('Looking for clusters…')}</p>
        )}
      </div>
    );
  }
  return (
    <div ref={box} className="jp-ehpc-Panel">
      <ClusterChooser panel={panel} onRefresh={refresh} />
      {panel.error && <Alert error={panel.error} onRetry={refresh} />}
      <div className="jp-ehpc-Tabs" role="tablist" onKeyDown={switchTab}>
        {tabs.map(([tab, title]) => (
          <button
            key={tab}
            type="button"
            role="tab"
            id={`${id}${tab}`}
            aria-selected={panel.tab === tab}
            tabIndex={panel.tab === tab ? 0 : -1}
            aria-controls={`${id}${tab}-body`}
            onClick={() => panel.open(tab)}
          >
            {title}
          </button>
        ))}
      </div>
      <p role="status" className="jp-ehpc-Status">
        {panel.submitted !== null && trans.__('Submitted as job %1.', panel.submitted)}
      </p>
      {/* Both stay, so that a half-filled form outlives a look at the jobs. */}
      <div role="tabpanel" data-tab="jobs" id={`${id}jobs-body`} aria-labelledby={`${id}jobs`} hidden={panel.tab !== 'jobs'}>
        <JobsView panel={panel} onRefresh={refresh} />
      </div>
      <div role="tabpanel" id={`${id}new-body`} aria-labelledby={`${id}new`} hidden={panel.tab !== 'new'}>
        {panel.formOpened && (
          <JobForm
            cluster={panel.cluster}
            clusterName={info ? nameOf(info) : panel.cluster}
            onCluster={cluster => panel.clusters.some(one => one.ClusterId === cluster) && panel.choose(cluster)}
            onSubmitted={jobId => void panel.follow(panel.cluster, jobId).catch(() => undefined)}
          />
        )}
      </div>
    </div>
  );
}

/** The arrow keys go to the other tab, as in every list of tabs. */
function switchTab(event: React.KeyboardEvent<HTMLElement>): void {
  const other = event.currentTarget.querySelector<HTMLElement>('[aria-selected="false"]');
  if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
    other?.focus();
    other?.click();
  }
}
