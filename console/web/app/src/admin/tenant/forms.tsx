// What of a tenant's record can be changed: by which ways its data is reached, and what
// others call it. What takes access away is said before it is done.
import { Plus, X } from 'lucide-react';
import { t } from '../../texts';
import { Button, Checkbox, ComboBox, Select, TextField, type Choice } from '../../ui/controls';
import { FormDialog, Wrong } from '../../ui/dialog';
import { matching } from '../../ui/names';
import { admin } from '../common';
import { LimitFields, limitsForm, limitTexts } from '../limits';
import { Cells, Strategies, useDone } from './actions';
import { useForm } from './draft';
import { useConfiguration, useDatasets, type Tenant } from './record';

interface Form {
  tenant: Tenant;
  onClose: () => void;
}

interface Pair {
  dataset: string;
  to: string;
}

// twice names a dataset that two rows are about.
const twice = (pairs: Pair[]) => pairs.find(({ dataset }, index) => dataset && pairs.findIndex((other) => other.dataset === dataset) !== index)?.dataset;

// offered is what a row can be about. What it is about comes first: of many datasets
// it would else be missing, and a list cannot choose what it does not hold.
function offered(datasets: Choice[], dataset: string): Choice[] {
  const chosen = datasets.filter(({ id }) => id === dataset);
  return chosen.length > 0 ? [...chosen, ...matching(datasets, '', [dataset])] : matching(datasets, dataset);
}

// Pairs are rows of a dataset and what it is given.
function Pairs({ label, pairs, onChange, datasets, custom, to, problem }: { label: string; pairs: Pair[]; onChange: (pairs: Pair[]) => void; datasets: Choice[]; custom?: boolean; to: (pair: Pair, change: (to: string) => void) => React.ReactNode; problem?: string }) {
  const change = (at: number, next: Partial<Pair>) => onChange(pairs.map((pair, index) => (index === at ? { ...pair, ...next } : pair)));
  return (
    <div className="field" role="group" aria-label={label}>
      <span className="label">{label}</span>
      {pairs.map((pair, index) => (
        <div key={index} className="pair">
          <ComboBox
            hidden
            custom={custom}
            label={t.tenants.datasetOf(index + 1)}
            choices={offered(datasets, pair.dataset)}
            value={datasets.some(({ id }) => id === pair.dataset) ? pair.dataset : null}
            text={pair.dataset}
            onText={(dataset) => change(index, { dataset })}
            onChange={(dataset) => dataset !== null && change(index, { dataset, to: '' })}
            empty={t.list.nothing}
          />
          {to(pair, (next) => change(index, { to: next }))}
          <Button look="quiet" icon aria-label={`${t.remove}: ${pair.dataset || index + 1}`} onPress={() => onChange(pairs.filter((_, other) => other !== index))}>
            <X size={16} aria-hidden />
          </Button>
        </div>
      ))}
      {problem && <span className="wrong">{problem}</span>}
      <div>
        <Button small onPress={() => onChange([...pairs, { dataset: '', to: '' }])}>
          <Plus size={14} aria-hidden />
          {t.tenants.addDataset}
        </Button>
      </div>
    </div>
  );
}

export function StrategyForm({ tenant, onClose }: Form) {
  const done = useDone(onClose);
  const datasets = useDatasets();
  const draft = useForm(tenant, 'strategy', { strategy: tenant.strategy ?? '', pairs: tenant.strategies.map(({ dataset, strategy }): Pair => ({ dataset, to: strategy })) }, t.tenants.strategy);
  const { strategy, pairs } = draft.value;
  const double = twice(pairs);
  const complete = pairs.every(({ dataset, to }) => dataset.trim() && to);
  async function submit() {
    await admin('mutation($id: String!, $strategy: String, $strategies: [DatasetStrategyInput!]!) { admin { it: setTenantStrategy(id: $id, strategy: $strategy, strategies: $strategies) { id } } }', {
      id: tenant.id,
      strategy: strategy || undefined,
      strategies: pairs.map(({ dataset, to }) => ({ dataset: dataset.trim(), strategy: to })),
    });
    await done(t.tenants.reachedSaved);
  }
  return (
    <FormDialog title={`${t.tenants.strategy}: ${tenant.name}`} lead={t.tenants.strategyWords} wide draft={draft} action={t.save} submit={submit} onClose={onClose} disabled={!complete || double !== undefined} takes={strategy !== (tenant.strategy ?? '') && t.tenants.strategyTakes}>
      <Strategies value={strategy} onChange={(strategy) => draft.set({ strategy })} />
      <Pairs
        label={t.tenants.datasetStrategies}
        pairs={pairs}
        onChange={(pairs) => draft.set({ pairs })}
        datasets={datasets}
        custom
        problem={double && t.tenants.datasetTwice(double)}
        to={(pair, change) => <Strategies hidden label={t.tenants.strategyFor(pair.dataset)} value={pair.to} onChange={change} />}
      />
    </FormDialog>
  );
}

