// A state as GraphQL: names from the viewer's own schema, values as literals.
import { t } from '../../texts';
import { at } from './asked';
import type { Column, Models } from './model';
import { edges, numeric, temporal } from './model';
import type { Condition, Drawn, Key, State, Value } from './state';

export interface Chart extends Omit<Drawn, 'format' | 'of'> {
  kind: string;
  rows: string;
  x?: string;
  y?: string[];
  series?: string;
  compare?: string;
  compareLabel?: string;
  columns?: { path: string; label: string }[];
  format?: Record<string, { style?: string; unit?: string }>;
}

export interface Compiled {
  query: string;
  field: string; // of the answer
  keys: string[]; // paths in a row that tell rows apart
  columns: { path: string; label: string; type: string }[];
  unfinished: number; // conditions that say nothing yet
}

// known leaves out of a state what the viewer's schema does not have.
export function known(state: State, models: Models): State {
  const { main, column, measure } = models;
  const rows = state.rows || !main.aggregate || undefined;
  const fits = ({ path, op }: Condition) => operators(column(path)).some(({ name }) => name === base(op));
  const keys = state.keys.filter(({ path }) => column(path)?.groupable);
  const measures = state.measures.filter(measure);
  const columns = state.columns.filter((path) => column(path) && !models.many(path));
  const ordered = new Set(rows ? models.columns.filter(({ sortable }) => sortable).map(({ path }) => path) : [...keys.map(({ path }) => path), ...measures]);
  return {
    ...state, rows, keys, measures, columns,
    where: state.where.filter(fits),
    having: state.having.filter(({ path }) => measure(path)),
    order: state.order.filter(({ by }) => ordered.has(by)),
    limit: state.limit && Math.min(state.limit, main.maxLimit),
    compare: state.compare && main.compares.includes(state.compare.column) ? state.compare : undefined,
  };
}

// finished is what of a state the text of its question names: what is kept says no more
// than the text, by which it is judged who may see it.
export function finished(given: State, models: Models): State {
  const state = known(given, models);
  const where = state.where.filter((one) => condition(one, models) !== undefined);
  return state.rows
    ? { ...state, where, measures: [], keys: [], having: [], compare: undefined, top: undefined, others: undefined, fill: undefined }
    : { ...state, where, columns: [], having: state.keys.length ? state.having.filter(({ op, value }) => comparison(op, value, 'Float', false) !== undefined) : [] };
}

// base is the operator of the schema that a word of ours stands for.
export const base = (op: string) => (op === 'notNull' ? 'isNull' : op);

export const operators = (column: Column | undefined) => column?.operators ?? [];

const quoted = (value: string) => JSON.stringify(value);
const number = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

function literal(type: string, value: string, labels: boolean): string {
  if (labels) return /^[_A-Za-z]\w*$/.test(value) ? value : quoted(value);
  if (numeric(type)) return number.test(value.trim()) ? value.trim() : quoted(value);
  if (type === 'Boolean') return value === 'true' ? 'true' : 'false';
  return quoted(value);
}

// comparison is the text of an operator with its value; undefined while the value is unfinished.
export function comparison(op: string, value: Value, type: string, labels: boolean): string | undefined {
  if (op === 'isNull' || op === 'notNull') return `{isNull: ${op === 'isNull'}}`;
  if (value === null || value === '') return undefined;
  if (op === 'toDate') return typeof value === 'string' && /^[A-Z]+$/.test(value) ? `{toDate: ${value}}` : undefined;
  if (typeof value === 'object' && 'unit' in value) return `{${op}: {n: ${value.n}, unit: ${value.unit}}}`;
  if (typeof value === 'object' && 'from' in value) return value.from && value.to ? `{between: [{from: ${literal(type, value.from, labels)}, to: ${literal(type, value.to, labels)}}]}` : undefined;
  if (Array.isArray(value)) return value.length ? `{${op}: [${value.map((item) => literal(type, item, labels)).join(', ')}]}` : undefined;
  return `{${op}: ${literal(type, String(value), labels)}}`;
}

const nest = (path: string[], inner: string): string => (path.length === 0 ? inner : `{${path[0]}: ${nest(path.slice(1), inner)}}`);

