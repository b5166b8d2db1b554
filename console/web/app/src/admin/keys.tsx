// Service keys: for backends.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { Ban, KeyRound } from 'lucide-react';
import { useState } from 'react';
import { useDraft } from '../drafts';
import { useMe } from '../me';
import { Badges } from '../pages/home';
import { t } from '../texts';
import { Button, Checkbox, Checks, Select, TextField } from '../ui/controls';
import { Confirm, Dialog, FormDialog, Secret } from '../ui/dialog';
import { Names } from '../ui/names';
import { When } from '../ui/page';
import { Offers } from '../ui/restored';
import { toast } from '../ui/toast';
import type { Scope } from '../scope';
import type { Me } from '../viewer';
import { admin, everyTenant, Lesser, scopeName, State, tenantOf, TenantPicker, useScopes, type PageOf } from './common';
import { Card, Detail, Facts } from './detail';
import { useRoles } from './known';
import { granted, limitFields, LimitFields, limitsForm, limitTexts, type Limits } from './limits';
import { Listing, Named, useFilter, usePaged } from './list';
import { useConfiguration } from './tenant/record';

interface Key {
  id: string;
  name: string;
  tenant: string | null;
  roles: string[];
  scopes: Scope[];
  datasets: string[] | null;
  dashboards: string[] | null;
  rate: number | null;
  limits: Limits;
  mayGrant: { strategies: string[]; accounts: string[]; parameters: string[]; clear: string[]; metadata: string[] };
  mintedBy: string;
  createdAt: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
  revokedAt: string | null;
}

const listed = `query($tenant: String, $search: String, $living: Boolean!, $after: String) { admin { it: serviceKeys(tenant: $tenant, search: $search, living: $living, after: $after) {
  items { id name tenant roles scopes datasets dashboards rate ${limitFields} mayGrant { strategies accounts parameters clear metadata } mintedBy createdAt expiresAt lastUsedAt revokedAt } next } } }`;

export function Keys() {
  const me = useMe();
  const { tenant, search, ended = false, set } = useFilter();
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Key>();
  const keys = usePaged<Key>(['keys', tenant ?? '', search ?? '', ended], listed, { tenant, search, living: !ended });
  return (
    <Listing
      title={t.keys.title}
      lead={t.keys.lead}
      create={me.has('AdminMutation.createServiceKey') && { name: t.keys.create, act: () => setMaking(true) }}
      before={!making && <Offers under="keys/" take={() => setMaking(true)} />}
      search={t.keys.search}
      filters={
        <>
          <TenantPicker label={t.keys.of} value={tenant} others={[{ id: '', name: t.all }]} onChange={(next) => set({ tenant: next })} />
          <Checkbox isSelected={!ended} onChange={(living) => set({ ended: living ? undefined : true })}>
            {t.keys.living}
          </Checkbox>
        </>
      }
      of={keys}
      id={({ id }) => id}
      name={({ name }) => name}
      columns={[
        {
          name: t.keys.name,
          text: true,
          cell: (key) => (
            <Named
              to={{ to: '/keys/$key', params: { key: key.id } }}
              under={
                <>
                  {key.tenant ?? t.allTenants} · {t.keys.by} {key.mintedBy} · <span className="mono">{key.id}</span>
                </>
              }
            >
              {key.name}
            </Named>
          ),
        },
        { name: t.keys.state, cell: (key) => <State {...key} /> },
        { name: t.keys.scopes, lesser: true, cell: (key) => <Badges of={[...key.scopes.map(scopeName), ...key.roles, ...granted(key).map(t.tokens.aMinute)]} /> },
        { name: t.keys.until, lesser: true, cell: ({ expiresAt }) => <When at={expiresAt} otherwise={t.never} /> },
        { name: t.keys.lastUsed, lesser: true, cell: ({ lastUsedAt }) => <When at={lastUsedAt} otherwise={t.never} /> },
      ]}
      actions={(key) => [revokes(me, key) && { name: t.keys.revoke, icon: Ban, bad: true, act: () => setRevoking(key) }]}
      empty={{ icon: KeyRound, title: t.keys.empty, words: t.keys.emptyWords }}
    >
      {making && <Make tenant={tenant} onClose={() => setMaking(false)} />}
      {revoking && <Revoke of={revoking} onClose={() => setRevoking(undefined)} />}
    </Listing>
  );
}

const revokes = (me: Me, key: Key) => !key.revokedAt && me.has('AdminMutation.revokeServiceKey');

