import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { applies, type IReport, ORDERS, type Order, targetOf } from '../control';
import type { JobOutcome } from '../generated/api';
import type { PanelModel } from '../panelmodel';
import { useServices } from './context';
import { Icon } from './icons';
import { ORDER_ICONS, orderHelp, orderWord } from './JobOrders';
import { Alert, Button } from './Parts';

/** Orders to all jobs that are marked. It is always there and always as high, so that nothing jumps. */
export function OrderBar({ panel }: { panel: PanelModel }): React.JSX.Element {
  const { ehpc, trans } = useServices();
  const [busy, setBusy] = React.useState(false);
  const all = React.useRef<HTMLInputElement>(null);
  const { marked, list } = panel;
  const count = marked.length;
  const { keys } = list;
  const every = keys.length > 0 && keys.every(key => panel.isMarked(key));
  React.useEffect(() => {
    if (all.current) {
      all.current.indeterminate = count > 0 && !every;
    }
  }, [count, every]);

  const give = async (order: Order): Promise<void> => {
    const jobs = panel.marked.filter(job => applies(order, job));
    const target = targetOf(order, jobs);
    const report = await ehpc.actions.order(order, target, { quiet: true, onConfirmed: () => setBusy(true) });
    setBusy(false);
    if (report) {
      panel.setReport(report);
      const done = new Set(report.outcomes.map(one => one.JobId));
      jobs.filter(job => order === 'delete' && done.has(job.JobId ?? '')).forEach(job => ehpc.jobs.forget(job));
    }
  };
  return (
    <div className="jp-ehpc-Orders" role="toolbar" aria-label={trans.__('The selected jobs')}>
      <label title={trans.__('Select all %1 that are loaded, of %2', keys.length, list.total)}>
        <input
          ref={all}
          type="checkbox"
          checked={every}
          disabled={keys.length === 0}
          aria-label={trans.__('Select all')}
          onChange={event => panel.mark(keys, event.target.checked)}
        />
        <small>{count > 0 ? count : ''}</small>
      </label>
      {ORDERS.map(order => {
        const fit = marked.filter(job => applies(order, job)).length;
        const word = orderWord(order, trans);
        const counted = count === 0 ? word : trans.__('%1 %2 of %3', word, fit, count);
        return (
          <button
            key={order}
            type="button"
            aria-disabled={busy || fit === 0}
            aria-label={counted}
            title={`${counted}: ${orderHelp(order, trans)}`}
            data-order={order}
            onClick={() => (busy || fit === 0 ? undefined : void give(order))}
          >
            <span className="jp-ehpc-OrderCount">
              <Icon name={ORDER_ICONS[order]} />
              {count > 0 && <small>{`${fit}/${count}`}</small>}
            </span>
            <span>{word}</span>
          </button>
        );
      })}
    </div>
  );
}

/** What became of an order, for each job. */
export function Report({ report, onClose }: { report: IReport; onClose: () => void }): React.JSX.Element {
  const { trans } = useServices();
  const { outcomes, error } = report;
  const counts = new Map<string, number>();
  outcomes.forEach(({ Outcome }) => counts.set(Outcome, (counts.get(Outcome) ?? 0) + 1));
  const summary = [...counts].map(([outcome, count]) => `${count} ${outcomeWord(outcome, trans)}`).join(', ');
  return (
    <div className="jp-ehpc-Report" role="status">
      {outcomes.length > 0 && (
        <details>
          <summary>
            <Icon name="chevron" />
            {orderWord(report.order, trans)}: {summary}
          </summary>
          <ul>
            {outcomes.map(one => (
              <li key={one.JobId}>{outcomeLine(one, trans)}</li>
            ))}
          </ul>
        </details>
      )}
      {error && <Alert error={error} />}
      {!error && outcomes.length === 0 && <span>{trans.__('%1: done', orderWord(report.order, trans))}</span>}
      <Button look="link" icon="close" title={trans.__('Close')} aria-label={trans.__('Close')} onClick={onClose} />
    </div>
  );
}

function outcomeWord(outcome: string, trans: TranslationBundle): string {
  const words = {
    stopping: trans.__('stopping'),
    'ended already': trans.__('ended already'),
    held: trans.__('held'),
    released: trans.__('released'),
    deleted: trans.__('deleted'),
    'submitted again': trans.__('submitted again')
  } satisfies Record<JobOutcome['Outcome'], string> as Partial<Record<string, string>>;
  return words[outcome] ?? outcome;
}

function outcomeLine({ JobId, Outcome, NewJobId }: JobOutcome, trans: TranslationBundle): string {
  const word = outcomeWord(Outcome, trans);
  return NewJobId === undefined
    ? trans.__('Job %1: %2', JobId, word)
    : trans.__('Job %1: %2 as job %3', JobId, word, NewJobId);
}
