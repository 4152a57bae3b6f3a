import * as React from 'react';

import { appliesToTasks, type Order, taskIds } from '../control';
import { ApiError } from '../errors';
import type { JobDetail, TaskGroup } from '../generated/api';
import { reasonOf, wordOf } from '../state';
import { useServices } from './context';
import { Icon, StateIcon } from './icons';
import { ORDER_ICONS, orderWord } from './JobOrders';
import { StateWord, tasksByState } from './JobStatus';
import { Alert, Button } from './Parts';

const PAGE_SIZE = 50;
/** Tasks of a large array end one after the other: not every event is worth a question. */
const PAUSE_MS = 500;
const TASK_ORDERS: readonly Order[] = ['stop', 'hold', 'release'];

interface ITaskGroupsProps {
  job: JobDetail;
  /** False while only a notebook vouches for it. */
  trusted?: boolean;
  /** Show the output of a task. */
  onTask: (task: number) => void;
}

/** An array's tasks, folded: how many are done, and unfolded those of one state and one fate together. */
export function TaskGroups(props: ITaskGroupsProps): React.JSX.Element | null {
  const { job } = props;
  const { trans } = useServices();
  const [open, setOpen] = React.useState(false);
  if (job.ArrayRequest === undefined || !job.JobId) {
    return null;
  }
  return (
    <details className="jp-ehpc-Tasks" open={open} onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        <Icon name="chevron" />
        <span>
          {trans.__('Tasks %1', job.ArrayRequest)}
          {job.Tasks && `: ${tasksByState(job.Tasks, state => wordOf(state, trans)).join(', ')}`}
        </span>
      </summary>
      {open && <Groups {...props} />}
    </details>
  );
}

function Groups({ job, trusted = true, onTask }: ITaskGroupsProps): React.JSX.Element {
  const { ehpc, trans } = useServices();
  const { api } = ehpc;
  const [state, setState] = React.useState('');
  const [pages, setPages] = React.useState(1);
  const [found, setFound] = React.useState<{ groups: TaskGroup[]; total: number } | null>(null);
  const [error, setError] = React.useState<ApiError | null>(null);
  const [round, setRound] = React.useState(0);
  const { ClusterId: cluster, JobId: jobId = '' } = job;
  const counts = JSON.stringify(job.Tasks);
  const asked = React.useRef('');

  React.useEffect(() => {
    let stopped = false;
    const question = [cluster, jobId, state, pages, round].join(' ');
    const load = async (): Promise<void> => {
      asked.current = question;
      try {
        const groups: TaskGroup[] = [];
        let total = 0;
        for (let page = 1; page <= pages; page++) {
          const answer = await api.call('ListTasks', {
            ClusterId: cluster,
            JobId: jobId,
            PageNumber: page,
            PageSize: PAGE_SIZE,
            ...(state ? { States: [state] } : {})
          });
          groups.push(...answer.Tasks);
          total = answer.TotalCount;
          if (answer.Tasks.length < PAGE_SIZE) {
            break;
          }
        }
        if (!stopped) {
          setFound({ groups, total });
          setError(null);
        }
      } catch (reason) {
        if (!stopped) {
          setError(ApiError.from(reason));
        }
      }
    };
    const timer = window.setTimeout(() => void load(), asked.current === question ? PAUSE_MS : 0);
    return () => {
      stopped = true;
      window.clearTimeout(timer);
    };
  }, [api, cluster, jobId, state, pages, round, counts, job.State]);

  const states = Object.entries(job.Tasks ?? {}).filter(([, count]) => count > 0);
  return (
    <div className="jp-ehpc-Groups">
      {job.Tasks && states.length > 1 && (
        <div className="jp-ehpc-Chips" role="group" aria-label={trans.__('Tasks in which state')}>
          <button type="button" aria-pressed={state === ''} onClick={() => setState('')}>
            {trans.__('All')}
          </button>
          {states.map(([name, count]) => (
            <button key={name} type="button" aria-pressed={state === name} onClick={() => setState(name)}>
              {tasksByState({ [name]: count }, one => wordOf(one, trans))}
            </button>
          ))}
        </div>
      )}
      {error && <Alert error={error} onRetry={() => setRound(round + 1)} />}
      {!found && !error && <p className="jp-ehpc-Muted">{trans.__('Loading…')}</p>}
      {found && (
        <ul>
          {found.groups.map(group => (
            <Group key={group.Tasks} job={job} group={group} trusted={trusted} onTask={onTask} />
          ))}
        </ul>
      )}
      {found?.groups.length === 0 && <p className="jp-ehpc-Muted">{trans.__('No such tasks.')}</p>}
      {found && found.groups.length < found.total && (
        <Button onClick={() => setPages(pages + 1)}>
          {trans.__('Show more (%1 of %2)', found.groups.length, found.total)}
        </Button>
      )}
    </div>
  );
}

interface IGroupProps extends ITaskGroupsProps {
  group: TaskGroup;
}

function Group({ job, group, trusted = true, onTask }: IGroupProps): React.JSX.Element {
  const { ehpc, trans } = useServices();
  const [busy, setBusy] = React.useState(false);
  const give = async (order: Order): Promise<void> => {
    await ehpc.actions.order(order, taskIds(job, group), { onConfirmed: () => setBusy(true) });
    setBusy(false);
  };
  const first = Number(/^\d+/.exec(group.Tasks)?.[0]);
  const name = group.Count === 1 ? trans.__('task %1', group.Tasks) : trans.__('tasks %1', group.Tasks);
  const facts = [
    group.ExitCode !== undefined && group.State !== 'FINISHED' && trans.__('exit code %1', group.ExitCode),
    group.Signal !== undefined && trans.__('signal %1', group.Signal),
    group.Explanation ?? reasonOf(group, trans),
    group.NodeList
  ].filter(Boolean);
  return (
    <li>
      <StateIcon state={group.State} />
      <span className="jp-ehpc-GroupName" title={group.Tasks}>
        <StateWord job={group} /> {group.Tasks}
        {group.Count > 1 && <small> ({trans._n('%1 task', '%1 tasks', group.Count)})</small>}
      </span>
      <span className="jp-ehpc-GroupOrders">
        {Number.isFinite(first) && group.State !== 'QUEUED' && group.State !== 'HELD' && (
          <Button
            look="link"
            icon="file"
            title={trans.__('Show the output of task %1', first)}
            aria-label={trans.__('Show the output of task %1', first)}
            onClick={() => onTask(first)}
          />
        )}
        {trusted &&
          TASK_ORDERS.filter(order => appliesToTasks(order, group)).map(order => (
            <Button
              key={order}
              look="link"
              icon={ORDER_ICONS[order]}
              disabled={busy}
              title={`${orderWord(order, trans)} ${name}`}
              aria-label={`${orderWord(order, trans)} ${name}`}
              onClick={() => void give(order)}
            />
          ))}
      </span>
      {facts.length > 0 && (
        <span className="jp-ehpc-GroupFacts" title={group.Explanation ?? group.Reason}>
          {facts.join(' · ')}
        </span>
      )}
    </li>
  );
}
