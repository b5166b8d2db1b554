// Tabs and history of queries, kept in this browser: their texts and variables, never a token
// and never an answer. Each user has their own, and signing out removes them.
import { whose } from '../drafts';
import type { Me } from '../viewer';

export interface QueryTab {
  id: string;
  query: string;
  variables: string;
}

export interface Asked {
  query: string;
  variables: string;
  at: string;
}

const prefix = 'usher.query.';
const tabsKey = (me: Me) => `${prefix}tabs ${whose(me)}`;
const historyKey = (me: Me) => `${prefix}history ${whose(me)}`;
const opening = 'usher.query.open';
const most = 50;

function read<T>(key: string, otherwise: T): T {
  try {
    return (JSON.parse(localStorage.getItem(key) ?? 'null') as T | null) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function write(key: string, value: unknown) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // A browser without room keeps nothing.
  }
}

export const newTab = (query = '', variables = ''): QueryTab => ({ id: crypto.randomUUID?.() ?? `${Date.now()}.${Math.random()}`, query, variables });

export interface Tabs {
  tabs: QueryTab[];
  active: string;
}

export function loadTabs(me: Me): Tabs {
  const { tabs, active } = read<Tabs>(tabsKey(me), { tabs: [], active: '' });
  const good = Array.isArray(tabs) ? tabs.filter((tab) => typeof tab?.id === 'string' && typeof tab.query === 'string' && typeof tab.variables === 'string') : [];
  if (good.length === 0) good.push(newTab());
  return { tabs: good, active: good.some(({ id }) => id === active) ? active : good[0]!.id };
}

export const saveTabs = (me: Me, state: Tabs) => write(tabsKey(me), state);

export function forgetQueries() {
  for (const key of Object.keys(localStorage)) if (key.startsWith(prefix)) localStorage.removeItem(key);
}

// toOpen is what another page wants to have opened here. A rendering that is thrown
// away must not take it, so it is taken when the page is there.
export const toOpen = {
  want: (query: string) => sessionStorage.setItem(opening, query),
  get: () => sessionStorage.getItem(opening) ?? undefined,
  taken: () => sessionStorage.removeItem(opening),
};

export const history = {
  get: (me: Me) => read<Asked[]>(historyKey(me), []),
  add(me: Me, asked: Asked) {
    const others = history.get(me).filter(({ query, variables }) => query !== asked.query || variables !== asked.variables);
    write(historyKey(me), [asked, ...others].slice(0, most));
  },
  clear: (me: Me) => write(historyKey(me), []),
};

// nameOf is what a tab is called: after its first operation or field.
export function nameOf(query: string, otherwise: string): string {
  const text = query.replace(/#[^\n]*/g, '');
  return /\b(?:query|mutation|subscription)\s+(\w+)/.exec(text)?.[1] ?? /\{\s*(\w+)/.exec(text)?.[1] ?? otherwise;
}
