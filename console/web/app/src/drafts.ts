// Drafts are what somebody has begun to write and not saved. A draft is kept for one user, page and tab,
// until it is saved or dropped: a reload and the end of a session lose nothing. It is never given to
// another user who signs in, whose signing in removes it. What is secret is never part of one.
import { useCallback, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { readDigits } from './digits';
import { useMe } from './me';
import type { Me } from './viewer';

const prefix = 'usher.draft ';

const of = ({ owner }: Me) => `${prefix}${owner} `;

const keys = () => Object.keys(sessionStorage).filter((key) => key.startsWith(prefix));

interface Kept {
  title: string; // of what it is about
  at: number;
  value: object;
}

function kept(key: string): Kept | undefined {
  try {
    const found = readDigits(sessionStorage.getItem(key) ?? 'null') as Partial<Kept> | null;
    return typeof found?.value === 'object' && found.value !== null ? { title: String(found.title ?? ''), at: Number(found.at), value: found.value } : undefined;
  } catch {
    return undefined;
  }
}

// What is shown of drafts elsewhere follows them: how often they have changed is their state.
const listeners = new Set<() => void>();
let changes = 0;

function changed() {
  changes++;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export const drafts = {
  read: <T extends object>(me: Me, page: string) => kept(of(me) + page)?.value as T | undefined,
  write(me: Me, page: string, value: object, title = '') {
    try {
      sessionStorage.setItem(of(me) + page, JSON.stringify({ title, at: Date.now(), value } satisfies Kept));
    } catch {
      // A browser without room keeps nothing.
    }
    changed();
  },
  drop(me: Me, page: string) {
    sessionStorage.removeItem(of(me) + page);
    changed();
  },
  any: (me: Me) => keys().some((key) => key.startsWith(of(me))),
  // under lists those of pages whose names begin alike, without what they begin with.
  under: (me: Me, pages: string) =>
    keys().flatMap((key) => {
      const found = key.startsWith(of(me) + pages) ? kept(key) : undefined;
      return found ? [{ what: key.slice((of(me) + pages).length), title: found.title, at: found.at }] : [];
    }),
  // only removes those of everybody else; without a user, all.
  only(me?: Me) {
    for (const key of keys()) if (!me || !key.startsWith(of(me))) sessionStorage.removeItem(key);
    changed();
  },
};

// useDrafts lists those of pages whose names begin alike, as long as there are any.
export function useDrafts(pages: string) {
  const me = useMe();
  useSyncExternalStore(subscribe, () => changes);
  return drafts.under(me, pages);
}

export interface Draft<T> {
  value: T;
  set: (part: Partial<T>) => void;
  // found tells that the value is one of before.
  found: boolean;
  // changed tells that it says something else than at first.
  changed: boolean;
  // drop goes back to what it said at first, done ends the draft of a form that is left.
  drop: () => void;
  done: () => void;
}

// useDraft is the state of a form, under the name of its page. What it says at first is no draft. Its title
// is what people call it where it is offered again.
export function useDraft<T extends object>(page: string, first: T, title = ''): Draft<T> {
  const me = useMe();
  const [began] = useState(first);
  const [{ value, found }, setState] = useState(() => {
    const before = drafts.read<Partial<T>>(me, page);
    return { value: { ...began, ...before }, found: before !== undefined };
  });
  const changed = JSON.stringify(value) !== JSON.stringify(began);
  const latest = useRef(value);
  const set = useCallback(
    (part: Partial<T>) => {
      latest.current = { ...latest.current, ...part };
      if (JSON.stringify(latest.current) === JSON.stringify(began)) drafts.drop(me, page);
      else drafts.write(me, page, latest.current, title);
      setState((was) => ({ ...was, value: latest.current }));
    },
    [me, page, began, title],
  );
  const drop = useCallback(() => {
    drafts.drop(me, page);
    latest.current = began;
    setState({ value: began, found: false });
  }, [me, page, began]);
  const done = useCallback(() => drafts.drop(me, page), [me, page]);
  return useMemo(() => ({ value, set, found, changed, drop, done }), [value, set, found, changed, drop, done]);
}
