import type { TranslationBundle } from '@jupyterlab/translation';

import type { JobDetail, Occupied, ResourceTexts } from './generated/api';
import { wordOf } from './state';
import { duration, elapsed, exact } from './time';

/** A name and its value. */
export type Fact = [string, string];

/** What is known of a job and has no place of its own on the screen; what is not known is left out. */
export function factsOf(job: JobDetail, trans: TranslationBundle): Fact[] {
  return known([
    [trans.__('Exit code'), job.ExitCode],
    [trans.__('Signal'), job.Signal],
    [trans.__('Reason'), job.Reason],
    [trans.__('Job id'), job.JobId],
    [trans.__('Cluster'), job.ClusterId],
    [trans.__('Queue'), job.Queue],
    [trans.__('User'), job.User],
    [trans.__('Nodes'), job.NodeList],
    [trans.__('Tasks'), job.ArrayRequest],
    [trans.__('After'), job.After],
    [trans.__('Rerun of'), job.RerunOf],
    [trans.__('Raw state'), job.NativeState],
    [trans.__('Request'), job.RequestId]
  ]);
}

/** When things happened to it, UNIX seconds. */
export function timesOf(job: JobDetail, trans: TranslationBundle): [string, number][] {
  const rows: [string, number | undefined][] = [
    [trans.__('Submitted'), job.SubmitTime],
    [trans.__('Expected start'), job.ExpectedStartTime],
    [trans.__('Started'), job.StartTime],
    [trans.__('Ended'), job.EndTime],
    [trans.__('Last heard of'), job.CheckedTime]
  ];
  return rows.filter((row): row is [string, number] => row[1] !== undefined);
}

/** What a job asked for and what it got, a row for each kind: name, asked, occupied. */
export function resourceRows(
  job: JobDetail,
  asked: ResourceTexts | undefined,
  trans: TranslationBundle
): [string, string, string][] {
  const got: Occupied = job.Occupied ?? {};
  const memory = got.MemoryMb === undefined ? undefined : megabytes(got.MemoryMb);
  const text = (value: string | number | undefined): string => (value === undefined ? '' : String(value));
  const ran = elapsed(job, job.CheckedTime ?? job.StartTime ?? 0);
  const rows: [string, string, string][] = [
    [trans.__('Nodes'), text(asked?.Nodes), text(got.Nodes)],
    [trans.__('Cores per node'), text(asked?.Cores), text(got.Cores)],
    [trans.__('Memory per node'), text(asked?.Memory), text(memory)],
    [trans.__('GPUs per node'), text(asked?.Gpus), text(got.Gpus)],
    [trans.__('Peak memory'), '', job.MemoryPeakMb === undefined ? '' : megabytes(job.MemoryPeakMb)],
    [trans.__('Time'), job.WallTimeS === undefined ? '' : duration(job.WallTimeS), ran === null ? '' : duration(ran)]
  ];
  return rows.filter(([, left, right]) => left !== '' || right !== '');
}

/** Memory as people read it. */
export function megabytes(size: number): string {
  return size >= 10_240 ? `${Math.round(size / 102.4) / 10} GB` : `${size} MB`;
}

/** A job's details to paste into an issue or a mail. */
export function asMarkdown(job: JobDetail, trans: TranslationBundle): string {
  const rows: Fact[] = [
    [trans.__('State'), wordOf(job.State, trans)],
    ...known([
      [trans.__('Why'), job.Explanation],
      [trans.__('What to do'), job.Advice]
    ]),
    ...factsOf(job, trans),
    ...timesOf(job, trans).map(([name, seconds]): Fact => [name, exact(seconds)]),
    ...known([
      [trans.__('Standard output'), job.StdoutPath],
      [trans.__('Standard error'), job.StderrPath],
      [trans.__('Folder'), job.Folder],
      [trans.__('May be old'), job.StaleReason]
    ])
  ];
  const lines = rows.map(([name, value]) => `| ${cell(name)} | ${cell(value)} |`);
  return [`### ${cell(job.JobName)}`, '', '| | |', '|---|---|', ...lines, ''].join('\n');
}

/** The same for a program. */
export function asJson(job: JobDetail): string {
  return JSON.stringify(job, null, 2);
}

function known(rows: [string, string | number | undefined][]): Fact[] {
  return rows.filter(([, value]) => value !== undefined && value !== '').map(([name, value]) => [name, String(value)]);
}

/** Text that stays in its cell and is no markup. */
function cell(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\`*_[\]<>|#~]/g, '\\$&');
}
