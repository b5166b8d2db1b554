// Conditions: what is compared, how, and with what, each with the control its type has.
import { X } from 'lucide-react';
import { useState } from 'react';
import { useMe } from '../../me';
import { t } from '../../texts';
import { Button, Checks, Select } from '../../ui/controls';
import { label } from './compile';
import { columnItems, measureItems } from './items';
import { numeric, temporal, type Column, type Models } from './model';
import { Part } from './part';
import { Picker } from './picker';
import { units, type Condition, type Value } from './state';

// The operators that are offered, in this order, where the schema has them.
const offered = ['eq', 'neq', 'in', 'notIn', 'icontains', 'notIcontains', 'istartsWith', 'iendsWith', 'last', 'previous', 'toDate', 'next', 'ago', 'gte', 'lte', 'gt', 'lt', 'between', 'has', 'hasAny', 'hasAll'];
const ranges = new Set(['last', 'lastAvailable', 'next', 'nextFull', 'previous', 'ago', 'moreThanAgo', 'orMoreAgo']);
const lists = new Set(['in', 'notIn', 'hasAny', 'hasAll']);

function ops(has: Column['operators']): string[] {
  const names = new Set(has.map(({ name }) => name));
  return [...offered.filter((op) => names.has(op)), ...(names.has('isNull') ? ['isNull', 'notNull'] : [])];
}

function first(type: string, has: string[]): Condition['op'] {
  if (temporal(type) && has.includes('last')) return 'last';
  if (type === 'String' && has.includes('icontains')) return 'icontains';
  if (numeric(type) && has.includes('gte')) return 'gte';
  return has[0] ?? 'isNull';
}

const empty = (op: string): Value => (ranges.has(op) ? { n: 30, unit: 'DAY' } : lists.has(op) ? [] : op === 'between' ? { from: '', to: '' } : op === 'toDate' ? 'YEAR' : op === 'isNull' || op === 'notNull' ? null : '');

const shape = (op: string) => (ranges.has(op) ? 'range' : lists.has(op) ? 'list' : op === 'between' ? 'pair' : op === 'toDate' ? 'unit' : op === 'isNull' || op === 'notNull' ? 'none' : 'one');

interface Props {
  title: string;
  add: string;
  models: Models;
  conditions: Condition[];
  set: (conditions: Condition[]) => void;
  measures?: boolean;
  any?: boolean;
  setAny?: (any: boolean) => void;
}

export function Conditions({ title, add, models, conditions, set, measures, any, setAny }: Props) {
  const typeOf = (path: string) => (measures ? models.measure(path)?.type : models.column(path)?.type) ?? 'String';
  const opsOf = (path: string) => ops(measures ? models.main.operatorsOf(path) : (models.column(path)?.operators ?? [])).filter((op) => !measures || !['last', 'previous', 'toDate', 'next', 'ago'].includes(op));
  const items = measures ? measureItems(models).filter(({ id }) => !id.includes('.')) : columnItems(models, ({ operators }) => ops(operators).length > 0);
  return (
    <Part
      title={title}
      add={
        <Picker
          label={add}
          items={items}
          onPick={(path) => {
            const op = first(typeOf(path), opsOf(path));
            set([...conditions, { path, op, value: empty(op), many: models.many(path) ? 'some' : undefined }]);
          }}
        />
      }
    >
      {setAny && conditions.length > 1 && (
        <Select
          small
          hidden
          label={t.explore.join}
          value={any ? 'any' : 'all'}
          onChange={(which) => setAny(which === 'any')}
          choices={[
            { id: 'all', name: t.explore.joinAll },
            { id: 'any', name: t.explore.joinAny },
          ]}
        />
      )}
      <ul className="conditions">
        {conditions.map((one, at) => (
          <One
            key={`${one.path} ${at}`}
            name={label(one.path, models)}
            condition={one}
            ops={opsOf(one.path)}
            column={measures ? undefined : models.column(one.path)}
            type={typeOf(one.path)}
            many={!measures && models.many(one.path) !== undefined}
            set={(next) => set(conditions.map((other, i) => (i === at ? next : other)))}
            remove={() => set(conditions.filter((_other, i) => i !== at))}
          />
        ))}
      </ul>
    </Part>
  );
}

function One({ name, condition, ops: has, column, type, many, set, remove }: { name: string; condition: Condition; ops: string[]; column: Column | undefined; type: string; many: boolean; set: (next: Condition) => void; remove: () => void }) {
  const { op, value } = condition;
  return (
    <li className="condition">
      <div className="condition-head">
        {many && (
          <Select small hidden label={t.explore.manyOf(name)} value={condition.many ?? 'some'} onChange={(which) => set({ ...condition, many: which })} choices={Object.entries(t.explore.manyWays).map(([id, words]) => ({ id, name: words }))} />
        )}
        <span className="chip-name truncate" title={name}>
          {name}
        </span>
        <Button look="quiet" small icon aria-label={t.explore.remove(name)} onPress={remove}>
          <X size={14} aria-hidden />
        </Button>
      </div>
      <div className="value">
        <Select
          small
          hidden
          label={t.explore.operatorOf(name)}
          value={op}
          onChange={(next) => set({ ...condition, op: next, value: shape(next) === shape(op) ? value : empty(next) })}
          choices={has.map((id) => ({ id, name: t.explore.operators[id] ?? id }))}
        />
        <Operand name={name} op={op} value={value} type={type} column={column} set={(next) => set({ ...condition, value: next })} />
      </div>
    </li>
  );
}

