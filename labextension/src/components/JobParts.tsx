import * as React from 'react';

import type { JobDetail } from '../generated/api';
import { isFinal } from '../state';
import { duration, moment } from '../time';
import { useServices } from './context';
import { Button, Elapsed, TaskWords } from './Parts';

interface IJobActionsProps {
  job: JobDetail;
  /** The task whose output is opened, for an array. */
  task: number | undefined;
  /** False while only a notebook vouches for it: nothing may be stopped then. */
  trusted?: boolean;
}

/** What can be done with a job. */
export function JobActions({ job, task, trusted = true }: IJobActionsProps): React.JSX.Element | null {
  const { ehpc, trans } = useServices();
  const [stopping, setStopping] = React.useState(false);
  const [copied, setCopied] = React.useState(false);
  const { actions } = ehpc;
  if (!job.JobId) {
    return null;
  }
  const onStop = async (): Promise<void> => {
    const told = await actions.stop(job, () => setStopping(true));
    // Told to stop, it is still busy ending; the button comes back if it does not.
    window.setTimeout(() => setStopping(false), told ? 10_000 : 0);
  };
  const onCopy = async (): Promise<void> => {
    await actions.copyId(job);
    setCopied(true);
    window.setTimeout(() => setCopied(false), 2000);
  };
  return (
    <div className="jp-ehpc-Actions">
      {trusted && !isFinal(job.State) && (
        <Button icon="stop" look="danger" disabled={stopping} onClick={() => void onStop()}>
          {stopping ? trans.__('Stopping…') : trans.__('Stop')}
        </Button>
      )}
      <Button icon="file" title={job.StdoutPath} onClick={() => void actions.openOutput(job, 'stdout', task)}>
        {trans.__('Output')}
      </Button>
      <Button icon="file" title={job.StderrPath} onClick={() => void actions.openOutput(job, 'stderr', task)}>
        {trans.__('Errors')}
      </Button>
      <Button icon="folder" title={job.Folder} onClick={() => void actions.openFolder(job)}>
        {trans.__('Folder')}
      </Button>
      <Button icon="copy" onClick={() => void onCopy()}>
        {copied ? trans.__('Copied') : trans.__('Copy id')}
      </Button>
    </div>
  );
}

/** Everything known of a job; what is not known has no line. */
export function JobFacts({ job }: { job: JobDetail }): React.JSX.Element {
  const { trans } = useServices();
  const time = (seconds: number | undefined): string | undefined =>
    seconds === undefined ? undefined : moment(seconds);
  const rows: [string, React.ReactNode][] = [
    [trans.__('Reason'), job.Reason],
    [trans.__('Exit code'), job.ExitCode],
    [trans.__('Signal'), job.Signal],
    [trans.__('Job id'), job.JobId],
    [trans.__('Cluster'), job.ClusterId],
    [trans.__('Queue'), job.Queue],
    [trans.__('User'), job.User],
    [trans.__('Nodes'), job.NodeList],
    [trans.__('Tasks'), job.Tasks ? <TaskWords job={job} /> : job.ArrayRequest],
    [trans.__('Submitted'), time(job.SubmitTime)],
    [trans.__('Started'), time(job.StartTime)],
    [trans.__('Ended'), time(job.EndTime)],
    [trans.__('Ran'), job.StartTime === undefined ? undefined : <Elapsed job={job} />],
    [trans.__('Wall time'), job.WallTimeS === undefined ? undefined : duration(job.WallTimeS)],
    [trans.__('Raw state'), job.NativeState],
    [trans.__('Folder'), job.Folder]
  ];
  return (
    <dl className="jp-ehpc-Facts">
      {rows
        .filter(([, value]) => value !== undefined && value !== '')
        .map(([name, value]) => (
          <React.Fragment key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </React.Fragment>
        ))}
    </dl>
  );
}
