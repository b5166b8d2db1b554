// What can be done with a tenant as a whole.
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Pause, Pencil, Play, Trash2, UserRoundCog } from 'lucide-react';
import { ask } from '../../api';
import { useDraft } from '../../drafts';
import { useMe } from '../../me';
import { session } from '../../session';
import { t } from '../../texts';
import { Checkbox, Select, TextField } from '../../ui/controls';
import { Confirm, FormDialog } from '../../ui/dialog';
import { toast } from '../../ui/toast';
import type { Me } from '../../viewer';
import { admin, type Action } from '../common';
import { useForm } from './draft';
import { useConfiguration, type Configured, type Tenant } from './record';

type What = 'rename' | 'suspend' | 'resume' | 'remove' | 'actAs';
export type Doing = { what: 'create' } | { what: What; tenant: Tenant | Configured };

export function tenantActions(me: Me, tenant: Tenant | Configured, setDoing: (doing: Doing) => void): (Action | false)[] {
  const status = 'status' in tenant ? tenant.status : undefined; // of the file: no record to change
  const item = (what: What, name: string, icon: typeof Play, field: string, bad?: boolean) => me.has(field) && { name, icon, bad, act: () => setDoing({ what, tenant }) };
  return [
    (status === 'ACTIVE' || (status === undefined && 'registered' in tenant && tenant.registered)) && me.tokenKind === 'SESSION' && item('actAs', t.tenants.actAs, UserRoundCog, 'Mutation.actAs'),
    status !== undefined && status !== 'DELETED' && item('rename', t.tenants.rename, Pencil, 'AdminMutation.renameTenant'),
    status === 'ACTIVE' && item('suspend', t.tenants.suspend, Pause, 'AdminMutation.suspendTenant'),
    status === 'SUSPENDED' && item('resume', t.tenants.resume, Play, 'AdminMutation.resumeTenant'),
    status !== undefined && status !== 'DELETED' && item('remove', t.tenants.remove, Trash2, 'AdminMutation.deleteTenant', true),
  ];
}

// useDone says that a change was made, and has all that shows tenants read again.
export function useDone(onClose: () => void) {
  const client = useQueryClient();
  return async (said: string) => {
    await client.invalidateQueries({ queryKey: ['tenants'] });
    toast(said);
    onClose();
  };
}

export function Dialogs({ doing, onClose }: { doing: Doing | undefined; onClose: () => void }) {
  const done = useDone(onClose);
  if (!doing) return null;
  if (doing.what === 'create') return <Create onClose={onClose} />;
  const { tenant } = doing;
  const name = tenant.name ?? tenant.id;
  const change = (field: string, said: string) => async () => {
    await admin(`mutation($id: String!) { admin { it: ${field}(id: $id) { id } } }`, { id: tenant.id });
    await done(said);
  };
  switch (doing.what) {
    case 'rename':
      return <Rename id={tenant.id} name={name} onClose={onClose} />;
    case 'actAs':
      return <ActAs id={tenant.id} name={name} onClose={onClose} />;
    case 'suspend':
      return <Confirm title={`${t.tenants.suspend}: ${name}`} lead={t.tenants.suspendWords} action={t.tenants.suspend} submit={change('suspendTenant', t.tenants.suspended(name))} onClose={onClose} />;
    case 'resume':
      return <FormDialog title={`${t.tenants.resume}: ${name}`} lead={t.tenants.resumeWords} action={t.tenants.resume} submit={change('resumeTenant', t.tenants.resumed(name))} onClose={onClose} />;
    case 'remove':
      return <Confirm title={`${t.tenants.remove}: ${name}`} lead={t.tenants.removeWords} name={tenant.id} action={t.tenants.remove} submit={change('deleteTenant', t.tenants.removed(name))} onClose={onClose} />;
  }
}

const wellFormed = /^[a-z0-9][a-z0-9_-]{0,62}$/;