export function WeightForm({ tenant, onClose }: Form) {
  const done = useDone(onClose);
  const draft = useForm(tenant, 'weight', { text: tenant.weight?.toString() ?? '' }, t.limits.weight);
  const { text } = draft.value;
  const weight = text.trim() === '' ? undefined : Number(text);
  const wrong = weight === undefined || (/^\d+$/.test(text.trim()) && weight >= 1 && weight <= 100) ? undefined : t.limits.weightWrong;
  async function submit() {
    await admin('mutation($id: String!, $weight: Int) { admin { it: setTenantWeight(id: $id, weight: $weight) { id } } }', { id: tenant.id, weight });
    await done(t.limits.weightSaved);
  }
  return (
    <FormDialog title={`${t.limits.weight}: ${tenant.name}`} lead={t.limits.weightWords} draft={draft} action={t.save} submit={submit} onClose={onClose} disabled={wrong !== undefined}>
      {(error) => <TextField label={t.limits.weight} hint={t.limits.weightHint(tenant.usual.weight)} wrong={wrong ?? error} value={text} onChange={(text) => draft.set({ text })} inputMode="numeric" autoComplete="off" autoFocus />}
    </FormDialog>
  );
}

export function LimitsForm({ tenant, onClose }: Form) {
  const done = useDone(onClose);
  const draft = useForm(tenant, 'limits', { texts: limitTexts(tenant.limits) }, t.limits.aMinute);
  const form = limitsForm(draft.value.texts, (texts) => draft.set({ texts }));
  const input = form.input() ?? {};
  // What was more before, or not limited, is refused from now on.
  const takes = Object.entries(input).some(([kind, n]) => {
    const before = tenant.limits[kind as keyof typeof tenant.limits] ?? tenant.usual.limits[kind as keyof typeof tenant.limits];
    return before === null || Number(n) < before;
  });
  async function submit() {
    await admin('mutation($id: String!, $limits: MinuteLimitsInput!) { admin { it: setTenantLimits(id: $id, limits: $limits) { id } } }', { id: tenant.id, limits: input });
    await done(t.limits.limitsSaved);
  }
  return (
    <FormDialog title={`${t.limits.aMinute}: ${tenant.name}`} lead={t.limits.limitsWords} draft={draft} action={t.save} submit={submit} onClose={onClose} disabled={form.bad} form={JSON.stringify(form.texts)} takes={takes && t.limits.limitsTake}>
      <LimitFields form={form} usual={tenant.usual.limits} />
    </FormDialog>
  );
}

export function BindingForm({ tenant, onClose }: Form) {
  const done = useDone(onClose);
  const known = useConfiguration()?.bindings ?? [];
  const datasets = [...new Set([...known.map(({ dataset }) => dataset), ...tenant.bindings.map(({ dataset }) => dataset)])].sort().map((name) => ({ id: name, name }));
  const draft = useForm(tenant, 'bindings', { pairs: tenant.bindings.map(({ dataset, binding }): Pair => ({ dataset, to: binding })) }, t.tenants.bindings);
  const { pairs } = draft.value;
  const double = twice(pairs);
  const complete = pairs.every(({ dataset, to }) => datasets.some(({ id }) => id === dataset) && to);
  const choices = (dataset: string, now: string) => {
    const bindings = known.filter((binding) => binding.dataset === dataset).map(({ name, source }) => ({ id: name, name: `${name} (${source})` }));
    return now && !bindings.some(({ id }) => id === now) ? [...bindings, { id: now, name: t.tenants.bindingGone(now) }] : bindings;
  };
  async function submit() {
    await admin('mutation($id: String!, $bindings: [DatasetBindingInput!]!) { admin { it: setTenantBindings(id: $id, bindings: $bindings) { id } } }', { id: tenant.id, bindings: pairs.map(({ dataset, to }) => ({ dataset, binding: to })) });
    await done(t.tenants.reachedSaved);
  }
  const moved = tenant.bindings.filter(({ dataset, binding }) => !pairs.some((pair) => pair.dataset === dataset && pair.to === binding)).map(({ dataset }) => dataset);
  return (
    <FormDialog title={`${t.tenants.bindings}: ${tenant.name}`} lead={t.tenants.bindingsWords} wide draft={draft} action={t.save} submit={submit} onClose={onClose} disabled={!complete || double !== undefined} takes={moved.length > 0 && t.tenants.bindingsTake(moved.join(', '))}>
      {datasets.length === 0 ? (
        <p className="note">{t.tenants.bindingsNone}</p>
      ) : (
        <Pairs
          label={t.tenants.bindings}
          pairs={pairs}
          onChange={(pairs) => draft.set({ pairs })}
          datasets={datasets}
          problem={double && t.tenants.datasetTwice(double)}
          to={(pair, change) => <Select hidden label={t.tenants.bindingFor(pair.dataset)} value={pair.to || null} onChange={change} choices={choices(pair.dataset, pair.to)} placeholder={t.tenants.binding} />}
        />
      )}
    </FormDialog>
  );
}

