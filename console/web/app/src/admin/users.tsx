// Users: people who sign in with a password.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { KeyRound, LockOpen, LogOut, Pause, Pencil, Play, ShieldCheck, Trash2, UsersRound } from 'lucide-react';
import { useState } from 'react';
import { useDraft } from '../drafts';
import { useMe } from '../me';
import { Badges } from '../pages/home';
import { t } from '../texts';
import { Button, Checks, TextField } from '../ui/controls';
import { Confirm, FormDialog } from '../ui/dialog';
import { Names } from '../ui/names';
import { When } from '../ui/page';
import { Offers } from '../ui/restored';
import { Loaded } from '../ui/state';
import { toast } from '../ui/toast';
import type { Scope } from '../scope';
import type { Me } from '../viewer';
import { Actions, admin, scopeName, TenantPicker, useScopes, type Action, type PageOf } from './common';
import { Card, Detail, Facts } from './detail';
import { useRoles } from './known';
import { Listing, Named, useFilter, usePaged } from './list';

interface User {
  id: string;
  tenant: string | null;
  username: string;
  login: string;
  name: string | null;
  email: string | null;
  status: 'ACTIVE' | 'DISABLED';
  lockedUntil: string | null;
  roles: string[];
  scopes: Scope[];
  createdAt: string;
  changedAt: string;
}

const fields = 'id tenant username login name email status lockedUntil roles scopes createdAt changedAt';

// ofNone stands for the users of no tenant in the address; no tenant is called so.
const ofNone = '-';

type What = 'profile' | 'rights' | 'password' | 'unlock' | 'logout' | 'disable' | 'enable' | 'remove';
type Doing = { what: 'create' } | { what: What; user: User };

// draftsOf begins the names of the drafts of a user's forms.
const draftsOf = ({ tenant, username }: Pick<User, 'tenant' | 'username'>) => `user ${tenant ?? ''}|${username}/`;

export function Users() {
  const me = useMe();
  const { tenant, search, set } = useFilter();
  const [doing, setDoing] = useState<Doing>();
  const navigate = useNavigate();
  const operates = me.has('AdminQuery.tenants');
  // The form of a user is on their page.
  const onPage = (what: string) => {
    const [, of, username] = /^([^|]*)\|(.*)\/[a-z]+$/.exec(what) ?? [];
    if (username) void navigate({ to: '/users/$user', params: { user: username }, search: { tenant: of || undefined } });
  };
  const allTenants = operates && tenant === undefined;
  const users = usePaged<User>(
    ['users', tenant ?? '', search ?? ''],
    `query($tenant: String, $allTenants: Boolean, $search: String, $after: String) { admin { it: users(tenant: $tenant, allTenants: $allTenants, search: $search, after: $after) { items { ${fields} } next } } }`,
    { tenant: tenant === ofNone ? undefined : tenant, allTenants: allTenants || undefined, search },
  );
  return (
    <Listing
      title={t.users.title}
      lead={t.users.lead}
      create={{ name: t.users.create, act: () => setDoing({ what: 'create' }) }}
      before={
        !doing && (
          <>
            <Offers under="users/" take={() => setDoing({ what: 'create' })} />
            <Offers under="user " take={onPage} />
          </>
        )
      }
      search={me.allTenants ? t.users.search : t.users.searchOwn}
      filters={<TenantPicker label={t.users.of} value={tenant} others={[{ id: '', name: t.all }, { id: ofNone, name: t.users.operators }]} onChange={(next) => set({ tenant: next })} />}
      of={users}
      id={({ id }) => id}
      name={({ username }) => username}
      columns={[
        {
          name: t.users.username,
          text: true,
          cell: (user) => (
            <Named
              to={{ to: '/users/$user', params: { user: user.username }, search: { tenant: user.tenant ?? undefined } }}
              under={
                <>
                  {user.login !== (user.name ?? user.username) && <span className="mono">{user.login}</span>}
                  {user.email && (user.login !== (user.name ?? user.username) ? ` · ${user.email}` : user.email)}
                </>
              }
            >
              {user.name ?? user.username}
            </Named>
          ),
        },
        { name: t.users.status, cell: (user) => <Status of={user} /> },
        { name: t.users.roles, lesser: true, cell: ({ roles }) => <Badges of={roles} /> },
        { name: t.users.scopes, lesser: true, cell: ({ scopes }) => <Badges of={scopes.map(scopeName)} /> },
        { name: t.users.since, lesser: true, cell: ({ createdAt }) => <When at={createdAt} /> },
      ]}
      actions={(user) => userActions(me, user, setDoing)}
      empty={{ icon: UsersRound, title: t.users.empty, words: t.users.emptyWords }}
    >
      <Dialogs doing={doing} tenant={tenant === ofNone ? undefined : tenant} onClose={() => setDoing(undefined)} />
    </Listing>
  );
}