function condition(one: Condition, models: Models): string | undefined {
  const column = models.column(one.path);
  if (!column) return undefined;
  const compared = comparison(one.op, one.value, column.type, column.labels !== undefined);
  if (compared === undefined) return undefined;
  const [first, ...rest] = one.path.split('.');
  if (models.many(one.path)) return `{${first}: {${one.many ?? 'some'}: ${nest(rest, compared)}}}`;
  return nest([first!, ...rest], compared);
}

// together joins conditions; one name may stand in several of them.
function together(texts: string[], any: boolean | undefined): string {
  if (texts.length === 1) return texts[0]!;
  return `{${any ? 'or' : 'and'}: [${texts.join(', ')}]}`;
}

function keyField({ path, by, bin }: Key, column: Column | undefined): string {
  const names = path.split('.');
  const last = names.pop()!;
  const argument = column?.time && by ? `(by: ${by})` : column?.bins && bin && number.test(bin) ? `(bin: ${literal(column.type, bin, false)})` : '';
  return [...names, `${last}${argument}`].join(' { ') + ' }'.repeat(names.length);
}

// selection writes paths as one, each name once; inner names as write says.
function selection(paths: string[], write = (name: string) => name, depth = 0): string {
  const tree = new Map<string, string[]>();
  for (const path of paths) {
    const [first, ...rest] = path.split('.');
    tree.set(first!, [...(tree.get(first!) ?? []), ...(rest.length ? [rest.join('.')] : [])]);
  }
  return [...tree].map(([name, inner]) => (inner.length ? `${name} { ${selection(inner, write, depth + 1)} }` : depth > 0 ? write(name) : name)).join(' ');
}

// part is the number of a percentile, such as 0.9 of p90.
function part(name: string | undefined): number | undefined {
  const found = /^p(\d\d)$/.exec(name ?? '');
  return found ? Number(found[1]) / 100 : undefined;
}

const aggregated = (name: string) => (part(name) === undefined ? name : `${name}: percentile(p: ${part(name)})`);

// measured is a place of orderBy or having for a measure: what a function needs stands there, too.
function measured(path: string, inner: string, ordered: boolean): string {
  const [first, fn] = path.split('.');
  const p = part(fn);
  if (p !== undefined) return nest([first!, 'percentile'], ordered ? `{p: ${p}, direction: ${inner}}` : inner.replace('{', `{p: ${p}, `));
  return nest(path.split('.'), ordered && edges.has(fn ?? '') ? `{direction: ${inner}}` : inner);
}

// rowsBy is the column that tells which row is the first: the one chosen, or one of time.
export function rowsBy({ rowsBy: chosen, rows, measures }: State, { main }: Models): string | undefined {
  if (rows || !measures.some((path) => edges.has(path.split('.')[1] ?? ''))) return undefined;
  const may = main.columns.filter(({ sortable }) => sortable);
  return (may.find(({ path }) => path === chosen) ?? may.find(({ type }) => temporal(type)) ?? may[0])?.path;
}

function ordering({ by, desc }: { by: string; desc?: boolean }, state: State, models: Models): string {
  const direction = desc ? 'DESC' : 'ASC';
  if (state.rows) return nest(by.split('.'), direction);
  const key = state.keys.find(({ path }) => path === by);
  if (!key) return measured(by, direction, true);
  const column = models.column(by);
  const bucket = column?.time ? `{${key.by ? `by: ${key.by}, ` : ''}direction: ${direction}}` : direction;
  return `{key: ${nest(by.split('.'), bucket)}}`;
}

export const defaultRows = 100;

// order is how rows come where nobody has said it: series by their time, others by how much there is.
export function orderOf(state: State, models: Models): State['order'] {
  if (state.order.length || state.rows) return state.order;
  const time = state.keys.find(({ path }) => models.column(path)?.time);
  if (time) return [{ by: time.path }];
  return state.keys.length && state.measures[0] ? [{ by: state.measures[0], desc: true }] : [];
}

