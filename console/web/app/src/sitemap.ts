// Which pages there are, and what a token must be able to fill them.
import { Bookmark, Building2, Compass, House, KeyRound, LayoutDashboard, type LucideIcon, ScrollText, ShieldCheck, SquareTerminal, Table2, TicketCheck, UsersRound } from 'lucide-react';
import { t } from './texts';
import type { Scope } from './scope';
import type { Me } from './viewer';

interface Page {
  to: string;
  label: string;
  one?: string; // where there is one only
  icon: LucideIcon;
  scopes?: Scope[]; // one of which it takes
  fills: (me: Me) => boolean;
}

const administers = (field: string) => (me: Me) => me.can('ADMINISTER') && me.has(`AdminQuery.${field}`);
const read: Scope[] = ['READ_DATA'];
const administer: Scope[] = ['ADMINISTER'];

const groups: { name?: string; pages: Page[] }[] = [
  { pages: [{ to: '/', label: t.nav.home, icon: House, fills: (me) => !me.only }] },
  {
    name: t.nav.data,
    pages: [
      { to: '/catalog', label: t.nav.catalog, icon: Table2, scopes: read, fills: (me) => me.can('READ_DATA') },
      { to: '/explore', label: t.nav.explore, icon: Compass, scopes: read, fills: (me) => me.can('READ_DATA') && me.has('Query.datasets') },
      { to: '/dashboards', label: t.nav.dashboards, icon: LayoutDashboard, scopes: read, fills: (me) => me.only === 'dashboards' || (me.can('READ_DATA') && me.has('Query.datasets')) },
      { to: '/query', label: t.nav.query, icon: SquareTerminal, fills: (me) => !me.only },
      { to: '/saved', label: t.nav.saved, icon: Bookmark, scopes: read, fills: (me) => me.can('READ_DATA') && me.has('Query.savedQueries') },
    ],
  },
  {
    name: t.nav.administration,
    pages: [
      { to: '/tenants', label: t.nav.tenants, one: t.nav.tenant, icon: Building2, scopes: administer, fills: administers('tenant') },
      { to: '/users', label: t.nav.users, icon: UsersRound, scopes: administer, fills: administers('users') },
      { to: '/roles', label: t.nav.roles, icon: ShieldCheck, scopes: administer, fills: administers('roles') },
      { to: '/tokens', label: t.nav.tokens, icon: TicketCheck, scopes: ['ADMINISTER', 'CREATE_TOKENS'], fills: (me) => administers('tokens')(me) || (me.can('CREATE_TOKENS') && me.has('Mutation.createToken')) },
      { to: '/keys', label: t.nav.keys, icon: KeyRound, scopes: administer, fills: administers('serviceKeys') },
      { to: '/audit', label: t.nav.audit, icon: ScrollText, scopes: administer, fills: administers('auditLog') },
    ],
  },
];

export function pagesFor(me: Me) {
  return groups.map(({ name, pages }) => ({ name, pages: pages.filter((page) => page.fills(me)).map((page) => ({ ...page, label: (!me.allTenants && page.one) || page.label })) })).filter(({ pages }) => pages.length > 0);
}

// shows tells whether there is a page at a path for somebody.
export function shows(me: Me, to: string) {
  return groups.some(({ pages }) => pages.some((page) => page.to === to && page.fills(me)));
}

const find = (to: string) => groups.flatMap(({ pages }) => pages).find((page) => page.to === to);

export const pageOf = (to: string) => find(to)?.label ?? t.errors.notFound;

// lacks says why somebody is shown no page at a path.
export function lacks(me: Me, to: string): string {
  const { scopes } = find(to) ?? {};
  if (me.only) return t.closed.dashboardsOnly;
  if (me.acting) return t.closed.acting;
  return scopes && !scopes.some(me.can) ? t.closed.scopes(scopes.map((scope) => t.scopes[scope]![0]!)) : t.closed.store;
}
