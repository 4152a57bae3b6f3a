import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ClusterInfo } from '../generated/api';
import type { PanelModel } from '../panelmodel';
import { exact, span } from '../time';
import { useNow, useServices } from './context';
import { Icon } from './icons';
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
        title={trans.__('Ask the cluster now')}
        aria-label={trans.__('Refresh')}
        data-busy={panel.list.loading || undefined}
        onClick={onRefresh}
      />
      {info && !panel.error && <ClusterLine info={info} panel={panel} onRefresh={onRefresh} trans={trans} />}
    </div>
  );
}

interface IClusterLineProps {
  info: ClusterInfo;
  panel: PanelModel;
  onRefresh: () => void;
  trans: TranslationBundle;
}

function ClusterLine({ info, panel, onRefresh, trans }: IClusterLineProps): React.JSX.Element {
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
    <div className="jp-ehpc-ClusterLine" data-status={status}>
      <span className="jp-ehpc-Dot" aria-hidden="true" />
      <span>{about.join(' · ')}</span>
      {status === 'exception' ? (
        <Down info={info} onRefresh={onRefresh} />
      ) : (
        info.ClusterStatusReason && <p>{info.ClusterStatusReason}</p>
      )}
      {status !== 'stopped' && <NextLook info={info} panel={panel} />}
    </div>
  );
}

/** Whether it answers is known after that, mostly. */
const ASKING_MS = 4000;

/** A cluster that does not answer: what is shown is old, how old, why, and what can be done. */
function Down({ info, onRefresh }: { info: ClusterInfo; onRefresh: () => void }): React.JSX.Element {
  const { trans } = useServices();
  const now = useNow(false);
  const { CheckedTime: checked } = info;
  const [asking, setAsking] = React.useState(false);
  React.useEffect(() => {
    const timer = asking ? window.setTimeout(() => setAsking(false), ASKING_MS) : 0;
    return () => window.clearTimeout(timer);
  }, [asking]);
  return (
    <div className="jp-ehpc-Down" role="status">
      <Icon name="warning" />
      <div>
        <p>
          {checked === undefined
            ? trans.__('It has not answered yet; jobs are shown as this server remembers them.')
            : trans.__('Jobs are shown as they were %1 ago.', span(Math.max(0, now - checked)))}
        </p>
        {info.ClusterStatusReason && <p>{info.ClusterStatusReason}</p>}
        <Button
          icon="refresh"
          disabled={asking}
          onClick={() => {
            setAsking(true);
            onRefresh();
          }}
        >
          {asking ? trans.__('Asking…') : trans.__('Retry now')}
        </Button>
      </div>
    </div>
  );
}

/** When the cluster was asked and will be asked about jobs; nobody has to wonder whether what they see is live. */
function NextLook({ info, panel }: { info: ClusterInfo; panel: PanelModel }): React.JSX.Element | null {
  const { trans } = useServices();
  const now = useNow(true);
  React.useEffect(() => {
    // What went wrong is shown, and the next round tries again.
    panel.onSecond().catch(() => undefined);
  }, [panel, now]);
  const { CheckedTime: checked, NextCheckTime: next } = info;
  const left = next === undefined ? null : next - now;
  const words: string[] = [];
  if (info.Paused) {
    words.push(trans.__('not asked any more'));
  } else if (left !== null && left > 0) {
    words.push(trans.__('next look in %1', span(left)));
  }
  if (checked !== undefined && info.ClusterStatus !== 'exception') {
    const age = now - checked;
    words.unshift(age < 2 ? trans.__('seen just now') : trans.__('seen %1 ago', span(age)));
  }
  return words.length === 0 ? null : (
    <p className="jp-ehpc-Next" title={checked === undefined ? undefined : trans.__('Last answer: %1', exact(checked))}>
      {words.join(' · ')}
    </p>
  );
}

/** A cluster as people call it. */
export function nameOf(cluster: ClusterInfo): string {
  return cluster.ClusterName || cluster.ClusterId;
}
