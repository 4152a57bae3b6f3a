import { expect, test } from 'vitest';

import { applies, give, ORDERS, targetOf, taskIds } from '../src/control';
import { asMarkdown } from '../src/details';
import { ApiError } from '../src/errors';
import type { JobDetail } from '../src/generated/api';
import { FakeApi, job, trans } from './fakes';

const fitting = (part: Partial<JobDetail>): string[] => ORDERS.filter(order => applies(order, job(part)));

test('each state has its orders, and an array those of its tasks', () => {
  expect(fitting({ State: 'QUEUED' })).toEqual(['stop', 'hold']);
  expect(fitting({ State: 'HELD' })).toEqual(['stop', 'release']);
  expect(fitting({ State: 'RUNNING' })).toEqual(['stop']);
  expect(fitting({ State: 'FINISHED' })).toEqual(['rerun', 'delete']);
  expect(fitting({ State: 'UNKNOWN' })).toEqual(['stop', 'delete']);
  expect(fitting({ State: 'RUNNING', Tasks: { RUNNING: 1, QUEUED: 2, HELD: 3 } })).toEqual(['stop', 'hold', 'release']);
  expect(fitting({ State: 'SUBMITTING', JobId: undefined })).toEqual([]);
});

test('an order goes to the jobs it applies to, and to tasks by their indices', () => {
  const jobs = [job({ JobId: '1' }), job({ JobId: '2', State: 'FINISHED' }), job({ JobId: '3', State: 'RUNNING' })];
  expect(targetOf('stop', jobs)).toEqual({ cluster: 'hpc', ids: ['1', '3'], name: '' });
  const group = (Tasks: string) => taskIds(job(), { Tasks, Count: 1, State: 'QUEUED' }).ids;
  expect([group('3'), group('1-5,7'), group('2-100:2')]).toEqual([['10_3'], ['10_[1-5,7]'], ['10_[2-100:2]']]);
});

test('what was done before something failed is told, too', async () => {
  let calls = 0;
  const fake = new FakeApi({
    StopJobs: ({ JobIds }) => {
      if (calls++) {
        throw new ApiError(500, 'StopFailure', 'scancel: error');
      }
      return { Results: (JobIds as string[]).map(JobId => ({ JobId, Outcome: 'stopping' })) };
    }
  });
  const ids = Array.from({ length: 1500 }, (_, index) => String(index));
  const report = await give(fake.api, 'stop', { cluster: 'hpc', ids, name: '' });
  expect([report.outcomes.length, report.error?.message]).toEqual([1000, 'scancel: error']);
});

test('details are copied as Markdown in which nothing of the job is markup', () => {
  const text = asMarkdown(job({ JobName: 'a|b <img>\n# c', Reason: '*x* `y`', ExitCode: 3 }), trans);
  expect(text).toContain('### a\\|b \\<img\\> \\# c');
  expect(text).toContain('| Exit code | 3 |');
  expect(text).toContain('| Reason | \\*x\\* \\`y\\` |');
});
