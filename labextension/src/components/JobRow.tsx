import * as React from 'react';

import type { JobDetail } from '../generated/api';
import { isBad, isFinal, reasonOf, taskRange } from '../state';
import { ago, elapsed, moment } from '../time';
import { useJob, useNow, useServices } from './context';
import { StateIcon } from './icons';
import { JobActions, JobFacts } from './JobParts';
import { Outputs } from './Output';
import { Elapsed, ProgressBar, StaleNote, StateWord, TaskWords } from './Parts';

interface IJobRowProps {
  /** The job's key in the model. */
  id: string;
  open: boolean;
  onToggle: () => void;
}

/** A job of the list; its details unfold below it. */
export function JobRow({ id, open, onToggle }: IJobRowProps): React.JSX.Element | null {
  const detailsId = React.useId();
  const row = React.useRef<HTMLLIElement>(null);
  const head = React.useRef<HTMLButtonElement>(null);
  const entry = useJob(id);
  React.useEffect(() => {
    if (!open) {
      return;
    }
    // Browsers first keep in place what they showed before.
    const frame = requestAnimationFrame(() => {
      const [top, stuck] = [row.current, head.current].map(one => one?.getBoundingClientRect().top ?? 0);
      row.current?.scrollIntoView({ block: top === stuck ? 'nearest' : 'start' });
    });
    return () => cancelAnimationFrame(frame);
  }, [open]);
  if (!entry) {
    return null;
  }
  const job = entry.detail;
  return (
    <li ref={row} className="jp-ehpc-Row" data-open={open || undefined}>
      <button
        ref={head}
        type="button"
        className="jp-ehpc-RowHead"
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
      {open && <Details id={detailsId} job={job} />}
    </li>
  );
}

function Details({ id, job }: { id: string; job: JobDetail }): React.JSX.Element {
  const [task, setTask] = React.useState(taskRange(job.ArrayRequest)?.first);
  return (
    <div id={id} className="jp-ehpc-Details">
      <ProgressBar job={job} />
      <StaleNote job={job} />
      <JobActions job={job} task={task} />
      {job.JobId && <Outputs job={job} showErrors={isBad(job.State)} task={task} onTask={setTask} />}
      <JobFacts job={job} />
    </div>
  );
}

function RowTime({ job }: { job: JobDetail }): React.JSX.Element | null {
  const now = useNow(false);
  if (job.State === 'RUNNING') {
    return <Elapsed job={job} />;
  }
  const time = job.EndTime ?? job.SubmitTime;
  return time === undefined ? null : (
    <time className="jp-ehpc-Time" dateTime={new Date(time * 1000).toISOString()} title={moment(time)}>
      {ago(time, now)}
    </time>
  );
}

/** State, id, and why it waits or how it went. */
function RowLine({ job }: { job: JobDetail }): React.JSX.Element {
  const { trans } = useServices();
  const now = useNow(false);
  const ran = isFinal(job.State) && elapsed(job, now) !== null;
  const showExit = job.ExitCode !== undefined && job.ExitCode !== 0 && job.State !== 'CANCELLED';
  return (
    <span className="jp-ehpc-Line">
      <StateWord job={job} />
      {job.JobId && <span>{job.JobId}</span>}
      {job.Tasks && <TaskWords job={job} />}
      {showExit && <span>{trans.__('exit code %1', job.ExitCode ?? '')}</span>}
      {ran && <Elapsed job={job} />}
      {job.Reason && !ran && <span title={job.Reason}>{reasonOf(job, trans)}</span>}
      {job.StaleReason && <span title={job.StaleReason}>{trans.__('may be old')}</span>}
    </span>
  );
}
