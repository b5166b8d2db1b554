// Service keys: for backends.
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Ban, KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';
import { useMe } from '../me';
import { Badges } from '../pages/home';
import { t } from '../texts';
import { Button, Checkbox, Checks, Select, TextField } from '../ui/controls';
import { Confirm, Dialog, FormDialog, Secret } from '../ui/dialog';
import { Page, When } from '../ui/page';
import { Empty } from '../ui/state';
import { toast } from '../ui/toast';
import type { Scope } from '../viewer';
import { Actions, admin, Listed, names, scopeName, State, TenantPicker, usePaged, useScopes } from './common';

interface Key {
  id: string;
  name: string;
  tenant: string | null;
  roles: string[];
  scopes: Scope[];
  mintedBy: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
  revokedAt: string | null;
}

const listed = 'query($tenant: String, $living: Boolean!, $after: String) { admin { it: serviceKeys(tenant: $tenant, living: $living, after: $after) { items { id name tenant roles scopes mintedBy expiresAt lastUsedAt revokedAt } next } } }';

export function Keys() {
  const me = useMe();
  const navigate = useNavigate();
  const { tenant } = useSearch({ strict: false }) as { tenant?: string };
  const [living, setLiving] = useState(true);
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Key>();
  const keys = usePaged<Key>(['keys', tenant ?? '', living], listed, { tenant, living });
  const makes = me.has('AdminMutation.createServiceKey');
  return (
    <Page
      title={t.keys.title}
      lead={t.keys.lead}
      actions={
        makes && (
          <Button look="primary" onPress={() => setMaking(true)}>
            <Plus size={16} aria-hidden />
            {t.keys.create}
          </Button>
        )
      }
    >
      <div className="filters">
        <TenantPicker label={t.keys.of} value={tenant} none={t.all} onChange={(next) => void navigate({ to: '/keys', search: { tenant: next } })} />
        <Checkbox isSelected={living} onChange={setLiving}>
          {t.keys.living}
        </Checkbox>
      </div>
      <Listed
        of={keys}
        label={t.keys.title}
        empty={
          <Empty icon={KeyRound} title={t.keys.empty} action={makes && <Button onPress={() => setMaking(true)}>{t.keys.create}</Button>}>
            {t.keys.emptyWords}
          </Empty>
        }
        head={
          <>
            <th scope="col">{t.keys.name}</th>
            <th scope="col">{t.keys.state}</th>
            <th scope="col" className="lesser">
              {t.keys.scopes}
            </th>
            <th scope="col" className="lesser">
              {t.keys.until}
            </th>
            <th scope="col" className="lesser">
              {t.keys.lastUsed}
            </th>
            <th scope="col">
              <span className="hidden-visually">{t.actions}</span>
            </th>
          </>
        }
      >
        {(key) => (
          <tr key={key.id}>
            <td className="break">
              <span className="lead">{key.name}</span>
              <span className="under">
                {key.tenant ?? t.allTenants} · {t.keys.by} {key.mintedBy} · <span className="mono">{key.id}</span>
              </span>
            </td>
            <td>
              <State {...key} />
            </td>
            <td className="lesser">
              <Badges of={[...key.scopes.map(scopeName), ...key.roles]} />
            </td>
            <td className="lesser">
              <When at={key.expiresAt} otherwise={t.never} />
            </td>
            <td className="lesser">
              <When at={key.lastUsedAt} otherwise={t.never} />
            </td>
            <td className="actions">
              <Actions of={key.name} items={[!key.revokedAt && me.has('AdminMutation.revokeServiceKey') && { name: t.keys.revoke, icon: Ban, bad: true, act: () => setRevoking(key) }]} />
            </td>
          </tr>
        )}
      </Listed>
      {making && <Make tenant={tenant} onClose={() => setMaking(false)} />}
      {revoking && <Revoke of={revoking} onClose={() => setRevoking(undefined)} />}
    </Page>
  );
}

function Revoke({ of, onClose }: { of: Key; onClose: () => void }) {
  const client = useQueryClient();
  const [keepMinted, setKeepMinted] = useState(false);
  async function submit() {
    const n = await admin<number>('mutation($id: String!, $keepMinted: Boolean!) { admin { it: revokeServiceKey(id: $id, keepMinted: $keepMinted) } }', { id: of.id, keepMinted });
    await client.invalidateQueries({ queryKey: ['keys'] });
    await client.invalidateQueries({ queryKey: ['tokens'] });
    toast(t.tokens.revoked(n));
    onClose();
  }
  return (
    <Confirm title={`${t.keys.revoke}: ${of.name}`} lead={t.keys.revokeWords} name={of.name} action={t.keys.revoke} submit={submit} onClose={onClose}>
      <Checkbox isSelected={keepMinted} onChange={setKeepMinted}>
        {t.keys.keepMinted}
      </Checkbox>
    </Confirm>
  );
}

function Make({ tenant: given, onClose }: { tenant?: string; onClose: () => void }) {
  const me = useMe();
  const client = useQueryClient();
  const mine = useScopes();
  const [tenant, setTenant] = useState(given);
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState<string[]>(['READ_DATA']);
  const [roles, setRoles] = useState('');
  const [expires, setExpires] = useState('');
  const [made, setMade] = useState<{ token: string; expiresAt: string | null }>();
  async function submit() {
    const input = {
      name: name.trim(),
      tenant: tenant ?? me.tenant ?? undefined,
      allTenants: (tenant === undefined && me.allTenants) || undefined,
      scopes: chosen,
      roles: names(roles),
      expiresAt: expires ? new Date(Date.now() + Number(expires) * 1000).toISOString() : undefined,
    };
    setMade(await admin('mutation($input: NewServiceKey!) { admin { it: createServiceKey(input: $input) { id token expiresAt } } }', { input }));
    await client.invalidateQueries({ queryKey: ['keys'] });
  }
  if (made) {
    return (
      <Dialog title={t.keys.made} lead={t.keys.madeWords} wide onClose={onClose} keep>
        <div className="body">
          <Secret text={made.token} label={t.keys.made} />
          <p className="muted small">
            {t.keys.until} <When at={made.expiresAt} otherwise={t.never} />
          </p>
        </div>
        <footer>
          <Button look="primary" onPress={onClose}>
            {t.done}
          </Button>
        </footer>
      </Dialog>
    );
  }
  return (
    <FormDialog title={t.keys.create} lead={t.keys.createWords} action={t.keys.create} submit={submit} onClose={onClose} disabled={!name.trim() || chosen.length === 0}>
      <TextField label={t.keys.name} hint={t.keys.nameHint} value={name} onChange={setName} autoFocus autoComplete="off" />
      <TenantPicker label={t.keys.of} value={tenant} none={me.allTenants ? t.keys.allTenants : undefined} onChange={setTenant} />
      <Checks label={t.keys.scopes} choices={mine} value={chosen} onChange={setChosen} />
      <TextField label={t.keys.roles} hint={t.users.rolesHint} value={roles} onChange={setRoles} autoComplete="off" />
      <Select label={t.keys.expires} value={expires} onChange={setExpires} choices={Object.entries(t.keys.expiry).map(([id, words]) => ({ id, name: words }))} />
    </FormDialog>
  );
}
