import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { ApiError, type IApi } from './errors';
import type { ISchema } from './formschema';
import type { Actions } from './generated/api';

/** The server extension over HTTP: `POST ehpc/<Action>` with wire names in and out. */
export class HttpApi implements IApi {
  constructor(private readonly _settings: ServerConnection.ISettings) {}

  async call<A extends keyof Actions>(action: A, request: Actions[A]['request']): Promise<Actions[A]['response']> {
    const init = { method: 'POST', body: JSON.stringify(request) };
    return (await this._request(action, init)) as Actions[A]['response'];
  }

  look(path: string): Promise<unknown> {
    return this._request(URLExt.join('contents', URLExt.encodeParts(path)), {}, { content: '0' });
  }

  async read(path: string): Promise<string> {
    const file = await this._request(URLExt.join('contents', URLExt.encodeParts(path)), {}, { content: '1' });
    const { content } = file as { content?: unknown };
    return typeof content === 'string' ? content : '';
  }

  schemas(): Promise<Record<string, ISchema>> {
    this._schemas ??= this._request('schema', {}).then(
      body => body as Record<string, ISchema>,
      (reason: unknown) => {
        this._schemas = null;
        throw reason;
      }
    );
    return this._schemas;
  }

  private async _request(path: string, init: RequestInit, query: Record<string, string> = {}): Promise<unknown> {
    const url = URLExt.join(this._settings.baseUrl, 'ehpc', path) + URLExt.objectToQueryString(query);
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this._settings);
    } catch (reason) {
      throw ApiError.from(reason);
    }
    const body = await readJson(response);
    if (response.ok && body !== null) {
      return body;
    }
    const text = (key: string): string => (typeof body?.[key] === 'string' ? body[key] : '');
    throw new ApiError(
      response.status,
      text('Code'),
      text('Message') || text('message') || `${response.status} ${response.statusText}`,
      text('RequestId'),
      text('Recommend')
    );
  }

  private _schemas: Promise<Record<string, ISchema>> | null = null;
}

async function readJson(response: Response): Promise<Record<string, unknown> | null> {
  try {
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
