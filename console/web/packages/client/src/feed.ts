import { UsherError } from './error.ts';

/** Takes what a feed has. */
export interface Sink<T> {
  next(result: T): void;
  error(error: unknown): void;
}

/** Results that keep coming until they are stopped. */
export interface Feed {
  /** Asks now. */
  refresh(): void;
  stop(): void;
}

/** A source of results: asked again and again today, pushed by the server where that is offered. */
export type Live = <T>(ask: (signal: AbortSignal) => Promise<T>, sink: Sink<T>, seconds: (last: T | undefined) => number) => Feed;

const longest = 86_400; // seconds: a timer of more than 24 days would be none
const fresh = 5_000; // milliseconds in which coming back into view asks for nothing

/**
 * Asks at once, every so many seconds while the page is in view (0: never), and when it comes back into view. Who is told to come
 * later does, and who is refused for good stops.
 */
export const poll: Live = <T>(ask: (signal: AbortSignal) => Promise<T>, sink: Sink<T>, seconds: (last: T | undefined) => number): Feed => {
  let running: AbortController | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last: T | undefined;
  let asked = 0;
  let stopped = false;

  const stop = () => {
    stopped = true;
    running?.abort();
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', seen);
  };
  const later = (wait: number) => {
    clearTimeout(timer);
    if (!stopped && wait > 0) timer = setTimeout(() => (document.hidden ? undefined : refresh()), Math.min(Math.max(wait, 1), longest) * 1000);
  };
  const refresh = async () => {
    if (stopped) return;
    clearTimeout(timer);
    running?.abort();
    const mine = new AbortController();
    running = mine;
    asked = Date.now();
    let wait = 0;
    try {
      const result = await ask(mine.signal);
      if (mine.signal.aborted) return;
      last = result;
      sink.next(result);
    } catch (error) {
      if (mine.signal.aborted) return;
      if (error instanceof UsherError) {
        if (error.ended) stop();
        wait = error.retryAfter ?? 0;
      }
      sink.error(error);
    }
    later(Math.max(seconds(last) || 0, wait));
  };
  const seen = () => {
    if (!document.hidden && Date.now() - asked > fresh) void refresh();
  };
  document.addEventListener('visibilitychange', seen);
  void refresh();
  return { refresh: () => void refresh(), stop };
};
