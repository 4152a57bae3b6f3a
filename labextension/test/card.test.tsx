import { act, fireEvent, render, screen, waitFor } from '@testing-library/react';
import * as React from 'react';
import { expect, test, vi } from 'vitest';

import { JobCard } from '../src/components/JobCard';
import type { JobDetail } from '../src/generated/api';
import { ApiError } from '../src/errors';
import { FakeApi, found, job, log, services, wrap } from './fakes';

const settle = (): Promise<void> => act(() => new Promise<void>(resolve => setTimeout(resolve, 60)));

test('cards of one job share one question, and an event updates them all', async () => {
  const saved = job();
  const fake = new FakeApi({ GetJob: () => found(job({ CheckedTime: 5 })), GetJobLog: () => log('hello\n') });
  const given = services(fake);
  const cards = Array.from({ length: 100 }, (_, index) => <JobCard key={index} saved={{ ...saved }} />);
  render(wrap(given, cards));
  await settle();
  expect(fake.of('GetJob')).toHaveLength(1);
  expect(screen.getAllByText('Queued')).toHaveLength(100);
  act(() => given.jobs.receive(job({ State: 'RUNNING', StartTime: 1, CheckedTime: 6 })));
  expect(screen.getAllByText('Running')).toHaveLength(100);
});

test('news that were overtaken on their way are dropped', async () => {
  const given = services(new FakeApi({ GetJob: () => found(job({ State: 'RUNNING', CheckedTime: 9 })) }));
  render(wrap(given, <JobCard saved={job()} />));
  await settle();
  act(() => given.jobs.receive(job({ State: 'QUEUED', CheckedTime: 8 })));
  expect(screen.getByText('Running')).toBeTruthy();
  act(() => given.jobs.receive(job({ State: 'FAILED', ExitCode: 3, CheckedTime: 10 })));
  act(() => given.jobs.receive(job({ State: 'RUNNING', CheckedTime: 11 })));
  expect(screen.getByText('Failed')).toBeTruthy();
  expect(screen.getByText('exit code 3')).toBeTruthy();
});

test('what the server does not know is shown as saved, and cannot be stopped', async () => {
  const unknown = new FakeApi({
    GetJob: () => {
      throw new ApiError(404, 'JobNotFound', 'no such job');
    }
  });
  render(wrap(services(unknown), <JobCard saved={job({ State: 'RUNNING' })} />));
  await settle();
  expect(screen.getByText('As saved: this server knows no such job.')).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Stop' })).toBeNull();
});

test('a job id that came back for another job is not taken for it', async () => {
  const fake = new FakeApi({ GetJob: () => found(job({ RequestId: 'r2', JobName: 'stranger', State: 'RUNNING' })) });
  render(wrap(services(fake), <JobCard saved={job({ State: 'FINISHED' })} />));
  await settle();
  expect(screen.getByText('train')).toBeTruthy();
  expect(screen.queryByText('stranger')).toBeNull();
  expect(screen.getByText('As saved: this server knows no such job.')).toBeTruthy();
});

test('markup in names, reasons and output is text', async () => {
  const evil = '<img src=x onerror=alert(1)>';
  const detail = job({ JobName: evil, Reason: evil, State: 'RUNNING', StartTime: 1, Queue: evil });
  const fake = new FakeApi({ GetJob: () => found(detail), GetJobLog: () => log(evil) });
  const { container } = render(wrap(services(fake), <JobCard saved={detail} />));
  await settle();
  expect(container.querySelector('img')).toBeNull();
  expect(container.querySelector('pre')?.textContent).toBe(evil);
  expect(screen.getAllByText(evil).length).toBeGreaterThan(1);
});

test('a card leaves the output to the cell that prints it', async () => {
  const detail = job({ State: 'RUNNING', StartTime: 1 });
  const fake = new FakeApi({ GetJob: () => found(detail), GetJobLog: () => log('printed') });
  render(wrap(services(fake), <JobCard saved={detail} output={false} />));
  await settle();
  expect(screen.getByRole('button', { name: 'Output' })).toBeTruthy();
  expect(fake.of('GetJobLog')).toHaveLength(0);
});

