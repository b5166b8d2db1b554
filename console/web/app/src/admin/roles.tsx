// Roles that a tenant owns. They restrict those of the configuration.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Building2, Pencil, Plus, ShieldCheck, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useMe } from '../me';
import { t } from '../texts';
import { Button, TextField } from '../ui/controls';
import { Confirm, FormDialog } from '../ui/dialog';
import { Page, When } from '../ui/page';
import { Empty, Loaded } from '../ui/state';
import { toast } from '../ui/toast';
import { Actions, admin, parseObject, TenantPicker } from './common';

interface Role {
  name: string;
  spec: unknown;
  changedAt: string;
}

export function Roles() {
  const me = useMe();
  const navigate = useNavigate();
  const { tenant } = useSearch({ strict: false }) as { tenant?: string };
  const whose = tenant ?? me.tenant ?? undefined;
  const asked = useQuery({
    queryKey: ['roles', whose],
    enabled: whose !== undefined,
    queryFn: () => admin<Role[]>('query($tenant: String) { admin { it: roles(tenant: $tenant) { name spec changedAt } } }', { tenant }),
  });
  const [doing, setDoing] = useState<{ what: 'put' | 'remove'; role?: Role }>();
  const put = () => setDoing({ what: 'put' });
  return (
    <Page
      title={t.roles.title}
      lead={t.roles.lead}
      actions={
        whose !== undefined && (
          <Button look="primary" onPress={put}>
            <Plus size={16} aria-hidden />
            {t.roles.create}
          </Button>
        )
      }
    >
      <div className="filters">
        <TenantPicker label={t.roles.of} value={tenant} onChange={(next) => void navigate({ to: '/roles', search: { tenant: next } })} />
      </div>
      <div className="card">
        {whose === undefined ? (
          <Empty icon={Building2} title={t.roles.chooseTenant}>
            {t.roles.chooseTenantWords}
          </Empty>
        ) : (
          <Loaded of={asked}>
            {(roles) =>
              roles.length === 0 ? (
                <Empty icon={ShieldCheck} title={t.roles.empty} action={<Button onPress={put}>{t.roles.create}</Button>}>
                  {t.roles.emptyWords}
                </Empty>
              ) : (
                <div className="table-scroll" tabIndex={0} role="group" aria-label={t.roles.title}>
                  <table className="table">
                    <thead>
                      <tr>
                        <th scope="col">{t.roles.name}</th>
                        <th scope="col">{t.roles.spec}</th>
                        <th scope="col" className="lesser">
                          {t.roles.changed}
                        </th>
                        <th scope="col">
                          <span className="hidden-visually">{t.actions}</span>
                        </th>
                      </tr>
                    </thead>
                    <tbody>
                      {roles.map((role) => (
                        <tr key={role.name}>
                          <td className="lead break">{role.name}</td>
                          <td className="break">{role.spec === null ? <span className="muted">{t.roles.specHidden}</span> : <code>{JSON.stringify(role.spec)}</code>}</td>
                          <td className="lesser">
                            <When at={role.changedAt} />
                          </td>
                          <td className="actions">
                            <Actions
                              of={role.name}
                              items={[
                                role.spec !== null && { name: t.roles.edit, icon: Pencil, act: () => setDoing({ what: 'put', role }) },
                                { name: t.roles.remove, icon: Trash2, bad: true, act: () => setDoing({ what: 'remove', role }) },
                              ]}
                            />
                          </td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </div>
              )
            }
          </Loaded>
        )}
      </div>
      {doing?.what === 'put' && <Put role={doing.role} tenant={tenant} onClose={() => setDoing(undefined)} />}
      {doing?.what === 'remove' && <Remove role={doing.role!} tenant={tenant} onClose={() => setDoing(undefined)} />}
    </Page>
  );
}

const template = { datasets: {} };

function Put({ role, tenant, onClose }: { role?: Role; tenant?: string; onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState(role?.name ?? '');
  const [spec, setSpec] = useState(JSON.stringify(role?.spec ?? template, null, 2));
  const read = parseObject(spec);
  async function submit() {
    await admin('mutation($tenant: String, $name: String!, $spec: JSON!) { admin { it: putRole(tenant: $tenant, name: $name, spec: $spec) { name } } }', { tenant, name: name.trim(), spec: read });
    await client.invalidateQueries({ queryKey: ['roles'] });
    toast(t.roles.saved(name.trim()));
    onClose();
  }
  return (
    <FormDialog title={role ? `${t.roles.edit}: ${role.name}` : t.roles.create} wide action={t.save} submit={submit} onClose={onClose} disabled={!name.trim() || !read}>
      {!role && <TextField label={t.roles.name} value={name} onChange={setName} autoFocus autoComplete="off" mono />}
      <TextField label={t.roles.spec} hint={t.roles.specHint} wrong={read ? undefined : t.roles.specBad} value={spec} onChange={setSpec} lines={12} mono />
    </FormDialog>
  );
}

function Remove({ role, tenant, onClose }: { role: Role; tenant?: string; onClose: () => void }) {
  const client = useQueryClient();
  async function submit() {
    await admin('mutation($tenant: String, $name: String!) { admin { it: deleteRole(tenant: $tenant, name: $name) } }', { tenant, name: role.name });
    await client.invalidateQueries({ queryKey: ['roles'] });
    toast(t.roles.removed(role.name));
    onClose();
  }
  return <Confirm title={`${t.roles.remove}: ${role.name}`} lead={t.roles.removeWords} name={role.name} action={t.roles.remove} submit={submit} onClose={onClose} />;
}
