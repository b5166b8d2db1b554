// What is asked, put together by choosing.
import { ArrowUp, ChevronDown, Database, Plus, X } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { t } from '../../texts';
import { Button, Checkbox, classes, Select, TextField } from '../../ui/controls';
import { label, rowsBy } from './compile';
import { Conditions } from './conditions';
import { columnItems, datasetItems, measureItems } from './items';
import type { Listed, Models } from './model';
import { Part } from './part';
import { Picker } from './picker';
import { start, units, type State } from './state';

export type Change = (part: Partial<State>) => void;

export function Builder({ list, models, state, change, replace }: { list: Listed[]; models: Models; state: State; change: Change; replace: (state: State) => void }) {
  const { main } = models;
  const rows = state.rows || !main.aggregate;
  // On a narrow page it stands above the answer, and is folded where there is one already.
  const [open, setOpen] = useState(state.keys.length === 0 && !rows);
  const summary = rows ? t.explore.folded([t.explore.rows], [], state.where.length) : t.explore.folded((state.measures.length ? state.measures : ['count']).map((path) => label(path, models)), state.keys.map(({ path }) => label(path, models)), state.where.length);
  return (
    <section className={classes('card', 'builder', !open && 'folded')} aria-label={t.explore.question}>
      <button type="button" className="fold" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span>
          <span className="lead">{t.explore.fold(open)}</span>
          <span className="under">{`${main.label} · ${summary}`}</span>
        </span>
        <ChevronDown size={16} aria-hidden />
      </button>
      <div className="bit">
        <Picker label={t.explore.dataset(main.label)} items={datasetItems(list)} className="dataset" small={false} onPick={(name) => name !== state.dataset && replace(start(name))}>
          <Database size={16} aria-hidden />
          <span className="truncate">{main.label}</span>
          <ChevronDown size={16} aria-hidden />
        </Picker>
        {main.aggregate && (
          <div className="segments" role="group" aria-label={t.explore.shape}>
            <Button small aria-pressed={!rows} onPress={() => change({ rows: undefined })}>
              {t.explore.groups}
            </Button>
            <Button small aria-pressed={rows} onPress={() => change({ rows: true })}>
              {t.explore.rows}
            </Button>
          </div>
        )}
      </div>
      {rows ? <Columns models={models} state={state} change={change} /> : <Groups models={models} state={state} change={change} />}
      <Conditions title={t.explore.filters} add={t.explore.addFilter} models={models} conditions={state.where} set={(where) => change({ where })} any={state.any} setAny={(any) => change({ any: any || undefined })} />
      {!rows && state.keys.length > 0 && <Conditions title={t.explore.having} add={t.explore.addHaving} measures models={models} conditions={state.having} set={(having) => change({ having })} />}
      <Sort models={models} state={state} change={change} rows={rows} />
    </section>
  );
}

function Chip({ name, remove, up, children }: { name: string; remove: () => void; up?: () => void; children?: ReactNode }) {
  return (
    <li className="chip">
      <span className="chip-name truncate" title={name}>
        {name}
      </span>
      {children}
      {up && (
        <Button look="quiet" small icon aria-label={t.explore.up(name)} onPress={up}>
          <ArrowUp size={14} aria-hidden />
        </Button>
      )}
      <Button look="quiet" small icon aria-label={t.explore.remove(name)} onPress={remove}>
        <X size={14} aria-hidden />
      </Button>
    </li>
  );
}

const without = <T,>(all: T[], index: number) => all.filter((_one, at) => at !== index);
const raised = <T,>(all: T[], index: number) => all.map((one, at) => (at === index - 1 ? all[index]! : at === index ? all[index - 1]! : one));

