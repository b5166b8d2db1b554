// One tenant: its record, how its data is reached, and what the file fixes.
import { Link, useParams } from '@tanstack/react-router';
import { ArrowRight, CircleAlert, CircleCheck, Pencil, Trash2 } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { useMe } from '../../me';
import { Badges } from '../../pages/home';
import { shows } from '../../sitemap';
import { t } from '../../texts';
import { Button } from '../../ui/controls';
import { useSubmit, Wrong } from '../../ui/dialog';
import { When } from '../../ui/page';
import { Offers } from '../../ui/restored';
import { Actions, admin } from '../common';
import { Card, Detail, Facts, Fixed } from '../detail';
import { AccountForm, RemoveAccount } from './accounts';
import { Dialogs, tenantActions, type Doing } from './actions';
import { inWords, type Limits } from '../limits';
import { draftsOf } from './draft';
import { BindingForm, CellForm, ExternalIdsForm, HostsForm, LimitsForm, StrategyForm, WeightForm } from './forms';
import { Status } from './list';
import { useConfiguration, useTenant, type Configured, type Found, type Routing, type Tenant } from './record';

export function TenantPage() {
  const me = useMe();
  const { tenant: id } = useParams({ strict: false }) as { tenant: string };
  const asked = useTenant(id);
  const [doing, setDoing] = useState<Doing>();
  const tenant = asked.data?.record ?? asked.data?.file;
  return (
    <Detail<Found>
      title={tenant?.name ?? id}
      under={tenant?.name && tenant.name !== id && <span className="mono">{id}</span>}
      back={{ to: { to: me.has('AdminQuery.tenants') ? '/tenants' : '/' }, name: me.has('AdminQuery.tenants') ? t.tenants.title : t.nav.home }}
      of={asked}
      gone={t.tenants.gone}
      actions={tenant && <Actions page of={tenant.name ?? id} items={tenantActions(me, tenant, setDoing)} />}
    >
      {({ record, file }) => (
        <>
          {!record && !doing && <Offers under={draftsOf(id)} take={() => setDoing({ what: 'actAs', tenant: file! })} />}
          <div className="home">
            <div className="stack">{record ? <Record of={record} busy={doing !== undefined} begin={(what) => setDoing({ what, tenant: record })} /> : <OfFile of={file!} />}</div>
            <div className="stack">
              {file && record && <Beside of={file} />}
              {me.has('AdminMutation.testAccount') && record?.status !== 'DELETED' && (record || file!.registered) && <Test tenant={id} />}
              <Onwards tenant={id} registered={record !== null} />
            </div>
          </div>
          <Dialogs doing={doing} onClose={() => setDoing(undefined)} />
        </>
      )}
    </Detail>
  );
}

const drafted = ['weight', 'limits', 'strategy', 'bindings', 'cell', 'externalIds', 'hosts'] as const;
type Form = (typeof drafted)[number] | { account: string } | { remove: string };

// What is done in a dialog of the whole tenant, which the page opens.
type Begin = (what: 'rename' | 'actAs') => void;

