import * as React from 'react';

import { ApiError, type IApi, parseProblems } from '../errors';
import { fieldFor } from '../formschema';
import type { CreateJobRequest } from '../generated/api';

/** The job's id, or what is wrong. */
export interface IOutcome {
  jobId: string | null;
  problems: ReadonlyMap<string, string>;
}

export interface ISubmission {
  busy: boolean;
  /** What is wrong with each field, by path. */
  problems: ReadonlyMap<string, string>;
  /** What is wrong and belongs to no field. */
  error: ApiError | null;
  /** Null when the last submission is still on its way. */
  submit: (build: (token: string) => CreateJobRequest) => Promise<IOutcome | null>;
  /** The field was changed: what was said of it no longer holds. */
  forget: (path: string) => void;
}

/**
 * Sends a job once. Each submission has a token of its own; when nobody knows whether the last one arrived, the
 * same request goes out with the same token, and the server makes one job of the two.
 */
export function useSubmit(api: IApi, known: ReadonlySet<string>): ISubmission {
  const [busy, setBusy] = React.useState(false);
  const [problems, setProblems] = React.useState<ReadonlyMap<string, string>>(new Map());
  const [error, setError] = React.useState<ApiError | null>(null);
  const running = React.useRef(false);
  const undecided = React.useRef<{ token: string; request: string } | null>(null);

  const submit = async (build: (token: string) => CreateJobRequest): Promise<IOutcome | null> => {
    if (running.current) {
      return null;
    }
    running.current = true;
    setBusy(true);
    setProblems(new Map());
    setError(null);
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
      const [placed, rest] = sortProblems(failure, known);
      setProblems(placed);
      setError(rest);
      return { jobId: null, problems: placed };
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  const forget = (path: string): void => {
    if (problems.has(path)) {
      setProblems(new Map([...problems].filter(([key]) => key !== path)));
    }
  };
  return { busy, problems, error, submit, forget };
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

/** `crypto.randomUUID` exists on secure pages only, and many Jupyter servers are reached by plain HTTP. */
function newToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('');
}
