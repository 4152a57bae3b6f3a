import * as React from 'react';

import type { JobDetail } from '../generated/api';
import type { Origin } from '../model';
import { isBad, reasonOf, taskRange } from '../state';
import { ago, elapsed, moment } from '../time';
import { useNow, useSavedJob, useServices } from './context';
import { StateIcon } from './icons';
import { JobActions } from './JobParts';
import { Outputs } from './Output';
import { Elapsed, ProgressBar, StaleNote, StateWord, TaskWords } from './Parts';

interface IJobCardProps {
  saved: JobDetail;
  /** False where the cell prints the output itself. */
  output?: boolean;
}

/** A job in a notebook: as the server knows it, else as the notebook was saved. */
export function JobCard({ saved, output = true }: IJobCardProps): React.JSX.Element {
  const card = React.useRef<HTMLElement>(null);
  const { detail: job, origin } = useSavedJob(saved);
  const [task, setTask] = React.useState(taskRange(job.ArrayRequest)?.first);
  const known = origin === 'server';
  // Who has just submitted with the form above wants to see what becomes of it.
  React.useEffect(() => {
    const form = card.current?.closest('.jp-OutputArea')?.querySelector('.ehpc-form');
    if (form?.contains(document.activeElement)) {
      card.current?.scrollIntoView({ block: 'nearest' });
    }
  }, [job.State]);
  return (
    <section ref={card} className="jp-ehpc-Card" data-origin={origin} aria-label={job.JobName}>
      <header>
        <StateIcon state={job.State} />
        <StateWord job={job} />
        <span className="jp-ehpc-Name" title={job.JobName}>
          {job.JobName}
        </span>
        <span className="jp-ehpc-Where">{job.JobId ? `${job.ClusterId} · ${job.JobId}` : job.ClusterId}</span>
      </header>
      <ProgressBar job={job} />
      <CardLine job={job} />
      <OriginNote origin={origin} />
      <StaleNote job={job} />
      <JobActions job={job} task={task} trusted={known} />
      {output && known && job.JobId && <Outputs job={job} showErrors={isBad(job.State)} task={task} onTask={setTask} />}
    </section>
  );
}

/** The few things worth a glance. */
function CardLine({ job }: { job: JobDetail }): React.JSX.Element {
  const { trans } = useServices();
  const now = useNow(false);
  const time = job.EndTime ?? job.SubmitTime;
  const parts: Record<string, React.ReactNode> = {
    elapsed: elapsed(job, now) !== null && <Elapsed job={job} full={job.EndTime === undefined} />,
    tasks: job.Tasks && <TaskWords job={job} />,
    exit: job.ExitCode !== undefined && trans.__('exit code %1', job.ExitCode),
    signal: job.Signal !== undefined && trans.__('signal %1', job.Signal),
    reason: reasonOf(job, trans),
    nodes: job.NodeList,
    time: time !== undefined && (
      <time dateTime={new Date(time * 1000).toISOString()} title={moment(time)}>
        {job.EndTime === undefined ? trans.__('submitted %1', ago(time, now)) : trans.__('ended %1', ago(time, now))}
      </time>
    )
  };
  return (
    <ul className="jp-ehpc-Line">
      {Object.entries(parts)
        .filter(([, part]) => part)
        .map(([key, part]) => (
          <li key={key}>{part}</li>
        ))}
    </ul>
  );
}

function OriginNote({ origin }: { origin: Origin }): React.JSX.Element | null {
  const { trans } = useServices();
  if (origin === 'server') {
    return null;
  }
  const words: Record<Exclude<Origin, 'server'>, string> = {
    asking: trans.__('As saved; asking the server…'),
    unknown: trans.__('As saved: this server knows no such job.'),
    offline: trans.__('As saved: the server gives no answer.')
  };
  return <p className="jp-ehpc-Muted">{words[origin]}</p>;
}
