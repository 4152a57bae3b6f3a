import type { Actions } from './generated/api';
import type { ISchema } from './formschema';

/** The server extension as the browser sees it. */
export interface IApi {
  call<A extends keyof Actions>(action: A, request: Actions[A]['request']): Promise<Actions[A]['response']>;
  /** What the drive of jobs says of a path; fails with the server's words where there is nothing. */
  look(path: string): Promise<unknown>;
  /** The text of a file on the drive of jobs. */
  read(path: string): Promise<string>;
  /** The JSON schema of every action's request, by action. */
  schemas(): Promise<Record<string, ISchema>>;
}

/** A refusal of the server, or the lack of an answer (`status` 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId = '',
    readonly recommend = ''
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** Nothing came back: whether the server did what was asked is not known. */
  get unanswered(): boolean {
    return this.status === 0;
  }

  /** A 404 that is not ours: Jupyter answered, the extension is not there. */
  get missing(): boolean {
    return this.status === 404 && this.code === '';
  }

  /** The server took a decision that asking again will not change. A proxy's 502 or 504 is none. */
  get decided(): boolean {
    return this.status >= 400 && this.status < 500 && this.code !== '';
  }

  /** The server does not know the job or its cluster. */
  get unknown(): boolean {
    return this.code === 'JobNotFound' || this.code === 'ClusterNotFound';
  }

  static from(reason: unknown): ApiError {
    if (reason instanceof ApiError) {
      return reason;
    }
    return new ApiError(0, '', reason instanceof Error ? reason.message : String(reason));
  }
}

/** One thing that is wrong with a request, and the wire path of its field. */
export interface IProblem {
  path: string;
  text: string;
}

/** The problems in an InvalidParams message: one a line. */
export function parseProblems(message: string): IProblem[] {
  const line = /^The specified parameter (\S+) is invalid: (.*)$/gm;
  return [...message.matchAll(line)].map(found => ({ path: found[1] ?? '', text: found[2] ?? '' }));
}
