import type { Dashboard, Run } from './dashboard.ts';
import { type Failure, UsherError } from './error.ts';
import { parse } from './numbers.ts';
import { type TokenSource, Tokens, tokensFrom } from './tokens.ts';

export interface Options {
  /** Where usher is published, such as https://usher.example/. */
  server: string | URL;
  /** A token, or who makes one: it is asked again before a token ends, and when one is refused. */
  token?: string | TokenSource | undefined;
  /** Where the page's backend hands out tokens, by POST. */
  tokenUrl?: string | URL | undefined;
  fetch?: typeof fetch;
  /** How long a request may take, in milliseconds: 60,000 unless it says so. */
  timeout?: number;
  /** The clock, in milliseconds. */
  now?: () => number;
}

/** GraphQL text; the strings of `@graphql-codegen` with `documentMode: 'string'` bring the types of their answer and variables. */
export interface Document<Data, Variables> {
  toString(): string;
  __apiType?: (variables: Variables) => Data;
}

export interface Answer<Data> {
  data: Data | null;
  errors: Failure[];
}

/** What elements ask. */
export type Asker = Pick<Client, 'query' | 'dashboard' | 'run'>;

/** Asks one usher with one token. Two clients share nothing. */
export class Client {
  readonly server: URL;
  #tokens: Tokens;
  #fetch: typeof fetch;
  #timeout: number;
  #reached: boolean;

  constructor({ server, token, tokenUrl, fetch: fetcher = (...args) => fetch(...args), timeout = 60_000, now = Date.now }: Options) {
    this.server = new URL(String(server).replace(/\/?$/, '/'), globalThis.document?.baseURI);
    this.#fetch = fetcher;
    this.#timeout = timeout;
    this.#reached = [undefined, this.server.origin].includes(globalThis.origin); // which Node.js has none of
    const source = token ?? (tokenUrl && tokensFrom(tokenUrl, fetcher));
    if (!source) throw new UsherError('There is neither a token nor an address to get one from.', { code: 'SETUP', hint: 'Set token-url to a route of your backend, or the property token.' });
    this.#tokens = new Tokens(source, now);
  }

  /** Asks a question. Fields that failed are null and stand in `errors`. */
  async query<Data = Record<string, unknown>, Variables = Record<string, unknown>>(
    document: string | Document<Data, Variables>,
    variables?: Variables,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<Answer<Data>> {
    const answer = await this.#ask<Answer<Data>>('graphql', { query: String(document), variables }, signal);
    if (answer.data === undefined) throw UsherError.of(answer.errors?.[0]);
    return { data: answer.data, errors: answer.errors ?? [] };
  }

  /** What is on a dashboard, without its numbers. */
  async dashboard(name: string, { signal }: { signal?: AbortSignal } = {}): Promise<Dashboard> {
    const { dashboard } = await this.#ask<{ dashboard: Dashboard }>(`dashboards/${encodeURIComponent(name)}`, undefined, signal);
    return dashboard;
  }

  /** Runs the tiles of a dashboard, all or those named, as one operation. */
  run(
    name: string,
    { parameters, tiles, signal }: { parameters?: Record<string, unknown>; tiles?: string[]; signal?: AbortSignal } = {},
  ): Promise<Run> {
    return this.#ask<Run>(`dashboards/${encodeURIComponent(name)}`, { parameters: parameters ?? {}, tiles }, signal);
  }

  /** Sends a body, or asks by GET without one. A refused token is replaced once. */
  async #ask<T>(path: string, body: unknown, signal: AbortSignal | undefined): Promise<T> {
    for (let again = true; ; again = false) {
      const token = await this.#tokens.current();
      const [response, answer] = await this.#send(path, body, token, signal);
      if (response.status === 401 && this.#tokens.refused(token) && again) continue;
      if (response.ok && answer !== undefined) return answer as T;
      const failed = answer as { data?: unknown; tiles?: unknown; errors?: Failure[] } | undefined;
      // Fields or tiles that failed say why by themselves, also where none has an answer.
      if (failed?.data !== undefined || failed?.tiles !== undefined) return answer as T;
      throw UsherError.of(failed?.errors?.[0], response);
    }
  }

  async #send(path: string, body: unknown, token: string, signal: AbortSignal | undefined): Promise<[Response, unknown]> {
    const headers: Record<string, string> = { Accept: 'application/graphql-response+json, application/json', Authorization: `Bearer ${token}` };
    const late = AbortSignal.timeout(Math.min(this.#timeout, 2 ** 31 - 1));
    const request: RequestInit = { headers, signal: signal ? AbortSignal.any([signal, late]) : late, credentials: 'omit', cache: 'no-store' };
    if (body !== undefined) {
      headers['Content-Type'] = 'application/json';
      Object.assign(request, { method: 'POST', body: JSON.stringify(body) });
    }
    try {
      const response = await this.#fetch(new URL(path, this.server), request);
      this.#reached = true;
      return [response, await read(await response.text())];
    } catch (error) {
      if (signal?.aborted) throw error;
      if (late.aborted) throw new UsherError('The server did not answer in time.', { code: 'TIMEOUT', retryAfter: 30 });
      // A browser says no more than this of a server that does not let the page's origin ask.
      const hint = this.#reached ? '' : `Is ${globalThis.origin} among its allowed_origins?`;
      throw new UsherError('The server cannot be reached.', { code: 'NETWORK', retryAfter: 30, hint });
    }
  }
}

async function read(text: string): Promise<unknown> {
  try {
    return await parse(text);
  } catch {
    return undefined; // not usher's: a proxy's page, say
  }
}
