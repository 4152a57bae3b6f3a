import { expect, test } from 'vitest';

import { ApiError } from '../src/errors';
import { JobList, NO_FILTER } from '../src/joblist';
import { JobModel, PAGE_SIZE } from '../src/model';
import { drivePath } from '../src/drive';
import { FakeApi, job } from './fakes';

const many = (count: number): ReturnType<typeof job>[] =>
  Array.from({ length: count }, (_, index) => job({ RequestId: `r${count - index}`, SubmitTime: count - index }));

function open(all: { jobs: ReturnType<typeof job>[] }): { fake: FakeApi; model: JobModel; list: JobList } {
  const fake = new FakeApi({
    ListJobs: request => {
      const size = Number(request.PageSize);
      const start = (Number(request.PageNumber ?? 1) - 1) * size;
      const Jobs = all.jobs.slice(start, start + size).map(Detail => ({ Detail }));
      return { Jobs, TotalCount: all.jobs.length };
    }
  });
  const model = new JobModel(fake.api);
  return { fake, model, list: new JobList(fake.api, model) };
}

test('only the pages that somebody looks at are fetched, and each job stands once', async () => {
  const all = { jobs: many(10_000) };
  const { fake, list } = open(all);
  await list.show('hpc', NO_FILTER);
  expect([list.total, list.keys.length]).toEqual([10_000, PAGE_SIZE]);
  await list.look(5020, 5040);
  expect(fake.of('ListJobs').map(request => request.PageNumber)).toEqual([1, 101]);
  expect(list.keyAt(5020)).toBe('hpc/request/r4980');
  expect(list.keyAt(4000)).toBeNull();
  await list.look(5030, 5049);
  expect(fake.of('ListJobs')).toHaveLength(2);
});

test('new jobs at the top move what is shown, and what may be wrong is fetched again', async () => {
  const all = { jobs: many(200) };
  const { fake, list } = open(all);
  await list.show('hpc', NO_FILTER);
  await list.look(60, 80);
  all.jobs = many(202);
  await list.poll();
  expect([list.total, list.keyAt(0), list.keyAt(62)]).toEqual([202, 'hpc/request/r202', 'hpc/request/r140']);
  expect(fake.of('ListJobs').map(request => request.PageNumber)).toEqual([1, 2, 1]);
  all.jobs = many(202).slice(50);
  await list.poll();
  expect([list.total, list.keyAt(0), new Set(list.keys).size]).toEqual([152, 'hpc/request/r152', list.keys.length]);
});

test('a job that was deleted is no longer listed', async () => {
  const { list, model } = open({ jobs: many(3) });
  await list.show('hpc', NO_FILTER);
  model.forget(job({ RequestId: 'r2' }));
  expect(list.keys).toEqual(['hpc/request/r3', 'hpc/request/r1']);
  expect(model.get('hpc/request/r2')?.origin).toBe('unknown');
});

test('an event about a new job puts it on top, one about another cluster or an old job does not', async () => {
  const { list, model } = open({ jobs: many(2) });
  await list.show('hpc', NO_FILTER);
  model.receive(job({ RequestId: 'new', SubmitTime: 99 }));
  model.receive(job({ RequestId: 'old', SubmitTime: 0 }));
  model.receive(job({ ClusterId: 'far', RequestId: 'far', SubmitTime: 99 }));
  expect(list.keys).toEqual(['hpc/request/new', 'hpc/request/r2', 'hpc/request/r1']);
  expect(list.total).toBe(3);
});

test('watched jobs are asked for with one list of them, and no others', async () => {
  const running = many(2).map(one => ({ ...one, State: 'RUNNING' as const }));
  const { fake, model } = open({ jobs: running });
  const stops = running.map(one => {
    model.receive(one);
    return model.watch(`hpc/request/${one.RequestId}`, () => undefined);
  });
  await model.sync();
  expect(fake.of('ListJobs').map(request => request.JobFilter)).toEqual([{ JobIds: ['r2', 'r1'] }]);
  stops[0]?.();
  await model.sync();
  expect(fake.of('ListJobs').at(-1)?.JobFilter).toEqual({ JobIds: ['r1'] });
  expect(fake.asked).toHaveLength(2);
});

test('a server that is away is told from a cluster that is', async () => {
  const answers = [new ApiError(503, 'ServiceUnavailable', 'no route'), new ApiError(0, '', 'network')];
  const fake = new FakeApi({
    ListJobs: () => {
      throw answers.shift() ?? new Error('asked too often');
    }
  });
  const list = new JobList(fake.api, new JobModel(fake.api));
  await list.show('hpc', NO_FILTER);
  expect(list.error?.code).toBe('ServiceUnavailable');
  await expect(list.refresh()).rejects.toThrow('network');
});

test('a notebook cannot name a path outside of the jobs', () => {
  expect(drivePath(job({ JobId: '12[].pbs-head' }), 'stdout')).toBe('ehpc:hpc/12[].pbs-head/stdout');
  expect(drivePath(job({ ClusterId: '../../api' }), 'stdout')).toBeNull();
  expect(drivePath(job({ JobId: 'a/../..' }), 'stdout')).toBeNull();
  expect(drivePath(job({ JobId: undefined }))).toBeNull();
});