const waits = ({ lockedUntil }: User) => lockedUntil !== null && new Date(lockedUntil).getTime() > Date.now();

function Status({ of: user }: { of: User }) {
  return (
    <span className="badges">
      <span className={`badge ${user.status === 'ACTIVE' ? 'good' : 'warn'}`}>{t.users.statuses[user.status]}</span>
      {waits(user) && <span className="badge bad">{t.users.locked}</span>}
    </span>
  );
}

function userActions(me: Me, user: User, setDoing: (doing: Doing) => void): (Action | false)[] {
  const item = (what: What, name: string, icon: typeof Play, field: string, bad?: boolean) => me.has(`AdminMutation.${field}`) && { name, icon, bad, act: () => setDoing({ what, user }) };
  return [
    item('profile', t.users.profile, Pencil, 'setUserProfile'),
    item('rights', t.users.rights, ShieldCheck, 'setUserRights'),
    item('password', t.users.setPassword, KeyRound, 'setPassword'),
    waits(user) && item('unlock', t.users.unlock, LockOpen, 'unlockUser'),
    item('logout', t.users.logout, LogOut, 'endUserSessions'),
    user.status === 'ACTIVE' ? item('disable', t.users.disable, Pause, 'setUserStatus') : item('enable', t.users.enable, Play, 'setUserStatus'),
    item('remove', t.users.remove, Trash2, 'deleteUser', true),
  ];
}

export function UserPage() {
  const me = useMe();
  const { user: username } = useParams({ strict: false }) as { user: string };
  const { tenant } = useSearch({ strict: false }) as { tenant?: string };
  const [doing, setDoing] = useState<Doing>();
  const asked = useQuery({
    queryKey: ['users', 'one', tenant ?? '', username],
    queryFn: () => admin<User | null>(`query($tenant: String, $username: String!) { admin { it: user(tenant: $tenant, username: $username) { ${fields} } } }`, { tenant, username }),
  });
  const user = asked.data ?? undefined;
  const edit = (what: What, field: string) => me.has(`AdminMutation.${field}`) && (() => setDoing({ what, user: user! }));
  return (
    <Detail<User>
      title={user?.name ?? username}
      under={user && user.login !== (user.name ?? username) && <span className="mono">{user.login}</span>}
      back={{ to: { to: '/users', search: { tenant } }, name: t.users.title }}
      of={asked}
      gone={t.users.gone}
      actions={user && <Actions page of={user.username} items={userActions(me, user, setDoing)} />}
    >
      {(found) => (
        <>
          {!doing && <Offers under={draftsOf(found)} take={(what) => (what === 'profile' || what === 'rights') && setDoing({ what, user: found })} />}
          <div className="home">
            <div className="stack">
              <Card title={t.users.person} lead={t.users.personWords} actions={<Status of={found} />}>
                <Facts
                  of={[
                    { name: t.users.fullName, value: <code>{found.login}</code> },
                    { name: t.users.name, value: found.name ?? <span className="muted">{t.none}</span>, edit: edit('profile', 'setUserProfile') },
                    { name: t.users.email, value: found.email ?? <span className="muted">{t.none}</span>, edit: edit('profile', 'setUserProfile') },
                    { name: t.users.of, value: found.tenant ?? t.allTenants },
                    waits(found) && { name: t.users.locked, value: <><When at={found.lockedUntil} /> <span className="under">{t.users.lockedWords}</span></> },
                    { name: t.users.since, value: <When at={found.createdAt} /> },
                    { name: t.users.changed, value: <When at={found.changedAt} /> },
                  ]}
                />
              </Card>
              <Card title={t.users.may} lead={t.users.mayWords}>
                <Facts
                  of={[
                    { name: t.users.roles, value: <Badges of={found.roles} />, edit: edit('rights', 'setUserRights') },
                    { name: t.users.scopes, value: <Badges of={found.scopes.map(scopeName)} />, edit: edit('rights', 'setUserRights') },
                  ]}
                />
              </Card>
            </div>
            <div className="stack">
              <Sessions of={found} end={edit('logout', 'endUserSessions')} />
            </div>
          </div>
          <Dialogs doing={doing} tenant={tenant} onClose={() => setDoing(undefined)} />
        </>
      )}
    </Detail>
  );
}

