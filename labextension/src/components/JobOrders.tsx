import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { applies, ORDERS, type Order, targetOf } from '../control';
import type { JobDetail } from '../generated/api';
import { keyOf } from '../model';
import { useServices } from './context';
import type { IconName } from './icons';
import { Button, CopyButton } from './Parts';
import { hasOutput } from './useTail';

export const ORDER_ICONS: Record<Order, IconName> = {
  stop: 'stop',
  hold: 'hold',
  release: 'release',
  rerun: 'rerun',
  delete: 'trash'
};

/** An order as its button says it. */
export function orderWord(order: Order, trans: TranslationBundle): string {
  const words: Record<Order, string> = {
    stop: trans.__('Stop'),
    hold: trans.__('Hold'),
    release: trans.__('Release'),
    rerun: trans.__('Rerun'),
    delete: trans.__('Delete')
  };
  return words[order];
}

/** What an order does, for a tooltip. */
export function orderHelp(order: Order, trans: TranslationBundle): string {
  const words: Record<Order, string> = {
    stop: trans.__('Cancel what waits or runs'),
    hold: trans.__('Keep what waits from starting'),
    release: trans.__('Let what is held start again'),
    rerun: trans.__('Submit it once more as a new job'),
    delete: trans.__('Take it off the list, and its folder away if you want')
  };
  return words[order];
}

function busyWord(order: Order, trans: TranslationBundle): string {
  const words: Record<Order, string> = {
    stop: trans.__('Stopping…'),
    hold: trans.__('Holding…'),
    release: trans.__('Releasing…'),
    rerun: trans.__('Submitting…'),
    delete: trans.__('Deleting…')
  };
  return words[order];
}

/** Told to, it may still be busy with it: the button comes back when the job changes, or after this. */
const BUSY_MS = 10_000;

interface IJobOrdersProps {
  job: JobDetail;
  orders?: readonly Order[];
}

/** The orders that apply to a job. */
export function JobOrders({ job, orders = ORDERS }: IJobOrdersProps): React.JSX.Element {
  const { ehpc, trans } = useServices();
  const [busy, setBusy] = React.useState<{ order: Order; of: JobDetail } | null>(null);
  const [said, setSaid] = React.useState('');
  const given = busy !== null && sameState(busy.of, job) ? busy.order : null;
  const timer = React.useRef(0);
  React.useEffect(() => () => window.clearTimeout(timer.current), []);

  const onClick = async (order: Order): Promise<void> => {
    const report = await ehpc.actions.order(order, targetOf(order, [job]), {
      onConfirmed: () => setBusy({ order, of: job })
    });
    const done = report !== null && report.error === null;
    const again = report?.outcomes.find(one => one.NewJobId)?.NewJobId;
    setSaid(again === undefined ? '' : trans.__('Submitted again as job %1.', again));
    if (done && order === 'delete') {
      ehpc.jobs.forget(job);
    }
    const lasts = done && (order === 'stop' || order === 'hold' || order === 'release');
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setBusy(null), lasts ? BUSY_MS : 0);
  };
  return (
    <>
      {orders
        .filter(order => applies(order, job))
        .map(order => (
          <Button
            key={order}
            icon={ORDER_ICONS[order]}
            look={order === 'stop' || order === 'delete' ? 'danger' : 'plain'}
            title={orderHelp(order, trans)}
            disabled={given !== null}
            onClick={() => void onClick(order)}
          >
            {given === order ? busyWord(order, trans) : orderWord(order, trans)}
          </Button>
        ))}
      <span role="status" className="jp-ehpc-Said">
        {said}
      </span>
    </>
  );
}

function sameState(one: JobDetail, other: JobDetail): boolean {
  const of = (job: JobDetail): string => `${keyOf(job)} ${job.State} ${JSON.stringify(job.Tasks)}`;
  return of(one) === of(other);
}

/** What of a job can be opened or copied; nothing of it changes anything. */
export function JobLinks({ job, task }: { job: JobDetail; task: number | undefined }): React.JSX.Element | null {
  const { ehpc, trans } = useServices();
  const { actions } = ehpc;
  if (!job.JobId) {
    return null;
  }
  return (
    <>
      {hasOutput(job) && (
        <>
          <Button look="link" icon="file" title={job.StdoutPath} onClick={() => void actions.openOutput(job, 'stdout', task)}>
            {trans.__('Output')}
          </Button>
          <Button look="link" icon="file" title={job.StderrPath} onClick={() => void actions.openOutput(job, 'stderr', task)}>
            {trans.__('Errors')}
          </Button>
        </>
      )}
      <Button look="link" icon="folder" title={job.Folder} onClick={() => void actions.openFolder(job)}>
        {trans.__('Folder')}
      </Button>
      <CopyButton text={job.JobId} label={trans.__('Copy id')} />
    </>
  );
}
