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

async function open(createJob: () => unknown): Promise<{ fake: FakeApi; onSubmitted: ReturnType<typeof vi.fn> }> {
  const fake = new FakeApi({ CreateJob: createJob }, SCHEMA);
  const onSubmitted = vi.fn();
  render(wrap(services(fake), <JobForm cluster="hpc" clusterName="HPC" onSubmitted={onSubmitted} />));
  await screen.findByLabelText('Job name');
  return { fake, onSubmitted };
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
