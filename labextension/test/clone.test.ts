import { expect, test } from 'vitest';

import { cellOf, isJobCell } from '../src/clone';

const request = (spec: Record<string, unknown>, more: Record<string, unknown> = {}): unknown => ({
  ClusterId: 'hpc',
  ...more,
  JobSpec: spec
});

test('a request becomes flags and a script, as the magic reads them', () => {
  const spec = {
    Script: '#!/bin/bash\necho "it\'s $HOME"\n',
    WallTime: '1:00:00',
    JobQueue: 'debug',
    Resources: { Nodes: 2, Memory: '4GB' },
    RunasUser: 'eve',
    RunasUserPassword: 'never shown'
  };
  expect(cellOf(request(spec, { JobName: 'two words', ClientToken: 'abc' }))).toBe(
    "%%ehpc --cluster hpc --name 'two words' --wall-time 1:00:00 --job-queue debug --runas-user eve --nodes 2 --memory 4GB" +
      '\n#!/bin/bash\necho "it\'s $HOME"'
  );
});

test('what the shell or the flags would read in their own way is written so that they do not', () => {
  const variables = JSON.stringify([
    { Name: 'A', Value: "it's {x} $y" },
    { Name: 'B', Value: "two\nlines\tand 'one'\u0001 é" }
  ]);
  const cell = cellOf(request({ CommandLine: '-- /bin/ping -c 1', Variables: variables }));
  expect(cell).toBe(
    `%%ehpc --cluster hpc --command-line='-- /bin/ping -c 1' --var 'A=it'"'"'s {x} $y' ` +
      `--var $'B=two\\nlines\\tand \\'one\\'\\u0001 é'\n`
  );
});

test('what is no request makes no cell', () => {
  expect(['x', null, [], {}, { JobSpec: 3 }].map(cellOf)).toEqual([null, null, null, null, null]);
  expect(['%%ehpc --name x\ntrue', '\n %%ehpc\n', '%%bash\n', '# %%ehpc'].map(isJobCell)).toEqual([true, true, false, false]);
});