function Operand({ name, op, value, type, column, set }: { name: string; op: string; value: Value; type: string; column: Column | undefined; set: (value: Value) => void }) {
  const labels = column?.labels;
  const label_ = t.explore.valueOf(name);
  switch (shape(op)) {
    case 'none':
      return null;
    case 'unit':
      return <Select small hidden label={label_} value={typeof value === 'string' ? value : 'YEAR'} onChange={set} choices={units.map((unit) => ({ id: unit, name: t.explore.units[unit]! }))} />;
    case 'range': {
      const range = typeof value === 'object' && value !== null && 'unit' in value ? value : { n: 30, unit: 'DAY' };
      return (
        <>
          <input className="input n" inputMode="numeric" aria-label={t.explore.n} value={range.n} onChange={({ target }) => Number(target.value) >= 1 && set({ ...range, n: Math.floor(Number(target.value)) })} />
          <Select small hidden label={t.explore.unit} value={range.unit} onChange={(unit) => set({ ...range, unit })} choices={units.map((unit) => ({ id: unit, name: t.explore.units[unit]! }))} />
        </>
      );
    }
    case 'pair': {
      const pair = typeof value === 'object' && value !== null && 'from' in value ? value : { from: '', to: '' };
      return (
        <div className="pair">
          <Single label={t.explore.from(name)} type={type} labels={labels} value={pair.from} set={(from) => set({ ...pair, from })} />
          <Single label={t.explore.to(name)} type={type} labels={labels} value={pair.to} set={(to) => set({ ...pair, to })} />
        </div>
      );
    }
    case 'list': {
      const chosen = Array.isArray(value) ? value : [];
      if (labels) return <Checks label={label_} choices={labels.map(({ name: id }) => ({ id, name: id }))} value={chosen} onChange={set} />;
      return <Several key={op} label={label_} value={chosen} set={set} />;
    }
    default:
      return <Single label={label_} type={type} labels={labels} value={typeof value === 'string' ? value : ''} set={set} />;
  }
}

// Several are values with commas between them, as people write lists.
function Several({ label: name, value, set }: { label: string; value: string[]; set: (value: string[]) => void }) {
  const [text, setText] = useState(value.join(', '));
  return (
    <input
      className="input"
      aria-label={name}
      placeholder={t.explore.several}
      value={text}
      onChange={({ target }) => {
        setText(target.value);
        set(target.value.split(',').map((one) => one.trim()).filter(Boolean));
      }}
    />
  );
}

function Single({ label: name, type, labels, value, set }: { label: string; type: string; labels?: Column['labels']; value: string; set: (value: string) => void }) {
  const { timezone } = useMe();
  if (labels) return <Select small hidden label={name} placeholder={t.explore.choose} value={value || null} onChange={set} choices={labels.map(({ name: id }) => ({ id, name: id }))} />;
  if (type === 'Boolean') {
    return (
      <Select
        small
        hidden
        label={name}
        placeholder={t.explore.choose}
        value={value || null}
        onChange={set}
        choices={[
          { id: 'true', name: t.explore.yes },
          { id: 'false', name: t.explore.no },
        ]}
      />
    );
  }
  if (type === 'Date') return <input className="input" type="date" aria-label={name} value={value} onChange={({ target }) => set(target.value)} />;
  if (type === 'LocalTimestamp') return <input className="input" type="datetime-local" step={1} aria-label={name} value={value} onChange={({ target }) => set(target.value.length === 16 ? `${target.value}:00` : target.value)} />;
  if (type === 'Timestamp') return <Moment name={name} zone={timezone} value={value} set={set} />;
  const wrong = numeric(type) && value.trim() !== '' && !/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value.trim());
  return <input className="input" aria-label={name} aria-invalid={wrong || undefined} data-invalid={wrong || undefined} inputMode={numeric(type) ? 'decimal' : undefined} placeholder={type} value={value} onChange={({ target }) => set(target.value)} />;
}

// Moment is an instant, typed as the clock of the viewer's time zone shows it.
function Moment({ name, zone, value, set }: { name: string; zone: string; value: string; set: (value: string) => void }) {
  const [shown, setShown] = useState(() => (value ? clock(value, zone) : ''));
  return (
    <input
      className="input"
      type="datetime-local"
      step={1}
      aria-label={`${name} (${zone})`}
      title={zone}
      value={shown}
      onChange={({ target }) => {
        setShown(target.value);
        set(target.value ? instant(target.value, zone) : '');
      }}
    />
  );
}

// offset is how far the clock of a zone is ahead of UTC's at an instant.
function offset(at: number, zone: string): number {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' })
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  return Date.parse(`${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}:${parts.second}Z`) - Math.floor(at / 1000) * 1000;
}

function instant(wall: string, zone: string): string {
  const utc = Date.parse(`${wall.length === 16 ? `${wall}:00` : wall}Z`);
  if (Number.isNaN(utc)) return '';
  const guess = utc - offset(utc, zone);
  return new Date(utc - offset(guess, zone)).toISOString().replace('.000Z', 'Z');
}

function clock(at: string, zone: string): string {
  const utc = Date.parse(at);
  return Number.isNaN(utc) ? '' : new Date(utc + offset(utc, zone)).toISOString().slice(0, 19);
}
