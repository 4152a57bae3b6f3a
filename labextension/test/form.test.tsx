import { act, fireEvent, render, screen, waitFor } from '@testing-library/react';
import * as React from 'react';
import { expect, test, vi } from 'vitest';

import { JobForm } from '../src/components/JobForm';
import { ApiError } from '../src/errors';
import { FakeApi, SCHEMA, services, wrap } from './fakes';

const answered = { JobId: '7' };
const wrong = (...lines: [string, string][]): ApiError => {
  const message = lines.map(([path, text]) => `The specified parameter ${path} is invalid: ${text}`).join('\n');
  return new ApiError(400, 'InvalidParams', message, 'REQ-1');
};

async function open(
  createJob: (request: Record<string, unknown>) => unknown,
  more: Record<string, (request: Record<string, unknown>) => unknown> = {}
): Promise<{ fake: FakeApi; onSubmitted: ReturnType<typeof vi.fn>; onCluster: ReturnType<typeof vi.fn> }> {
  const fake = new FakeApi({ CreateJob: createJob, ...more }, SCHEMA);
  const onSubmitted = vi.fn();
  const onCluster = vi.fn();
  render(wrap(services(fake), <JobForm cluster="hpc" clusterName="HPC" onSubmitted={onSubmitted} onCluster={onCluster} />));
  await screen.findByLabelText('Job name');
  return { fake, onSubmitted, onCluster };
}

const type = (label: string, value: string): void => {
  fireEvent.change(field(label), { target: { value } });
};
const field = (label: string): HTMLInputElement =>
  screen.getByLabelText(label, { selector: 'input:not([type="radio"]), textarea' });
const submit = async (): Promise<void> => {
  await act(async () => {
    fireEvent.click(screen.getByRole('button', { name: 'Submit to HPC' }));
    await new Promise(resolve => setTimeout(resolve, 30));
  });
};

test('errors stand beside their fields, the first has the focus, and nothing typed is lost', async () => {
  await open(() => {
    throw wrong(
      ['JobSpec.Resources.Cores', '0 is too few'],
      ['JobSpec.Variables', 'variable 1 Name: bad'],
      ['Elsewhere', 'odd']
    );
  });
  type('Job name', 'mine');
  type('Cores', '0');
  await submit();
  const cores = field('Cores');
  expect(cores.getAttribute('aria-invalid')).toBe('true');
  const described = (cores.getAttribute('aria-describedby') ?? '').split(' ');
  expect(described.map(id => document.getElementById(id)?.textContent)).toContain('0 is too few');
  expect(document.activeElement).toBe(cores);
  expect(screen.getByText('variable 1 Name: bad').closest('details')?.open).toBe(true);
  expect(screen.getByRole('alert').textContent).toContain('Elsewhere: odd');
  expect(screen.getByRole('alert').textContent).toContain('REQ-1');
  expect(field('Job name').value).toBe('mine');
  type('Cores', '2');
  expect(cores.getAttribute('aria-invalid')).toBeNull();
});

test('what is said of the command line is shown at the script when that is the one in use', async () => {
  await open(() => {
    throw wrong(['JobSpec.CommandLine', 'say what to run']);
  });
  await submit();
  const script = document.querySelector('textarea');
  expect(script?.getAttribute('aria-invalid')).toBe('true');
  expect(screen.getByText('say what to run')).toBeTruthy();
});

test('a field that no code knows is shown and sent; of the two ways to run only the chosen one', async () => {
  const { fake } = await open(() => answered);
  type('Script', 'echo hi');
  fireEvent.click(screen.getByRole('radio', { name: 'Command line' }));
  type('Command line', 'a.sh');
  expect(field('Mood').placeholder).toBe('sunny');
  type('Mood', 'calm');
  type('Cores', '4');
  await submit();
  const { ClientToken, ...request } = fake.of('CreateJob')[0] ?? {};
  expect(request).toEqual({
    ClusterId: 'hpc',
    JobSpec: { CommandLine: 'a.sh', Mood: 'calm', Resources: { Cores: 4 } }
  });
  expect(ClientToken).toMatch(/^[0-9a-f]{32}$/);
});

test('a lost answer is asked for with the same token, everything else with a new one', async () => {
  const failures = [new ApiError(0, '', 'network'), new ApiError(504, '', 'proxy'), wrong(['JobName', 'no'])];
  const { fake } = await open(() => {
    const failure = failures.shift();
    if (failure) {
      throw failure;
    }
    return answered;
  });
  type('Script', 'echo hi');
  for (let times = 0; times < 5; times++) {
    await submit();
  }
  const tokens = fake.of('CreateJob').map(request => request.ClientToken);
  expect(tokens[1]).toBe(tokens[0]);
  expect(tokens[2]).toBe(tokens[0]);
  expect(new Set(tokens).size).toBe(3);
});

test('it cannot be sent twice at once, and forgets the password when it was taken', async () => {
  let finish: (value: unknown) => void = () => undefined;
  const { fake, onSubmitted } = await open(() => new Promise(resolve => (finish = resolve)));
  type('Script', 'echo hi');
  type('Password', 'hunter2');
  expect(field('Password').type).toBe('password');
  await submit();
  const busy = screen.getByRole<HTMLButtonElement>('button', { name: 'Submitting to HPC…' });
  expect(busy.disabled).toBe(true);
  fireEvent.submit(busy);
  finish(answered);
  await waitFor(() => expect(onSubmitted).toHaveBeenCalledWith('7'));
  expect(fake.of('CreateJob')).toHaveLength(1);
  expect(field('Password').value).toBe('');
  expect(document.querySelector('textarea')?.value).toBe('echo hi');
});

