import { ApiError, type IApi } from './errors';
import type { GetJobLogResponse } from './generated/api';

export type Which = 'stdout' | 'stderr';

/** The end of one output. */
export interface ITail {
  text: string;
  /** The file's size in bytes; null while there is no such file. */
  size: number | null;
  /** How many bytes before `text` are not shown. */
  skipped: number;
}

export interface IOutput {
  cluster: string;
  jobId: string;
  which: Which;
  task?: number | undefined;
  tailBytes: number;
}

/** Follows the end of an output file; each `read` fetches only what is new. */
export class OutputTail {
  constructor(
    private readonly _api: IApi,
    private readonly _source: IOutput
  ) {}

  /** One read at a time: two that start at the same place would both append what they find there. */
  read(): Promise<ITail> {
    const turn = this._turn.then(() => this._read());
    this._turn = turn.catch(() => undefined);
    return turn;
  }

  private async _read(): Promise<ITail> {
    const { tailBytes } = this._source;
    let part = await this._fetch(this._end);
    if (part.size === null) {
      this._bytes = new Uint8Array();
      this._end = 0;
      return { text: '', size: null, skipped: 0 };
    }
    const rewritten = part.size < this._end;
    const farBehind = part.size - this._end > tailBytes;
    if (rewritten || farBehind) {
      this._bytes = new Uint8Array();
      this._end = Math.max(0, part.size - tailBytes);
      part = await this._fetch(this._end);
    }
    this._end += part.bytes.length;
    this._bytes = joined(this._bytes, part.bytes).slice(-tailBytes);
    const skipped = this._end - this._bytes.length;
    return { text: shown(decode(this._bytes, skipped > 0)), size: part.size, skipped };
  }

  private async _fetch(offset: number): Promise<{ bytes: Uint8Array; size: number | null }> {
    const { cluster, jobId, which, task, tailBytes } = this._source;
    let answer: GetJobLogResponse;
    try {
      answer = await this._api.call('GetJobLog', {
        ClusterId: cluster,
        JobId: jobId,
        LogType: which,
        Offset: offset,
        Size: tailBytes,
        ...(task === undefined ? {} : { TaskId: task })
      });
    } catch (reason) {
      throw ApiError.from(reason);
    }
    const [log, size] =
      which === 'stdout' ? [answer.StdoutLog, answer.StdoutLogSize] : [answer.StderrLog, answer.StderrLogSize];
    if (log === undefined && size === undefined) {
      return { bytes: new Uint8Array(), size: null };
    }
    const bytes = Uint8Array.from(atob(log ?? ''), char => char.charCodeAt(0));
    return { bytes, size: size ?? offset + bytes.length };
  }

  private _bytes = new Uint8Array();
  private _end = 0;
  private _turn: Promise<unknown> = Promise.resolve();
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** UTF-8, where the start was cut off from the first whole line on; what is no UTF-8 becomes U+FFFD. */
function decode(bytes: Uint8Array, cut: boolean): string {
  const start = cut ? bytes.indexOf(0x0a) + 1 : 0;
  return new TextDecoder().decode(bytes.subarray(start));
}

// ECMA-48: CSI sequences (colours, cursor), OSC sequences (titles, links), two-character escapes.
// The last one may be cut off. Of all these, "select graphic rendition" (CSI … m) stays: the colours.
const ESCAPES = /\u001b(?:\[[\d;:]*m)|\u001b(?:\[[0-?]*[ -/]*(?:[@-~]|$)|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[ -/]*(?:[0-~]|$))/g;
const COLOUR = /^\u001b\[[\d;:]*m$/;

// What is left of the control characters after that, except tab and line end: a page shows them as boxes.
const CONTROLS = /[\0-\u0008\u000b-\u001a\u001c-\u001f\u007f]/g;

/** What a terminal would show at the end: of a progress bar its last stroke; of the escape sequences colours are left. */
export function shown(text: string): string {
  return text
    .replace(ESCAPES, found => (COLOUR.test(found) ? found : ''))
    .replace(/\r+\n/g, '\n')
    .split('\n')
    .map(line => line.slice(line.lastIndexOf('\r', line.length - 2) + 1).replace(/\r$/, ''))
    .join('\n')
    .replace(CONTROLS, '');
}

/** The same without its colours. */
export function plain(text: string): string {
  return shown(text).replace(/\u001b(?:\[[\d;:]*m)?/g, '');
}
