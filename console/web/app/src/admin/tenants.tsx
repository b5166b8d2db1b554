// Tenants: whose data usher keeps apart.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Navigate, useNavigate, useParams } from '@tanstack/react-router';
import { ArrowRight, Building2, CircleAlert, CircleCheck, Pause, Pencil, Play, Plus, SearchX, Trash2, UserRoundCog } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { ask } from '../api';
import { useMe } from '../me';
import { Badges } from '../pages/home';
import { session } from '../session';
import { shows } from '../sitemap';
import { t } from '../texts';
import { Button, Checkbox, SearchField, TextField } from '../ui/controls';
import { Confirm, FormDialog, useSubmit } from '../ui/dialog';
import { Page, When } from '../ui/page';
import { Empty, Loaded } from '../ui/state';
import { toast } from '../ui/toast';
import { admin, Actions, Listed, useDelayed, usePaged } from './common';

interface Tenant {
  id: string;
  key: string;
  name: string;
  status: 'ACTIVE' | 'SUSPENDED' | 'DELETED';
  strategy: string | null;
  createdAt: string;
}

interface Record_ extends Tenant {
  cell: string | null;
  strategies: { dataset: string; strategy: string }[];
  accounts: { source: string; set: string[] }[];
  externalIds: string[];
  allowHosts: string[];
  changedAt: string;
}

const listed = 'query($search: String, $after: String) { admin { it: tenants(search: $search, after: $after) { items { id key name status strategy createdAt } next } } }';

type Doing = { what: 'create' } | { what: 'rename' | 'suspend' | 'resume' | 'remove' | 'actAs'; tenant: Tenant };

export function Tenants() {
  const me = useMe();
  const [search, setSearch] = useState('');
  const wanted = useDelayed(search.trim());
  const [doing, setDoing] = useState<Doing>();
  if (!me.has('AdminQuery.tenants')) return <Navigate to="/tenants/$tenant" params={{ tenant: me.tenant! }} replace />;
  return (
    <Page
      title={t.tenants.title}
      lead={t.tenants.lead}
      actions={
        <Button look="primary" onPress={() => setDoing({ what: 'create' })}>
          <Plus size={16} aria-hidden />
          {t.tenants.create}
        </Button>
      }
    >
      <div className="filters">
        <SearchField label={t.tenants.search} value={search} onChange={setSearch} />
      </div>
      <List search={wanted} setDoing={setDoing} clear={() => setSearch('')} />
      <Dialogs doing={doing} onClose={() => setDoing(undefined)} />
    </Page>
  );
}

function List({ search, setDoing, clear }: { search: string; setDoing: (doing: Doing) => void; clear: () => void }) {
  const tenants = usePaged<Tenant>(['tenants', search], listed, { search: search || undefined });
  return (
    <Listed
      of={tenants}
      label={t.tenants.title}
      empty={
        search ? (
          <Empty icon={SearchX} title={t.tenants.nothing} action={<Button onPress={clear}>{t.clear}</Button>}>
            {t.tenants.nothingWords}
          </Empty>
        ) : (
          <Empty icon={Building2} title={t.tenants.empty} action={<Button onPress={() => setDoing({ what: 'create' })}>{t.tenants.create}</Button>}>
            {t.tenants.emptyWords}
          </Empty>
        )
      }
      head={
        <>
          <th scope="col">{t.tenants.name}</th>
          <th scope="col">{t.tenants.status}</th>
          <th scope="col" className="lesser">
            {t.tenants.strategy}
          </th>
          <th scope="col" className="lesser">
            {t.tenants.since}
          </th>
          <th scope="col">
            <span className="hidden-visually">{t.actions}</span>
          </th>
        </>
      }
    >
      {(tenant) => (
        <tr key={tenant.id}>
          <td className="break">
            <Link to="/tenants/$tenant" params={{ tenant: tenant.id }} className="link">
              {tenant.name}
            </Link>
            <span className="under mono">
              {tenant.id}
              {tenant.key !== tenant.id && ` · ${tenant.key}`}
            </span>
          </td>
          <td>
            <Status of={tenant.status} />
          </td>
          <td className="lesser">{tenant.strategy ?? <span className="muted">{t.tenants.strategyDefault}</span>}</td>
          <td className="lesser">
            <When at={tenant.createdAt} />
          </td>
          <td className="actions">
            <TenantActions tenant={tenant} setDoing={setDoing} />
          </td>
        </tr>
      )}
    </Listed>
  );
}