test('a card comes into view under the form that its job was submitted with, and else stays where it is', async () => {
  const scrolled = vi.fn();
  HTMLElement.prototype.scrollIntoView = scrolled;
  const detail = job();
  const given = services(new FakeApi({ GetJob: () => found(detail) }));
  render(
    wrap(
      given,
      <div className="jp-OutputArea">
        <div className="ehpc-form">
          <button>Submit</button>
        </div>
        <JobCard saved={detail} />
      </div>
    )
  );
  await settle();
  expect(scrolled).not.toHaveBeenCalled();
  screen.getByRole('button', { name: 'Submit' }).focus();
  act(() => given.jobs.receive(job({ State: 'RUNNING', StartTime: 1, CheckedTime: 6 })));
  expect(scrolled).toHaveBeenCalledOnce();
});

test('the usual reasons to wait are said in plain words, all others as the scheduler says them', async () => {
  const given = services(new FakeApi({ GetJob: () => found(job({ Reason: 'Resources' })) }));
  render(wrap(given, <JobCard saved={job()} />));
  await settle();
  expect(screen.getByText('waiting for free nodes')).toBeTruthy();
  act(() => given.jobs.receive(job({ Reason: 'QOSGrpCpuLimit', CheckedTime: 6 })));
  expect(screen.getByText('QOSGrpCpuLimit')).toBeTruthy();
  act(() => given.jobs.receive(job({ State: 'FAILED', ExitCode: 3, Reason: 'NonZeroExitCode', CheckedTime: 7 })));
  expect(screen.getByText('exit code 3')).toBeTruthy();
  expect(screen.queryByText('NonZeroExitCode')).toBeNull();
});

test('a copied id is confirmed', async () => {
  const detail = job();
  render(wrap(services(new FakeApi({ GetJob: () => found(detail) })), <JobCard saved={detail} />));
  await settle();
  fireEvent.click(screen.getByRole('button', { name: 'Copy id' }));
  expect(await screen.findByRole('button', { name: 'Copied' })).toBeTruthy();
});

const errors = (text: string): unknown => ({ StderrLog: btoa(text), StderrLogSize: text.length });

test('a job that ended badly shows its standard error at once, and why, and what to do', async () => {
  const why = { Explanation: 'The mesh is not there.', Advice: 'Copy it first.', Reason: 'NonZeroExitCode' };
  const detail = job({ State: 'FAILED', StartTime: 1, EndTime: 2, ExitCode: 1, ...why });
  const fake = new FakeApi({
    GetJob: () => found(detail),
    GetJobLog: request => (request.LogType === 'stderr' ? errors('no data') : log('all went well'))
  });
  render(wrap(services(fake), <JobCard saved={detail} />));
  await settle();
  expect(screen.getByText('no data')).toBeTruthy();
  expect(screen.queryByText('all went well')).toBeNull();
  expect(screen.getByText('The mesh is not there.', { exact: false }).textContent).toContain('NonZeroExitCode');
  expect(screen.getByText('Copy it first.', { exact: false })).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: /stdout/ }));
  await settle();
  expect(screen.getByText('all went well')).toBeTruthy();
  expect(screen.queryByText('no data')).toBeNull();
});

test('one that ended badly and said nothing of it shows what it wrote', async () => {
  const detail = job({ State: 'FAILED', StartTime: 1, EndTime: 2, ExitCode: 1 });
  const fake = new FakeApi({
    GetJob: () => found(detail),
    GetJobLog: request => (request.LogType === 'stderr' ? errors('') : log('nearly there'))
  });
  render(wrap(services(fake), <JobCard saved={detail} />));
  await settle();
  expect(screen.getByText('nearly there')).toBeTruthy();
});

const distinct = (count: number, part: Partial<JobDetail> = {}): JobDetail[] =>
  Array.from({ length: count }, (_, index) =>
    job({ RequestId: `r${index}`, JobId: String(index), JobName: `n${index}`, SubmitTime: 1000 + index, ...part })
  );

/** Knows the jobs, and lists them as the server does. */
function serving(jobs: JobDetail[]): FakeApi {
  return new FakeApi({
    ListJobs: request => {
      const size = Number(request.PageSize);
      const filter = request.JobFilter as { CreateTimeStart?: string; CreateTimeEnd?: string } | undefined;
      const [from, to] = [Number(filter?.CreateTimeStart ?? 0), Number(filter?.CreateTimeEnd ?? Infinity)];
      const fit = jobs.filter(({ SubmitTime = 0 }) => SubmitTime >= from && SubmitTime <= to);
      const start = (Number(request.PageNumber ?? 1) - 1) * size;
      return { TotalCount: fit.length, Jobs: fit.slice(start, start + size).map(Detail => ({ Detail })) };
    },
    GetJob: request => found(jobs.find(one => one.JobId === request.JobId) ?? job()),
    GetJobLog: () => log('x')
  });
}