function Groups({ models, state, change }: { models: Models; state: State; change: Change }) {
  const { keys, measures } = state;
  const by = rowsBy(state, models);
  return (
    <>
      <Part title={t.explore.measures} add={<Picker label={t.explore.addMeasure} items={measureItems(models, measures)} onPick={(id) => change({ measures: [...measures, id] })} />}>
        {measures.length === 0 && <p className="muted small">{t.explore.noMeasure}</p>}
        <ul className="chips">
          {measures.map((path, at) => (
            <Chip key={path} name={label(path, models)} remove={() => change({ measures: without(measures, at) })} up={at > 0 ? () => change({ measures: raised(measures, at) }) : undefined} />
          ))}
        </ul>
        {by && <Select small label={t.explore.rowsBy} value={by} onChange={(path) => change({ rowsBy: path })} choices={models.main.columns.filter(({ sortable }) => sortable).map(({ path, label: name }) => ({ id: path, name }))} />}
      </Part>
      <Part
        title={t.explore.by}
        add={
          <Picker
            label={t.explore.addKey}
            items={columnItems(models, ({ groupable }) => groupable, keys.map(({ path }) => path))}
            onPick={(path) => change({ keys: [...keys, { path, by: models.column(path)?.time ? 'MONTH' : undefined }] })}
          />
        }
      >
        {keys.length === 0 && <p className="muted small">{t.explore.noKey}</p>}
        <ul className="chips">
          {keys.map((key, at) => {
            const column = models.column(key.path);
            const name = label(key.path, models);
            const set = (part: Partial<typeof key>) => change({ keys: keys.map((one, i) => (i === at ? { ...one, ...part } : one)) });
            return (
              <Chip key={key.path} name={name} remove={() => change({ keys: without(keys, at) })} up={at > 0 ? () => change({ keys: raised(keys, at) }) : undefined}>
                {column?.time && (
                  <Select small hidden label={t.explore.unitOf(name)} value={key.by ?? ''} onChange={(by) => set({ by: by || undefined })} choices={[{ id: '', name: t.explore.exact }, ...units.map((unit) => ({ id: unit, name: t.explore.units[unit]! }))]} />
                )}
                {column?.bins && <Bin name={name} value={key.bin ?? ''} set={(bin) => set({ bin: bin || undefined })} />}
              </Chip>
            );
          })}
        </ul>
        {keys.some(({ path, bin }) => models.column(path)?.time || bin) && (
          <Checkbox isSelected={state.fill ?? false} onChange={(fill) => change({ fill: fill || undefined })}>
            {t.explore.fill}
          </Checkbox>
        )}
      </Part>
    </>
  );
}

function Bin({ name, value, set }: { name: string; value: string; set: (bin: string) => void }) {
  return <input className="input bin" inputMode="decimal" aria-label={t.explore.binOf(name)} placeholder={t.explore.bin} value={value} onChange={({ target }) => set(target.value)} />;
}

function Columns({ models, state, change }: { models: Models; state: State; change: Change }) {
  const { columns } = state;
  return (
    <Part title={t.explore.columns} add={<Picker label={t.explore.addColumn} items={columnItems(models, ({ of }) => !of?.many, columns)} onPick={(path) => change({ columns: [...columns, path] })} />}>
      {columns.length === 0 && <p className="muted small">{t.explore.noColumn}</p>}
      <ul className="chips">
        {columns.map((path, at) => (
          <Chip key={path} name={label(path, models)} remove={() => change({ columns: without(columns, at) })} up={at > 0 ? () => change({ columns: raised(columns, at) }) : undefined} />
        ))}
      </ul>
    </Part>
  );
}