function Create({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const done = useDone(onClose);
  const configuration = useConfiguration();
  const draft = useDraft('tenants/create', { id: '', key: '', name: '', strategy: '', cell: '' }, t.tenants.create);
  const { id, key, name, strategy, cell } = draft.value;
  const wrong = id.trim() && !wellFormed.test(id.trim()) ? t.tenants.idWrong : undefined;
  async function submit() {
    const input = { id: id.trim(), key: key.trim() || undefined, name: name.trim() || undefined, strategy: strategy || undefined, cell: cell || undefined };
    const made = await admin<Tenant>('mutation($input: NewTenant!) { admin { it: createTenant(input: $input) { id name } } }', { input });
    await done(t.tenants.created(made.name));
    void navigate({ to: '/tenants/$tenant', params: { tenant: made.id } });
  }
  return (
    <FormDialog title={t.tenants.create} lead={t.tenants.createWords} draft={draft} action={t.tenants.create} submit={submit} onClose={onClose} disabled={!id.trim() ? t.tenants.idMissing : wrong !== undefined}>
      <TextField label={t.tenants.id} hint={t.tenants.idHint} wrong={wrong} value={id} onChange={(id) => draft.set({ id })} autoFocus autoComplete="off" mono />
      <TextField label={t.tenants.name} hint={t.tenants.nameHint} value={name} onChange={(name) => draft.set({ name })} autoComplete="off" />
      <TextField label={t.tenants.key} hint={t.tenants.keyHint} value={key} onChange={(key) => draft.set({ key })} autoComplete="off" mono />
      <Strategies value={strategy} onChange={(strategy) => draft.set({ strategy })} />
      {(configuration?.cells.length ?? 0) > 0 && <Cells value={cell} onChange={(cell) => draft.set({ cell })} />}
    </FormDialog>
  );
}

// Strategies chooses one of the configuration's, or leaves it to that.
export function Strategies({ value, onChange, label = t.tenants.strategy, hidden }: { value: string; onChange: (name: string) => void; label?: string; hidden?: boolean }) {
  const strategies = useConfiguration()?.strategies ?? [];
  const usual = strategies.find((strategy) => strategy.default)?.name;
  const choices = strategies.map(({ name, kind, source }) => ({ id: name, name: `${name} (${kind}, ${source})` }));
  return <Select label={label} hidden={hidden} value={value} onChange={onChange} choices={hidden ? choices : [{ id: '', name: t.tenants.strategyLeft(usual) }, ...choices]} placeholder={t.tenants.strategy} />;
}

export function Cells({ value, onChange }: { value: string; onChange: (name: string) => void }) {
  const cells = useConfiguration()?.cells ?? [];
  return <Select label={t.tenants.cell} value={value} onChange={onChange} choices={[{ id: '', name: t.tenants.cellNone }, ...cells.map((name) => ({ id: name, name }))]} />;
}

function Rename({ id, name: before, onClose }: { id: string; name: string; onClose: () => void }) {
  const done = useDone(onClose);
  const draft = useForm({ id, name: before }, 'rename', { name: before }, t.tenants.rename);
  const { name } = draft.value;
  async function submit() {
    await admin('mutation($id: String!, $name: String!) { admin { it: renameTenant(id: $id, name: $name) { id } } }', { id, name: name.trim() });
    await done(t.tenants.renamed);
  }
  return (
    <FormDialog title={`${t.tenants.rename}: ${before}`} draft={draft} action={t.save} submit={submit} onClose={onClose} disabled={!name.trim()}>
      <TextField label={t.tenants.name} hint={t.tenants.nameHint} wrong={name.trim() ? undefined : t.tenants.nameMissing} value={name} onChange={(name) => draft.set({ name })} autoFocus autoComplete="off" />
    </FormDialog>
  );
}

function ActAs({ id, name, onClose }: { id: string; name: string; onClose: () => void }) {
  const me = useMe();
  const client = useQueryClient();
  const navigate = useNavigate();
  const draft = useForm({ id, name }, 'actAs', { reason: '', minutes: '15', write: false }, t.tenants.actAs);
  const { reason, minutes, write } = draft.value;
  const n = Number(minutes);
  const possible = Number.isInteger(n) && n >= 1 && n <= 60;
  async function submit() {
    const { actAs } = await ask<{ actAs: { token: string } }>('mutation($tenant: String!, $reason: String!, $minutes: Int!, $write: Boolean!) { actAs(tenant: $tenant, reason: $reason, minutes: $minutes, write: $write) { token } }', {
      tenant: id,
      reason: reason.trim(),
      minutes: n,
      write,
    });
    draft.done();
    client.clear();
    onClose();
    session.actAs(actAs.token);
    await navigate({ to: '/' });
  }
  return (
    <FormDialog title={`${t.tenants.actAs}: ${name}`} lead={t.tenants.actAsWords} draft={draft} action={t.tenants.actAs} submit={submit} onClose={onClose} disabled={!reason.trim() || !possible}>
      <TextField label={t.tenants.reason} hint={t.tenants.reasonHint} value={reason} onChange={(reason) => draft.set({ reason })} autoFocus autoComplete="off" />
      <TextField label={t.tenants.minutes} hint={t.tenants.minutesHint} wrong={possible ? undefined : t.tenants.minutesHint} value={minutes} onChange={(minutes) => draft.set({ minutes })} inputMode="numeric" />
      {me.can('WRITE_DATA') && (
        <Checkbox isSelected={write} onChange={(write) => draft.set({ write })}>
          {t.tenants.write}
        </Checkbox>
      )}
    </FormDialog>
  );
}
