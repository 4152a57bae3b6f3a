import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { vi } from 'vitest';

import { type IServices, ServicesProvider } from '../src/components/context';
import { ApiError, type IApi } from '../src/errors';
import type { ISchema } from '../src/formschema';
import type { JobDetail } from '../src/generated/api';
import { JobModel } from '../src/model';
import { plain } from '../src/output';

const fill = (text: string, args: unknown[]): string =>
  text.replace(/%(\d)/g, (_, index) => String(args[Number(index) - 1]));

export const trans = {
  __: (text: string, ...args: unknown[]) => fill(text, args),
  _n: (one: string, many: string, count: number, ...args: unknown[]) => fill(count === 1 ? one : many, [count, ...args])
} as unknown as TranslationBundle;

type Request = Record<string, unknown>;
type Handler = (request: Request) => unknown;

/** A server of canned answers that remembers what it was asked. */
export class FakeApi {
  constructor(
    private readonly _handlers: Record<string, Handler>,
    private readonly _schema: ISchema = {}
  ) {}

  readonly asked: [string, Request][] = [];

  of(action: string): Request[] {
    return this.asked.filter(([name]) => name === action).map(([, request]) => request);
  }

  readonly api: IApi = {
    call: async (action, request) => {
      this.asked.push([action, request as unknown as Request]);
      await Promise.resolve();
      const handler = this._handlers[action];
      if (!handler) {
        throw new ApiError(503, 'ServiceUnavailable', `no ${action} here`);
      }
      return handler(request as unknown as Request) as never;
    },
    look: () => Promise.resolve({}),
    read: () => Promise.reject(new ApiError(404, 'JobNotFound', 'no such file')),
    schemas: () => Promise.resolve({ CreateJob: this._schema })
  };
}

export function services(fake: FakeApi): IServices & { jobs: JobModel; actions: Record<string, ReturnType<typeof vi.fn>> } {
  const jobs = new JobModel(fake.api);
  const actions = {
    order: vi.fn(() => Promise.resolve(null)),
    openOutput: vi.fn(() => Promise.resolve()),
    openFolder: vi.fn(() => Promise.resolve()),
    copy: vi.fn(() => Promise.resolve()),
    cloneToCell: vi.fn(() => Promise.resolve())
  };
  const renderText = (host: HTMLElement, text: string): Promise<void> => {
    host.append(Object.assign(document.createElement('pre'), { textContent: plain(text) }));
    return Promise.resolve();
  };
  const ehpc = { api: fake.api, jobs, actions, renderText, live: undefined as never, tailBytes: 1000 };
  return { ehpc, trans, jobs, actions };
}

export function wrap(given: IServices, children: React.ReactNode): React.JSX.Element {
  return <ServicesProvider value={given}>{children}</ServicesProvider>;
}

export function job(part: Partial<JobDetail> = {}): JobDetail {
  return { ClusterId: 'hpc', RequestId: 'r1', JobId: '10', JobName: 'train', State: 'QUEUED', ...part };
}

export const found = (detail: JobDetail): unknown => ({ JobInfo: { Detail: detail } });

export const log = (text: string): unknown => ({ StdoutLog: btoa(text), StdoutLogSize: text.length });

const optional = (type: string, more: ISchema = {}): ISchema => ({ anyOf: [{ type, ...more }, { type: 'null' }] });

/** In the shape that pydantic writes, with a field (`Mood`) and a group that no code knows. */
export const SCHEMA: ISchema = {
  properties: {
    ClusterId: { type: 'string', title: 'Cluster', 'x-ehpc': { group: 'command', widget: 'cluster' } },
    JobName: { ...optional('string'), title: 'Job name', 'x-ehpc': { group: 'command', widget: 'text' } },
    JobSpec: { $ref: '#/$defs/JobSpec' },
    ClientToken: { ...optional('string'), 'x-ehpc': { group: 'hidden', widget: 'text' } }
  },
  required: ['ClusterId', 'JobSpec'],
  $defs: {
    JobSpec: {
      type: 'object',
      properties: {
        Script: { ...optional('string'), title: 'Script', 'x-ehpc': { group: 'command', widget: 'code' } },
        CommandLine: { ...optional('string'), title: 'Command line', 'x-ehpc': { group: 'command', widget: 'text' } },
        Resources: {
          anyOf: [{ $ref: '#/$defs/Resources' }, { type: 'null' }],
          title: 'Resources',
          'x-ehpc': { group: 'resources', widget: 'group' }
        },
        Variables: { ...optional('string'), title: 'Variables', 'x-ehpc': { group: 'more', widget: 'variables' } },
        Mood: {
          ...optional('string', { examples: ['sunny'] }),
          title: 'Mood',
          description: 'How it feels; `calm` is fine.',
          'x-ehpc': { group: 'feelings', widget: 'slider' }
        },
        Secret: { ...optional('string'), title: 'Password', 'x-ehpc': { group: 'more', widget: 'password' } }
      }
    },
    Resources: {
      type: 'object',
      properties: {
        Cores: {
          ...optional('integer', { minimum: 1 }),
          title: 'Cores',
          'x-ehpc': { group: 'resources', widget: 'number' }
        }
      }
    }
  }
};