export function compile(given: State, models: Models): Compiled {
  const state = known(given, models);
  const { main } = models;
  const where = state.where.map((one) => condition(one, models));
  const having = (state.keys.length ? state.having : []).map((one) => {
    const compared = comparison(one.op, one.value, models.measure(one.path)?.type ?? 'Float', false);
    return compared && measured(one.path, compared, false);
  });
  const unfinished = [...where, ...having].filter((text) => text === undefined).length;
  const args: string[] = [];
  const filled = where.filter((text) => text !== undefined);
  if (filled.length) args.push(`where: ${together(filled, state.any)}`);
  const order = orderOf(state, models).map((one) => ordering(one, state, models));
  const write = (field: string, inner: string[]) => `{\n  ${field}${args.length ? `(\n    ${args.join('\n    ')}\n  )` : ''} {\n    ${inner.join('\n    ')}\n  }\n}\n`;

  if (state.rows) {
    const columns = state.columns.length ? state.columns : main.columns.slice(0, 8).map(({ path }) => path);
    if (order.length) args.push(`orderBy: [${order.join(', ')}]`);
    args.push(`limit: ${state.limit ?? Math.min(defaultRows, main.maxLimit)}`);
    return {
      query: write(main.name, [selection(columns) || '__typename']),
      field: main.name,
      keys: main.key.every((path) => columns.includes(path)) ? main.key : [],
      columns: columns.map((path) => ({ path, label: label(path, models), type: models.column(path)?.type ?? '' })),
      unfinished,
    };
  }

  const measures = state.measures.length ? state.measures : ['count'];
  const by = rowsBy(state, models);
  if (by) args.push(`rowsBy: ${by}`);
  const having_ = having.filter((text) => text !== undefined);
  if (having_.length) args.push(`having: ${together(having_, false)}`);
  // What is left out of the first n is the rest: it has one order, by what is measured.
  if (state.top && state.keys.length) args.push(`topN: {n: ${state.top}, by: ${measured(measures[0]!, 'DESC', true)}${state.others ? ', others: true' : ''}}`);
  if (order.length) args.push(`orderBy: [${order.join(', ')}]`);
  if (state.compare) args.push(`compareTo: {${state.compare.column}: {n: ${state.compare.n}, unit: ${state.compare.unit}}}`);
  if (state.fill && state.keys.some(({ path, bin }) => models.column(path)?.time || bin)) args.push('fill: true');
  if (state.keys.length) args.push(`limit: ${state.limit ?? Math.min(1000, main.maxLimit)}`);
  const inner = state.keys.length ? [`key { ${state.keys.map((key) => keyField(key, models.column(key.path))).join(' ')} }`] : [];
  inner.push(selection(measures, aggregated));
  if (state.compare) inner.push(`previous { ${selection(measures, aggregated)} }`);
  if (state.top && state.others && state.keys.length) inner.push('isOthers');
  const keys = state.keys.map(({ path }) => `key.${path}`);
  const columns = [
    ...state.keys.map(({ path }) => ({ path: `key.${path}`, label: label(path, models), type: models.column(path)?.type ?? '' })),
    ...measures.map((path) => ({ path, label: label(path, models), type: models.measure(path)?.type ?? '' })),
    ...(state.compare ? measures.map((path) => ({ path: `previous.${path}`, label: `${label(path, models)} (before)`, type: models.measure(path)?.type ?? '' })) : []),
  ];
  return { query: write(`${main.name}Aggregate`, inner), field: `${main.name}Aggregate`, keys, columns, unfinished };
}

export function label(path: string, models: Models): string {
  const column = models.column(path);
  if (column) return column.of ? `${column.label} (${column.of.name})` : column.label;
  return models.measure(path)?.label ?? path;
}

export const kinds = ['table', 'number', 'line', 'area', 'bar', 'pie', 'donut', 'scatter', 'heatmap', 'pivot'] as const;

// suits tells which kinds can draw what is asked.
export function suits(state: State): Set<string> {
  if (state.rows) return new Set(['table']);
  const { length: keys } = state.keys;
  const { length: measures } = state.measures;
  const fit = ['table'];
  if (keys === 0) fit.push('number');
  if (keys >= 1 && keys <= 2) fit.push('line', 'area', 'bar');
  if (keys === 1) fit.push('pie', 'donut');
  if (keys >= 1 && measures >= 2) fit.push('scatter');
  if (keys === 2) fit.push('heatmap', 'pivot');
  return new Set(fit);
}

