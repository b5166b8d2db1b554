// Users: people who sign in with a password.
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { KeyRound, Pause, Play, Plus, SearchX, ShieldCheck, Trash2, UsersRound } from 'lucide-react';
import { useState } from 'react';
import { useMe } from '../me';
import { Badges } from '../pages/home';
import { t } from '../texts';
import { Button, Checks, SearchField, TextField } from '../ui/controls';
import { Confirm, FormDialog } from '../ui/dialog';
import { Page, When } from '../ui/page';
import { Empty } from '../ui/state';
import { toast } from '../ui/toast';
import type { Scope } from '../viewer';
import { Actions, admin, Listed, names, scopeName, TenantPicker, useDelayed, usePaged, useScopes } from './common';

interface User {
  id: string;
  tenant: string | null;
  username: string;
  name: string | null;
  email: string | null;
  status: 'ACTIVE' | 'DISABLED';
  roles: string[];
  scopes: Scope[];
  createdAt: string;
}

type Doing = { what: 'create' } | { what: 'rights' | 'password' | 'disable' | 'enable' | 'remove'; user: User };

export function Users() {
  const me = useMe();
  const navigate = useNavigate();
  const { tenant } = useSearch({ strict: false }) as { tenant?: string };
  const [search, setSearch] = useState('');
  const wanted = useDelayed(search.trim());
  const [doing, setDoing] = useState<Doing>();
  const searches = me.has('AdminQuery.users.search');
  const args = searches ? '$tenant: String, $search: String, $after: String' : '$tenant: String, $after: String';
  const pass = searches ? 'tenant: $tenant, search: $search, after: $after' : 'tenant: $tenant, after: $after';
  const users = usePaged<User>(['users', tenant ?? '', wanted], `query(${args}) { admin { it: users(${pass}) { items { id tenant username name email status roles scopes createdAt } next } } }`, {
    tenant,
    ...(searches ? { search: wanted || undefined } : {}),
  });
  return (
    <Page
      title={t.users.title}
      lead={t.users.lead}
      actions={
        <Button look="primary" onPress={() => setDoing({ what: 'create' })}>
          <Plus size={16} aria-hidden />
          {t.users.create}
        </Button>
      }
    >
      <div className="filters">
        <TenantPicker label={t.users.of} value={tenant} none={t.users.operators} onChange={(next) => void navigate({ to: '/users', search: { tenant: next } })} />
        {searches && <SearchField label={t.users.search} value={search} onChange={setSearch} />}
      </div>
      <Listed
        of={users}
        label={t.users.title}
        empty={
          wanted ? (
            <Empty icon={SearchX} title={t.users.nothing} action={<Button onPress={() => setSearch('')}>{t.clear}</Button>}>
              {t.users.nothingWords}
            </Empty>
          ) : (
            <Empty icon={UsersRound} title={t.users.empty} action={<Button onPress={() => setDoing({ what: 'create' })}>{t.users.create}</Button>}>
              {t.users.emptyWords}
            </Empty>
          )
        }
        head={
          <>
            <th scope="col">{t.users.username}</th>
            <th scope="col">{t.users.status}</th>
            <th scope="col" className="lesser">
              {t.users.roles}
            </th>
            <th scope="col" className="lesser">
              {t.users.scopes}
            </th>
            <th scope="col" className="lesser">
              {t.users.since}
            </th>
            <th scope="col">
              <span className="hidden-visually">{t.actions}</span>
            </th>
          </>
        }
      >
        {(user) => (
          <tr key={user.id}>
            <td className="break">
              <span className="lead">{user.name ?? user.username}</span>
              <span className="under">
                <span className="mono">{user.tenant ? `${user.tenant}|${user.username}` : user.username}</span>
                {user.email && ` · ${user.email}`}
              </span>
            </td>
            <td>
              <span className={`badge ${user.status === 'ACTIVE' ? 'good' : 'warn'}`}>{t.users.statuses[user.status]}</span>
            </td>
            <td className="lesser">
              <Badges of={user.roles} />
            </td>
            <td className="lesser">
              <Badges of={user.scopes.map(scopeName)} />
            </td>
            <td className="lesser">
              <When at={user.createdAt} />
            </td>
            <td className="actions">
              <Actions
                of={user.username}
                items={[
                  { name: t.users.rights, icon: ShieldCheck, act: () => setDoing({ what: 'rights', user }) },
                  { name: t.users.setPassword, icon: KeyRound, act: () => setDoing({ what: 'password', user }) },
                  user.status === 'ACTIVE'
                    ? { name: t.users.disable, icon: Pause, act: () => setDoing({ what: 'disable', user }) }
                    : { name: t.users.enable, icon: Play, act: () => setDoing({ what: 'enable', user }) },
                  { name: t.users.remove, icon: Trash2, bad: true, act: () => setDoing({ what: 'remove', user }) },
                ]}
              />
            </td>
          </tr>
        )}
      </Listed>
      <Dialogs doing={doing} tenant={tenant} onClose={() => setDoing(undefined)} />
    </Page>
  );
}

