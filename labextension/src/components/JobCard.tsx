import * as React from 'react';

import type { Order } from '../control';
import type { JobDetail } from '../generated/api';
import type { Origin } from '../model';
import { taskRange } from '../state';
import { ago, elapsed } from '../time';
import { useNow, useSavedJob, useServices } from './context';
import { StateIcon } from './icons';
import { JobLinks, JobOrders } from './JobOrders';
import { Elapsed, ProgressBar, StaleNote, StateWord, TaskWords, Why } from './JobStatus';
import { Outputs } from './Output';
import { Button, When } from './Parts';
import { TaskGroups } from './TaskGroups';

/** A notebook keeps its cards: a job is deleted where jobs are listed. */
const CARD_ORDERS: readonly Order[] = ['stop', 'hold', 'release', 'rerun'];

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
        <span role="status" aria-live="polite">
          <StateWord job={job} />
        </span>
        <span className="jp-ehpc-Name" title={job.JobName}>
          {job.JobName}
        </span>
        <span className="jp-ehpc-Where">{job.JobId ? `${job.ClusterId} · ${job.JobId}` : job.ClusterId}</span>
      </header>
      <ProgressBar job={job} />
      <CardLine job={job} />
      <Why job={job} />
      <OriginNote origin={origin} />
      <StaleNote job={job} />
      <div className="jp-ehpc-Actions">
        {known && <JobOrders job={job} orders={CARD_ORDERS} />}
        <CloneButton job={job} card={card} />
        <JobLinks job={job} task={task} />
      </div>
      {known && <TaskGroups job={job} onTask={setTask} />}
      {output && known && job.JobId && <Outputs job={job} task={task} onTask={setTask} />}
    </section>
  );
}

function CloneButton({ job, card }: { job: JobDetail; card: React.RefObject<HTMLElement | null> }): React.JSX.Element {
  const { ehpc, trans } = useServices();
  return (
    <Button
      look="link"
      icon="cell"
      title={trans.__('Put a cell that submits this job again below this one')}
      onClick={() => card.current && void ehpc.actions.cloneToCell(job, card.current)}
    >
      {trans.__('Clone into a new cell')}
    </Button>
  );
}

/** The few things worth a glance. */
function CardLine({ job }: { job: JobDetail }): React.JSX.Element {
  const { trans } = useServices();
  const now = useNow(false);
  const time = job.EndTime ?? job.SubmitTime;
  const parts: Record<string, React.ReactNode> = {
    elapsed: elapsed(job, now) !== null && <Elapsed job={job} full />,
    tasks: job.Tasks && <TaskWords job={job} />,
    exit: job.ExitCode !== undefined && trans.__('exit code %1', job.ExitCode),
    signal: job.Signal !== undefined && trans.__('signal %1', job.Signal),
    queue: job.Queue,
    nodes: job.NodeList,
    time: time !== undefined && (
      <When seconds={time}>
        {job.EndTime === undefined ? trans.__('submitted %1', ago(time, now)) : trans.__('ended %1', ago(time, now))}
      </When>
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
