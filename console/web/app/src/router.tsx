// The pages by their paths. Those that few open are loaded when they are.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Navigate, Outlet, parseSearchWith, redirect, stringifySearchWith, useParams, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { consolePath } from './base';
import { useMe } from './me';
import { Catalog } from './pages/catalog';
import { Home } from './pages/home';
import { SignIn, type SignInSearch } from './pages/signin';
import { invitedTo, readSearch, tenantIn, text, written } from './search';
import { session } from './session';
import { Shell } from './shell';
import { NotFound, NotYours, type Instead } from './pages/closed';
import { shows } from './sitemap';
import { t } from './texts';
import { Failed, Loading } from './ui/state';

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound });

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  component: SignIn,
  validateSearch: (search): SignInSearch => ({ tenant: tenantIn(search), back: text(search.back) }),
});

// Whoever has no token signs in first, and is back where they were.
const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: Shell,
  beforeLoad: ({ location }) => {
    if (session.token() !== undefined) return;
    const arrives = location.pathname === '/';
    const back = session.ending()?.how === 'signedOut' || arrives ? undefined : location.href;
    throw redirect({ to: '/sign-in', search: { tenant: invitedTo(location) ?? session.tenant(), back }, replace: true });
  },
});

// guard shows a page to those whose token can fill it; others are told why not. A part of a page, such as its editor,
// needs a field beside, and leads to what they may see of it.
function guard(to: string, Component: () => ReactNode, part?: { field: string; instead: Instead }) {
  return function Guarded() {
    const me = useMe();
    const params = useParams({ strict: false });
    const search = useSearch({ strict: false });
    if (!shows(me, to)) return <NotYours page={to} />;
    return part && !me.has(part.field) ? <NotYours page={to} instead={part.instead(params, search)} /> : <Component />;
  };
}

// Who may see dashboards alone begins there.
function Entry() {
  return useMe().only ? <Navigate to="/dashboards" replace /> : <Home />;
}

const home = createRoute({ getParentRoute: () => shell, path: '/', component: Entry });
const catalog = createRoute({ getParentRoute: () => shell, path: '/catalog', component: guard('/catalog', Catalog) });
const dataset = createRoute({ getParentRoute: () => catalog, path: '$dataset' });

const Query = lazyRouteComponent(() => import('./query/page'), 'QueryPage');
const query = createRoute({ getParentRoute: () => shell, path: '/query', component: guard('/query', () => <Query />) });

const explore = () => import('./pages/explore');
const Explore = lazyRouteComponent(explore, 'Explore');
const Saved = lazyRouteComponent(explore, 'Saved');

const dashboards = () => import('./pages/dashboards');
const Dashboards = lazyRouteComponent(dashboards, 'Dashboards');
const DashboardPage = lazyRouteComponent(dashboards, 'DashboardPage');

const EditorPage = lazyRouteComponent(() => import('./board/editor'), 'EditorPage');

const admin = () => import('./pages/admin');
const Tenants = lazyRouteComponent(admin, 'Tenants');
const TenantPage = lazyRouteComponent(admin, 'TenantPage');
const Users = lazyRouteComponent(admin, 'Users');
const UserPage = lazyRouteComponent(admin, 'UserPage');
const RolePage = lazyRouteComponent(admin, 'RolePage');
const TokenPage = lazyRouteComponent(admin, 'TokenPage');
const KeyPage = lazyRouteComponent(admin, 'KeyPage');
const RoleEditor = lazyRouteComponent(() => import('./admin/role/page'), 'RoleEditor');
const Roles = lazyRouteComponent(admin, 'Roles');
const Tokens = lazyRouteComponent(admin, 'Tokens');
const Keys = lazyRouteComponent(admin, 'Keys');
const Audit = lazyRouteComponent(admin, 'Audit');

// What a list is filtered by.
const filtered = (search: Record<string, unknown>): { tenant?: string; search?: string; kind?: string; ended?: boolean } => ({
  tenant: text(written(search.tenant)),
  search: text(written(search.search)),
  kind: text(search.kind),
  ended: search.ended === true || undefined,
});

