import * as React from 'react';

import type { JobState } from '../generated/api';
import { toneOf } from '../state';

/** Strokes on a 16 by 16 grid, in the colour of the text around them. */
const PATHS = {
  clock: 'M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 1 0 0-12.5M8 4.5V8l2.4 1.6',
  play: 'M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 1 0 0-12.5M6.6 5.4v5.2L10.8 8z',
  pause: 'M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 1 0 0-12.5M6.4 5.6v4.8M9.6 5.6v4.8',
  check: 'M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 1 0 0-12.5M5.2 8.2l2 2L11 6',
  cross: 'M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 1 0 0-12.5M5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4',
  slash: 'M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 1 0 0-12.5M3.7 12.3l8.6-8.6',
  question: 'M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 1 0 0-12.5M6.3 6.3a1.8 1.8 0 1 1 2.5 1.8q-.8.4-.8 1.2M8 11.2v.1',
  hourglass: 'M4 2h8M4 14h8M4.8 2v2.2L8 8l3.2-3.8V2M4.8 14v-2.2L8 8l3.2 3.8V14',
  chip: 'M4.5 4.5h7v7h-7zM6.5 2v2.5M9.5 2v2.5M6.5 11.5V14M9.5 11.5V14M2 6.5h2.5M2 9.5h2.5M11.5 6.5H14M11.5 9.5H14',
  node: 'M2.5 3h11v4h-11zM2.5 9h6M2.5 9v4h6M5 5h.1M5 11h.1M10.5 9.5l3.5 3.5M14 9.5L10.5 13',
  upload: 'M8 10.5V3M5 6l3-3l3 3M3 11v2.5h10V11',
  stop: 'M4 4h8v8h-8z',
  hold: 'M5.5 3.5v9M10.5 3.5v9',
  release: 'M4.5 3l8 5l-8 5z',
  rerun: 'M2.8 8a5.2 5.2 0 1 0 1.5-3.7M3.2 2v2.9H6.1M6.8 5.8v4.4L10.2 8z',
  cell: 'M2 3.5h12v4h-12zM8 9.5v5M5.5 12h5',
  file: 'M4 1.75h5l3 3v9.5H4zM9 1.75v3h3M6 8h4M6 10.5h4',
  folder: 'M1.75 3.5h4.5l1.5 1.75h6.5v7.5H1.75z',
  copy: 'M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1',
  refresh: 'M13.2 8a5.2 5.2 0 1 1-1.5-3.7M12.8 2v2.9H9.9',
  plus: 'M8 3v10M3 8h10',
  close: 'M4 4l8 8M12 4l-8 8',
  trash: 'M3 4.5h10M6 4.5V3h4v1.5M4.2 4.5l.6 9h6.4l.6-9M6.7 7v4M9.3 7v4',
  chevron: 'M6 4l4 4l-4 4',
  warning: 'M8 2L14.5 13.5H1.5zM8 6.5v3M8 11.4v.1',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9M10.4 10.4L14 14'
};

export type IconName = keyof typeof PATHS;

const OF_STATE = {
  SUBMITTING: 'upload',
  NOT_SUBMITTED: 'cross',
  QUEUED: 'clock',
  HELD: 'pause',
  RUNNING: 'play',
  SUSPENDED: 'pause',
  FINISHED: 'check',
  FAILED: 'cross',
  CANCELLED: 'slash',
  TIMEOUT: 'hourglass',
  OUT_OF_MEMORY: 'chip',
  NODE_FAILED: 'node',
  UNKNOWN: 'question'
} satisfies Record<JobState, IconName> as Partial<Record<string, IconName>>;

/** Decoration beside a word; it says nothing by itself. */
export function Icon({ name }: { name: IconName }): React.JSX.Element {
  return (
    <svg className="jp-ehpc-Icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The icon of a state, in its colour. */
export function StateIcon({ state }: { state: JobState }): React.JSX.Element {
  return (
    <span className="jp-ehpc-StateIcon" data-tone={toneOf(state)}>
      <Icon name={OF_STATE[state] ?? 'question'} />
    </span>
  );
}