interface Session {
  id: string;
  tenant: string | null;
  createdAt: string;
  lastUsedAt: string | null;
  expiresAt: string | null;
}

// Sessions are where the user is logged in now.
function Sessions({ of: user, end }: { of: User; end: (() => void) | false }) {
  const asked = useQuery({
    queryKey: ['users', 'sessions', user.id],
    queryFn: () =>
      admin<PageOf<Session>>('query($tenant: String, $subject: String) { admin { it: tokens(kind: SESSION, living: true, tenant: $tenant, subject: $subject, limit: 100) { items { id tenant createdAt lastUsedAt expiresAt } next } } }', { tenant: user.tenant ?? undefined, subject: user.username }),
  });
  return (
    <Card
      title={t.users.sessions}
      lead={t.users.sessionsWords}
      actions={
        end && (
          <Button small onPress={end}>
            {t.users.logout}
          </Button>
        )
      }
    >
      <Loaded of={asked}>
        {({ items }) => {
          const own = items.filter(({ tenant }) => tenant === user.tenant);
          return own.length === 0 ? (
            <p className="muted">{t.users.sessionsNone}</p>
          ) : (
            <ul className="rows">
              {own.map(({ id, createdAt, lastUsedAt, expiresAt }) => (
                <li key={id}>
                  <div>
                    <span className="lead">
                      <When at={createdAt} />
                    </span>
                    <div className="under">
                      {t.tokens.lastUsed}: <When at={lastUsedAt} otherwise={t.never} /> · {t.tokens.until}: <When at={expiresAt} otherwise={t.never} />
                    </div>
                  </div>
                </li>
              ))}
            </ul>
          );
        }}
      </Loaded>
    </Card>
  );
}

