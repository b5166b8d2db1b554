import { UsherError } from '@usher/client';
import { texts } from './texts.ts';

/** What failed, in plain words, and what to do. */
export function explain(problem: unknown): { title: string; why: string; id: string | undefined } {
  const error = problem instanceof UsherError ? problem : new UsherError(String(problem));
  const known: Record<string, [string, string]> = {
    UNAUTHENTICATED: [texts.ended, texts.endedWhy],
    FORBIDDEN: [texts.forbidden, error.message],
    NOT_FOUND: [texts.missing, error.message],
    NETWORK: [texts.failed, texts.network],
    UNAVAILABLE: [texts.failed, texts.unavailable],
    TOO_MANY_REQUESTS: [texts.failed, texts.busy],
  };
  const [title, why] = known[error.code] ?? [texts.failed, error.message];
  return { title, why, id: error.requestId };
}
