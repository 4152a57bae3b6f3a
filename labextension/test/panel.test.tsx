import { act, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import * as React from 'react';
import { beforeEach, expect, test, vi } from 'vitest';

import { Panel } from '../src/components/Panel';
import { ApiError } from '../src/errors';
import type { ClusterInfo, JobDetail } from '../src/generated/api';
import { PanelModel } from '../src/panelmodel';
import { FakeApi, found, job, log, services, wrap } from './fakes';

const ROW = 47;
const now = (): number => Math.floor(Date.now() / 1000);

beforeEach(() => {
  // There is no layout here: the list is 470 pixels high, and each row as high as it is in a browser.
  const height = function (this: HTMLElement): number {
    return this.className === 'jp-ehpc-Scroll' ? 10 * ROW : ROW;
  };
  vi.spyOn(HTMLElement.prototype, 'offsetHeight', 'get').mockImplementation(height);
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockImplementation(height);
});

const many = (count: number, state: (index: number) => Partial<JobDetail> = () => ({})): JobDetail[] =>
  Array.from({ length: count }, (_, index) =>
    job({ RequestId: `r${index}`, JobId: `${index}`, JobName: `job ${index}`, SubmitTime: count - index, ...state(index) })
  );

type Handlers = ConstructorParameters<typeof FakeApi>[0];

interface IOpened {
  fake: FakeApi;
  given: ReturnType<typeof services>;
  panel: PanelModel;
  container: HTMLElement;
}

async function open(jobs: JobDetail[], cluster: Partial<ClusterInfo> = {}, more: Handlers = {}): Promise<IOpened> {
  const info = { ClusterId: 'hpc', ClusterName: 'HPC', ClusterStatus: 'running', ...cluster };
  const fake = new FakeApi({
    ListClusters: () => ({ Clusters: [info], TotalCount: 1 }),
    ListJobs: request => {
      const start = (Number(request.PageNumber ?? 1) - 1) * Number(request.PageSize);
      return { Jobs: jobs.slice(start, start + Number(request.PageSize)).map(Detail => ({ Detail })), TotalCount: jobs.length };
    },
    GetJob: request => found(jobs.find(one => one.JobId === request.JobId) ?? job()),
    GetJobLog: () => log('text'),
    RefreshJobs: () => ({}),
    ...more
  });
  const given = services(fake);
  const panel = new PanelModel(fake.api, given.jobs, () => undefined);
  panel.start([]);
  const { container } = render(wrap(given, <Panel panel={panel} />));
  await screen.findAllByText(jobs[0]?.JobName ?? '');
  return { fake, given, panel, container };
}

const rows = (): HTMLElement[] => screen.getAllByRole('listitem').filter(one => one.dataset.index !== undefined);

test('of ten thousand jobs only the rows in sight are in the page, and only their pages are asked for', async () => {
  const { fake, container } = await open(many(10_000));
  expect(rows().length).toBeLessThan(40);
  expect(rows()[0]?.getAttribute('aria-setsize')).toBe('10000');
  expect(screen.getByRole('tab', { name: 'Jobs (10000)' })).toBeTruthy();
  const box = container.querySelector('.jp-ehpc-Scroll');
  act(() => {
    if (box) {
      box.scrollTop = 5000 * ROW;
      fireEvent.scroll(box);
    }
  });
  await screen.findByText('job 5000');
  expect(fake.of('ListJobs').map(request => request.PageNumber)).toEqual([1, 100, 101]);
  expect(rows().length).toBeLessThan(40);
});

test('an order to several jobs counts those that it applies to, and what became of each is told', async () => {
  const states = ['RUNNING', 'QUEUED', 'FINISHED'] as const;
  const { given } = await open(many(3, index => ({ State: states[index] ?? 'QUEUED' })));
  const report = {
    order: 'stop',
    error: null,
    outcomes: [
      { JobId: '0', Outcome: 'stopping' },
      { JobId: '1', Outcome: 'ended already' }
    ]
  };
  given.actions.order?.mockResolvedValue(report);
  expect(screen.getByRole('button', { name: 'Stop' }).getAttribute('aria-disabled')).toBe('true');
  fireEvent.click(screen.getByRole('checkbox', { name: 'Select all' }));
  const names = within(screen.getByRole('toolbar')).getAllByRole('button');
  expect(names.map(one => one.getAttribute('aria-label'))).toEqual([
    'Stop 2 of 3',
    'Hold 1 of 3',
    'Release 0 of 3',
    'Rerun 1 of 3',
    'Delete 1 of 3'
  ]);
  fireEvent.click(screen.getByRole('button', { name: 'Release 0 of 3' }));
  expect(given.actions.order).not.toHaveBeenCalled();
  fireEvent.click(screen.getByRole('button', { name: 'Stop 2 of 3' }));
  expect(await screen.findByText('Stop: 1 stopping, 1 ended already')).toBeTruthy();
  expect(given.actions.order?.mock.calls[0]?.[1]).toEqual({ cluster: 'hpc', ids: ['0', '1'], name: '' });
  expect(screen.getByText('Job 1: ended already')).toBeTruthy();
});

test('jobs that were deleted leave the list, and one that was refused says why', async () => {
  const { given } = await open(many(2, () => ({ State: 'FINISHED' })));
  const outcomes = [{ JobId: '0', Outcome: 'deleted' }];
  const error = new ApiError(500, 'DeleteFailure', 'job 1 stays');
  given.actions.order?.mockResolvedValue({ order: 'delete', outcomes, error });
  fireEvent.click(screen.getByRole('checkbox', { name: 'Select all' }));
  fireEvent.click(screen.getByRole('button', { name: 'Delete 2 of 2' }));
  expect(await screen.findByText('job 1 stays')).toBeTruthy();
  expect(screen.queryByText('job 0')).toBeNull();
  expect(screen.getByText('job 1')).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Delete 1 of 1' })).toBeTruthy();
});

test('a mark with the shift key marks all between; another filter forgets the marks', async () => {
  const { panel } = await open(many(6));
  const box = (name: string): HTMLElement => screen.getByRole('checkbox', { name: `Select ${name}` });
  fireEvent.click(box('job 1'));
  fireEvent.click(box('job 4'), { shiftKey: true });
  expect(panel.marked.map(one => one.JobId)).toEqual(['1', '2', '3', '4']);
  act(() => panel.setFilter({ name: 'job', status: 'all' }));
  expect(panel.marked).toEqual([]);
  await screen.findByText('job 0');
});

test('the arrow keys go from row to row, and one row is in the order of tabs', async () => {
  await open(many(100));
  const head = (name: RegExp): HTMLElement => screen.getByRole('button', { name });
  expect(rows().filter(row => row.querySelector('[tabindex="0"]'))).toHaveLength(1);
  head(/^job 0 /).focus();
  fireEvent.keyDown(head(/^job 0 /), { key: 'ArrowDown' });
  await waitFor(() => expect(document.activeElement).toBe(head(/^job 1 /)));
  fireEvent.keyDown(head(/^job 1 /), { key: 'ArrowLeft' });
  expect(document.activeElement).toBe(screen.getByRole('checkbox', { name: 'Select job 1' }));
  expect(rows().filter(row => row.querySelector('[tabindex="0"]'))).toHaveLength(1);
});

test('a cluster that does not answer says so, how old what is shown is, and why, and is asked again at a click', async () => {
  const down = { ClusterStatus: 'exception', ClusterStatusReason: 'no route to host', CheckedTime: now() - 225 } as const;
  const { fake } = await open(many(1), { ...down, Paused: true });
  expect(screen.getByText(/^Jobs are shown as they were 3 min ago\.$/)).toBeTruthy();
  expect(screen.getByText('no route to host')).toBeTruthy();
  expect(screen.getByText('not asked any more')).toBeTruthy();
  const before = fake.of('ListJobs').length;
  fireEvent.click(screen.getByRole('button', { name: 'Retry now' }));
  await waitFor(() => expect(fake.of('ListJobs').length).toBeGreaterThan(before));
  expect(fake.of('RefreshJobs')).toEqual([{ ClusterId: 'hpc' }]);
});

test('it says when the cluster is looked at next, and asks what is known of it when that is over', async () => {
  const next = { CheckedTime: now() - 5, NextCheckTime: now() + 25 };
  const { fake, panel } = await open(many(1), next);
  expect(screen.getByText(/^seen \d sec ago · next look in 2\d sec$/)).toBeTruthy();
  await act(() => panel.onSecond());
  expect(fake.of('ListClusters')).toHaveLength(1);
  vi.setSystemTime(Date.now() + 27_000);
  await act(() => panel.onSecond());
  await act(() => panel.onSecond());
  vi.useRealTimers();
  expect(fake.of('ListClusters')).toHaveLength(2);
});

test('news of a job say that the cluster was asked, so what is known of it is asked for again', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const now = (): number => Math.floor(Date.now() / 1000);
  const { fake, given, panel } = await open(many(1), { CheckedTime: now() - 60 });
  vi.setSystemTime(Date.now() + 10_000);
  await act(() => panel.onSecond());
  expect(fake.of('ListClusters')).toHaveLength(1);
  act(() => given.ehpc.jobs.receive(job({ State: 'RUNNING', CheckedTime: now() })));
  await act(() => panel.onSecond());
  vi.useRealTimers();
  expect(fake.of('ListClusters')).toHaveLength(2);
});

