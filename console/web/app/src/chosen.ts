// What was chosen on a dashboard, which stands in the address: a reload, Back and whoever is sent it begin there.
import { useEffect, useRef, useState } from 'react';

export type Values = Readonly<Record<string, unknown>>;

// DashboardElement is what is asked of the element.
export interface DashboardElement extends HTMLElement {
  readonly values: Values; // of all parameters
}

interface Told {
  tile?: string;
  values?: Values;
  error?: { code?: string; message?: string };
}

export const none = '{}';

// about is the parameter that a refusal names.
const about = (message = '') => /parameter (\w+)|"\$(\w+)/.exec(message)?.slice(1).find(Boolean);

// useChosen are the values that a text of an address says, with all their digits, and what to do with what the
// element tells. What no parameter takes of an address is dropped, and named as stale: an empty name is all of it.
export function useChosen(parse: ((text: string) => Promise<unknown>) | undefined, text: string, onChange: (text: string) => void) {
  const [values, setValues] = useState<Values>();
  const [stale, setStale] = useState<string[]>([]);
  const held = useRef<{ text?: string; values: Values; given: boolean }>({ values: {}, given: false });

  const hold = (values: Values, text: string, given: boolean) => {
    held.current = { text, values, given };
    setValues(values);
  };
  useEffect(() => {
    if (!parse || text === held.current.text) return;
    let late = false;
    void parse(text).then(
      (read) => !late && hold(read as Values, text, text !== none),
      () => !late && (hold({}, none, false), setStale(['']), onChange(none)),
    );
    return () => {
      late = true;
    };
  }, [parse, text]);

  const take = (values: Values, given: boolean) => {
    const text = JSON.stringify(values);
    if (text === held.current.text) return;
    hold(values, text, given);
    onChange(text);
  };
  const drop = (names: string[]) => {
    const { given, values } = held.current;
    if (!given || names.length === 0) return;
    setStale((before) => [...new Set([...before, ...names])]);
    take(Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes('') && !names.includes(name))), true);
  };
  const hears = (event: Event) => {
    const { detail, target, type } = event as CustomEvent<Told>;
    if (type === 'usher:change') {
      if (JSON.stringify(detail.values) !== held.current.text) setStale([]);
      take(detail.values ?? {}, false);
    } else if (type === 'usher:load') {
      const known = (target as DashboardElement).values;
      drop(Object.keys(held.current.values).filter((name) => !(name in known)));
    } else if (detail.error?.code === 'BAD_USER_INPUT') {
      const name = about(detail.error.message) ?? '';
      if (name === '' || name in held.current.values) drop([name]);
    }
  };
  return { values, stale, hears };
}