test('variables become the JSON array of the API', async () => {
  const { fake } = await open(() => answered);
  type('Name of variable 1', 'A');
  type('Value of variable 1', 'x "y" \\ é');
  fireEvent.click(screen.getByRole('button', { name: 'Add a variable' }));
  fireEvent.click(screen.getByRole('button', { name: 'Add a variable' }));
  type('Name of variable 3', 'B');
  fireEvent.click(screen.getByRole('button', { name: 'Remove variable 2' }));
  await submit();
  const { Variables } = fake.of('CreateJob')[0]?.JobSpec as { Variables: string };
  expect(JSON.parse(Variables)).toEqual([
    { Name: 'A', Value: 'x "y" \\ é' },
    { Name: 'B', Value: '' }
  ]);
});

test('help is plain words, and of variables it speaks of the rows', async () => {
  await open(() => answered);
  expect(screen.getByText('How it feels; calm is fine.')).toBeTruthy();
  expect(screen.getByText('Environment variables of the job.')).toBeTruthy();
});

const press = async (name: string): Promise<void> => {
  await act(async () => {
    fireEvent.click(screen.getByRole('button', { name }));
    await new Promise(resolve => setTimeout(resolve, 30));
  });
};

test('a check submits nothing; its problems stand beside their fields, the rest and the script below', async () => {
  const answer = {
    Valid: false,
    Problems: [
      { Field: 'JobSpec.Resources.Cores', Message: 'the queue has 2' },
      { Field: 'Elsewhere', Message: 'is full' }
    ],
    Script: '#!/bin/bash\n#SBATCH --x <b>',
    Command: 'sbatch script',
    Message: 'allocation failure'
  };
  const { fake } = await open(() => answered, { CheckJob: () => answer });
  type('Script', 'echo hi');
  type('Cores', '64');
  await press('Check');
  expect(fake.of('CreateJob')).toHaveLength(0);
  expect(fake.of('CheckJob')).toEqual([
    { ClusterId: 'hpc', JobSpec: { Script: 'echo hi', Resources: { Cores: 64 } }, ClientToken: undefined }
  ]);
  expect(screen.getByText('the queue has 2').className).toContain('FieldError');
  expect(screen.getByText('The cluster would not take it.')).toBeTruthy();
  expect(screen.getByText('Elsewhere: is full')).toBeTruthy();
  expect(screen.getByLabelText('Script', { selector: 'pre' }).textContent).toBe(answer.Script);
  type('Cores', '2');
  expect(screen.queryByText('The cluster would not take it.')).toBeNull();
});

test('a check that passes says when it would start', async () => {
  const StartTime = Math.floor(Date.now() / 1000) + 3600;
  await open(() => answered, { CheckJob: () => ({ Valid: true, Script: 's', Command: 'c', StartTime, NodeList: 'n1' }) });
  await press('Check');
  expect(screen.getByText('It would start about', { exact: false }).textContent).toContain('on n1');
});

test('a check that nobody answers is no submission in doubt', async () => {
  await open(() => answered, {
    CheckJob: () => {
      throw new ApiError(0, '', 'network');
    }
  });
  await press('Check');
  expect(screen.getByText('No answer')).toBeTruthy();
  expect(screen.queryByText(/it will not run twice/)).toBeNull();
});

test('a template is saved without passwords, fills the form in, keeps what it does not say, and is deleted when asked', async () => {
  const saved: Record<string, unknown>[] = [];
  const { fake, onCluster } = await open(() => answered, {
    ListTemplates: () => ({ Templates: saved.map(one => ({ ...one, SavedTime: 1 })) }),
    SaveTemplate: request => saved.push(request),
    DeleteTemplate: () => saved.pop()
  });
  type('Script', 'echo hi');
  type('Password', 'hunter2');
  type('Name of variable 1', 'A');
  await press('Save…');
  fireEvent.change(screen.getByLabelText('Name of the template'), { target: { value: ' mine ' } });
  await press('Save');
  const Fields = { ClusterId: 'hpc', 'JobSpec.Script': 'echo hi', 'JobSpec.Variables': '[{"Name":"A","Value":""}]' };
  expect(saved).toEqual([{ Name: 'mine', Fields }]);
  type('Script', 'other');
  type('Cores', '4');
  type('Name of variable 1', 'B');
  fireEvent.change(screen.getByLabelText('Template'), { target: { value: '' } });
  fireEvent.change(screen.getByLabelText('Template'), { target: { value: 'mine' } });
  expect([field('Script').value, field('Cores').value, field('Name of variable 1').value]).toEqual(['echo hi', '4', 'A']);
  expect(onCluster).toHaveBeenCalledWith('hpc');
  await press('Delete the template');
  await press('Delete');
  expect(fake.of('DeleteTemplate')).toEqual([{ Name: 'mine' }]);
  expect(screen.getByText('No templates yet')).toBeTruthy();
});
