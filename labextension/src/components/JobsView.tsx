import * as React from 'react';

import { NO_FILTER, type Status } from '../joblist';
import type { PanelModel } from '../panelmodel';
import { useServices } from './context';
import { Icon } from './icons';
import { JobRow } from './JobRow';
import { Alert, Button } from './Parts';

const TYPING_MS = 300;

/** The chosen cluster's jobs, newest first. */
export function JobsView({ panel, onRefresh }: { panel: PanelModel; onRefresh: () => void }): React.JSX.Element {
  const { trans } = useServices();
  const { list } = panel;
  const filtered = list.filter.name !== '' || list.filter.status !== 'all';
  return (
    <div className="jp-ehpc-Jobs">
      <Filter panel={panel} />
      {list.error && !panel.error && <Alert error={list.error} onRetry={onRefresh} />}
      <ul className="jp-ehpc-List" aria-busy={list.loading} onKeyDown={moveFocus}>
        {list.keys.map(key => (
          <JobRow
            key={key}
            id={key}
            open={panel.selected === key}
            onToggle={() => panel.select(panel.selected === key ? null : key)}
          />
        ))}
      </ul>
      {list.hasMore && (
        <Button disabled={list.loading} onClick={() => void list.more().catch(() => undefined)}>
          {trans.__('Show more (%1 of %2)', list.keys.length, list.total)}
        </Button>
      )}
      {!list.loaded && list.loading && <p className="jp-ehpc-Muted">{trans.__('Loading…')}</p>}
      {list.loaded && list.keys.length === 0 && !panel.error && !list.error && <Empty panel={panel} filtered={filtered} />}
    </div>
  );
}

function Filter({ panel }: { panel: PanelModel }): React.JSX.Element {
  const { trans } = useServices();
  const { filter } = panel.list;
  // What is being typed, until the list is asked for it.
  const [draft, setDraft] = React.useState<string | null>(null);
  React.useEffect(() => {
    if (draft === null) {
      return;
    }
    const timer = window.setTimeout(() => {
      setDraft(null);
      panel.setFilter({ ...filter, name: draft.trim() });
    }, TYPING_MS);
    return () => window.clearTimeout(timer);
  }, [panel, filter, draft]);
  return (
    <div className="jp-ehpc-Filter" role="search">
      <span className="jp-ehpc-Search">
        <Icon name="search" />
        <input
          type="search"
          value={draft ?? filter.name}
          placeholder={trans.__('Filter by name')}
          aria-label={trans.__('Filter by name')}
          onChange={event => setDraft(event.target.value)}
        />
      </span>
      <select
        value={filter.status}
        aria-label={trans.__('Which jobs')}
        onChange={event => panel.setFilter({ ...filter, status: event.target.value as Status })}
      >
        <option value="all">{trans.__('All')}</option>
        <option value="notfinish">{trans.__('Active')}</option>
        <option value="finished">{trans.__('Ended')}</option>
      </select>
    </div>
  );
}

function Empty({ panel, filtered }: { panel: PanelModel; filtered: boolean }): React.JSX.Element {
  const { trans } = useServices();
  if (filtered) {
    return (
      <div className="jp-ehpc-Empty">
        <p>{trans.__('No job fits the filter.')}</p>
        <Button onClick={() => panel.setFilter(NO_FILTER)}>{trans.__('Show all')}</Button>
      </div>
    );
  }
  return (
    <div className="jp-ehpc-Empty">
      <p>{trans.__('No jobs here yet.')}</p>
      <p>{trans.__('Fill in the form, or start a notebook cell with %1 after %2.', '%%ehpc', '%load_ext ehpc_jupyter')}</p>
      <Button look="primary" icon="plus" onClick={() => panel.open('new')}>
        {trans.__('New job')}
      </Button>
    </div>
  );
}

/** The arrow keys go from row to row. */
function moveFocus(event: React.KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const heads = [...event.currentTarget.querySelectorAll<HTMLElement>('.jp-ehpc-RowHead')];
  const at = heads.indexOf(event.target as HTMLElement);
  if (step && at >= 0) {
    event.preventDefault();
    heads[at + step]?.focus();
  }
}
