// What is being explored, as plain values: it stands in the address and in what is
// saved. Nothing of it is secret, and nothing of it is trusted: what does not fit is
// left out when it is read.

export interface Key {
  path: string; // of a column, through relations to one row: "promotion.name"
  by?: string; // unit of time
  bin?: string; // width of a bin of numbers
}

export interface Condition {
  path: string;
  op: string;
  value: Value;
  many?: string; // some, none or every row of the relation that the path begins with
}

export type Value = string | boolean | string[] | { from: string; to: string } | { n: number; unit: string } | null;

export interface Order {
  by: string; // a key or measure of groups, a column of rows
  desc?: boolean;
}

export interface Drawn {
  kind?: string;
  stacked?: boolean;
  horizontal?: boolean;
  format?: 'currency' | 'percent';
  of?: string; // the measure that is drawn where not all are
}

export interface State {
  dataset: string;
  rows?: boolean; // a list of rows; otherwise groups
  measures: string[]; // "count", "revenue", "total.sum"
  keys: Key[];
  columns: string[];
  where: Condition[];
  any?: boolean; // one condition is enough
  having: Condition[]; // their paths are measures
  order: Order[];
  limit?: number;
  top?: number;
  others?: boolean;
  compare?: { column: string; n: number; unit: string };
  fill?: boolean;
  rowsBy?: string; // the column whose order first and last go by
  chart: Drawn;
}

export const units = ['YEAR', 'QUARTER', 'MONTH', 'WEEK', 'DAY', 'HOUR', 'MINUTE'] as const;

const name = /^[_A-Za-z][_0-9A-Za-z]*$/;
const path = /^[_A-Za-z][_0-9A-Za-z]*(\.[_A-Za-z][_0-9A-Za-z]*)*$/;
const most = 50;

type Loose = Record<string, unknown>;
const object = (value: unknown): Loose => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value.slice(0, most) : []);
const isPath = (value: unknown): value is string => typeof value === 'string' && path.test(value);
const whole = (value: unknown, top: number) => (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= top ? value : undefined);

export const start = (dataset: string): State => ({ dataset, measures: ['count'], keys: [], columns: [], where: [], having: [], order: [], chart: {} });

// read makes a state of what stands in an address or in the store; undefined where it
// names no dataset.
export function read(from: unknown): State | undefined {
  const given = object(from);
  if (typeof given.dataset !== 'string' || !name.test(given.dataset)) return undefined;
  const compare = object(given.compare);
  const chart = object(given.chart);
  const n = whole(compare.n, 1000);
  return {
    dataset: given.dataset,
    rows: given.rows === true || undefined,
    measures: list(given.measures).filter(isPath),
    keys: list(given.keys).map(object).flatMap((key) => (isPath(key.path) ? [{ path: key.path, by: unit(key.by), bin: text(key.bin) }] : [])),
    columns: list(given.columns).filter(isPath),
    where: conditions(given.where),
    any: given.any === true || undefined,
    having: conditions(given.having),
    order: list(given.order).map(object).flatMap((order) => (isPath(order.by) ? [{ by: order.by, desc: order.desc === true || undefined }] : [])),
    limit: whole(given.limit, 1_000_000),
    top: whole(given.top, 10_000),
    others: given.others === true || undefined,
    compare: typeof compare.column === 'string' && name.test(compare.column) && n && unit(compare.unit) ? { column: compare.column, n, unit: unit(compare.unit)! } : undefined,
    fill: given.fill === true || undefined,
    rowsBy: typeof given.rowsBy === 'string' && name.test(given.rowsBy) ? given.rowsBy : undefined,
    chart: {
      kind: text(chart.kind),
      stacked: typeof chart.stacked === 'boolean' ? chart.stacked : undefined,
      horizontal: typeof chart.horizontal === 'boolean' ? chart.horizontal : undefined,
      of: isPath(chart.of) ? chart.of : undefined,
      format: chart.format === 'currency' || chart.format === 'percent' ? chart.format : undefined,
    },
  };
}

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value.slice(0, 2000) : undefined);
const unit = (value: unknown) => (typeof value === 'string' && /^[A-Z]+$/.test(value) ? value : undefined);

function conditions(from: unknown): Condition[] {
  return list(from).map(object).flatMap((one) =>
    isPath(one.path) && typeof one.op === 'string' && name.test(one.op)
      ? [{ path: one.path, op: one.op, value: valueOf(one.value), many: ['some', 'none', 'every'].includes(String(one.many)) ? String(one.many) : undefined }]
      : [],
  );
}

function valueOf(from: unknown): Value {
  if (typeof from === 'string' || typeof from === 'boolean') return from;
  if (Array.isArray(from)) return from.filter((item): item is string => typeof item === 'string').slice(0, 500);
  const { from: first, to, n, unit: by } = object(from);
  if (typeof n === 'number' && Number.isInteger(n) && unit(by)) return { n, unit: unit(by)! };
  if (typeof first === 'string' && typeof to === 'string') return { from: first, to };
  return null;
}

// written is a state without what is empty, so that addresses stay short.
export function written(state: State): Loose {
  return JSON.parse(JSON.stringify(state, (_key, value: unknown) => (value === undefined || (Array.isArray(value) && value.length === 0) || (typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0) ? undefined : value))) as Loose;
}
