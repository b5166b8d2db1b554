// Tabs and history of queries, kept for this browser: their texts, never a token
// and never an answer.
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

const tabsKey = 'usher.query.tabs';
const historyKey = 'usher.query.history';
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

export function loadTabs(): Tabs {
  const { tabs, active } = read<Tabs>(tabsKey, { tabs: [], active: '' });
  const good = Array.isArray(tabs) ? tabs.filter((tab) => typeof tab?.id === 'string' && typeof tab.query === 'string' && typeof tab.variables === 'string') : [];
  if (good.length === 0) good.push(newTab());
  return { tabs: good, active: good.some(({ id }) => id === active) ? active : good[0]!.id };
}

export const saveTabs = (state: Tabs) => write(tabsKey, state);

// toOpen is what another page wants to have opened here. A rendering that is thrown
// away must not take it, so it is taken when the page is there.
export const toOpen = {
  want: (query: string) => sessionStorage.setItem(opening, query),
  get: () => sessionStorage.getItem(opening) ?? undefined,
  taken: () => sessionStorage.removeItem(opening),
};

export const history = {
  get: () => read<Asked[]>(historyKey, []),
  add(asked: Asked) {
    const others = history.get().filter(({ query, variables }) => query !== asked.query || variables !== asked.variables);
    write(historyKey, [asked, ...others].slice(0, most));
  },
  clear: () => write(historyKey, []),
};

// nameOf is what a tab is called: after its first operation or field.
export function nameOf(query: string, otherwise: string): string {
  const text = query.replace(/#[^\n]*/g, '');
  return /\b(?:query|mutation|subscription)\s+(\w+)/.exec(text)?.[1] ?? /\{\s*(\w+)/.exec(text)?.[1] ?? otherwise;
}
