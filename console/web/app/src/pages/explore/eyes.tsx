// Whose eyes the question is asked with: a tenant's for a while, those of a token that
// is minted for this and ends with it, or of a token that somebody has. The server
// decides; nobody borrows more than they have. Tokens stay in this page's memory.
import { useQuery } from '@tanstack/react-query';
import { Eye } from 'lucide-react';
import { useState } from 'react';
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import { admin, names, parseObject, TenantPicker } from '../../admin/common';
import { ask } from '../../api';
import { demoQuery } from '../../demo';
import { useDraft } from '../../drafts';
import { useMe } from '../../me';
import { t } from '../../texts';
import { Button, Select, TextField } from '../../ui/controls';
import { FormDialog } from '../../ui/dialog';
import { when } from '../../ui/page';
import type { Me } from '../../viewer';
import { whoIs } from '../../viewer';

export interface Eyes {
  id: string;
  name: string;
  token: string;
  until: string | null;
  strategy: string | null;
  ends: boolean; // made here, so it ends here
}

export const actsAs = (me: Me) => me.can('ADMINISTER') && me.tokenKind === 'SESSION' && me.has('Mutation.actAs');
export const mints = (me: Me) => me.has('Mutation.createToken');
// useBorrows tells whether somebody may look with the eyes of others: in a demo everybody may.
export function useBorrows() {
  const me = useMe();
  const samples = useQuery(demoQuery).data?.tokens ?? [];
  return actsAs(me) || mints(me) || samples.length > 0;
}

// close ends a token that was made for looking.
export function close(eyes: Eyes) {
  if (eyes.ends) void ask('mutation { logout }', undefined, { token: eyes.token }).catch(() => undefined);
}

async function open(name: string, token: string, ends: boolean): Promise<Eyes> {
  const who = await whoIs(token);
  return { id: crypto.randomUUID?.() ?? String(Math.random()), name, token, until: who.expiresAt, strategy: who.strategy, ends };
}

export function SeeAs({ title, onOpen, onClose }: { title: string; onOpen: (eyes: Eyes) => void; onClose: () => void }) {
  const me = useMe();
  const samples = useQuery(demoQuery).data?.tokens ?? [];
  const ways = [...(actsAs(me) ? ['tenant'] : []), ...(mints(me) ? ['rights'] : []), ...(samples.length ? ['sample'] : []), 'token'];
  const draft = useDraft('explore eyes', { way: ways[0]!, tenant: '', reason: '', minutes: '15', subject: '', roles: '', strategy: '', filters: '', sample: '' });
  const { reason, minutes, subject, roles, strategy, filters } = draft.value;
  const way = ways.includes(draft.value.way) ? draft.value.way : ways[0]!;
  const tenant = draft.value.tenant || undefined;
  const sample = samples[Number(draft.value.sample || NaN)] ? draft.value.sample : null;
  const [token, setToken] = useState(''); // no part of the draft
  const where = parseObject(filters);
  const n = Number(minutes);
  const ready = {
    tenant: tenant !== undefined && reason.trim() !== '' && n >= 1 && n <= 60,
    rights: subject.trim() !== '' && where !== undefined && (tenant !== undefined || !me.allTenants),
    sample: sample !== null,
    token: token.trim() !== '',
  }[way];

  async function submit() {
    onOpen(await made());
    onClose();
  }
  async function made(): Promise<Eyes> {
    switch (way) {
      case 'tenant': {
        const { actAs } = await ask<{ actAs: { token: string } }>('mutation($tenant: String!, $reason: String!, $minutes: Int!) { actAs(tenant: $tenant, reason: $reason, minutes: $minutes) { token } }', { tenant, reason: reason.trim(), minutes: n });
        const eyes = await open(tenant!, actAs.token, true);
        return { ...eyes, strategy: eyes.strategy ?? (await strategyOf(me, tenant!)) };
      }
      case 'rights': {
        const left = me.expiresAt ? new Date(me.expiresAt).getTime() : Infinity;
        const input = {
          tenant, subject: subject.trim(), name: t.explore.mintedName, roles: names(roles), strategy: strategy.trim() || undefined,
          filters: Object.entries(where ?? {}).map(([dataset, rows]) => ({ dataset, where: rows })),
          expiresAt: new Date(Math.min(Date.now() + 15 * 60_000, left)).toISOString(),
        };
        const { createToken } = await ask<{ createToken: { token: string } }>('mutation($input: NewToken!) { createToken(input: $input) { token } }', { input });
        const eyes = await open([tenant ?? me.tenant, subject.trim()].filter(Boolean).join('|'), createToken.token, true);
        return { ...eyes, strategy: eyes.strategy ?? (tenant ? await strategyOf(me, tenant) : null) };
      }
      case 'sample': {
        const { name, token: text, strategy: way_ } = samples[Number(sample)]!;
        const eyes = await open(name, text, false);
        return { ...eyes, strategy: eyes.strategy ?? way_ };
      }
      default: {
        const eyes = await open('', token.trim(), false);
        const { viewer } = await ask<{ viewer: { subject: string; tenant: string | null } }>('{ viewer { subject tenant } }', undefined, { token: token.trim() });
        return { ...eyes, name: `${viewer.tenant ?? t.allTenants}: ${viewer.subject}` };
      }
    }
  }

  return (
    <FormDialog title={title} lead={t.explore.seeAsWords} wide action={t.explore.look} draft={draft} submit={submit} onClose={onClose} disabled={!ready}>
      <Tabs className="tabs" selectedKey={way} onSelectionChange={(key) => draft.set({ way: String(key) })}>
        <TabList className="tab-list" aria-label={title}>
          {ways.map((id) => (
            <Tab key={id} id={id} className="tab">
              {t.explore.ways[id]}
            </Tab>
          ))}
        </TabList>
        <TabPanel id="tenant" className="tab-panel stack">
          <p className="muted small">{t.tenants.actAsWords}</p>
          <TenantPicker label={t.tokens.of} value={tenant} onChange={(id) => draft.set({ tenant: id ?? '' })} />
          <div className="columns">
            <TextField label={t.tenants.reason} hint={t.tenants.reasonHint} value={reason} onChange={(reason) => draft.set({ reason })} autoComplete="off" />
            <TextField label={t.tenants.minutes} inputMode="numeric" value={minutes} onChange={(minutes) => draft.set({ minutes })} />
          </div>
        </TabPanel>
        <TabPanel id="rights" className="tab-panel stack">
          <p className="muted small">{t.explore.rightsWords}</p>
          <TenantPicker label={t.tokens.of} value={tenant} onChange={(id) => draft.set({ tenant: id ?? '' })} />
          <UserPicker tenant={tenant ?? me.tenant ?? undefined} onPick={(user) => draft.set({ subject: user.username, roles: user.roles.join(', ') })} />
          <div className="columns">
            <TextField label={t.tokens.subject} hint={t.tokens.subjectHint} value={subject} onChange={(subject) => draft.set({ subject })} autoComplete="off" />
            <TextField label={t.tokens.roles} hint={t.users.rolesHint} value={roles} onChange={(roles) => draft.set({ roles })} autoComplete="off" />
          </div>
          <div className="columns">
            <TextField label={t.tokens.strategy} hint={t.explore.strategyHint} value={strategy} onChange={(strategy) => draft.set({ strategy })} autoComplete="off" />
            <TextField label={t.tokens.filters} hint={t.tokens.filtersHint} wrong={where ? undefined : t.tokens.badJSON} value={filters} onChange={(filters) => draft.set({ filters })} mono />
          </div>
        </TabPanel>
        <TabPanel id="sample" className="tab-panel stack">
          <Select label={t.explore.sample} placeholder={t.explore.choose} value={sample} onChange={(sample) => draft.set({ sample })} choices={samples.map(({ name }, index) => ({ id: String(index), name }))} />
        </TabPanel>
        <TabPanel id="token" className="tab-panel stack">
          <TextField label={t.signIn.token} type="password" hint={t.explore.tokenHint} value={token} onChange={setToken} autoComplete="off" />
        </TabPanel>
      </Tabs>
    </FormDialog>
  );
}

