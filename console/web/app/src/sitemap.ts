// Which pages there are, and what a token must be able to fill them.
import { Bookmark, Building2, Compass, House, KeyRound, LayoutDashboard, type LucideIcon, ScrollText, ShieldCheck, SquareTerminal, Table2, TicketCheck, UsersRound } from 'lucide-react';
import { t } from './texts';
import type { Me } from './viewer';

interface Page {
  to: string;
  label: string;
  one?: string; // where there is one only
  icon: LucideIcon;
  fills: (me: Me) => boolean;
}

const administers = (field: string) => (me: Me) => me.can('ADMINISTER') && me.has(`AdminQuery.${field}`);

const groups: { name?: string; pages: Page[] }[] = [
  { pages: [{ to: '/', label: t.nav.home, icon: House, fills: (me) => !me.only }] },
  {
    name: t.nav.data,
    pages: [
      { to: '/catalog', label: t.nav.catalog, icon: Table2, fills: (me) => me.can('READ_DATA') },
      { to: '/explore', label: t.nav.explore, icon: Compass, fills: (me) => me.can('READ_DATA') && me.has('Query.datasets') },
      { to: '/dashboards', label: t.nav.dashboards, icon: LayoutDashboard, fills: (me) => me.only === 'dashboards' || (me.can('READ_DATA') && me.has('Query.datasets')) },
      { to: '/query', label: t.nav.query, icon: SquareTerminal, fills: (me) => !me.only },
      { to: '/saved', label: t.nav.saved, icon: Bookmark, fills: (me) => me.can('READ_DATA') && me.has('Query.savedQueries') },
    ],
  },
  {
    name: t.nav.administration,
    pages: [
      { to: '/tenants', label: t.nav.tenants, one: t.nav.tenant, icon: Building2, fills: administers('tenant') },
      { to: '/users', label: t.nav.users, icon: UsersRound, fills: administers('users') },
      { to: '/roles', label: t.nav.roles, icon: ShieldCheck, fills: administers('roles') },
      { to: '/tokens', label: t.nav.tokens, icon: TicketCheck, fills: (me) => administers('tokens')(me) || (me.can('CREATE_TOKENS') && me.has('Mutation.createToken')) },
      { to: '/keys', label: t.nav.keys, icon: KeyRound, fills: administers('serviceKeys') },
      { to: '/audit', label: t.nav.audit, icon: ScrollText, fills: administers('auditLog') },
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
