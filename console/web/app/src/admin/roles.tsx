// Roles: those of the configuration, which stand in the file, and those that a tenant
// owns, which restrict them.
import { useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { Building2, Pencil, ShieldCheck, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useMe } from '../me';
import { Badges } from '../pages/home';
import { t } from '../texts';
import { Select } from '../ui/controls';
import { Confirm } from '../ui/dialog';
import { When } from '../ui/page';
import { Offers } from '../ui/restored';
import { toast } from '../ui/toast';
import { Actions, admin, TenantPicker } from './common';
import { Card, Detail, Facts, Fixed } from './detail';
import { useConfiguredRoles, type ConfiguredRole, type Grant } from './known';
import { Listing, Named, Rows, useFilter, usePaged } from './list';
import { Findings } from './role/findings';
import { judge } from './role/judge';
import { listed, useRole, type Role } from './role/kept';
import { useKnown } from './role/known';
import { Overview } from './role/overview';
import { read } from './role/read';

const listedOfFile = '{ admin { it: configuredRoles { name grants { dataset columns aggregate maxLimit changes } } } }';

export function Roles() {
  const me = useMe();
  const { tenant, kind, search, set } = useFilter();
  const whose = tenant ?? me.tenant ?? undefined;
  const ofFile = kind === 'file';
  const navigate = useNavigate();
  const [removing, setRemoving] = useState<Role>();
  const asked = usePaged<Role | ConfiguredRole>(['roles', ofFile ? 'configured list' : (whose ?? '')], ofFile ? listedOfFile : listed, { tenant: ofFile ? undefined : tenant }, ofFile || whose !== undefined);
  const items = !ofFile && whose === undefined ? [] : asked.items?.filter(({ name }) => name.toLowerCase().includes((search ?? '').toLowerCase()));
  const put = () => void navigate({ to: '/new-role', search: { tenant } });
  const edit = (name: string, of = tenant) => void navigate(name ? { to: '/roles/$role/edit', params: { role: name }, search: { tenant: of } } : { to: '/new-role', search: { tenant: of } });
  // A draft is of a tenant's role.
  const take = (what: string) => {
    const [of = '', name = ''] = what.split('/');
    edit(name, me.allTenants ? of : undefined);
  };
  return (
    <Listing
      title={t.roles.title}
      lead={t.roles.lead}
      create={!ofFile && whose !== undefined && { name: t.roles.create, act: put }}
      search={t.roles.search}
      filters={
        <>
          <Select label={t.roles.kept} value={kind ?? ''} onChange={(next) => set({ kind: next || undefined })} choices={Object.entries(t.roles.where).map(([id, name]) => ({ id, name }))} />
          {!ofFile && <TenantPicker label={t.roles.of} value={tenant} onChange={(next) => set({ tenant: next })} />}
        </>
      }
      of={{ ...asked, items }}
      id={({ name }) => name}
      columns={[
        { name: t.roles.name, text: true, cell: (role) => <Named to={{ to: '/roles/$role', params: { role: role.name }, search: { tenant: ofFile ? undefined : tenant, kind } }}>{role.name}</Named> },
        {
          name: t.roles.spec,
          text: true,
          cell: (role) => ('grants' in role ? <Badges of={role.grants.slice(0, 8).map(({ dataset }) => dataset).concat(role.grants.length > 8 ? [t.tenants.andMore(role.grants.length - 8)] : [])} none={t.roles.grantsNothing} /> : role.spec === null ? <span className="muted">{t.roles.specHidden}</span> : <code className="clip">{JSON.stringify(role.spec)}</code>),
        },
        ...(ofFile ? [] : [{ name: t.roles.changed, lesser: true, cell: (role: Role | ConfiguredRole) => <When at={'changedAt' in role ? role.changedAt : null} /> }]),
      ]}
      actions={ofFile ? undefined : (role) => ('spec' in role ? roleActions(role, () => edit(role.name), setRemoving) : [])}
      before={<Offers under="role " take={take} />}
      empty={
        ofFile
          ? { icon: ShieldCheck, title: t.roles.emptyFile, words: t.roles.emptyFileWords }
          : whose === undefined
            ? { icon: Building2, title: t.roles.chooseTenant, words: t.roles.chooseTenantWords, action: me.has('AdminMutation.createTenant') && <Link to="/tenants" className="button">{t.roles.toTenants}</Link> }
            : { icon: ShieldCheck, title: t.roles.empty, words: t.roles.emptyWords }
      }
    >
      {removing && <Remove role={removing} tenant={tenant} onClose={() => setRemoving(undefined)} />}
    </Listing>
  );
}

const roleActions = (role: Role, edit: () => void, remove: (role: Role) => void) => [
  role.spec !== null && { name: t.roles.edit, icon: Pencil, act: edit },
  { name: t.roles.remove, icon: Trash2, bad: true, act: () => remove(role) },
];

export function RolePage() {
  const { role: name } = useParams({ strict: false }) as { role: string };
  const { tenant, kind } = useSearch({ strict: false }) as { tenant?: string; kind?: string };
  const { allTenants } = useMe();
  // What an address says of no tenant is the file's, for those who are of none.
  return kind === 'file' || (allTenants && tenant === undefined) ? <OfFile name={name} /> : <Own name={name} tenant={tenant} />;
}

function Own({ name, tenant }: { name: string; tenant?: string }) {
  const me = useMe();
  const navigate = useNavigate();
  const [removing, setRemoving] = useState<Role>();
  const asked = useRole(tenant, name);
  const edit = () => void navigate({ to: '/roles/$role/edit', params: { role: name }, search: { tenant } });
  return (
    <Detail<Role & { text: string }>
      title={name}
      under={tenant ?? me.tenant}
      back={{ to: { to: '/roles', search: { tenant } }, name: t.roles.title }}
      of={asked}
      gone={t.roles.gone}
      actions={asked.data && <Actions page of={name} items={roleActions(asked.data, edit, setRemoving)} />}
    >
      {(role) => (
        <>
          <Offers under={`role ${tenant ?? me.tenant ?? ''}/${name}`} take={edit} />
          {role.spec !== null && <Gives text={role.text} />}
          <Card title={t.roles.spec}>
            {role.spec === null ? <Fixed>{t.roles.specHiddenWords}</Fixed> : <pre className="sheet" tabIndex={0}>{role.text}</pre>}
            <Facts
              of={[
                { name: t.tenants.since, value: <When at={role.createdAt} /> },
                { name: t.roles.changed, value: <When at={role.changedAt} /> },
              ]}
            />
          </Card>
          {removing && <Remove role={role} tenant={tenant} onClose={() => setRemoving(undefined)} />}
        </>
      )}
    </Detail>
  );
}

// Gives is what a role gives now: since it was saved, what it names may have changed.
function Gives({ text }: { text: string }) {
  const me = useMe();
  const known = useKnown();
  const { root } = read(text);
  const findings = judge(root, known, !me.allTenants);
  return (
    <Card title={t.roles.overview} lead={t.roles.lead}>
      <Findings of={findings} text={text} />
      <Overview root={root} findings={findings} known={known} />
    </Card>
  );
}

function OfFile({ name }: { name: string }) {
  const roles = useConfiguredRoles();
  const data = roles.data && (roles.data.find((role) => role.name === name) ?? null);
  return (
    <Detail<ConfiguredRole> title={name} under={t.roles.ofFile} back={{ to: { to: '/roles', search: { kind: 'file' } }, name: t.roles.title }} of={{ ...roles, data }} gone={t.roles.gone}>
      {({ grants }) => (
        <>
          <Fixed>{t.roles.fileFixed}</Fixed>
          <Rows<Grant>
            label={t.roles.spec}
            of={{ items: grants, error: null, hasNextPage: false, isFetchingNextPage: false, refetch: roles.refetch, fetchNextPage: roles.refetch } as never}
            id={({ dataset }) => dataset}
            columns={[
              { name: t.roles.dataset, text: true, cell: ({ dataset }) => <span className="lead">{dataset}</span> },
              { name: t.roles.columns, text: true, cell: ({ columns }) => columns.join(', ') },
              { name: t.roles.groups, lesser: true, cell: ({ aggregate }) => (aggregate ? t.yes : t.no) },
              { name: t.roles.mostRows, lesser: true, cell: ({ maxLimit }) => maxLimit.toLocaleString('en') },
              { name: t.roles.changes, lesser: true, cell: ({ changes }) => <Badges of={changes.map((change) => change.toLowerCase())} /> },
            ]}
            empty={<p className="state">{t.roles.grantsNothing}</p>}
          />
        </>
      )}
    </Detail>
  );
}

function Remove({ role, tenant, onClose }: { role: Role; tenant?: string; onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  async function submit() {
    await admin('mutation($tenant: String, $name: String!) { admin { it: deleteRole(tenant: $tenant, name: $name) } }', { tenant, name: role.name });
    await client.invalidateQueries({ queryKey: ['roles'] });
    toast(t.roles.removed(role.name));
    onClose();
    void navigate({ to: '/roles', search: { tenant } });
  }
  return <Confirm title={`${t.roles.remove}: ${role.name}`} lead={t.roles.removeWords} name={role.name} action={t.roles.remove} submit={submit} onClose={onClose} />;
}