test('a hundred cards of a hundred jobs cost a page of the list for each fifty, then nothing', async () => {
  const jobs = distinct(100, { State: 'FINISHED', StartTime: 1, EndTime: 2 });
  const fake = serving(jobs);
  const given = services(fake);
  render(
    wrap(
      given,
      jobs.map(saved => <JobCard key={saved.RequestId} saved={saved} output={false} />)
    )
  );
  await waitFor(() => expect(screen.queryByText('As saved; asking the server…')).toBeNull());
  expect(fake.asked.map(([action]) => action)).toEqual(['ListJobs', 'ListJobs']);
  await act(() => given.jobs.sync());
  expect(fake.asked).toHaveLength(2);
});

test('a hundred cards of running jobs are brought up to date by lists too', async () => {
  const jobs = distinct(100, { State: 'RUNNING', StartTime: 1 });
  const fake = serving(jobs);
  const given = services(fake);
  render(
    wrap(
      given,
      jobs.map(saved => <JobCard key={saved.RequestId} saved={saved} output={false} />)
    )
  );
  await waitFor(() => expect(screen.queryByText('As saved; asking the server…')).toBeNull());
  await act(() => given.jobs.sync());
  expect(fake.of('GetJob')).toHaveLength(0);
  expect(fake.of('ListJobs')).toHaveLength(4);
});

test('a few old jobs among very many are asked for by themselves', async () => {
  const fake = serving(distinct(5000, { SubmitTime: 1000 }));
  render(
    wrap(
      services(fake),
      ['4000', '4001', '4002'].map(id => (
        <JobCard key={id} saved={job({ JobId: id, RequestId: `r${id}`, SubmitTime: 1000 })} output={false} />
      ))
    )
  );
  await settle();
  expect(fake.of('ListJobs')).toHaveLength(1);
  expect(fake.of('GetJob')).toHaveLength(3);
});

test('what cannot be seen follows no output', async () => {
  const seen = vi.spyOn(globalThis, 'IntersectionObserver').mockImplementation(function (this: object) {
    return Object.assign(this, { observe: () => undefined, disconnect: () => undefined }) as never;
  });
  const detail = job({ State: 'RUNNING', StartTime: 1 });
  const fake = new FakeApi({ GetJob: () => found(detail), GetJobLog: () => log('x') });
  render(wrap(services(fake), <JobCard saved={detail} />));
  await settle();
  seen.mockRestore();
  expect(fake.of('GetJobLog')).toHaveLength(0);
});

