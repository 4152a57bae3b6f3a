import type { Event, ServiceManager } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { expect, test, vi } from 'vitest';

import { ApiError } from '../src/errors';
import { Live } from '../src/events';
import type { JobDetail } from '../src/generated/api';
import { JobModel } from '../src/model';
import { EVENT_SCHEMA } from '../src/tokens';
import { FakeApi, job } from './fakes';

function start(): { live: Live; model: JobModel; stream: Signal<unknown, Event.Emission>; failure: Signal<unknown, Error> } {
  const stream = new Signal<unknown, Event.Emission>({});
  const failure = new Signal<unknown, Error>({});
  const model = new JobModel(new FakeApi({}).api);
  const services = { events: { stream }, connectionFailure: failure } as unknown as ServiceManager.IManager;
  return { live: new Live(services, model), model, stream, failure };
}

/** A job as the server sends it. */
function emission(detail: JobDetail, schema: string): Event.Emission {
  return { ...(detail as unknown as Event.Emission), schema_id: schema };
}

test('events of jobs reach the model, others and broken ones do not', () => {
  const { model, stream } = start();
  const detail = job({ State: 'RUNNING' });
  stream.emit(emission(detail, EVENT_SCHEMA));
  stream.emit(emission(job({ RequestId: 'other' }), 'urn:other'));
  stream.emit({ schema_id: EVENT_SCHEMA, ClusterId: 'hpc' });
  expect(model.get('hpc/request/r1')?.detail.State).toBe('RUNNING');
  expect(model.get('hpc/request/other')).toBeUndefined();
});

test('when the server comes back, everything shown is asked for again', async () => {
  const { live, failure } = start();
  const rounds: boolean[] = [];
  let away = false;
  live.add(recovered => {
    rounds.push(recovered);
    return away ? Promise.reject(new ApiError(0, '', 'network')) : Promise.resolve();
  });
  const next = async (): Promise<void> => {
    const count = rounds.length;
    failure.emit(new Error('lost'));
    await vi.waitFor(() => expect(rounds.length).toBeGreaterThan(count), { timeout: 4000 });
  };
  await next();
  away = true;
  await next();
  away = false;
  await vi.waitFor(() => expect(rounds.at(-1)).toBe(true), { timeout: 4000 });
  expect(rounds.slice(0, 2)).toEqual([false, false]);
}, 10_000);