function Record({ of: tenant, busy, begin }: { of: Tenant; busy: boolean; begin: Begin }) {
  const me = useMe();
  const configuration = useConfiguration();
  const [form, setForm] = useState<Form>();
  const close = () => setForm(undefined);
  const living = tenant.status !== 'DELETED';
  const edit = (field: string, open: Form | (() => void)) => living && me.has(`AdminMutation.${field}`) && (typeof open === 'function' ? open : () => setForm(open));
  const operates = me.has('AdminMutation.setTenantStrategy');
  const changesAccounts = living && me.has('AdminMutation.setTenantAccount');
  const sources = configuration?.sources ?? tenant.accounts.map(({ source: name }) => ({ name, kind: '', template: false }));
  const source = typeof form === 'object' && 'account' in form ? configuration?.sources.find(({ name }) => name === form.account) : undefined;
  // take opens the form that somebody had begun.
  function take(what: string) {
    if (what === 'rename' || what === 'actAs') begin(what);
    else setForm(drafted.find((one) => one === what));
  }
  return (
    <>
      {living && !form && !busy && <Offers under={draftsOf(tenant.id)} take={take} />}
      <Card title={t.tenants.record} lead={t.tenants.recordWords} actions={<Status of={tenant.status} />}>
        <Facts
          of={[
            { name: t.tenants.name, value: <span className="break">{tenant.name}</span>, edit: edit('renameTenant', () => begin('rename')) },
            { name: t.tenants.key, value: <><code>{tenant.key}</code> <span className="under">{t.tenants.keyFixed}</span></> },
            { name: t.tenants.externalIds, value: <Badges of={tenant.externalIds} />, edit: edit('setTenantExternalIds', 'externalIds') },
            { name: t.tenants.since, value: <When at={tenant.createdAt} /> },
            { name: t.tenants.changed, value: <When at={tenant.changedAt} /> },
          ]}
        />
      </Card>
      <Card title={t.tenants.reached} lead={t.tenants.reachedWords}>
        <Facts
          of={[
            { name: t.tenants.strategy, value: <Ways of={tenant} />, edit: edit('setTenantStrategy', 'strategy') },
            { name: t.tenants.bindings, value: <Badges of={tenant.bindings.map(({ dataset, binding }) => `${dataset}: ${binding}`)} />, edit: edit('setTenantBindings', 'bindings') },
            (tenant.cell !== null || (configuration?.cells.length ?? 0) > 0) && { name: t.tenants.cell, value: tenant.cell ?? <span className="muted">{t.tenants.cellNone}</span>, edit: edit('setTenantCell', 'cell') },
            { name: t.tenants.allowHosts, value: <Hosts of={tenant} />, edit: edit('setTenantAllowHosts', 'hosts') },
          ]}
        />
        {!operates && living && <Fixed>{t.tenants.operatorsChange}</Fixed>}
      </Card>
      <Card title={t.limits.title} lead={t.limits.titleWords}>
        <Facts
          of={[
            { name: t.limits.weight, value: tenant.weight ?? <span className="muted">{t.limits.inherited(String(tenant.usual.weight))}</span>, edit: edit('setTenantWeight', 'weight') },
            { name: t.limits.aMinute, value: <MinuteLimits own={tenant.limits} usual={tenant.usual.limits} />, edit: edit('setTenantLimits', 'limits') },
          ]}
        />
        {!operates && living && <Fixed>{t.tenants.operatorsChange}</Fixed>}
      </Card>
      <Card title={t.tenants.accounts} lead={t.accounts.lead}>
        {sources.length === 0 && <p className="muted">{t.accounts.noneOwn}</p>}
        <ul className="rows">
          {sources.map(({ name, kind, template }) => {
            const own = tenant.accounts.find((account) => account.source === name);
            return (
              <li key={name}>
                <div>
                  <span className="lead">{name}</span> {kind && <span className="badge">{kind}</span>} {template && <span className="badge">{t.accounts.template}</span>}
                  <div className="under">{own ? <Badges of={own.set} /> : t.accounts.none}</div>
                </div>
                {changesAccounts && configuration && (
                  <div className="row">
                    <Button small look="quiet" aria-label={`${own ? t.accounts.replace : t.accounts.set}: ${name}`} onPress={() => setForm({ account: name })}>
                      <Pencil size={14} aria-hidden />
                      {own ? t.accounts.replace : t.accounts.set}
                    </Button>
                    {own && (
                      <Button small look="quiet" aria-label={`${t.remove}: ${name}`} onPress={() => setForm({ remove: name })}>
                        <Trash2 size={14} aria-hidden />
                        {t.remove}
                      </Button>
                    )}
                  </div>
                )}
              </li>
            );
          })}
        </ul>
      </Card>
      {form === 'weight' && <WeightForm tenant={tenant} onClose={close} />}
      {form === 'limits' && <LimitsForm tenant={tenant} onClose={close} />}
      {form === 'strategy' && <StrategyForm tenant={tenant} onClose={close} />}
      {form === 'bindings' && <BindingForm tenant={tenant} onClose={close} />}
      {form === 'cell' && <CellForm tenant={tenant} onClose={close} />}
      {form === 'externalIds' && <ExternalIdsForm tenant={tenant} onClose={close} />}
      {form === 'hosts' && <HostsForm tenant={tenant} onClose={close} />}
      {source && <AccountForm tenant={tenant} source={source} onClose={close} />}
      {typeof form === 'object' && 'remove' in form && <RemoveAccount tenant={tenant} source={form.remove} onClose={close} />}
    </>
  );
}

// MinuteLimits are those of the record, and those that it inherits.
function MinuteLimits({ own, usual }: { own: Limits; usual: Limits }) {
  const left = Object.fromEntries(Object.entries(usual).map(([kind, n]) => [kind, own[kind as keyof Limits] === null ? n : null])) as unknown as Limits;
  const [said, inherited] = [inWords(own), inWords(left)];
  if (said.length + inherited.length === 0) return <span className="muted">{t.limits.unlimited}</span>;
  return (
    <>
      {said.length > 0 && <Badges of={said} />}
      {inherited.length > 0 && <div className="under">{t.limits.inherited(inherited.join(', '))}</div>}
    </>
  );
}