// besideEachOther are the measures that one axis shows: of the size of the one that is drawn in any case, so that none lies flat,
// and no more than there are colors. The others are told of.
function besideEachOther(of: string, measures: string[], rows: readonly unknown[], colors: number): string[] {
  const size = (path: string) => Math.max(0, ...rows.slice(0, 1000).map((row) => Math.abs(Number(at(row, path)) || 0)));
  const wanted = size(of);
  const fit = measures.filter((path) => {
    const most = size(path);
    return path !== of && (most === 0 || wanted === 0 || (most * 50 >= wanted && wanted * 50 >= most));
  });
  const drawn = new Set([of, ...fit.slice(0, colors - 1)]);
  return measures.filter((path) => drawn.has(path));
}

const colors = 6;

// leftOut are the measures that a chart does not draw.
export function leftOut(state: State, { kind, x, y = [] }: Chart): string[] {
  return kind === 'table' || state.rows ? [] : state.measures.filter((path) => path !== x && !y.includes(path));
}

// about says what a chart shows.
export function about({ keys, columns }: Compiled, { kind, x, y = [] }: Chart): string {
  const called = (paths: (string | undefined)[]) => columns.filter(({ path }) => paths.includes(path)).map(({ label: text }) => text);
  const measured = called(kind === 'scatter' ? [x, ...y] : y);
  const by = called(keys);
  return t.explore.about(measured.length > 3 ? t.explore.measuresOf(measured.length) : measured.join(', '), by.join(', '));
}

const few = 40; // names along an axis

// chartOf draws what came: a series of time as a line, few names as bars, one number as a number.
export function chartOf(state: State, models: Models, compiled: Compiled, came: readonly unknown[]): Chart {
  const rows = came.length;
  const suit = suits(state);
  const time = state.keys.findIndex(({ path }) => models.column(path)?.time);
  const guess =
    state.rows || state.keys.length > 2 ? 'table'
    : state.keys.length === 0 ? (state.measures.length === 1 && rows <= 1 ? 'number' : 'table')
    : time >= 0 ? (rows === 1 ? 'bar' : 'line')
    : rows <= few * state.keys.length ? 'bar'
    : 'table';
  const kind = state.chart.kind && suit.has(state.chart.kind) ? state.chart.kind : guess;
  const measures = state.measures.length ? state.measures : ['count'];
  const of = measures.find((path) => path === state.chart.of) ?? measures[0]!;
  const format: Chart['format'] = {};
  for (const { path, by } of state.keys) if (by && by !== 'MILLISECOND' && models.column(path)?.time) format[`key.${path}`] = { style: 'date', unit: by.toLowerCase() };
  if (state.chart.format) for (const path of measures) format[path] = format[`previous.${path}`] = { style: state.chart.format };
  const base_ = { kind, rows: compiled.field, ...(Object.keys(format).length ? { format } : {}) };
  const columns = compiled.columns.map(({ path, label: text }) => ({ path, label: text }));
  if (kind === 'table') return { ...base_, columns };
  if (kind === 'number') return { ...base_, columns, y: [of], ...(state.compare ? { compare: `previous.${of}`, compareLabel: `than ${state.compare.n} ${state.compare.unit.toLowerCase()} before` } : {}) };
  const at = Math.max(time, 0);
  const x = compiled.keys[at]!;
  const series = compiled.keys[at === 0 ? 1 : 0];
  if (kind === 'scatter') return { ...base_, columns, x: measures[0]!, y: [of === measures[0] ? measures[1]! : of], ...(compiled.keys[0] ? { series: compiled.keys[0] } : {}) };
  return {
    ...base_, columns, x,
    y:
      kind === 'pivot' ? measures
      : (series && state.keys.length > 1) || ['pie', 'donut'].includes(kind) ? [of]
      : [...besideEachOther(of, measures, came, state.compare ? colors - 1 : colors), ...(state.compare ? [`previous.${of}`] : [])],
    ...(series && state.keys.length > 1 ? { series } : {}),
    ...(kind === 'bar' || kind === 'area' ? { stacked: state.chart.stacked ?? state.keys.length > 1 } : {}),
    ...(kind === 'bar' ? { horizontal: state.chart.horizontal ?? (time < 0 && rows > 6) } : {}),
  };
}

export { temporal };
