// Who is asking, and what their token can fill: which pages there are follows from
// the scopes and from the fields that the schema of their token has.
import { queryOptions } from '@tanstack/react-query';
import { ask, Failure, get } from './api';
import type { Scope } from './scope';
import { session } from './session';
import { t } from './texts';

export interface Viewer {
  subject: string;
  tenant: string | null;
  allTenants: boolean;
  roles: string[];
  tokenKind: 'JWT' | 'EMBED' | 'SERVICE_KEY' | 'SESSION';
  scopes: Scope[];
  acting: { subject: string; reason: string } | null;
  strategy: string | null;
  expiresAt: string | null;
  timezone: string;
}

export interface Me extends Viewer {
  // has tells whether the schema has a field, such as "AdminQuery.tenants".
  has: (field: string) => boolean;
  can: (scope: Scope) => boolean;
  only?: 'dashboards'; // that is all the token shows
  owner: string; // who it is, for what the browser keeps of them
}

const viewerFields = 'viewer { subject tenant allTenants roles tokenKind scopes acting { subject reason } strategy expiresAt timezone }';

const names = ['Query', 'AdminQuery', 'AdminMutation', 'Mutation'] as const;

type Named = { fields: { name: string; args?: { name: string }[] }[] } | null;

// whoIs asks who a token is, the tab's own if none is given.
export async function whoIs(token?: string): Promise<Me> {
  const other = token === undefined ? undefined : { token };
  type Answer = { viewer: Viewer } & Record<(typeof names)[number], Named>;
  let answer: Answer;
  // A token for dashboards alone asks nothing else, not even who it is: what may be one asks for these first.
  if (mayBeForDashboards(token ?? session.token()) && (await showsDashboards(token))) return onlyDashboards;
  try {
    const types = names.map((name) => `${name}: __type(name: "${name}") { fields { name ${name === 'Query' ? '' : 'args { name }'} } }`).join(' ');
    answer = await ask<Answer>(`{ ${viewerFields} ${types} }`, undefined, other);
  } catch (error) {
    // A token for saved queries alone may not look at the schema.
    if (!(error instanceof Failure) || error.code === 'UNAUTHENTICATED' || error.code === 'UNREACHABLE' || error.code === '401') throw error;
    answer = { ...(await ask<{ viewer: Viewer }>(`{ ${viewerFields} }`, undefined, other)), Query: null, AdminQuery: null, AdminMutation: null, Mutation: null };
  }
  const fields = new Set<string>();
  for (const name of names) {
    for (const field of answer[name]?.fields ?? []) {
      fields.add(`${name}.${field.name}`);
      for (const arg of field.args ?? []) fields.add(`${name}.${field.name}.${arg.name}`);
    }
  }
  return {
    ...answer.viewer,
    owner: await ownerOf(answer.viewer, token ?? session.token()),
    has: (field) => fields.has(field),
    can: (scope) => answer.viewer.scopes.includes(scope),
  };
}

// ownerOf tells people apart as the server does: names of one issuer and tenant are not those of another. Beside what a
// browser keeps it says nothing of who that is; a page that came unencrypted cannot make it so. Who acts as somebody stands below
// who they are themselves, as far as the tab knows that.
async function ownerOf(viewer: Viewer, token: string | undefined) {
  const who = await digestOf(viewer, token);
  const own = viewer.acting ? session.owner() : undefined;
  return own === undefined ? who : own + below + who;
}

const below = '\n'; // which neither a digest has nor JSON

// personOf is who an owner is themselves.
export const personOf = (owner: string) => owner.split(below)[0]!;

async function digestOf({ tokenKind, tenant, subject, acting }: Viewer, token: string | undefined) {
  const who = JSON.stringify([tokenKind, issuerOf(token), tenant, subject, acting?.subject ?? null]);
  const { subtle } = crypto as Partial<Crypto>;
  if (!subtle) return who;
  const digest = new Uint8Array(await subtle.digest('SHA-256', new TextEncoder().encode(who)));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

// issuerOf is who made a JWT; other tokens are usher's own.
function issuerOf(token: string | undefined) {
  try {
    const { iss } = JSON.parse(atob(token!.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/'))) as { iss?: unknown };
    return typeof iss === 'string' ? iss : null;
  } catch {
    return null;
  }
}

const onlyDashboards: Me = {
  subject: t.me.dashboardsOnly, tenant: null, allTenants: false, roles: [], tokenKind: 'EMBED', scopes: [], acting: null, strategy: null, expiresAt: null, timezone: 'UTC',
  has: () => false, can: () => false, only: 'dashboards', owner: 'dashboards',
};

// A session is never for dashboards alone.
const mayBeForDashboards = (token: string | undefined) => !session.is(token);

async function showsDashboards(token: string | undefined) {
  return get<{ only: boolean }>('dashboards', token).then(({ only }) => only, () => false);
}

export const meQuery = queryOptions({
  queryKey: ['me', ''],
  queryFn: () => whoIs(),
  enabled: () => session.token() !== undefined,
  staleTime: Infinity,
  retry: false,
});