function Ways({ of }: { of: Routing }) {
  const usual = useConfiguration()?.strategies.find((strategy) => strategy.default)?.name;
  return (
    <>
      {of.strategy ?? <span className="muted">{t.tenants.strategyLeft(usual)}</span>}
      {of.strategies.length > 0 && (
        <div className="under">
          <Badges of={of.strategies.map(({ dataset, strategy }) => `${dataset}: ${strategy}`)} />
        </div>
      )}
    </>
  );
}

function Hosts({ of }: { of: Routing }): ReactNode {
  if (of.allowHosts.length === 1 && of.allowHosts[0] === '*') return <span className="muted">{t.tenants.hostsAll}</span>;
  return of.allowHosts.length === 0 ? <span className="badge warn">{t.tenants.hostsNowhere}</span> : <Badges of={of.allowHosts} />;
}

// OfFile is a tenant that the file registers: nothing of it is changed here.
function OfFile({ of: tenant }: { of: Configured }) {
  return (
    <Card title={t.tenants.record} lead={t.tenants.fileLead} actions={<span className="badge">{tenant.registered ? t.tenants.statuses.FILE : t.tenants.statuses.PARTLY}</span>}>
      <Fixed>{tenant.registered ? t.tenants.fileFixed : t.tenants.fileUnregistered}</Fixed>
      <Facts
        of={[
          tenant.key !== null && { name: t.tenants.key, value: <code>{tenant.key}</code> },
          tenant.registered && { name: t.tenants.strategy, value: <Ways of={tenant} /> },
          tenant.bindings.length > 0 && { name: t.tenants.bindings, value: <Badges of={tenant.bindings.map(({ dataset, binding }) => `${dataset}: ${binding}`)} /> },
          tenant.cell !== null && { name: t.tenants.cell, value: tenant.cell },
          tenant.registered && { name: t.tenants.allowHosts, value: <Hosts of={tenant} /> },
          tenant.accounts.length > 0 && { name: t.tenants.accounts, value: tenant.accounts.map(({ source, set }) => <div key={source}>{source} <Badges of={set} /></div>) },
          tenant.externalIds.length > 0 && { name: t.tenants.externalIds, value: <Badges of={tenant.externalIds} /> },
          ...fixed(tenant),
        ]}
      />
    </Card>
  );
}

const fixed = (of: Configured) => [
  { name: t.limits.weight, value: of.weight },
  { name: t.limits.aMinute, value: <Badges of={inWords(of.limits)} none={t.limits.unlimited} /> },
  { name: t.tenants.bound, value: <Badges of={of.bound} /> },
];

// Beside is what the file says of a tenant of the control store.
function Beside({ of }: { of: Configured }) {
  return (
    <Card title={t.tenants.file} lead={t.tenants.fileLead}>
      <Fixed>{t.tenants.besideFixed}</Fixed>
      <Facts of={fixed(of)} />
    </Card>
  );
}

function Onwards({ tenant, registered }: { tenant: string; registered: boolean }) {
  const me = useMe();
  const pages = (registered ? (['users', 'roles', 'tokens', 'keys', 'audit'] as const) : (['tokens', 'keys', 'audit'] as const)).filter((page) => shows(me, `/${page}`));
  return (
    <section className="card" aria-label={t.home.next}>
      <ul className="steps first">
        {pages.map((page) => (
          <li key={page}>
            <Link to={`/${page}`} search={{ tenant: me.has('AdminQuery.tenants') ? tenant : undefined }}>
              <span className="lead">{t.nav[page]}</span>
              <ArrowRight size={16} aria-hidden />
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface Tested {
  source: string;
  datasets: string[];
  ok: boolean;
  problems: { kind: string; dataset: string | null; column: string | null; message: string }[];
}

// most is how many names are listed of a source that has many datasets.
const most = 12;

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
    <Card
      title={t.tenants.tests}
      lead={t.tenants.testLead}
      actions={
        <Button small isDisabled={pending} onPress={run}>
          {pending ? t.tenants.testing : t.tenants.test}
        </Button>
      }
    >
      <div className="stack" aria-live="polite">
        {error && <Wrong>{error}</Wrong>}
        {tests?.length === 0 && <p className="note">{t.tenants.testNothing}</p>}
        {tests?.map((test) => (
          <div key={test.source} className={`note ${test.ok ? 'good' : 'bad'}`}>
            {test.ok ? <CircleCheck size={16} aria-hidden /> : <CircleAlert size={16} aria-hidden />}
            <div>
              <b>{test.source}</b> {test.datasets.slice(0, most).join(', ')} {test.datasets.length > most && t.tenants.andMore(test.datasets.length - most)}
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
    </Card>
  );
}