function Dialogs({ doing, tenant, onClose }: { doing: Doing | undefined; tenant?: string; onClose: () => void }) {
  const client = useQueryClient();
  if (!doing) return null;
  const done = async (said: string) => {
    await client.invalidateQueries({ queryKey: ['users'] });
    toast(said);
    onClose();
  };
  if (doing.what === 'create') return <Create tenant={tenant} done={done} onClose={onClose} />;
  const { user } = doing;
  const who = { tenant: user.tenant ?? undefined, username: user.username };
  const status = (next: User['status']) => admin('mutation($tenant: String, $username: String!, $status: UserStatus!) { admin { it: setUserStatus(tenant: $tenant, username: $username, status: $status) { id } } }', { ...who, status: next });
  switch (doing.what) {
    case 'rights':
      return <Rights user={user} done={done} onClose={onClose} />;
    case 'password':
      return <Password user={user} done={done} onClose={onClose} />;
    case 'disable':
      return <Confirm title={`${t.users.disable}: ${user.username}`} lead={t.users.disableWords} action={t.users.disable} submit={() => status('DISABLED').then(() => done(t.users.disabled(user.username)))} onClose={onClose} />;
    case 'enable':
      return <FormDialog title={`${t.users.enable}: ${user.username}`} action={t.users.enable} submit={() => status('ACTIVE').then(() => done(t.users.enabled(user.username)))} onClose={onClose} />;
    case 'remove':
      return (
        <Confirm
          title={`${t.users.remove}: ${user.username}`}
          lead={t.users.removeWords}
          name={user.username}
          action={t.users.remove}
          submit={() => admin('mutation($tenant: String, $username: String!) { admin { it: deleteUser(tenant: $tenant, username: $username) } }', who).then(() => done(t.users.removed(user.username)))}
          onClose={onClose}
        />
      );
  }
}

type Done = (said: string) => Promise<void>;

function Create({ tenant, done, onClose }: { tenant?: string; done: Done; onClose: () => void }) {
  const me = useMe();
  const mine = useScopes();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [roles, setRoles] = useState('');
  const [chosen, setChosen] = useState<string[]>(['READ_DATA']);
  const fixed = tenant ?? me.tenant;
  async function submit() {
    const input = {
      tenant,
      allTenants: fixed === null || undefined,
      username: username.trim(),
      password,
      name: name.trim() || undefined,
      email: email.trim() || undefined,
      roles: names(roles),
      scopes: chosen,
    };
    await admin('mutation($input: NewUser!) { admin { it: createUser(input: $input) { id } } }', { input });
    await done(t.users.created(username.trim()));
  }
  return (
    <FormDialog title={t.users.create} lead={`${t.users.of}: ${fixed ?? t.allTenants}`} wide action={t.users.create} submit={submit} onClose={onClose} disabled={!username.trim() || password.length < 12}>
      <div className="columns">
        <TextField label={t.users.username} hint={`${t.users.fullName} ${fixed ? `${fixed}|` : ''}${username.trim() || '…'}`} value={username} onChange={setUsername} autoFocus autoComplete="off" />
        <TextField label={t.users.password} type="password" hint={t.users.passwordHint} value={password} onChange={setPassword} autoComplete="new-password" />
        <TextField label={t.users.name} value={name} onChange={setName} autoComplete="off" />
        <TextField label={t.users.email} type="email" value={email} onChange={setEmail} autoComplete="off" />
      </div>
      <TextField label={t.users.roles} hint={t.users.rolesHint} value={roles} onChange={setRoles} autoComplete="off" />
      <Checks label={t.users.scopes} choices={mine} value={chosen} onChange={setChosen} />
    </FormDialog>
  );
}

function Rights({ user, done, onClose }: { user: User; done: Done; onClose: () => void }) {
  const mine = useScopes();
  const [roles, setRoles] = useState(user.roles.join(', '));
  const [chosen, setChosen] = useState<string[]>(user.scopes);
  // What they hold and the viewer does not is left as it is.
  const kept = user.scopes.filter((scope) => !mine.some(({ id }) => id === scope));
  async function submit() {
    await admin('mutation($tenant: String, $username: String!, $roles: [String!]!, $scopes: [Scope!]!) { admin { it: setUserRights(tenant: $tenant, username: $username, roles: $roles, scopes: $scopes) { id } } }', {
      tenant: user.tenant ?? undefined,
      username: user.username,
      roles: names(roles),
      scopes: [...new Set([...chosen, ...kept])],
    });
    await done(t.users.rightsSaved);
  }
  return (
    <FormDialog title={`${t.users.rights}: ${user.username}`} action={t.save} submit={submit} onClose={onClose}>
      <TextField label={t.users.roles} hint={t.users.rolesHint} value={roles} onChange={setRoles} autoComplete="off" autoFocus />
      <Checks label={t.users.scopes} choices={mine} value={chosen} onChange={setChosen} />
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
    <FormDialog title={`${t.users.setPassword}: ${user.username}`} lead={t.users.setPasswordWords} action={t.users.setPassword} submit={submit} onClose={onClose} disabled={password.length < 12}>
      <TextField label={t.users.password} type="password" hint={t.users.passwordHint} value={password} onChange={setPassword} autoFocus autoComplete="new-password" />
    </FormDialog>
  );
}
