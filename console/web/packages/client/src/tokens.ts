import { UsherError } from './error.ts';

/** What a page's backend hands on of usher's `createToken`. */
export interface Issued {
  token: string;
  /** When it ends, as usher says it. Without it only the server's refusal tells, or what a JWT says of itself. */
  expiresAt?: string;
}

const limit = 30_000; // milliseconds for a token

export type TokenSource = () => string | Issued | Promise<string | Issued>;

/** The token of one client: fetched when it is needed, and replaced before it ends. It is kept in this object and nowhere else. */
export class Tokens {
  #source: TokenSource | undefined;
  #token: string | undefined;
  #expires = Number.POSITIVE_INFINITY; // milliseconds
  #renewAt = Number.POSITIVE_INFINITY;
  #pending: Promise<string> | undefined;
  #had = false;
  #now: () => number;

  constructor(given: string | TokenSource, now: () => number) {
    this.#now = now;
    if (typeof given === 'function') this.#source = given;
    else this.#token = given;
  }

  /** The token to show. */
  async current(): Promise<string> {
    if (this.#token !== undefined && (!this.#source || this.#now() < this.#renewAt)) return this.#token;
    try {
      return await this.#renew();
    } catch (error) {
      if (error instanceof UsherError && error.ended) throw error;
      if (this.#token !== undefined && this.#now() < this.#expires) return this.#token; // it still holds, and the next request tries again
      if (!this.#had) throw error;
      const { lost } = await import('./advice.ts');
      throw new UsherError(...lost(error as UsherError));
    }
  }

  /** Tells that the server refused a token. Whether asking again may help. */
  refused(token: string): boolean {
    if (!this.#source) return false;
    if (this.#token === token) this.#token = undefined;
    return true;
  }

  /** All who need a token meanwhile wait for one request. */
  #renew(): Promise<string> {
    this.#pending ??= this.#fetch().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #fetch(): Promise<string> {
    const given = await this.#source!();
    const { token, expiresAt } = typeof given === 'string' ? { token: given } : ((given ?? {}) as Partial<Issued>);
    if (typeof token !== 'string' || token === '') throw new UsherError('The page handed out no token.', { code: 'NO_TOKEN' });
    const now = this.#now();
    this.#token = token;
    this.#had = true;
    this.#expires = expiresAt ? Date.parse(expiresAt) : endOfJWT(token);
    if (Number.isNaN(this.#expires)) this.#expires = Number.POSITIVE_INFINITY;
    // When a third of the life is left, or the last half minute of a long one: a request that waits meanwhile still finds it valid.
    this.#renewAt = this.#expires - Math.min(30_000, Math.max(0, this.#expires - now) / 3);
    return token;
  }
}

function endOfJWT(token: string): number {
  try {
    const { exp } = JSON.parse(atob(token.split('.')[1]!.replace(/-/g, '+').replace(/_/g, '/'))) as { exp?: number };
    return exp ? exp * 1000 : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Asks the page's own backend, by POST and with its cookies, for `{"token": …, "expiresAt": …}` or for the token as text. */
export function tokensFrom(url: string | URL, fetcher: typeof fetch): TokenSource {
  return async () => {
    let response: Response | undefined;
    let text = '';
    try {
      response = await fetcher(url, { method: 'POST', headers: { Accept: 'application/json' }, cache: 'no-store', signal: AbortSignal.timeout(limit) });
      text = (await response.text()).trim();
    } catch {
      // said below, too
    }
    if (response?.ok) {
      if (/^[\w.~+/=-]+$/.test(text)) return text;
      try {
        const issued = JSON.parse(text) as Issued;
        if (issued.token && typeof issued.token === 'string') return issued;
      } catch {
        // said below
      }
    }
    const { noToken } = await import('./advice.ts');
    throw new UsherError(...noToken(url, response, text));
  };
}