export function KeyPage() {
  const me = useMe();
  const { key: id } = useParams({ strict: false }) as { key: string };
  const [revoking, setRevoking] = useState<Key>();
  const asked = useQuery({
    queryKey: ['keys', 'one', id],
    queryFn: () => admin<PageOf<Key>>(listed, { search: id, living: false }).then(({ items }) => items.find((key) => key.id === id) ?? null),
  });
  return (
    <Detail<Key>
      title={asked.data?.name ?? id}
      under={<span className="mono">{id}</span>}
      back={{ to: { to: '/keys' }, name: t.keys.title }}
      of={asked}
      gone={t.keys.gone}
      actions={
        asked.data && revokes(me, asked.data) && (
          <Button look="danger" onPress={() => setRevoking(asked.data!)}>
            <Ban size={16} aria-hidden />
            {t.keys.revoke}
          </Button>
        )
      }
    >
      {(key) => (
        <div className="home">
          <Card title={t.tokens.grants} lead={t.tokens.grantsWords}>
            <Facts
              of={[
                { name: t.keys.scopes, value: <Badges of={key.scopes.map(scopeName)} /> },
                { name: t.keys.roles, value: <Badges of={key.roles} /> },
                { name: t.tokens.datasets, value: key.datasets ? <Badges of={key.datasets} /> : <span className="muted">{t.tokens.allRoles}</span> },
                key.dashboards !== null && { name: t.tokens.boards, value: <Badges of={key.dashboards} /> },
                { name: t.limits.aMinute, value: <Badges of={granted(key)} none={t.tokens.limitsNone(key.tenant !== null)} /> },
                ...Object.entries(key.mayGrant).map(([what, names]) => Array.isArray(names) && names.length > 0 && { name: t.keys.mayGrant[what] ?? what, value: <Badges of={names} /> }),
              ]}
            />
          </Card>
          <Card title={t.tokens.life} actions={<State {...key} />}>
            <Facts
              of={[
                { name: t.keys.of, value: key.tenant ?? t.allTenants },
                { name: t.keys.by, value: key.mintedBy },
                { name: t.tenants.since, value: <When at={key.createdAt} /> },
                { name: t.keys.until, value: <When at={key.expiresAt} otherwise={t.never} /> },
                { name: t.keys.lastUsed, value: <When at={key.lastUsedAt} otherwise={t.never} /> },
                key.revokedAt !== null && { name: t.tokens.states.revoked, value: <When at={key.revokedAt} /> },
              ]}
            />
          </Card>
          {revoking && <Revoke of={revoking} onClose={() => setRevoking(undefined)} />}
        </div>
      )}
    </Detail>
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
  const draft = useDraft('keys/make', { tenant: given ?? '', name: '', chosen: ['READ_DATA'] as string[], roles: [] as string[], expires: '', limits: limitTexts() }, t.keys.create);
  const { name, chosen, roles, expires, limits: texts } = draft.value;
  const tenant = draft.value.tenant || undefined;
  const known = useRoles(tenantOf(tenant));
  const usual = useConfiguration()?.tokenLimits;
  const limits = limitsForm(texts, (limits) => draft.set({ limits }));
  const [made, setMade] = useState<{ token: string; expiresAt: string | null }>();
  async function submit() {
    const input = {
      name: name.trim(),
      tenant: tenantOf(tenant) ?? me.tenant ?? undefined,
      allTenants: tenant === everyTenant || undefined,
      scopes: chosen,
      roles,
      limits: limits.input(),
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
    <FormDialog title={t.keys.create} lead={t.keys.createWords} draft={draft} action={t.keys.create} submit={submit} onClose={onClose} disabled={!name.trim() ? t.keys.nameMissing : me.allTenants && !tenant ? t.keys.tenantMissing : chosen.length === 0 ? t.keys.scopesMissing : limits.bad} form={JSON.stringify([name, tenant, chosen, roles, expires, texts])}>
      <TextField label={t.keys.name} hint={t.keys.nameHint} value={name} onChange={(name) => draft.set({ name })} autoFocus autoComplete="off" />
      <TenantPicker label={t.keys.of} hint={t.tokens.ofHint} value={tenant} others={me.allTenants ? [{ id: everyTenant, name: t.keys.allTenants }] : []} onChange={(next) => draft.set({ tenant: next ?? '' })} />
      <Checks label={t.keys.scopes} choices={mine} value={chosen} onChange={(chosen) => draft.set({ chosen })} />
      <Names label={t.keys.roles} hint={t.users.rolesHint} value={roles} onChange={(roles) => draft.set({ roles })} known={known} />
      <Select label={t.keys.expires} value={expires} onChange={(expires) => draft.set({ expires })} choices={Object.entries(t.keys.expiry).map(([id, words]) => ({ id, name: words }))} />
      <Lesser open={limits.bad}>
        <summary>{t.tokens.limits}</summary>
        <p className="muted small">{t.keys.limitsWords}</p>
        <div className="columns">
          <LimitFields form={limits} usual={usual} narrows />
        </div>
      </Lesser>
    </FormDialog>
  );
}
