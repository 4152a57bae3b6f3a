import { expect, test } from 'vitest';

import { OutputTail, plain, shown } from '../src/output';
import { FakeApi } from './fakes';

function serve(state: { bytes: Uint8Array<ArrayBuffer> }): FakeApi {
  return new FakeApi({
    GetJobLog: request => {
      const from = Number(request.Offset);
      const part = state.bytes.slice(from, from + Number(request.Size));
      return { StdoutLog: btoa(String.fromCharCode(...part)), StdoutLogSize: state.bytes.length };
    }
  });
}

const bytes = (text: string) => new TextEncoder().encode(text);
const source = { cluster: 'hpc', jobId: '10', which: 'stdout', tailBytes: 20 } as const;

test('it shows the end from a whole line on, and then fetches only what is new', async () => {
  const state = { bytes: bytes('first\nsecond\nthird\nfourth\n') };
  const fake = serve(state);
  const tail = new OutputTail(fake.api, source);
  expect(await tail.read()).toEqual({ text: 'third\nfourth\n', size: 26, skipped: 6 });
  state.bytes = bytes('first\nsecond\nthird\nfourth\nfünfte\n');
  expect((await tail.read()).text).toBe('fourth\nfünfte\n');
  expect(fake.of('GetJobLog').map(request => request.Offset)).toEqual([0, 6, 26]);
});

test('two reads at once show nothing twice', async () => {
  const tail = new OutputTail(serve({ bytes: bytes('once\n') }).api, source);
  expect((await Promise.all([tail.read(), tail.read()])).map(read => read.text)).toEqual(['once\n', 'once\n']);
});

test('a character that is cut in two by a poll is whole in the end', async () => {
  const whole = bytes('é');
  const state = { bytes: whole.slice(0, 1) };
  const tail = new OutputTail(serve(state).api, source);
  await tail.read();
  state.bytes = whole;
  expect((await tail.read()).text).toBe('é');
});

test('a file that was written anew is read anew', async () => {
  const state = { bytes: bytes('a long first text') };
  const tail = new OutputTail(serve(state).api, source);
  await tail.read();
  state.bytes = bytes('new');
  expect(await tail.read()).toEqual({ text: 'new', size: 3, skipped: 0 });
});

test('a file that is not there has no size', async () => {
  const tail = new OutputTail(new FakeApi({ GetJobLog: () => ({ JobId: '10' }) }).api, source);
  expect(await tail.read()).toEqual({ text: '', size: null, skipped: 0 });
});

test.each([
  ['\u001b[1;32mgreen\u001b[0m', 'green'],
  ['cut \u001b[3', 'cut '],
  ['\u001b]0;title\u0007text', 'text'],
  ['10%\r50%\r100%\ndone', '100%\ndone'],
  ['dos\r\nlines\r\n', 'dos\nlines\n'],
  ['half\r', 'half'],
  ['bell\u0007 nul\0 back\b\ttab', 'bell nul back\ttab']
])('%j is shown as a terminal would show it', (raw, expected) => {
  expect(plain(raw)).toBe(expected);
});

test('of the escape sequences, colours are left to the renderer', () => {
  expect(shown('\u001b[2K\u001b[1;31mred\u001b[0m\u001b]0;t\u0007')).toBe('\u001b[1;31mred\u001b[0m');
  expect(shown('10%\r\u001b[32m100%\u001b[0m\n')).toBe('\u001b[32m100%\u001b[0m\n');
});
