import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { JobDetail, JobState } from '../generated/api';
import { type ITail, plain, type Which } from '../output';
import { isBad, taskRange } from '../state';
import { useServices, useVisible } from './context';
import { hasOutput, type ITailState, useTail } from './useTail';

interface IOutputsProps {
  job: JobDetail;
  /** The chosen task of an array. */
  task: number | undefined;
  onTask: (task: number) => void;
}

/** The end of what a job wrote: of one that ended badly its standard error, if there is any; a switch shows the other. */
export function Outputs(props: IOutputsProps): React.JSX.Element | null {
  return hasOutput(props.job) ? <Shown {...props} /> : null;
}

function Shown({ job, task, onTask }: IOutputsProps): React.JSX.Element {
  const { trans } = useServices();
  const box = React.useRef<HTMLDivElement>(null);
  const visible = useVisible(box);
  const [chosen, setChosen] = React.useState<Which | null>(null);
  const doubt = chosen === null && isBad(job.State);
  const errors = useTail(job, 'stderr', task, visible && (doubt || chosen === 'stderr'));
  const auto = doubt && errors.tail?.text ? 'stderr' : 'stdout';
  const shown = chosen ?? auto;
  // Nobody needs the output while it is not known whether the errors are shown.
  const settled = !doubt || errors.tail !== null || errors.error !== null;
  const output = useTail(job, 'stdout', task, visible && settled && shown === 'stdout');
  const state = shown === 'stdout' ? output : errors;
  useFailedTask(job, visible && doubt, onTask);
  const both: [Which, ITailState][] = [
    ['stdout', output],
    ['stderr', errors]
  ];
  return (
    <div ref={box} className="jp-ehpc-Outputs">
      <div className="jp-ehpc-OutputHead">
        <span className="jp-ehpc-Switch" role="group" aria-label={trans.__('Which output')}>
          {both.map(([which, { tail }]) => (
            <button
              key={which}
              type="button"
              aria-pressed={shown === which}
              title={outputName(which, trans)}
              onClick={() => setChosen(which)}
            >
              {which}
              {tail?.size ? <small> {kB(tail.size)}</small> : null}
            </button>
          ))}
        </span>
        <TaskChoice job={job} task={task} onTask={onTask} />
      </div>
      {state.error && (
        <p className="jp-ehpc-Muted">{state.error.unanswered ? trans.__('No answer.') : state.error.message}</p>
      )}
      {state.tail && <Tail tail={state.tail} which={shown} visible={visible} />}
    </div>
  );
}

/** The states of tasks that are worth a look. */
const BAD: readonly JobState[] = ['FAILED', 'TIMEOUT', 'OUT_OF_MEMORY', 'NODE_FAILED'];

/** Of an array that ended badly, the output of the first task that did is shown, until another one is chosen. */
function useFailedTask(job: JobDetail, active: boolean, onTask: (task: number) => void): void {
  const { api } = useServices().ehpc;
  const { ClusterId, JobId = '', ArrayRequest } = job;
  const asked = React.useRef('');
  React.useEffect(() => {
    const question = `${ClusterId} ${JobId}`;
    if (!active || ArrayRequest === undefined || asked.current === question) {
      return;
    }
    asked.current = question;
    api.call('ListTasks', { ClusterId, JobId, States: [...BAD], PageSize: 1 }).then(
      ({ Tasks }) => {
        const first = Number(/^\d+/.exec(Tasks[0]?.Tasks ?? '')?.[0]);
        if (Number.isFinite(first)) {
          onTask(first);
        }
      },
      () => undefined // the first task's is shown
    );
  }, [api, ClusterId, JobId, ArrayRequest, active, onTask]);
}

function Tail({ tail, which, visible }: { tail: ITail; which: Which; visible: boolean }): React.JSX.Element {
  const { trans } = useServices();
  if (tail.size === null || !tail.text) {
    return (
      <p className="jp-ehpc-Muted">
        {tail.size === null ? trans.__('There is no such file yet.') : trans.__('Nothing was written.')}
      </p>
    );
  }
  return (
    <>
      {tail.skipped > 0 && (
        <p className="jp-ehpc-Muted">{trans.__('The last %1 of %2:', kB(tail.size - tail.skipped), kB(tail.size))}</p>
      )}
      <Log
        key={which}
        text={tail.text}
        visible={visible}
        label={outputName(which, trans)}
      />
    </>
  );
}

function outputName(which: Which, trans: TranslationBundle): string {
  return which === 'stdout' ? trans.__('Standard output') : trans.__('Standard error');
}

interface ILogProps {
  text: string;
  label: string;
  visible: boolean;
}

/** Text as a terminal shows it, its end in sight; Lab's own renderer makes elements of the colours, and none of the rest. */
export function Log({ text, label, visible }: ILogProps): React.JSX.Element {
  const { ehpc } = useServices();
  const box = React.useRef<HTMLDivElement>(null);
  const atEnd = React.useRef(true);
  const { renderText } = ehpc;
  React.useLayoutEffect(() => {
    const host = box.current;
    const made = document.createElement('div');
    let stopped = false;
    const show = (): void => {
      if (!stopped && host) {
        host.replaceChildren(...made.childNodes);
        if (atEnd.current) {
          host.scrollTop = host.scrollHeight;
        }
      }
    };
    renderText(made, text).then(show, () => {
      made.replaceChildren(Object.assign(document.createElement('pre'), { textContent: plain(text) }));
      show();
    });
    return () => {
      stopped = true;
    };
  }, [renderText, text]);
  // A notebook takes cells that are far away out of the page, and they forget where they were.
  React.useLayoutEffect(() => {
    if (box.current && atEnd.current && visible) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [visible]);
  return (
    <div
      ref={box}
      className="jp-ehpc-Log jp-RenderedText"
      role="region"
      tabIndex={0}
      // The arrow keys scroll it, and do not go to the next cell.
      data-lm-suppress-shortcuts="true"
      aria-label={label}
      onScroll={event => {
        const { scrollTop, clientHeight, scrollHeight } = event.currentTarget;
        atEnd.current = scrollTop + clientHeight > scrollHeight - 8;
      }}
    />
  );
}

/** Of an array, whose output is shown. */
function TaskChoice({ job, task, onTask }: IOutputsProps): React.JSX.Element | null {
  const { trans } = useServices();
  const id = React.useId();
  const [draft, setDraft] = React.useState<string | null>(null);
  const range = taskRange(job.ArrayRequest);
  if (!range) {
    return null;
  }
  return (
    <span className="jp-ehpc-TaskChoice">
      <label htmlFor={id}>{trans.__('Output of task')}</label>
      <input
        id={id}
        type="number"
        min={range.first}
        max={range.last}
        step={range.step}
        value={draft ?? String(task ?? '')}
        onBlur={() => setDraft(null)}
        onChange={event => {
          setDraft(event.target.value);
          if (event.target.validity.valid && event.target.value !== '') {
            onTask(event.target.valueAsNumber);
          }
        }}
      />
    </span>
  );
}

export function kB(bytes: number): string {
  if (bytes < 1000) {
    return `${bytes} B`;
  }
  const [size, unit] = bytes < 1e6 ? [bytes / 1000, 'kB'] : bytes < 1e9 ? [bytes / 1e6, 'MB'] : [bytes / 1e9, 'GB'];
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${unit}`;
}
