import * as React from 'react';

import { ApiError } from '../errors';
import type { JobDetail } from '../generated/api';
import { type ITail, OutputTail, type Which } from '../output';
import { isFinal, taskRange } from '../state';
import { useServices, useVisible } from './context';

const POLL_MS = 2000;

interface IOutputProps {
  job: JobDetail;
  which: Which;
  task?: number | undefined;
}

/** The end of one output, as text; it follows the file while the job runs and somebody can see it. */
export function Output({ job, which, task }: IOutputProps): React.JSX.Element {
  const { ehpc, trans } = useServices();
  const box = React.useRef<HTMLDivElement>(null);
  const visible = useVisible(box);
  const [tail, setTail] = React.useState<ITail | null>(null);
  const [error, setError] = React.useState<ApiError | null>(null);
  const { ClusterId: cluster, JobId: jobId = '' } = job;
  const { api, tailBytes } = ehpc;
  const source = React.useMemo(
    () => new OutputTail(api, { cluster, jobId, which, task, tailBytes }),
    [api, cluster, jobId, which, task, tailBytes]
  );
  /** The source that was read to its end after the job had ended. */
  const complete = React.useRef<OutputTail | null>(null);
  const started = job.StartTime !== undefined || isFinal(job.State);
  const goesOn = !isFinal(job.State);

  React.useEffect(() => {
    if (!visible || !started || complete.current === source) {
      return;
    }
    let timer = 0;
    let stopped = false;
    const round = async (): Promise<void> => {
      try {
        const read = await source.read();
        if (!stopped) {
          setTail(read);
          setError(null);
          complete.current = goesOn ? null : source;
        }
      } catch (reason) {
        if (!stopped) {
          setError(ApiError.from(reason));
        }
      }
      if (!stopped && goesOn) {
        timer = window.setTimeout(() => void round(), POLL_MS);
      }
    };
    void round();
    return () => {
      stopped = true;
      window.clearTimeout(timer);
    };
  }, [source, visible, started, goesOn]);

  return (
    <div ref={box} className="jp-ehpc-Output">
      {error && <p className="jp-ehpc-Muted">{error.unanswered ? trans.__('No answer.') : error.message}</p>}
      {!started && <p className="jp-ehpc-Muted">{trans.__('It has not started yet.')}</p>}
      {started && tail && <Text tail={tail} which={which} visible={visible} />}
    </div>
  );
}

function Text({ tail, which, visible }: { tail: ITail; which: Which; visible: boolean }): React.JSX.Element {
  const { trans } = useServices();
  const box = React.useRef<HTMLPreElement>(null);
  const atEnd = React.useRef(true);
  // A notebook takes cells that are far away out of the page, and they forget where they were.
  React.useLayoutEffect(() => {
    if (box.current && atEnd.current && visible) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [tail.text, visible]);
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
      <pre
        ref={box}
        tabIndex={0}
        aria-label={which === 'stdout' ? trans.__('Standard output') : trans.__('Standard error')}
        onScroll={event => {
          const { scrollTop, clientHeight, scrollHeight } = event.currentTarget;
          atEnd.current = scrollTop + clientHeight > scrollHeight - 8;
        }}
      >
        {tail.text}
      </pre>
    </>
  );
}

function kB(bytes: number): string {
  const [size, unit] = bytes < 1e6 ? [bytes / 1000, 'kB'] : bytes < 1e9 ? [bytes / 1e6, 'MB'] : [bytes / 1e9, 'GB'];
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${unit}`;
}

interface IOutputsProps {
  job: JobDetail;
  showErrors: boolean;
  /** The chosen task of an array. */
  task: number | undefined;
  onTask: (task: number) => void;
}

/** Both outputs of a job: what it wrote, and what went wrong, unfolded if something did. */
export function Outputs({ job, showErrors, task, onTask }: IOutputsProps): React.JSX.Element {
  const { trans } = useServices();
  const range = taskRange(job.ArrayRequest);
  const [chosen, setChosen] = React.useState<boolean | null>(null);
  const open = chosen ?? showErrors;
  const id = React.useId();
  return (
    <div className="jp-ehpc-Outputs">
      {range && (
        <div className="jp-ehpc-TaskChoice">
          <label htmlFor={id}>{trans.__('Output of task')}</label>
          <input
            id={id}
            type="number"
            min={range.first}
            max={range.last}
            step={range.step}
            defaultValue={task}
            onChange={event => {
              if (event.target.validity.valid && event.target.value !== '') {
                onTask(event.target.valueAsNumber);
              }
            }}
          />
        </div>
      )}
      <Output job={job} which="stdout" task={task} />
      <details open={open} onToggle={event => setChosen(event.currentTarget.open)}>
        <summary>{trans.__('Standard error')}</summary>
        {open && <Output job={job} which="stderr" task={task} />}
      </details>
    </div>
  );
}