async function strategyOf(me: Me, tenant: string): Promise<string | null> {
  if (!me.has('AdminQuery.tenant')) return null;
  return admin<{ strategy: string | null } | null>('query($id: String!) { admin { it: tenant(id: $id) { strategy } } }', { id: tenant }).then((found) => found?.strategy ?? null, () => null);
}

interface User {
  username: string;
  roles: string[];
}

// UserPicker fills in somebody of the tenant: their name and their roles.
function UserPicker({ tenant, onPick }: { tenant: string | undefined; onPick: (user: User) => void }) {
  const me = useMe();
  const may = me.can('ADMINISTER') && me.has('AdminQuery.users') && tenant !== undefined;
  const users = useQuery({
    queryKey: ['users', 'eyes', tenant],
    enabled: may,
    queryFn: () => admin<{ items: User[] }>('query($tenant: String) { admin { it: users(tenant: $tenant, limit: 100) { items { username roles } } } }', { tenant }),
  });
  const all = users.data?.items ?? [];
  if (!may || all.length === 0) return null;
  return <Select label={t.explore.user} placeholder={t.explore.choose} value={null} onChange={(index) => onPick(all[Number(index)]!)} choices={all.map(({ username }, index) => ({ id: String(index), name: username }))} />;
}

export function EyesBanner({ eyes, side, toggle, stop, add }: { eyes: Eyes[]; side: boolean; toggle: () => void; stop: () => void; add: () => void }) {
  return (
    <div className="banner eyes" role="status">
      <Eye size={16} aria-hidden />
      <span>
        {eyes.map((one) => (
          <span key={one.id}>
            {t.explore.seenAs(one.name)} {one.strategy ? t.explore.by_(one.strategy) : ''} {one.until ? t.explore.untilWhen(when(one.until) ?? '') : ''}{' '}
          </span>
        ))}
      </span>
      <span className="row">
        {eyes.length === 1 && (
          <Button small aria-pressed={side} onPress={toggle}>
            {t.explore.besideMine}
          </Button>
        )}
        {eyes.length === 1 && (
          <Button small onPress={add}>
            {t.explore.besideAnother}
          </Button>
        )}
        <Button small onPress={stop}>
          {t.explore.stop}
        </Button>
      </span>
    </div>
  );
}