function Sort({ models, state, change, rows }: { models: Models; state: State; change: Change; rows: boolean }) {
  const { main } = models;
  const { order, keys, measures } = state;
  const sortable = rows ? columnItems(models, ({ sortable: may }) => may) : [...keys.map(({ path }) => path), ...measures].map((path) => ({ id: path, name: label(path, models) }));
  const left = sortable.filter(({ id }) => !order.some(({ by }) => by === id));
  return (
    <>
      <Part title={t.explore.order} add={<Picker label={t.explore.addOrder} items={left} onPick={(by) => change({ order: [...order, { by, desc: !rows && measures.includes(by) ? true : undefined }] })} />}>
        {order.length === 0 && <p className="muted small">{rows ? t.explore.noOrder : t.explore.usualOrder}</p>}
        <ul className="chips">
          {order.map(({ by, desc }, at) => (
            <Chip key={by} name={label(by, models)} remove={() => change({ order: without(order, at) })} up={at > 0 ? () => change({ order: raised(order, at) }) : undefined}>
              <Select
                small
                hidden
                label={t.explore.direction(label(by, models))}
                value={desc ? 'desc' : 'asc'}
                onChange={(to) => change({ order: order.map((one, i) => (i === at ? { by, desc: to === 'desc' || undefined } : one)) })}
                choices={[
                  { id: 'asc', name: t.explore.ascending },
                  { id: 'desc', name: t.explore.descending },
                ]}
              />
            </Chip>
          ))}
        </ul>
      </Part>
      {(rows || keys.length > 0) && <Part title={t.explore.limits}>
        <div className="pairs">
          {!rows && keys.length > 0 && <Whole label={t.explore.top} hint={t.explore.topHint} value={state.top} max={10_000} set={(top) => change({ top })} />}
          <Whole label={t.explore.limit} hint={t.explore.limitHint(main.maxLimit)} value={state.limit} max={main.maxLimit} set={(limit) => change({ limit })} />
        </div>
        {!rows && state.top !== undefined && (
          <Checkbox isSelected={state.others ?? false} onChange={(others) => change({ others: others || undefined })}>
            {t.explore.others}
          </Checkbox>
        )}
      </Part>}
      {!rows && main.compares.length > 0 && <Compare models={models} state={state} change={change} />}
    </>
  );
}

function Whole({ label: name, hint, value, max, set }: { label: string; hint: string; value: number | undefined; max: number; set: (value: number | undefined) => void }) {
  return (
    <TextField
      label={name}
      hint={hint}
      inputMode="numeric"
      value={value === undefined ? '' : String(value)}
      onChange={(text) => {
        const n = Number(text);
        if (text.trim() === '') set(undefined);
        else if (Number.isInteger(n) && n >= 1) set(Math.min(n, max));
      }}
    />
  );
}

function Compare({ models, state, change }: { models: Models; state: State; change: Change }) {
  const { compare } = state;
  if (!compare) {
    return (
      <Part title={t.explore.compare}>
        <Button small look="quiet" className="start" onPress={() => change({ compare: { column: state.keys.find(({ path }) => models.main.compares.includes(path))?.path ?? models.main.compares[0]!, n: 1, unit: 'YEAR' } })}>
          <Plus size={14} aria-hidden />
          {t.explore.addCompare}
        </Button>
      </Part>
    );
  }
  return (
    <Part
      title={t.explore.compare}
      add={
        <Button look="quiet" small icon aria-label={t.explore.remove(t.explore.compare)} onPress={() => change({ compare: undefined })}>
          <X size={14} aria-hidden />
        </Button>
      }
    >
      <div className="value">
        <Select small hidden label={t.explore.compareBy} value={compare.column} onChange={(column) => change({ compare: { ...compare, column } })} choices={models.main.compares.map((id) => ({ id, name: label(id, models) }))} />
        <input className="input n" inputMode="numeric" aria-label={t.explore.n} value={compare.n} onChange={({ target }) => Number(target.value) >= 1 && change({ compare: { ...compare, n: Math.floor(Number(target.value)) } })} />
        <Select small hidden label={t.explore.unit} value={compare.unit} onChange={(unit) => change({ compare: { ...compare, unit } })} choices={units.map((unit) => ({ id: unit, name: t.explore.units[unit]! }))} />
      </div>
      <p className="muted tiny">{t.explore.compareWords}</p>
    </Part>
  );
}