function Dialogs({ doing, tenant, onClose }: { doing: Doing | undefined; tenant?: string; onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  if (!doing) return null;
  const done = async (said: string) => {
    await client.invalidateQueries({ queryKey: ['users'] });
    toast(said);
    onClose();
  };
  if (doing.what === 'create') return <Create tenant={tenant} done={done} onClose={onClose} />;
  const { user } = doing;
  const who = { tenant: user.tenant ?? undefined, username: user.username };
  const change = (field: string, parts = ' { id }') => admin<number>(`mutation($tenant: String, $username: String!) { admin { it: ${field}(tenant: $tenant, username: $username)${parts} } }`, who);
  const status = (next: User['status']) => admin('mutation($tenant: String, $username: String!, $status: UserStatus!) { admin { it: setUserStatus(tenant: $tenant, username: $username, status: $status) { id } } }', { ...who, status: next });
  const title = (words: string) => `${words}: ${user.username}`;
  switch (doing.what) {
    case 'profile':
      return <Profile user={user} done={done} onClose={onClose} />;
    case 'rights':
      return <Rights user={user} done={done} onClose={onClose} />;
    case 'password':
      return <Password user={user} done={done} onClose={onClose} />;
    case 'unlock':
      return <FormDialog title={title(t.users.unlock)} lead={t.users.unlockWords} action={t.users.unlock} submit={() => change('unlockUser').then(() => done(t.users.unlocked(user.username)))} onClose={onClose} />;
    case 'logout':
      return <Confirm title={title(t.users.logout)} lead={t.users.logoutWords} action={t.users.logout} submit={() => change('endUserSessions', '').then((n) => done(t.tokens.revoked(n)))} onClose={onClose} />;
    case 'disable':
      return <Confirm title={title(t.users.disable)} lead={t.users.disableWords} action={t.users.disable} submit={() => status('DISABLED').then(() => done(t.users.disabled(user.username)))} onClose={onClose} />;
    case 'enable':
      return <FormDialog title={title(t.users.enable)} lead={t.users.enableWords} action={t.users.enable} submit={() => status('ACTIVE').then(() => done(t.users.enabled(user.username)))} onClose={onClose} />;
    case 'remove':
      return (
        <Confirm
          title={title(t.users.remove)}
          lead={t.users.removeWords}
          name={user.username}
          action={t.users.remove}
          submit={async () => {
            await change('deleteUser', '');
            await done(t.users.removed(user.username));
            void navigate({ to: '/users', search: { tenant: user.tenant ?? undefined } });
          }}
          onClose={onClose}
        />
      );
  }
}

type Done = (said: string) => Promise<void>;

const shortest = 12; // characters of a password

const tooShort = (password: string) => (password !== '' && [...password].length < shortest ? t.users.passwordShort : undefined);

function Create({ tenant: given, done, onClose }: { tenant?: string; done: Done; onClose: () => void }) {
  const me = useMe();
  const mine = useScopes();
  const draft = useDraft('users/create', { tenant: given ?? '', username: '', name: '', email: '', roles: [] as string[], chosen: ['READ_DATA'] as string[] }, t.users.create);
  const { username, name, email, roles, chosen } = draft.value;
  const tenant = draft.value.tenant || undefined;
  const [password, setPassword] = useState(''); // no part of the draft
  const known = useRoles(tenant);
  const of = tenant ?? me.tenant;
  const login = `${of ? `${of}|` : ''}${username.trim().toLowerCase() || '…'}`; // as it is kept
  const wrong = /\s/.test(username.trim()) ? t.users.usernameWrong : undefined;
  async function submit() {
    const input = {
      tenant,
      allTenants: of === null || undefined,
      username: username.trim(),
      password,
      name: name.trim() || undefined,
      email: email.trim() || undefined,
      roles,
      scopes: chosen,
    };
    const made = await admin<User>('mutation($input: NewUser!) { admin { it: createUser(input: $input) { login } } }', { input });
    await done(t.users.created(made.login));
  }
  return (
    <FormDialog title={t.users.create} lead={of === null ? t.users.operatorsWords : undefined} wide draft={draft} action={t.users.create} submit={submit} onClose={onClose} disabled={wrong !== undefined || (!username.trim() ? t.users.usernameMissing : [...password].length < shortest && t.users.passwordMissing)}>
      <div className="columns">
        {me.allTenants && <TenantPicker label={t.users.of} value={tenant} others={[{ id: '', name: t.users.operators }]} onChange={(next) => draft.set({ tenant: next ?? '' })} autoFocus={!tenant} />}
        <TextField label={t.users.username} hint={`${t.users.fullName} ${login}`} wrong={wrong} value={username} onChange={(username) => draft.set({ username })} autoFocus={!me.allTenants || tenant !== undefined} autoComplete="off" />
        <TextField label={t.users.password} type="password" hint={t.users.passwordHint} wrong={tooShort(password)} value={password} onChange={setPassword} autoComplete="new-password" />
        <TextField label={t.users.name} value={name} onChange={(name) => draft.set({ name })} autoComplete="off" />
        <TextField label={t.users.email} type="email" value={email} onChange={(email) => draft.set({ email })} autoComplete="off" />
        <Names label={t.users.roles} hint={t.users.rolesHint} value={roles} onChange={(roles) => draft.set({ roles })} known={known} />
      </div>
      <Checks label={t.users.scopes} choices={mine} value={chosen} onChange={(chosen) => draft.set({ chosen })} />
    </FormDialog>
  );
}

function Profile({ user, done, onClose }: { user: User; done: Done; onClose: () => void }) {
  const draft = useDraft(`${draftsOf(user)}profile`, { name: user.name ?? '', email: user.email ?? '' }, `${t.users.profile}: ${user.username}`);
  const { name, email } = draft.value;
  const wrong = email.trim() && !/^[^\s@]+@[^\s@]+$/.test(email.trim()) ? t.users.emailWrong : undefined;
  async function submit() {
    await admin('mutation($tenant: String, $username: String!, $name: String!, $email: String!) { admin { it: setUserProfile(tenant: $tenant, username: $username, name: $name, email: $email) { id } } }', {
      tenant: user.tenant ?? undefined,
      username: user.username,
      name: name.trim(),
      email: email.trim(),
    });
    await done(t.users.profileSaved);
  }
  return (
    <FormDialog title={`${t.users.profile}: ${user.username}`} lead={t.users.profileWords} draft={draft} action={t.save} submit={submit} onClose={onClose} disabled={wrong !== undefined}>
      <TextField label={t.users.name} value={name} onChange={(name) => draft.set({ name })} autoFocus autoComplete="off" />
      <TextField label={t.users.email} wrong={wrong} value={email} onChange={(email) => draft.set({ email })} type="email" autoComplete="off" />
    </FormDialog>
  );
}

function Rights({ user, done, onClose }: { user: User; done: Done; onClose: () => void }) {
  const mine = useScopes();
  const known = useRoles(user.tenant ?? undefined);
  const draft = useDraft(`${draftsOf(user)}rights`, { roles: user.roles, chosen: user.scopes as string[] }, `${t.users.rights}: ${user.username}`);
  const { roles, chosen } = draft.value;
  // What they hold and the viewer does not is left as it is.
  const kept = user.scopes.filter((scope) => !mine.some(({ id }) => id === scope));
  const taken = [...user.roles.filter((role) => !roles.includes(role)), ...user.scopes.filter((scope) => !chosen.includes(scope) && !kept.includes(scope)).map(scopeName)];
  async function submit() {
    await admin('mutation($tenant: String, $username: String!, $roles: [String!]!, $scopes: [Scope!]!) { admin { it: setUserRights(tenant: $tenant, username: $username, roles: $roles, scopes: $scopes) { id } } }', {
      tenant: user.tenant ?? undefined,
      username: user.username,
      roles,
      scopes: [...new Set([...chosen, ...kept])],
    });
    await done(t.users.rightsSaved);
  }
  return (
    <FormDialog title={`${t.users.rights}: ${user.username}`} draft={draft} action={t.save} submit={submit} onClose={onClose} takes={taken.length > 0 && t.users.rightsTake(taken.join(', '))}>
      <Names label={t.users.roles} hint={t.users.rolesHint} value={roles} onChange={(roles) => draft.set({ roles })} known={known} />
      <Checks label={t.users.scopes} choices={mine} value={chosen} onChange={(chosen) => draft.set({ chosen })} />
    </FormDialog>
  );
}

function Password({ user, done, onClose }: { user: User; done: Done; onClose: () => void }) {
  const [password, setPassword] = useState('');
  async function submit() {
    await admin('mutation($tenant: String, $username: String!, $password: String!) { admin { it: setPassword(tenant: $tenant, username: $username, password: $password) { id } } }', { tenant: user.tenant ?? undefined, username: user.username, password });
    await done(t.users.passwordSet);
  }
  return (
    <FormDialog title={`${t.users.setPassword}: ${user.username}`} lead={t.users.setPasswordWords} action={t.users.setPassword} submit={submit} onClose={onClose} disabled={password.length < shortest}>
      {(error) => <TextField label={t.users.password} type="password" hint={t.users.passwordHint} wrong={tooShort(password) ?? error} value={password} onChange={setPassword} autoFocus autoComplete="new-password" />}
    </FormDialog>
  );
}
