import { UsherError } from '@usher/client';
import { texts } from './texts.ts';

/** What failed, in plain words, and what to do. */
export function explain(problem: unknown): { title: string; why: string; id: string | undefined; again: boolean } {
  const error = problem instanceof UsherError ? problem : new UsherError(String(problem));
  const said = error.message !== '' && !/^The server answered /.test(error.message);
  const known: Record<string, [string, string]> = {
    UNAUTHENTICATED: [texts.ended, texts.endedWhy],
    FORBIDDEN: [texts.forbidden, error.message],
    NOT_FOUND: [texts.missing, error.message],
    NETWORK: [texts.failed, texts.network],
    NO_TOKEN: [texts.noToken, error.message],
    SETUP: [texts.setup, error.message],
    UNAVAILABLE: [texts.failed, said ? `${texts.unavailable} ${sentence(error.message)}` : texts.unavailable],
    TOO_MANY_REQUESTS: [texts.failed, texts.busy],
  };
  const [title, why] = known[error.code] ?? [texts.failed, error.message];
  // Who may not see something is told so; what an API's caller would do is for the page, which is told by the event.
  const hint = ['UNAUTHENTICATED', 'FORBIDDEN', 'UNAVAILABLE'].includes(error.code) ? undefined : error.hint;
  return { title, why: [why, hint].filter(Boolean).map((text) => sentence(text!)).join(' '), id: error.requestId, again: error.code !== 'FORBIDDEN' };
}

/** A sentence begins with a capital and ends. */
export function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!…]$/.test(begun) ? begun : `${begun}.`;
}