function Status({ of }: { of: Tenant['status'] }) {
  return <span className={`badge ${of === 'ACTIVE' ? 'good' : of === 'SUSPENDED' ? 'warn' : 'bad'}`}>{t.tenants.statuses[of]}</span>;
}

function TenantActions({ tenant, setDoing }: { tenant: Tenant; setDoing: (doing: Doing) => void }) {
  const me = useMe();
  const living = tenant.status !== 'DELETED';
  const item = (what: Exclude<Doing['what'], 'create'>, name: string, icon: typeof Play, field: string, bad?: boolean) =>
    living && me.has(field) && { name, icon, bad, act: () => setDoing({ what, tenant }) };
  return (
    <Actions
      of={tenant.name}
      items={[
        tenant.status === 'ACTIVE' && me.tokenKind === 'SESSION' && item('actAs', t.tenants.actAs, UserRoundCog, 'Mutation.actAs'),
        item('rename', t.tenants.rename, Pencil, 'AdminMutation.renameTenant'),
        tenant.status === 'ACTIVE' && item('suspend', t.tenants.suspend, Pause, 'AdminMutation.suspendTenant'),
        tenant.status === 'SUSPENDED' && item('resume', t.tenants.resume, Play, 'AdminMutation.resumeTenant'),
        item('remove', t.tenants.remove, Trash2, 'AdminMutation.deleteTenant', true),
      ]}
    />
  );
}

function Dialogs({ doing, onClose }: { doing: Doing | undefined; onClose: () => void }) {
  const client = useQueryClient();
  if (!doing) return null;
  const change = (operation: string, said: string) => async () => {
    await admin(operation, { id: 'tenant' in doing ? doing.tenant.id : undefined });
    await client.invalidateQueries({ queryKey: ['tenants'] });
    await client.invalidateQueries({ queryKey: ['tenant'] });
    toast(said);
    onClose();
  };
  const one = (field: string) => `mutation($id: String!) { admin { it: ${field}(id: $id) { id } } }`;
  switch (doing.what) {
    case 'create':
      return <Create onClose={onClose} />;
    case 'rename':
      return <Rename tenant={doing.tenant} onClose={onClose} />;
    case 'actAs':
      return <ActAs tenant={doing.tenant} onClose={onClose} />;
    case 'suspend':
      return <Confirm title={`${t.tenants.suspend}: ${doing.tenant.name}`} lead={t.tenants.suspendWords} action={t.tenants.suspend} submit={change(one('suspendTenant'), t.tenants.suspended(doing.tenant.name))} onClose={onClose} />;
    case 'resume':
      return <FormDialog title={`${t.tenants.resume}: ${doing.tenant.name}`} action={t.tenants.resume} submit={change(one('resumeTenant'), t.tenants.resumed(doing.tenant.name))} onClose={onClose} />;
    case 'remove':
      return <Confirm title={`${t.tenants.remove}: ${doing.tenant.name}`} lead={t.tenants.removeWords} name={doing.tenant.id} action={t.tenants.remove} submit={change(one('deleteTenant'), t.tenants.removed(doing.tenant.name))} onClose={onClose} />;
  }
}

