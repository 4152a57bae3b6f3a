import { act, fireEvent, render, screen } from '@testing-library/react';
import * as React from 'react';
import { expect, test, vi } from 'vitest';

import { JobCard } from '../src/components/JobCard';
import { ApiError } from '../src/errors';
import { FakeApi, found, job, log, services, wrap } from './fakes';

const settle = (): Promise<void> => act(() => new Promise<void>(resolve => setTimeout(resolve, 20)));

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

test('a job that ended badly shows its standard error at once', async () => {
  const detail = job({ State: 'FAILED', StartTime: 1, EndTime: 2, ExitCode: 1 });
  const fake = new FakeApi({
    GetJob: () => found(detail),
    GetJobLog: request =>
      request.LogType === 'stderr' ? { StderrLog: btoa('no data'), StderrLogSize: 7 } : { JobId: '10' }
  });
  render(wrap(services(fake), <JobCard saved={detail} />));
  await settle();
  expect(screen.getByText('no data')).toBeTruthy();
  expect(screen.getByText('There is no such file yet.')).toBeTruthy();
});