export function CellForm({ tenant, onClose }: Form) {
  const done = useDone(onClose);
  const draft = useForm(tenant, 'cell', { cell: tenant.cell ?? '' }, t.tenants.cell);
  const { cell } = draft.value;
  async function submit() {
    await admin('mutation($id: String!, $cell: String) { admin { it: setTenantCell(id: $id, cell: $cell) { id } } }', { id: tenant.id, cell: cell || undefined });
    await done(t.tenants.reachedSaved);
  }
  return (
    <FormDialog title={`${t.tenants.cell}: ${tenant.name}`} lead={t.tenants.cellWords} draft={draft} action={t.save} submit={submit} onClose={onClose} disabled={cell === (tenant.cell ?? '')} takes={t.tenants.cellTakes}>
      <Cells value={cell} onChange={(cell) => draft.set({ cell })} />
    </FormDialog>
  );
}

const lines = (text: string) => text.split('\n').map((line) => line.trim()).filter(Boolean);

// inLines judges a list that is written line by line.
function inLines(text: string, most: number, longest: number): string | undefined {
  const all = lines(text);
  const double = all.find((line, index) => all.indexOf(line) !== index);
  if (double !== undefined) return t.tenants.lineTwice(double);
  if (all.length > most) return t.tenants.linesMany(most);
  const long = all.find((line) => [...line].length > longest);
  return long === undefined ? undefined : t.tenants.lineLong(long.slice(0, 40), longest);
}

export function ExternalIdsForm({ tenant, onClose }: Form) {
  const done = useDone(onClose);
  const draft = useForm(tenant, 'externalIds', { text: tenant.externalIds.join('\n') }, t.tenants.externalIds);
  const { text } = draft.value;
  const wrong = inLines(text, 100, 255);
  const gone = tenant.externalIds.filter((id) => !lines(text).includes(id));
  async function submit() {
    await admin('mutation($id: String!, $externalIds: [String!]!) { admin { it: setTenantExternalIds(id: $id, externalIds: $externalIds) { id } } }', { id: tenant.id, externalIds: lines(text) });
    await done(t.tenants.externalIdsSaved);
  }
  return (
    <FormDialog title={`${t.tenants.externalIds}: ${tenant.name}`} lead={t.tenants.externalIdsWords} draft={draft} action={t.save} submit={submit} onClose={onClose} disabled={wrong !== undefined} takes={gone.length > 0 && t.tenants.externalIdsTake(gone.join(', '))}>
      {(error) => <TextField label={t.tenants.externalIds} hint={t.tenants.lineEach} wrong={wrong ?? error} value={text} onChange={(text) => draft.set({ text })} lines={5} mono autoFocus />}
    </FormDialog>
  );
}

export function HostsForm({ tenant, onClose }: Form) {
  const done = useDone(onClose);
  const free = tenant.allowHosts.length === 1 && tenant.allowHosts[0] === '*';
  const draft = useForm(tenant, 'hosts', { all: free, text: free ? '' : tenant.allowHosts.join('\n') }, t.tenants.allowHosts);
  const { all, text } = draft.value;
  const hosts = all ? ['*'] : lines(text);
  const wrong = all ? undefined : inLines(text, 1000, 255);
  const takes = all ? false : hosts.length === 0 ? t.tenants.hostsNone : (free || tenant.allowHosts.some((host) => !hosts.includes(host))) && t.tenants.hostsTake;
  async function submit() {
    await admin('mutation($id: String!, $allowHosts: [String!]!) { admin { it: setTenantAllowHosts(id: $id, allowHosts: $allowHosts) { id } } }', { id: tenant.id, allowHosts: hosts });
    await done(t.tenants.hostsSaved);
  }
  return (
    <FormDialog title={`${t.tenants.allowHosts}: ${tenant.name}`} lead={t.tenants.hostsWords} draft={draft} action={t.save} submit={submit} onClose={onClose} disabled={wrong !== undefined} takes={takes}>
      {(error) => (
        <>
          <Checkbox isSelected={all} onChange={(all) => draft.set({ all })}>
            {t.tenants.hostsAll}
          </Checkbox>
          {all ? error && <Wrong>{error}</Wrong> : <TextField label={t.tenants.hostsOnly} hint={t.tenants.hostsHint} wrong={wrong ?? error} value={text} onChange={(text) => draft.set({ text })} lines={4} mono />}
        </>
      )}
    </FormDialog>
  );
}