function Create({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [id, setId] = useState('');
  const [key, setKey] = useState('');
  const [name, setName] = useState('');
  const [strategy, setStrategy] = useState('');
  async function submit() {
    const input = { id: id.trim(), key: key.trim() || undefined, name: name.trim() || undefined, strategy: strategy.trim() || undefined };
    const made = await admin<Tenant>('mutation($input: NewTenant!) { admin { it: createTenant(input: $input) { id name } } }', { input });
    await client.invalidateQueries({ queryKey: ['tenants'] });
    toast(t.tenants.created(made.name));
    onClose();
    void navigate({ to: '/tenants/$tenant', params: { tenant: made.id } });
  }
  return (
    <FormDialog title={t.tenants.create} action={t.tenants.create} submit={submit} onClose={onClose} disabled={!id.trim()}>
      <TextField label={t.tenants.id} hint={t.tenants.idHint} value={id} onChange={setId} autoFocus autoComplete="off" mono />
      <TextField label={t.tenants.name} hint={t.tenants.nameHint} value={name} onChange={setName} autoComplete="off" />
      <TextField label={t.tenants.key} hint={t.tenants.keyHint} value={key} onChange={setKey} autoComplete="off" mono />
      <TextField label={t.tenants.strategy} hint={t.tenants.strategyHint} value={strategy} onChange={setStrategy} autoComplete="off" mono />
    </FormDialog>
  );
}

function Rename({ tenant, onClose }: { tenant: Tenant; onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState(tenant.name);
  async function submit() {
    await admin('mutation($id: String!, $name: String!) { admin { it: renameTenant(id: $id, name: $name) { id } } }', { id: tenant.id, name: name.trim() });
    await client.invalidateQueries({ queryKey: ['tenants'] });
    await client.invalidateQueries({ queryKey: ['tenant'] });
    toast(t.tenants.renamed);
    onClose();
  }
  return (
    <FormDialog title={`${t.tenants.rename}: ${tenant.name}`} action={t.save} submit={submit} onClose={onClose} disabled={!name.trim()}>
      <TextField label={t.tenants.name} hint={t.tenants.nameHint} value={name} onChange={setName} autoFocus autoComplete="off" />
    </FormDialog>
  );
}

function ActAs({ tenant, onClose }: { tenant: Tenant; onClose: () => void }) {
  const me = useMe();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [reason, setReason] = useState('');
  const [minutes, setMinutes] = useState('15');
  const [write, setWrite] = useState(false);
  const n = Number(minutes);
  async function submit() {
    const { actAs } = await ask<{ actAs: { token: string } }>('mutation($tenant: String!, $reason: String!, $minutes: Int!, $write: Boolean!) { actAs(tenant: $tenant, reason: $reason, minutes: $minutes, write: $write) { token } }', {
      tenant: tenant.id,
      reason: reason.trim(),
      minutes: n,
      write,
    });
    client.clear();
    onClose();
    session.actAs(actAs.token);
    await navigate({ to: '/' });
  }
  return (
    <FormDialog title={`${t.tenants.actAs}: ${tenant.name}`} lead={t.tenants.actAsWords} action={t.tenants.actAs} submit={submit} onClose={onClose} disabled={!reason.trim() || !(n >= 1 && n <= 60)}>
      <TextField label={t.tenants.reason} hint={t.tenants.reasonHint} value={reason} onChange={setReason} autoFocus autoComplete="off" />
      <TextField label={t.tenants.minutes} value={minutes} onChange={setMinutes} type="number" />
      {me.can('WRITE_DATA') && (
        <Checkbox isSelected={write} onChange={setWrite}>
          {t.tenants.write}
        </Checkbox>
      )}
    </FormDialog>
  );
}

const one = 'query($id: String!) { admin { it: tenant(id: $id) { id key name status strategy cell strategies { dataset strategy } accounts { source set } externalIds allowHosts createdAt changedAt } } }';

export function TenantPage() {
  const me = useMe();
  const { tenant: id } = useParams({ strict: false }) as { tenant: string };
  const asked = useQuery({ queryKey: ['tenant', id], queryFn: () => admin<Record_ | null>(one, { id }) });
  const [doing, setDoing] = useState<Doing>();
  const tenant = asked.data ?? undefined;
  return (
    <Page title={tenant?.name ?? id} lead={<span className="mono">{id}</span>} actions={tenant && <TenantActions tenant={tenant} setDoing={setDoing} />}>
      <Loaded of={asked}>
        {(found) =>
          found ? (
            <>
              <div className="home">
                <section className="card" aria-label={t.tenants.record}>
                  <header>
                    <div>
                      <h2>{t.tenants.record}</h2>
                      <p>{t.tenants.recordWords}</p>
                    </div>
                    <Status of={found.status} />
                  </header>
                  <div className="body">
                    <dl className="defs">
                      <Row name={t.tenants.key}>
                        <code>{found.key}</code>
                      </Row>
                      <Row name={t.tenants.strategy}>{found.strategy ?? <span className="muted">{t.tenants.strategyDefault}</span>}</Row>
                      {found.strategies.length > 0 && (
                        <Row name={t.tenants.datasetStrategies}>
                          <Badges of={found.strategies.map(({ dataset, strategy }) => `${dataset}: ${strategy}`)} />
                        </Row>
                      )}
                      {found.cell && <Row name={t.tenants.cell}>{found.cell}</Row>}
                      <Row name={t.tenants.accounts}>
                        {found.accounts.length === 0 ? (
                          <span className="muted">{t.tenants.accountsNone}</span>
                        ) : (
                          found.accounts.map(({ source, set }) => (
                            <p key={source} className="row">
                              {source} <Badges of={set} />
                            </p>
                          ))
                        )}
                      </Row>
                      <Row name={t.tenants.externalIds}>
                        <Badges of={found.externalIds} />
                      </Row>
                      <Row name={t.tenants.allowHosts}>
                        <Badges of={found.allowHosts} />
                      </Row>
                      <Row name={t.tenants.since}>
                        <When at={found.createdAt} />
                      </Row>
                      <Row name={t.tenants.changed}>
                        <When at={found.changedAt} />
                      </Row>
                    </dl>
                  </div>
                </section>
                <div className="stack">
                  {me.has('AdminMutation.testAccount') && found.status !== 'DELETED' && <Test tenant={found.id} />}
                  <section className="card" aria-label={t.home.next}>
                    <ul className="steps first">
                      {(['users', 'roles', 'tokens', 'audit'] as const)
                        .filter((page) => shows(me, `/${page}`))
                        .map((page) => (
                          <li key={page}>
                            <Link to={`/${page}`} search={{ tenant: me.has('AdminQuery.tenants') ? found.id : undefined }}>
                              <span className="lead">{t.nav[page]}</span>
                              <ArrowRight size={16} aria-hidden />
                            </Link>
                          </li>
                        ))}
                    </ul>
                  </section>
                </div>
              </div>
              <Dialogs doing={doing} onClose={() => setDoing(undefined)} />
            </>
          ) : (
            <div className="card">
              <Empty
                icon={SearchX}
                title={t.tenants.nothing}
                action={
                  <Link to="/tenants" className="button">
                    {t.tenants.title}
                  </Link>
                }
              >
                {t.tenants.gone}
              </Empty>
            </div>
          )
        }
      </Loaded>
    </Page>
  );
}

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

interface Tested {
  source: string;
  datasets: string[];
  ok: boolean;
  problems: { kind: string; dataset: string | null; column: string | null; message: string }[];
}

// Test looks whether the tenant's rows can be read, source by source.
function Test({ tenant }: { tenant: string }) {
  const me = useMe();
  const [tests, setTests] = useState<Tested[]>();
  const { pending, error, submit } = useSubmit();
  const run = () =>
    void submit(async () =>
      setTests(
        await admin<Tested[]>('mutation($tenant: String) { admin { it: testAccount(tenant: $tenant) { source datasets ok problems { kind dataset column message } } } }', {
          tenant: me.has('AdminQuery.tenants') ? tenant : undefined,
        }),
      ),
    );
  return (
    <section className="card" aria-label={t.tenants.test}>
      <header>
        <div>
          <h2>{t.tenants.accounts}</h2>
          <p>{t.tenants.testLead}</p>
        </div>
        <Button small isDisabled={pending} onPress={run}>
          {pending ? t.tenants.testing : t.tenants.test}
        </Button>
      </header>
      <div className="body stack" aria-live="polite">
        {error && <p className="note bad">{error}</p>}
        {tests?.map((test) => (
          <div key={test.source} className={`note ${test.ok ? 'good' : 'bad'}`}>
            {test.ok ? <CircleCheck size={16} aria-hidden /> : <CircleAlert size={16} aria-hidden />}
            <div>
              <b>{test.source}</b> {test.datasets.join(', ')}
              {test.ok && <p>{t.tenants.testOk}</p>}
              {test.problems.map((problem, index) => (
                <p key={index}>
                  {[problem.dataset, problem.column].filter(Boolean).join('.')} {problem.message}
                </p>
              ))}
            </div>
          </div>
        ))}
      </div>
    </section>
  );
}
