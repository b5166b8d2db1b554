// Tenants: whose data usher keeps apart. The control store registers them, and the
// configuration file may.
import { Navigate, useNavigate } from '@tanstack/react-router';
import { Building2 } from 'lucide-react';
import { useState } from 'react';
import { useMe } from '../../me';
import { t } from '../../texts';
import { Select } from '../../ui/controls';
import { When } from '../../ui/page';
import { Offers } from '../../ui/restored';
import { Listing, Named, useFilter, usePaged } from '../list';
import { Dialogs, tenantActions, type Doing } from './actions';
import { draftsOf } from './draft';
import { listed, listedOfFile, type Configured, type Tenant } from './record';

export function Tenants() {
  const me = useMe();
  if (!me.has('AdminQuery.tenants')) return <Navigate to="/tenants/$tenant" params={{ tenant: me.tenant! }} replace />;
  return <All />;
}

function All() {
  const me = useMe();
  const navigate = useNavigate();
  const { search, kind, set } = useFilter();
  const [doing, setDoing] = useState<Doing>();
  const ofFile = kind === 'file';
  const tenants = usePaged<Tenant | Configured>(['tenants', ofFile, search ?? ''], ofFile ? listedOfFile : listed, { search });
  const status = (tenant: Tenant | Configured) => ('status' in tenant ? <Status of={tenant.status} /> : <span className="badge">{tenant.registered ? t.tenants.statuses.FILE : t.tenants.statuses.PARTLY}</span>);
  return (
    <Listing
      title={t.tenants.title}
      lead={t.tenants.lead}
      create={me.has('AdminMutation.createTenant') && { name: t.tenants.create, act: () => setDoing({ what: 'create' }) }}
      search={t.tenants.search}
      filters={<Select label={t.tenants.registered} value={kind ?? ''} onChange={(next) => set({ kind: next || undefined })} choices={Object.entries(t.tenants.where).map(([id, name]) => ({ id, name }))} />}
      of={tenants}
      id={({ id }) => id}
      name={({ id, name }) => name ?? id}
      columns={[
        {
          name: t.tenants.name,
          text: true,
          cell: ({ id, key, name }) => (
            <Named to={{ to: '/tenants/$tenant', params: { tenant: id } }} under={under(id, key, name)}>
              {name ?? id}
            </Named>
          ),
        },
        { name: t.tenants.status, cell: status },
        { name: t.tenants.strategy, lesser: true, cell: ({ strategy }) => strategy ?? <span className="muted">{t.tenants.strategyDefault}</span> },
        ...(ofFile ? [] : [{ name: t.tenants.since, lesser: true, cell: (tenant: Tenant | Configured) => <When at={'createdAt' in tenant ? tenant.createdAt : null} /> }]),
      ]}
      actions={(tenant) => tenantActions(me, tenant, setDoing)}
      before={
        !doing && (
          <>
            <Offers under="tenants/" take={() => setDoing({ what: 'create' })} />
            <Offers under={draftsOf()} take={(what) => void navigate({ to: '/tenants/$tenant', params: { tenant: what.split('/')[0]! } })} />
          </>
        )
      }
      empty={ofFile ? { icon: Building2, title: t.tenants.emptyFile, words: t.tenants.emptyFileWords } : { icon: Building2, title: t.tenants.empty, words: t.tenants.emptyWords }}
    >
      <Dialogs doing={doing} onClose={() => setDoing(undefined)} />
    </Listing>
  );
}

// under is what a tenant is called besides its name, if it is.
export function under(id: string, key: string | null, name: string | null) {
  const called = [...new Set([id, key ?? id])].filter((text) => text !== (name ?? id));
  return called.length > 0 && <span className="mono">{called.join(' · ')}</span>;
}

export function Status({ of }: { of: Tenant['status'] }) {
  return <span className={`badge ${of === 'ACTIVE' ? 'good' : of === 'SUSPENDED' ? 'warn' : 'bad'}`}>{t.tenants.statuses[of]}</span>;
}