const pages = [
  createRoute({
    getParentRoute: () => shell,
    path: '/explore',
    // What is explored is read by the page, which takes nothing of it on trust.
    validateSearch: (search): { q?: unknown; saved?: string } => ({ q: typeof search.q === 'object' && search.q !== null ? search.q : undefined, saved: text(search.saved) }),
    component: guard('/explore', () => <Explore />),
  }),
  createRoute({ getParentRoute: () => shell, path: '/saved', component: guard('/saved', () => <Saved />) }),
  createRoute({ getParentRoute: () => shell, path: '/dashboards', component: guard('/dashboards', () => <Dashboards />) }),
  createRoute({
    getParentRoute: () => shell,
    path: '/dashboards/$dashboard',
    // What was chosen, which the page takes on trust no more than usher does.
    validateSearch: (search): { q?: unknown } => ({ q: (typeof search.q === 'object' && search.q !== null && !Array.isArray(search.q)) || (typeof search.q === 'string' && search.q.startsWith('{')) ? search.q : undefined }),
    component: guard('/dashboards', () => <DashboardPage />),
  }),
  createRoute({ getParentRoute: () => shell, path: '/dashboards/$dashboard/edit', component: guard('/dashboards', () => <EditorPage />, { field: 'Mutation.saveDashboard', instead: ({ dashboard = '' }) => ({ may: t.closed.editsDashboard, to: '/dashboards/$dashboard', params: { dashboard }, name: t.closed.seeDashboard }) }) }),
  createRoute({ getParentRoute: () => shell, path: '/tenants', validateSearch: filtered, component: guard('/tenants', () => <Tenants />) }),
  createRoute({ getParentRoute: () => shell, path: '/tenants/$tenant', component: guard('/tenants', () => <TenantPage />) }),
  createRoute({ getParentRoute: () => shell, path: '/users', validateSearch: filtered, component: guard('/users', () => <Users />) }),
  createRoute({ getParentRoute: () => shell, path: '/users/$user', validateSearch: filtered, component: guard('/users', () => <UserPage />) }),
  createRoute({ getParentRoute: () => shell, path: '/roles', validateSearch: filtered, component: guard('/roles', () => <Roles />) }),
  createRoute({ getParentRoute: () => shell, path: '/roles/$role', validateSearch: filtered, component: guard('/roles', () => <RolePage />) }),
  createRoute({ getParentRoute: () => shell, path: '/roles/$role/edit', validateSearch: filtered, component: guard('/roles', () => <RoleEditor />, { field: 'AdminMutation.putRole', instead: ({ role = '' }, { tenant }) => ({ may: t.closed.editsRole, to: '/roles/$role', params: { role }, search: { tenant }, name: t.closed.seeRole }) }) }),
  createRoute({ getParentRoute: () => shell, path: '/new-role', validateSearch: filtered, component: guard('/roles', () => <RoleEditor />, { field: 'AdminMutation.putRole', instead: (_, { tenant }) => ({ may: t.closed.editsRole, to: '/roles', search: { tenant }, name: t.roles.title }) }) }),
  createRoute({ getParentRoute: () => shell, path: '/tokens', validateSearch: filtered, component: guard('/tokens', () => <Tokens />) }),
  createRoute({ getParentRoute: () => shell, path: '/tokens/$token', validateSearch: filtered, component: guard('/tokens', () => <TokenPage />, { field: 'AdminQuery.tokens', instead: () => ({ may: t.closed.seesTokens, to: '/tokens', name: t.tokens.title }) }) }),
  createRoute({ getParentRoute: () => shell, path: '/keys', validateSearch: filtered, component: guard('/keys', () => <Keys />) }),
  createRoute({ getParentRoute: () => shell, path: '/keys/$key', validateSearch: filtered, component: guard('/keys', () => <KeyPage />) }),
  createRoute({ getParentRoute: () => shell, path: '/audit', validateSearch: filtered, component: guard('/audit', () => <Audit />) }),
];

export const router = createRouter({
  routeTree: root.addChildren([signIn, shell.addChildren([home, catalog.addChildren([dataset]), query, ...pages])]),
  basepath: consolePath,
  parseSearch: parseSearchWith(readSearch),
  stringifySearch: stringifySearchWith(JSON.stringify, readSearch),
  defaultPreload: false,
  defaultPendingComponent: Loading,
  defaultPendingMs: 0,
  defaultErrorComponent: ({ error }) => (
    <main className="page">
      <div className="card">
        <Failed error={error} title={t.errors.page} retry={() => location.reload()} />
      </div>
    </main>
  ),
  defaultNotFoundComponent: NotFound,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
