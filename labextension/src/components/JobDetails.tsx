import * as React from 'react';

import { asJson, asMarkdown, factsOf, resourceRows, timesOf } from '../details';
import { ApiError } from '../errors';
import type { JobDetail, JobEvent, ResourceTexts } from '../generated/api';
import { taskRange, wordOf } from '../state';
import { clock } from '../time';
import { useServices } from './context';
import { Icon, StateIcon } from './icons';
import { JobLinks, JobOrders } from './JobOrders';
import { ProgressBar, StaleNote, Why } from './JobStatus';
import { Outputs } from './Output';
import { Button, CopyButton, When } from './Parts';
import { TaskGroups } from './TaskGroups';

/** Everything known of a job and all that can be done with it, in sections. */
export function JobDetails({ id, job }: { id: string; job: JobDetail }): React.JSX.Element {
  const { trans } = useServices();
  const [task, setTask] = React.useState(taskRange(job.ArrayRequest)?.first);
  return (
    <div id={id} className="jp-ehpc-Details" role="group" aria-label={trans.__('Details of %1', job.JobName)}>
      <ProgressBar job={job} />
      <Why job={job} />
      <StaleNote job={job} />
      <div className="jp-ehpc-Actions">
        <JobOrders job={job} />
        <JobLinks job={job} task={task} />
      </div>
      <TaskGroups job={job} onTask={setTask} />
      {job.JobId && <Outputs job={job} task={task} onTask={setTask} />}
      <Section title={trans.__('Times')} open>
        <Facts rows={timesOf(job, trans).map(([name, seconds]) => [name, <When key={name} seconds={seconds} />])} />
      </Section>
      {job.JobId && (
        <Section title={trans.__('Resources')} open>
          <Resources job={job} />
        </Section>
      )}
      {job.JobId && (
        <Section title={trans.__('Timeline')}>
          <Timeline job={job} />
        </Section>
      )}
      <Section title={trans.__('Files')}>
        <Files job={job} task={task} />
      </Section>
      <Section title={trans.__('More')}>
        <Facts rows={factsOf(job, trans)} />
      </Section>
      <div className="jp-ehpc-Actions">
        <CopyButton text={asMarkdown(job, trans)} label={trans.__('Copy as Markdown')} />
        <CopyButton text={asJson(job)} label={trans.__('Copy as JSON')} />
      </div>
    </div>
  );
}

interface ISectionProps {
  title: string;
  open?: boolean;
  children: React.ReactNode;
}

/** What is folded asks for nothing. */
function Section({ title, open = false, children }: ISectionProps): React.JSX.Element {
  const [isOpen, setOpen] = React.useState(open);
  return (
    <details className="jp-ehpc-Section" open={isOpen} onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        <Icon name="chevron" />
        {title}
      </summary>
      {isOpen && children}
    </details>
  );
}

function Facts({ rows }: { rows: readonly (readonly [string, React.ReactNode])[] }): React.JSX.Element {
  return (
    <dl className="jp-ehpc-Facts">
      {rows.map(([name, value]) => (
        <React.Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </React.Fragment>
      ))}
    </dl>
  );
}

/** What it asked for beside what it occupies. */
function Resources({ job }: { job: JobDetail }): React.JSX.Element {
  const { ehpc, trans } = useServices();
  const { api } = ehpc;
  const { ClusterId, JobId = '' } = job;
  const [asked, setAsked] = React.useState<ResourceTexts | undefined>(undefined);
  React.useEffect(() => {
    let stopped = false;
    api.call('GetJob', { ClusterId, JobId }).then(
      answer => !stopped && setAsked(answer.JobInfo.Resources),
      () => undefined // what it occupies is shown all the same
    );
    return () => {
      stopped = true;
    };
  }, [api, ClusterId, JobId]);
  const rows = resourceRows(job, asked, trans);
  if (rows.length === 0) {
    return <p className="jp-ehpc-Muted">{trans.__('Nothing is known of them.')}</p>;
  }
  return (
    <table className="jp-ehpc-Table">
      <thead>
        <tr>
          <td />
          <th scope="col">{trans.__('Asked for')}</th>
          <th scope="col">{trans.__('Got')}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, left, right]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{left || '–'}</td>
            <td>{right || '–'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What became of it, step by step, and who said so. */
function Timeline({ job }: { job: JobDetail }): React.JSX.Element {
  const { ehpc, trans } = useServices();
  const { api } = ehpc;
  const { ClusterId, JobId = '', State } = job;
  const [events, setEvents] = React.useState<readonly JobEvent[] | null>(null);
  const [error, setError] = React.useState('');
  React.useEffect(() => {
    let stopped = false;
    api.call('ListJobEvents', { ClusterId, JobId }).then(
      answer => !stopped && setEvents(answer.Events),
      (reason: unknown) => !stopped && setError(ApiError.from(reason).message)
    );
    return () => {
      stopped = true;
    };
  }, [api, ClusterId, JobId, State]);
  const sources: Record<JobEvent['Source'], string> = {
    request: trans.__('the request'),
    submit: trans.__('the submission'),
    queue: trans.__('the queue'),
    history: trans.__('the accounting'),
    folder: trans.__("the job's folder")
  };
  if (!events) {
    return <p className="jp-ehpc-Muted">{error || trans.__('Loading…')}</p>;
  }
  return (
    <ol className="jp-ehpc-Timeline">
      {events.map((event, index) => (
        <li key={index}>
          <StateIcon state={event.State} />
          <span>{wordOf(event.State, trans)}</span>
          <When seconds={event.Time}>{clock(event.Time)}</When>
          <small>
            {[trans.__('by %1', sources[event.Source]), event.Reason].filter(Boolean).join(' · ')}
          </small>
        </li>
      ))}
    </ol>
  );
}

/** Where its files lie on the cluster. */
function Files({ job, task }: { job: JobDetail; task: number | undefined }): React.JSX.Element {
  const { ehpc, trans } = useServices();
  const { actions } = ehpc;
  const rows: [string, string | undefined, () => Promise<void>][] = [
    [trans.__('Standard output'), job.StdoutPath, () => actions.openOutput(job, 'stdout', task)],
    [trans.__('Standard error'), job.StderrPath, () => actions.openOutput(job, 'stderr', task)],
    [trans.__('Folder'), job.Folder, () => actions.openFolder(job)]
  ];
  return (
    <dl className="jp-ehpc-Files">
      {rows
        .filter((row): row is [string, string, () => Promise<void>] => Boolean(row[1]))
        .map(([name, path, open]) => (
          <React.Fragment key={name}>
            <dt>{name}</dt>
            <dd>
              <code>{path}</code>
              <Button
                look="link"
                icon={path === job.Folder ? 'folder' : 'file'}
                title={trans.__('Open in a tab')}
                aria-label={trans.__('Open in a tab: %1', name)}
                onClick={() => void open()}
              />
              <CopyButton text={path} what={trans.__('Copy the path: %1', name)} />
            </dd>
          </React.Fragment>
        ))}
    </dl>
  );
}
