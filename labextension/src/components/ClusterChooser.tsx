import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ClusterInfo } from '../generated/api';
import type { PanelModel } from '../panelmodel';
import { useServices } from './context';
import { Button } from './Parts';

/** Where jobs run: always in sight, with what is known of the cluster. */
export function ClusterChooser({ panel, onRefresh }: { panel: PanelModel; onRefresh: () => void }): React.JSX.Element {
  const { trans } = useServices();
  const id = React.useId();
  const info = panel.clusterInfo;
  return (
    <div className="jp-ehpc-Cluster">
      <label htmlFor={id}>{trans.__('Cluster')}</label>
      <select
        id={id}
        value={panel.cluster}
        title={info?.ClusterDescription}
        onChange={event => panel.choose(event.target.value)}
      >
        {panel.clusters.map(cluster => (
          <option key={cluster.ClusterId} value={cluster.ClusterId} title={cluster.ClusterStatusReason}>
            {cluster.ClusterStatus === 'exception' ? trans.__('%1 (no contact)', nameOf(cluster)) : nameOf(cluster)}
          </option>
        ))}
      </select>
      <Button
        icon="refresh"
        title={trans.__('Refresh')}
        aria-label={trans.__('Refresh')}
        data-busy={panel.list.loading || undefined}
        onClick={onRefresh}
      />
      {info && !panel.error && <ClusterLine info={info} trans={trans} />}
    </div>
  );
}

function ClusterLine({ info, trans }: { info: ClusterInfo; trans: TranslationBundle }): React.JSX.Element {
  const status = info.ClusterStatus ?? 'pending';
  const words = {
    running: trans.__('Connected'),
    exception: trans.__('No contact'),
    stopped: trans.__('Disabled'),
    pending: null // it is asked when somebody needs it
  };
  const scheduler = [info.Manager?.Scheduler.Type, info.Manager?.Scheduler.Version].filter(Boolean).join(' ');
  const about = [words[status], scheduler, info.Host ?? info.ClusterDescription].filter(Boolean);
  return (
    <div className="jp-ehpc-ClusterLine" data-status={status} title={info.ClusterStatusReason}>
      <span className="jp-ehpc-Dot" aria-hidden="true" />
      <span>{about.join(' · ')}</span>
      {info.ClusterStatusReason && <p>{info.ClusterStatusReason}</p>}
    </div>
  );
}

/** A cluster as people call it. */
export function nameOf(cluster: ClusterInfo): string {
  return cluster.ClusterName || cluster.ClusterId;
}
