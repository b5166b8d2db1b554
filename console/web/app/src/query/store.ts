// Tabs and history of queries, kept in this browser for who wrote them: their texts, never a token and never an
// answer. Nobody else is shown them. They go when their owner signs out, with those of whom they acted as, and when so
// many others have come after them that a browser of many people does not fill up.
import { personOf, type Me } from '../viewer';

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

export interface Tabs {
  tabs: QueryTab[];
  active: string;
}

interface Kept extends Tabs {
  history: Asked[];
  at: number; // when it was written
}

type Owner = Pick<Me, 'owner'>;

const prefix = 'usher.query ';
const mostOwners = 5;
const mostAsked = 50;

const isText = ({ query, variables }: Partial<Asked>) => typeof query === 'string' && typeof variables === 'string';

function kept(key: string): Kept {
  let found: Partial<Kept> | null = null;
  try {
    found = JSON.parse(localStorage.getItem(key) ?? 'null') as Partial<Kept> | null;
  } catch {
    // What cannot be read is as good as nothing.
  }
  const list = <T extends object>(all: T[] | undefined) => (Array.isArray(all) ? all.filter((one) => one && isText(one)) : []);
  return { tabs: list(found?.tabs).filter(({ id }) => typeof id === 'string'), active: String(found?.active ?? ''), history: list(found?.history), at: Number(found?.at) || 0 };
}

// left are the people who have signed out in this tab: what is still under way of theirs is not kept.
const left = new Set<string>();

function keep({ owner }: Owner, part: Partial<Kept>) {
  if (left.has(personOf(owner))) return;
  try {
    localStorage.setItem(prefix + owner, JSON.stringify({ ...kept(prefix + owner), ...part, at: Date.now() } satisfies Kept));
  } catch {
    // A browser without room keeps nothing.
  }
  tidy();
}

// tidy forgets those who were here longest ago, and what an earlier console kept for nobody in particular.
export function tidy() {
  for (const key of ['usher.query.tabs', 'usher.query.history']) localStorage.removeItem(key);
  const keys = Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  if (keys.length <= mostOwners) return;
  const at = new Map(keys.map((key) => [key, kept(key).at]));
  for (const key of keys.sort((a, b) => at.get(b)! - at.get(a)!).slice(mostOwners)) localStorage.removeItem(key);
}

export function forget({ owner }: Owner) {
  const person = personOf(owner);
  left.add(person);
  for (const key of Object.keys(localStorage)) if (key.startsWith(prefix) && personOf(key.slice(prefix.length)) === person) localStorage.removeItem(key);
}

export const newTab = (query = '', variables = ''): QueryTab => ({ id: crypto.randomUUID?.() ?? `${Date.now()}.${Math.random()}`, query, variables });

export function loadTabs({ owner }: Owner): Tabs {
  left.delete(personOf(owner));
  const { tabs, active } = kept(prefix + owner);
  if (tabs.length === 0) tabs.push(newTab());
  return { tabs, active: tabs.some(({ id }) => id === active) ? active : tabs[0]!.id };
}

export const saveTabs = (me: Owner, { tabs, active }: Tabs) => keep(me, { tabs, active });

// toOpen is what another page wants to have opened here, for the same person. A rendering that is thrown
// away must not take it, so it is taken when the page is there.
let opening: { owner: string; query: string; variables: string } | undefined;

export const toOpen = {
  want: ({ owner }: Owner, query: string, variables = '') => void (opening = { owner, query, variables }),
  get: ({ owner }: Owner) => (opening?.owner === owner ? opening : undefined),
  taken: () => void (opening = undefined),
};

export const history = {
  get: ({ owner }: Owner) => kept(prefix + owner).history,
  add(me: Owner, asked: Asked) {
    const others = history.get(me).filter(({ query, variables }) => query !== asked.query || variables !== asked.variables);
    keep(me, { history: [asked, ...others].slice(0, mostAsked) });
  },
  clear: (me: Owner) => keep(me, { history: [] }),
};

// nameOf is what a tab is called: after its first operation or field.
export function nameOf(query: string, otherwise: string): string {
  const text = query.replace(/#[^\n]*/g, '');
  return /\b(?:query|mutation|subscription)\s+(\w+)/.exec(text)?.[1] ?? /\{\s*(\w+)/.exec(text)?.[1] ?? otherwise;
}
