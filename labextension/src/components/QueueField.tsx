import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { QueueInfo } from '../generated/api';
import { useServices } from './context';
import type { IInputProps } from './Field';

/** The cluster's queues with their limits; a plain input where the cluster does not tell them. */
export function QueueField(props: IInputProps & { cluster: string }): React.JSX.Element {
  const { field, id, value, onChange, describedBy, invalid, cluster } = props;
  const { ehpc, trans } = useServices();
  const { api } = ehpc;
  const [found, setFound] = React.useState<{ cluster: string; queues: readonly QueueInfo[] } | null>(null);
  const queues = found?.cluster === cluster ? found.queues : [];
  React.useEffect(() => {
    let stopped = false;
    api.call('ListQueues', { ClusterId: cluster }).then(
      answer => !stopped && setFound({ cluster, queues: answer.Queues }),
      () => undefined
    );
    return () => {
      stopped = true;
    };
  }, [api, cluster]);

  const text = typeof value === 'string' ? value : '';
  const limitsId = `${id}-limits`;
  const shared = {
    id,
    value: text,
    'aria-describedby': [limitsId, describedBy].filter(Boolean).join(' '),
    'aria-invalid': invalid || undefined
  };
  if (queues.length === 0) {
    return (
      <input
        {...shared}
        type="text"
        autoComplete="off"
        spellCheck={false}
        placeholder={field.example}
        onChange={event => onChange(event.target.value)}
      />
    );
  }
  const byDefault = queues.find(queue => queue.IsDefault);
  const chosen = text ? queues.find(queue => queue.QueueName === text) : byDefault;
  return (
    <>
      <select {...shared} onChange={event => onChange(event.target.value)}>
        <option value="">{byDefault ? trans.__('Default (%1)', byDefault.QueueName) : trans.__('Default')}</option>
        {queues.map(queue => (
          <option key={queue.QueueName} value={queue.QueueName}>
            {queue.State.toUpperCase() === 'UP' ? queue.QueueName : `${queue.QueueName} (${queue.State})`}
          </option>
        ))}
        {text && !chosen && <option value={text}>{trans.__('%1 (not on this cluster)', text)}</option>}
      </select>
      <p id={limitsId} className="jp-ehpc-Limits">
        {chosen && limits(chosen, trans).join(' · ')}
      </p>
    </>
  );
}

/** What a queue allows, in words; nothing is said of what is not known. */
export function limits(queue: QueueInfo, trans: TranslationBundle): string[] {
  const words: string[] = [];
  if (queue.MaxWallTime) {
    words.push(trans.__('up to %1', queue.MaxWallTime));
  }
  if (queue.MaxNodes !== undefined) {
    const nodes = trans._n('%1 node', '%1 nodes', queue.MaxNodes);
    words.push(queue.IdleNodes === undefined ? nodes : trans.__('%1, %2 idle', nodes, queue.IdleNodes));
  }
  const each: string[] = [];
  if (queue.MaxCoresPerNode !== undefined) {
    each.push(trans._n('%1 core', '%1 cores', queue.MaxCoresPerNode));
  }
  if (queue.MaxMemoryPerNode) {
    each.push(queue.MaxMemoryPerNode);
  }
  if (queue.MaxGpusPerNode) {
    each.push(trans._n('%1 GPU', '%1 GPUs', queue.MaxGpusPerNode));
  }
  if (each.length) {
    words.push(trans.__('each %1', each.join(', ')));
  }
  return words;
}
