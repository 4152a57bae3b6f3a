import * as React from 'react';

import { newToken } from '../control';
import { ApiError, type IApi, parseProblems } from '../errors';
import { fieldFor } from '../formschema';
import type { CheckJobResponse, CreateJobRequest } from '../generated/api';

/** The job's id, or what is wrong. */
export interface IOutcome {
  jobId: string | null;
  problems: ReadonlyMap<string, string>;
}

/** What the cluster said to a job that was not submitted. */
export interface IChecked {
  answer: CheckJobResponse;
  /** Problems that belong to no field of the form. */
  elsewhere: string[];
}

type Build = (token: string) => CreateJobRequest;

export interface ISubmission {
  busy: 'submit' | 'check' | null;
  /** What is wrong with each field, by path. */
  problems: ReadonlyMap<string, string>;
  /** What is wrong and belongs to no field. */
  error: ApiError | null;
  /** Whether nobody knows if the last submission arrived. */
  uncertain: boolean;
  /** Null when the last submission is still on its way. */
  submit: (build: Build) => Promise<IOutcome | null>;
  /** Ask what the cluster would say; the problems' paths, null when something is still on its way. */
  check: (build: Build) => Promise<IOutcome | null>;
  /** Until something is changed. */
  checked: IChecked | null;
  /** The field was changed: what was said of it no longer holds. */
  forget: (path: string) => void;
}

/**
 * Sends a job once. Each submission has a token of its own; when nobody knows whether the last one arrived, the
 * same request goes out with the same token, and the server makes one job of the two.
 */
export function useSubmit(api: IApi, known: ReadonlySet<string>): ISubmission {
  const [busy, setBusy] = React.useState<ISubmission['busy']>(null);
  const [problems, setProblems] = React.useState<ReadonlyMap<string, string>>(new Map());
  const [error, setError] = React.useState<ApiError | null>(null);
  const [uncertain, setUncertain] = React.useState(false);
  const [checked, setChecked] = React.useState<IChecked | null>(null);
  const running = React.useRef(false);
  const undecided = React.useRef<{ token: string; request: string } | null>(null);

  /** One thing at a time, and what was said of the last one is forgotten. */
  const run = async (what: 'submit' | 'check', work: () => Promise<IOutcome>): Promise<IOutcome | null> => {
    if (running.current) {
      return null;
    }
    running.current = true;
    setBusy(what);
    setProblems(new Map());
    setError(null);
    setUncertain(false);
    setChecked(null);
    try {
      return await work();
    } finally {
      running.current = false;
      setBusy(null);
    }
  };
  const refused = (failure: ApiError): IOutcome => {
    const [placed, rest] = sortProblems(failure, known);
    setProblems(placed);
    setError(rest);
    return { jobId: null, problems: placed };
  };
  const send = async (build: Build): Promise<IOutcome> => {
    const last = undecided.current;
    const repeated = last !== null && fingerprint(build(last.token)) === last.request;
    const token = repeated ? last.token : newToken();
    const request = build(token);
    try {
      const answer = await api.call('CreateJob', request);
      undecided.current = null;
      return { jobId: answer.JobId, problems: new Map() };
    } catch (reason) {
      const failure = ApiError.from(reason);
      undecided.current = failure.decided ? null : { token, request: fingerprint(request) };
      setUncertain(!failure.decided);
      return refused(failure);
    }
  };
  const ask = async (build: Build): Promise<IOutcome> => {
    try {
      const answer = await api.call('CheckJob', { ...build(''), ClientToken: undefined });
      const placed = new Map<string, string>();
      const elsewhere: string[] = [];
      for (const { Field, Message } of answer.Problems ?? []) {
        const field = fieldFor(Field, known);
        if (field) {
          placed.set(field, [placed.get(field), Message].filter(Boolean).join('; '));
        } else {
          elsewhere.push(`${Field}: ${Message}`);
        }
      }
      setProblems(placed);
      setChecked({ answer, elsewhere });
      return { jobId: null, problems: placed };
    } catch (reason) {
      return refused(ApiError.from(reason));
    }
  };
  const submit = (build: Build): Promise<IOutcome | null> => run('submit', () => send(build));
  const check = (build: Build): Promise<IOutcome | null> => run('check', () => ask(build));
  const forget = (path: string): void => {
    setChecked(null);
    if (problems.has(path)) {
      setProblems(new Map([...problems].filter(([key]) => key !== path)));
    }
  };
  return { busy, problems, error, uncertain, submit, check, checked, forget };
}

/** What makes two requests the same; a password is not kept for the comparison. */
function fingerprint(request: CreateJobRequest): string {
  return JSON.stringify(request, (key, value: unknown) => (key === 'RunasUserPassword' ? '' : value));
}

/** The lines that belong to a field of the form, and an error of the rest, if there is any. */
function sortProblems(failure: ApiError, known: ReadonlySet<string>): [Map<string, string>, ApiError | null] {
  const placed = new Map<string, string>();
  const rest: string[] = [];
  for (const { path, text } of failure.code === 'InvalidParams' ? parseProblems(failure.message) : []) {
    const field = fieldFor(path, known);
    if (field) {
      placed.set(field, [placed.get(field), text].filter(Boolean).join('; '));
    } else {
      rest.push(`${path}: ${text}`);
    }
  }
  if (placed.size === 0) {
    return [placed, failure];
  }
  const message = rest.join('\n');
  const { status, code, requestId, recommend } = failure;
  return [placed, message ? new ApiError(status, code, message, requestId, recommend) : null];
}
