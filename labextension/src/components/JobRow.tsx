import * as React from 'react';

import type { JobDetail } from '../generated/api';
import { isFinal, reasonOf } from '../state';
import { ago, clock, duration, elapsed } from '../time';
import { useJob, useNow, useServices } from './context';
import { StateIcon } from './icons';
import { JobDetails } from './JobDetails';
import { Elapsed, StateWord, TaskWords } from './JobStatus';
import { When } from './Parts';

interface IJobRowProps {
  /** The job's key in the model. */
  id: string;
  open: boolean;
  marked: boolean;
  /** Whether the tabulator key reaches it: of all rows, one. */
  reachable: boolean;
  onToggle: () => void;
  onMark: (on: boolean, range: boolean) => void;
}

/** A job of the list; its details unfold below it. */
export function JobRow({ id, open, marked, reachable, onToggle, onMark }: IJobRowProps): React.JSX.Element | null {
  const { trans } = useServices();
  const detailsId = React.useId();
  const head = React.useRef<HTMLButtonElement>(null);
  const entry = useJob(id);
  if (!entry) {
    return null;
  }
  const job = entry.detail;
  return (
    <div className="jp-ehpc-Row" data-open={open || undefined} data-marked={marked || undefined}>
      <div className="jp-ehpc-RowBar">
        <input
          type="checkbox"
          checked={marked}
          tabIndex={reachable ? 0 : -1}
          aria-label={trans.__('Select %1', job.JobName)}
          onChange={event => onMark(event.target.checked, (event.nativeEvent as MouseEvent).shiftKey)}
        />
        <button
          ref={head}
          type="button"
          className="jp-ehpc-RowHead"
          tabIndex={reachable ? 0 : -1}
          aria-expanded={open}
          aria-controls={open ? detailsId : undefined}
          onClick={onToggle}
        >
          <StateIcon state={job.State} />
          <span className="jp-ehpc-Name" title={job.JobName}>
            {job.JobName}
          </span>
          <RowTime job={job} />
          <RowLine job={job} />
        </button>
      </div>
      {open && <JobDetails id={detailsId} job={job} />}
    </div>
  );
}

/** How long of how long it runs or ran; before and without that, when it was submitted. */
function RowTime({ job }: { job: JobDetail }): React.JSX.Element | null {
  const now = useNow(false);
  if (job.State === 'RUNNING') {
    return (
      <span className="jp-ehpc-RowTime">
        <Elapsed job={job} />
        {job.WallTimeS !== undefined && <span className="jp-ehpc-Limit"> / {duration(job.WallTimeS)}</span>}
      </span>
    );
  }
  const time = job.EndTime ?? job.SubmitTime;
  return time === undefined ? null : (
    <span className="jp-ehpc-RowTime">
      <When seconds={time}>{ago(time, now)}</When>
    </span>
  );
}

/** State, id, queue, and why it waits or how it went. */
function RowLine({ job }: { job: JobDetail }): React.JSX.Element {
  const { trans } = useServices();
  const now = useNow(false);
  const ran = isFinal(job.State) && elapsed(job, now) !== null;
  const showExit = job.ExitCode !== undefined && job.ExitCode !== 0 && job.State !== 'CANCELLED';
  const why = reasonOf(job, trans);
  return (
    <span className="jp-ehpc-Line">
      <StateWord job={job} />
      {job.JobId && <span className="jp-ehpc-Id">{job.JobId}</span>}
      {job.Queue && <span className="jp-ehpc-Queue">{job.Queue}</span>}
      <span className="jp-ehpc-RowWhy">
        {job.Tasks && <TaskWords job={job} />}
        {showExit && <span>{trans.__('exit code %1', job.ExitCode ?? '')}</span>}
        {ran && (
          <span>
            {trans.__('ran')} <Elapsed job={job} />
          </span>
        )}
        {!isFinal(job.State) && job.ExpectedStartTime !== undefined && job.State !== 'RUNNING' && (
          <span>{trans.__('starts about %1', clock(job.ExpectedStartTime))}</span>
        )}
        {why && <span title={job.Explanation ?? job.Reason}>{why}</span>}
        {job.StaleReason && <span title={job.StaleReason}>{trans.__('may be old')}</span>}
      </span>
    </span>
  );
}
