import type { JupyterFrontEnd } from '@jupyterlab/application';
import { beforeEach, expect, test, vi } from 'vitest';

vi.mock('../src/icon', () => ({ ehpcIcon: undefined }));
vi.mock('../src/dialogs', () => ({ askBefore: vi.fn(), askPassword: vi.fn() }));
vi.mock('@jupyterlab/apputils', () => ({
  Clipboard: { copyToSystem: vi.fn() },
  Notification: { error: vi.fn(), info: vi.fn() }
}));

import { Clipboard, Notification } from '@jupyterlab/apputils';

import { JobActions } from '../src/actions';
import { askBefore, askPassword } from '../src/dialogs';
import { ApiError } from '../src/errors';
import { FakeApi, job, trans } from './fakes';

const target = { cluster: 'hpc', ids: ['10'], name: 'train' };
const read = vi.fn<(path: string) => Promise<string>>();

interface ICell {
  cell_type: string;
  source: string;
}

/** Lab with one notebook whose only cell shows a card. */
function labWith(fake: FakeApi, source: string, readOnly = false) {
  const card = document.createElement('section');
  const cell = document.createElement('div');
  const node = document.createElement('div');
  node.append(cell);
  cell.append(card);
  const inserted: [number, ICell][] = [];
  const insertCell = (index: number, made: ICell): number => inserted.push([index, made]);
  const notebook = {
    node,
    widgets: [{ node: cell, model: { sharedModel: { getSource: () => source } } }],
    activeCellIndex: 0,
    mode: 'command',
    model: { readOnly, sharedModel: { insertCell } }
  };
  const shell = { widgets: () => [{ content: {} }, { content: notebook }] };
  const app = { shell } as unknown as JupyterFrontEnd;
  return { actions: new JobActions(app, { ...fake.api, read }, trans, null), card, notebook, inserted };
}

beforeEach(() => {
  vi.clearAllMocks();
  vi.mocked(askBefore).mockResolvedValue({});
  read.mockRejectedValue(new ApiError(404, 'JobNotFound', 'gone'));
});

test('nothing is sent without a yes', async () => {
  vi.mocked(askBefore).mockResolvedValue(null);
  const fake = new FakeApi({});
  const onConfirmed = vi.fn();
  expect(await labWith(fake, '').actions.order('stop', target, { onConfirmed })).toBeNull();
  expect([fake.asked, onConfirmed.mock.calls]).toEqual([[], []]);
});

test('a refusal is told in the words of the server, unless who asked shows it', async () => {
  const fake = new FakeApi({
    HoldJobs: () => {
      throw new ApiError(500, 'AgentError', '10 ended already; nothing was done');
    }
  });
  const { actions } = labWith(fake, '');
  await actions.order('hold', target, { quiet: true });
  expect(Notification.error).not.toHaveBeenCalled();
  const report = await actions.order('hold', target);
  expect(report?.error?.code).toBe('AgentError');
  expect(vi.mocked(Notification.error).mock.calls[0]?.[0]).toBe('train was not held. 10 ended already; nothing was done');
});

test('a password that is needed to run again is asked for, and the same request goes out with it', async () => {
  vi.mocked(askPassword).mockResolvedValue('secret');
  const fake = new FakeApi({
    RerunJobs: request => {
      if (request.RunasUserPassword === undefined) {
        throw new ApiError(500, 'RerunFailure', 'job 10 ran as eve; give RunasUserPassword');
      }
      return { JobIds: ['11'], Results: [{ JobId: '10', Outcome: 'submitted again', NewJobId: '11' }] };
    }
  });
  const report = await labWith(fake, '').actions.order('rerun', target);
  expect(report?.outcomes[0]?.NewJobId).toBe('11');
  const [first, second] = fake.of('RerunJobs');
  expect(second).toEqual({ ...first, RunasUserPassword: 'secret' });
});

test('a deletion takes the folder if that was wished', async () => {
  vi.mocked(askBefore).mockResolvedValue({ deleteFolder: true });
  const fake = new FakeApi({ DeleteJobs: () => ({ Results: [{ JobId: '10', Outcome: 'deleted' }] }) });
  await labWith(fake, '').actions.order('delete', target);
  expect(fake.of('DeleteJobs')).toEqual([{ ClusterId: 'hpc', JobIds: ['10'], DeleteFolder: true }]);
});

test('a clone is what was sent, whatever became of the cell, and stands below the card', async () => {
  read.mockResolvedValue(JSON.stringify({ ClusterId: 'hpc', JobSpec: { Script: 'echo sent' } }));
  const { actions, card, inserted, notebook } = labWith(new FakeApi({}), '%%ehpc\necho edited');
  await actions.cloneToCell(job(), card);
  expect(read).toHaveBeenCalledWith('hpc/10/request.json');
  expect(inserted).toEqual([[1, { cell_type: 'code', source: '%%ehpc --cluster hpc\necho sent', metadata: {} }]]);
  expect([notebook.activeCellIndex, notebook.mode]).toEqual([1, 'edit']);
});

test('where the folder is gone, the cell that submitted it is the clone; where there is none, it says so', async () => {
  const { actions, card, inserted } = labWith(new FakeApi({}), '%%ehpc\necho mine');
  await actions.cloneToCell(job(), card);
  expect(inserted[0]?.[1].source).toBe('%%ehpc\necho mine');
  const other = labWith(new FakeApi({}), 'JobForm()');
  await other.actions.cloneToCell(job(), other.card);
  expect(other.inserted).toEqual([]);
  expect(Notification.error).toHaveBeenCalledOnce();
});

test('in a notebook that may not be changed the clone goes to the clipboard', async () => {
  read.mockResolvedValue(JSON.stringify({ ClusterId: 'hpc', JobSpec: { Script: 'a' } }));
  const { actions, card, inserted } = labWith(new FakeApi({}), '', true);
  await actions.cloneToCell(job(), card);
  expect(inserted).toEqual([]);
  expect(Clipboard.copyToSystem).toHaveBeenCalledWith('%%ehpc --cluster hpc\na');
});
