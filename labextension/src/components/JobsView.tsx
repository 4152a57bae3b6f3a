import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import * as React from 'react';

import { NO_FILTER, type Status } from '../joblist';
import type { PanelModel } from '../panelmodel';
import { useServices } from './context';
import { Icon } from './icons';
import { JobRow } from './JobRow';
import { OrderBar, Report } from './OrderBar';
import { Alert, Button } from './Parts';

const TYPING_MS = 300;
/** A folded row's height until it was measured, pixels. */
const ROW_HEIGHT = 47;
const OVERSCAN = 8;
const SCROLLING_MS = 80;

/** The chosen cluster's jobs, newest first. */
export function JobsView({ panel, onRefresh }: { panel: PanelModel; onRefresh: () => void }): React.JSX.Element {
  const { trans } = useServices();
  const { list } = panel;
  const filtered = list.filter.name !== '' || list.filter.status !== 'all';
  const empty = list.loaded && list.total === 0 && !panel.error && !list.error;
  return (
    <div className="jp-ehpc-Jobs">
      <Filter panel={panel} />
      <OrderBar panel={panel} />
      {panel.report && <Report report={panel.report} onClose={() => panel.setReport(null)} />}
      {list.error && !panel.error && <Alert error={list.error} onRetry={onRefresh} />}
      {!list.loaded && list.loading && <p className="jp-ehpc-Muted">{trans.__('Loading…')}</p>}
      {empty && <Empty panel={panel} filtered={filtered} />}
      <Rows panel={panel} />
    </div>
  );
}

/** Only the rows in sight, and those that must not be lost, are in the page. */
function Rows({ panel }: { panel: PanelModel }): React.JSX.Element {
  const { trans } = useServices();
  const { list } = panel;
  const box = React.useRef<HTMLDivElement>(null);
  /** The row that the keyboard is on. */
  const [at, setAt] = React.useState(0);
  const lastMarked = React.useRef<number | null>(null);
  const current = Math.min(at, Math.max(0, list.total - 1));
  const open = panel.selected === null ? -1 : list.indexOf(panel.selected);
  // eslint-disable-next-line react-hooks/incompatible-library -- it is not compiled by React's compiler
  const rows = useVirtualizer({
    count: list.total,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: index => list.keyAt(index) ?? index,
    overscan: OVERSCAN,
    rangeExtractor: range => {
      const kept = [open, current].filter(index => index >= 0 && index < list.total);
      return [...new Set([...defaultRangeExtractor(range), ...kept])].sort((a, b) => a - b);
    },
    useFlushSync: false
  });
  const { startIndex: first = 0, endIndex: last = 0 } = rows.range ?? {};
  const { total } = list;
  React.useEffect(() => {
    // Who scrolls through asks for nothing, who stops does. The list shows its own error.
    const timer = window.setTimeout(() => {
      list.look(Math.max(0, first - OVERSCAN), Math.min(last + OVERSCAN, Math.max(0, total - 1))).catch(() => undefined);
    }, SCROLLING_MS);
    return () => window.clearTimeout(timer);
  }, [list, first, last, total]);
  // What is unfolded from elsewhere, for instance just submitted, comes into view.
  const { selected } = panel;
  const scrolled = React.useRef<string | null>(null);
  React.useEffect(() => {
    if (selected !== scrolled.current && open >= 0) {
      scrolled.current = selected;
      rows.scrollToIndex(open, { align: 'auto' });
    }
    scrolled.current = selected === null ? null : scrolled.current;
  }, [rows, selected, open]);

  /** Where the keyboard goes as soon as that row is there: it may have to be fetched first. */
  const wanted = React.useRef<string | null>(null);
  const focus = (index: number, column: string): void => {
    setAt(index);
    rows.scrollToIndex(index, { align: 'auto' });
    wanted.current = `[data-index="${index}"] ${column}`;
  };
  React.useEffect(() => {
    if (wanted.current !== null) {
      const found = box.current?.querySelector<HTMLElement>(wanted.current);
      (found ?? box.current)?.focus({ preventScroll: true });
      wanted.current = found ? null : wanted.current;
    }
  });
  const onKeyDown = (event: React.KeyboardEvent<HTMLElement>): void => {
    const target = event.target as HTMLElement;
    const column = COLUMNS.find(one => target.matches(one));
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? ROW_HEIGHT) / ROW_HEIGHT) - 1);
    const steps: Partial<Record<string, number>> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -Infinity,
      End: Infinity
    };
    const step = steps[event.key];
    if (column && step !== undefined && list.total) {
      event.preventDefault();
      focus(Math.min(list.total - 1, Math.max(0, current + step)), column);
    } else if (column && (event.key === 'ArrowLeft' || event.key === 'ArrowRight')) {
      event.preventDefault();
      target.closest('[data-index]')?.querySelector<HTMLElement>(COLUMNS.find(one => one !== column) ?? '')?.focus();
    }
  };
  const mark = (index: number, on: boolean, range: boolean): void => {
    const from = range && lastMarked.current !== null ? lastMarked.current : index;
    const [low, high] = [Math.min(from, index), Math.max(from, index)];
    const between = Array.from({ length: high - low + 1 }, (_, step) => list.keyAt(low + step));
    panel.mark(
      between.filter(key => key !== null),
      on
    );
    lastMarked.current = index;
  };

  return (
    <>
      <div className="jp-ehpc-Columns" aria-hidden="true">
        <span />
        <span>{trans.__('State')}</span>
        <span>{trans.__('Name')}</span>
        <span>{trans.__('Id')}</span>
        <span>{trans.__('Queue')}</span>
        <span>{trans.__('Time')}</span>
        <span>{trans.__('Details')}</span>
      </div>
      <div
        ref={box}
        className="jp-ehpc-Scroll"
        tabIndex={-1}
        aria-busy={list.loading}
        onBlur={({ currentTarget, relatedTarget }) => {
          wanted.current = currentTarget.contains(relatedTarget) ? wanted.current : null;
        }}
      >
        <ul
          className="jp-ehpc-List"
          style={{ height: rows.getTotalSize() }}
          aria-label={trans.__('Jobs')}
          onKeyDown={onKeyDown}
        >
          {rows.getVirtualItems().map(({ index, key, start }) => {
            const id = list.keyAt(index);
            return (
              <li
                key={key}
                ref={rows.measureElement}
                data-index={index}
                style={{ top: start }}
                aria-posinset={index + 1}
                aria-setsize={list.total}
                onFocus={() => setAt(index)}
              >
                {id === null ? (
                  <div className="jp-ehpc-Row jp-ehpc-Muted">{trans.__('Loading…')}</div>
                ) : (
                  <JobRow
                    id={id}
                    open={index === open}
                    marked={panel.isMarked(id)}
                    reachable={index === current}
                    onToggle={() => panel.select(index === open ? null : id)}
                    onMark={(on, range) => mark(index, on, range)}
                  />
                )}
              </li>
            );
          })}
        </ul>
      </div>
    </>
  );
}

const COLUMNS = ['.jp-ehpc-RowHead', '.jp-ehpc-RowBar > input'];

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
