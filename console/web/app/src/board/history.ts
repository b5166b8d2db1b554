// What was, what is, and what was taken back.
import { useCallback, useState } from 'react';

interface Past<T> {
  before: T[];
  now: T;
  after: T[];
  kind: string; // of the last change: words typed in one place are one step
}

const kept = 100;

// useHistory begins with what is kept, or one step later with a draft of before.
export function useHistory<T>(first: T, draft?: T) {
  const [state, setState] = useState<Past<T>>(draft === undefined ? { before: [], now: first, after: [], kind: '' } : { before: [first], now: draft, after: [], kind: '' });
  const change = useCallback((next: T | ((now: T) => T), kind = '') => {
    setState((was) => {
      const now = typeof next === 'function' ? (next as (now: T) => T)(was.now) : next;
      if (now === was.now) return was;
      const same = kind !== '' && kind === was.kind;
      return { before: same ? was.before : [...was.before, was.now].slice(-kept), now, after: [], kind };
    });
  }, []);
  const undo = useCallback(() => {
    setState((was) => (was.before.length === 0 ? was : { before: was.before.slice(0, -1), now: was.before.at(-1)!, after: [was.now, ...was.after], kind: '' }));
  }, []);
  const redo = useCallback(() => {
    setState((was) => (was.after.length === 0 ? was : { before: [...was.before, was.now], now: was.after[0]!, after: was.after.slice(1), kind: '' }));
  }, []);
  return { now: state.now, change, undo, redo, canUndo: state.before.length > 0, canRedo: state.after.length > 0 };
}