test('details have their sections, and are copied as Markdown and JSON', async () => {
  const detail = job({
    State: 'FAILED',
    StartTime: 10,
    EndTime: 20,
    ExitCode: 3,
    Occupied: { Nodes: 1, Cores: 2, MemoryMb: 2048 },
    MemoryPeakMb: 512,
    Folder: '/home/x/job',
    StdoutPath: '/home/x/job/stdout',
    Explanation: 'It ended with an error.'
  });
  const { given } = await open([detail], {}, {
    GetJob: () => ({ JobInfo: { Detail: detail, Resources: { Nodes: '1', Memory: '4096MB' } } }),
    ListJobEvents: () => ({ Events: [{ Time: 5, State: 'QUEUED', Source: 'submit' }, { Time: 20, State: 'FAILED', Source: 'queue', Reason: 'NonZeroExitCode' }] })
  });
  fireEvent.click(screen.getByRole('button', { name: /^train / }));
  const details = screen.getByRole('group', { name: 'Details of train' });
  await within(details).findByText('4096MB');
  expect(within(details).getByText('2048 MB')).toBeTruthy();
  expect(within(details).getByText('512 MB')).toBeTruthy();
  expect(within(details).queryByText(/the queue/)).toBeNull();
  const timeline = [...details.querySelectorAll('details')].find(one => one.textContent === 'Timeline');
  if (timeline) {
    timeline.open = true;
    fireEvent(timeline, new Event('toggle'));
  }
  expect(await within(details).findByText('by the queue · NonZeroExitCode')).toBeTruthy();
  fireEvent.click(within(details).getByRole('button', { name: 'Copy as Markdown' }));
  expect(given.actions.copy?.mock.calls[0]?.[0]).toContain('| Exit code | 3 |');
  fireEvent.click(within(details).getByRole('button', { name: 'Copy as JSON' }));
  expect(JSON.parse(String(given.actions.copy?.mock.calls[1]?.[0]))).toEqual(detail);
});

test('markup in names, reasons, paths and errors is text everywhere', async () => {
  const evil = '<img src=x onerror=alert(1)>';
  const detail = job({
    JobName: evil,
    Reason: evil,
    Explanation: evil,
    Advice: evil,
    State: 'FAILED',
    EndTime: 2,
    Queue: evil,
    Folder: evil,
    StdoutPath: evil,
    StaleReason: evil,
    NativeState: evil
  });
  const down = { ClusterStatus: 'exception', ClusterStatusReason: evil, ClusterDescription: evil } as const;
  const { container, panel } = await open([detail], down, { GetJobLog: () => log(evil) });
  fireEvent.click(screen.getByRole('button', { name: /^<img/ }));
  act(() => panel.setReport({ order: 'stop', outcomes: [], error: new ApiError(500, evil, evil, evil, evil) }));
  await waitFor(() => expect(container.querySelector('.jp-ehpc-Log')?.textContent).toBe(evil));
  container.querySelectorAll('details').forEach(one => {
    one.open = true;
    fireEvent(one, new Event('toggle'));
  });
  await screen.findAllByText('Files');
  expect(container.querySelector('img')).toBeNull();
});