test('what is old says how old and why, and is asked for again at a click', async () => {
  const old = Math.floor(Date.now() / 1000) - 285;
  const detail = job({ State: 'RUNNING', StartTime: 1, CheckedTime: old, StaleReason: 'no route to host' });
  const fake = new FakeApi({ GetJob: () => found(detail), GetJobLog: () => log(''), RefreshJobs: () => ({}) });
  render(wrap(services(fake), <JobCard saved={detail} />));
  await settle();
  expect(screen.getByText('stale for 4 min: no route to host')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Retry now' }));
  await settle();
  expect(fake.of('RefreshJobs')).toEqual([{ ClusterId: 'hpc' }]);
});

test('a job that waits says when it is expected to start, and why it waits, in words and in the scheduler’s own', async () => {
  const now = Math.floor(Date.now() / 1000);
  const detail = job({ Reason: 'Resources', Explanation: 'All nodes of debug are busy.', ExpectedStartTime: now + 60 });
  render(wrap(services(new FakeApi({ GetJob: () => found(detail) })), <JobCard saved={detail} />));
  await settle();
  expect(screen.getByText('Expected to start:', { exact: false }).querySelector('time')?.title).toMatch(/\d{4}/);
  expect(screen.getByText('All nodes of debug are busy.', { exact: false }).textContent).toContain('Resources');
});

test('a card offers the orders that apply, and gives them for its job', async () => {
  const detail = job({ State: 'QUEUED' });
  const given = services(new FakeApi({ GetJob: () => found(detail) }));
  render(wrap(given, <JobCard saved={detail} />));
  await settle();
  expect(screen.queryByRole('button', { name: 'Release' })).toBeNull();
  expect(screen.queryByRole('button', { name: 'Rerun' })).toBeNull();
  fireEvent.click(screen.getByRole('button', { name: 'Hold' }));
  expect(given.actions.order).toHaveBeenCalledWith('hold', { cluster: 'hpc', ids: ['10'], name: 'train' }, expect.anything());
  act(() => given.jobs.receive(job({ State: 'HELD', CheckedTime: 6 })));
  expect(screen.getByRole('button', { name: 'Release' })).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Clone into a new cell' }));
  expect(given.actions.cloneToCell).toHaveBeenCalledOnce();
});

test('the progress is told to a screen reader, of the wall time or of the tasks', async () => {
  const now = Math.floor(Date.now() / 1000);
  const running = job({ State: 'RUNNING', StartTime: now - 900, WallTimeS: 3600 });
  const given = services(new FakeApi({ GetJob: () => found(running), GetJobLog: () => log('') }));
  render(wrap(given, <JobCard saved={running} />));
  await settle();
  const bar = screen.getByRole('progressbar', { name: 'Elapsed of the wall time' });
  expect(bar.getAttribute('aria-valuenow')).toBe('25');
  expect(screen.getAllByRole('status')[0]?.textContent).toBe('Running');
  const Tasks = { FINISHED: 35, FAILED: 2, RUNNING: 10, QUEUED: 53 };
  act(() => given.jobs.receive({ ...running, ArrayRequest: '1-100', Tasks, CheckedTime: 9 }));
  expect(screen.getByRole('progressbar', { name: 'Tasks that have ended' }).getAttribute('aria-valuenow')).toBe('37');
  expect(screen.getAllByText('37/100 done, 2 failed').length).toBeGreaterThan(0);
});

test('an array unfolds into groups of tasks, each with its orders', async () => {
  const detail = job({ State: 'RUNNING', StartTime: 1, ArrayRequest: '1-9', Tasks: { RUNNING: 1, QUEUED: 5, FAILED: 3 } });
  const groups = [
    { Tasks: '1', Count: 1, State: 'RUNNING', NodeList: 'n1' },
    { Tasks: '2-6', Count: 5, State: 'QUEUED', Reason: 'Priority' },
    { Tasks: '7-9', Count: 3, State: 'FAILED', ExitCode: 2, Explanation: 'It ended with an error.' }
  ];
  const fake = new FakeApi({
    GetJob: () => found(detail),
    GetJobLog: () => log('of a task'),
    ListTasks: ({ States }) => {
      const Tasks = groups.filter(group => !Array.isArray(States) || States.includes(group.State));
      return { Tasks, TotalCount: Tasks.length };
    }
  });
  const given = services(fake);
  const { container } = render(wrap(given, <JobCard saved={detail} />));
  await settle();
  expect(fake.of('ListTasks')).toHaveLength(0);
  const folded = container.querySelector<HTMLDetailsElement>('.jp-ehpc-Tasks');
  if (folded) {
    folded.open = true;
    fireEvent(folded, new Event('toggle'));
  }
  await settle();
  fireEvent.click(screen.getByRole('button', { name: 'Stop task 1' }));
  fireEvent.click(screen.getByRole('button', { name: 'Hold tasks 2-6' }));
  const ids = given.actions.order?.mock.calls.map(([order, target]: unknown[]) => [order, (target as { ids: string[] }).ids]);
  expect(ids).toEqual([
    ['stop', ['10_1']],
    ['hold', ['10_[2-6]']]
  ]);
  expect(screen.queryByRole('button', { name: 'Stop tasks 7-9' })).toBeNull();
  expect(screen.getByText('exit code 2 · It ended with an error.')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Show the output of task 7' }));
  await settle();
  expect(fake.of('GetJobLog').at(-1)?.TaskId).toBe(7);
  fireEvent.click(screen.getByRole('button', { name: '3 failed' }));
  await settle();
  expect(fake.of('ListTasks').at(-1)?.States).toEqual(['FAILED']);
  expect(screen.queryByRole('button', { name: 'Stop task 1' })).toBeNull();
});

test('of an array that ended badly, the first task that did is shown', async () => {
  const detail = job({ State: 'FAILED', EndTime: 2, ArrayRequest: '1-9', Tasks: { FINISHED: 6, TIMEOUT: 3 } });
  const fake = new FakeApi({
    GetJob: () => found(detail),
    GetJobLog: () => errors('too late'),
    ListTasks: () => ({ Tasks: [{ Tasks: '7-9', Count: 3, State: 'TIMEOUT' }], TotalCount: 1 })
  });
  render(wrap(services(fake), <JobCard saved={detail} />));
  expect(await screen.findByText('too late')).toBeTruthy();
  expect(screen.getByLabelText<HTMLInputElement>('Output of task').value).toBe('7');
  expect(fake.of('GetJobLog').at(-1)?.TaskId).toBe(7);
});
