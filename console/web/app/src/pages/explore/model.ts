// What a dataset offers to its viewer, read from the schema and the catalog of their
// own token: nothing else can be chosen.
import { useQueries, useQuery } from '@tanstack/react-query';
import { ask, Failure } from '../../api';
import { t } from '../../texts';
import { era } from './era';

export interface Label {
  name: string;
  description: string | null;
}

export interface Column {
  path: string;
  label: string;
  description: string | null;
  type: string;
  list: boolean;
  labels?: Label[]; // of an enum
  groupable: boolean;
  time: boolean; // grouped by a unit of time
  bins: boolean;
  sortable: boolean;
  functions: { name: string; type: string }[];
  operators: { name: string; type: string; list: boolean; input: boolean }[];
}

export interface Measure {
  path: string;
  label: string;
  description: string | null;
  type: string;
}

export interface Relation {
  name: string;
  to: string;
  many: boolean;
}

export interface Listed {
  name: string;
  type: string;
  label: string | null;
  description: string | null;
  aggregate: boolean;
  relations: Relation[];
}

export interface Model {
  name: string;
  label: string;
  type: string;
  key: string[];
  aggregate: boolean;
  limit: number;
  maxLimit: number;
  columns: Column[];
  measures: Measure[];
  relations: Relation[];
  compares: string[]; // columns of time
  fills: boolean;
  operatorsOf: (type: string) => Column['operators'];
}

export const listQuery = () => ({
  queryKey: ['explore', era(), 'datasets'],
  staleTime: 60_000,
  queryFn: () => ask<{ datasets: Listed[] }>('{ datasets { name type label description aggregate relations { name to many } } }').then(({ datasets }) => datasets),
});

interface Ref {
  kind: string;
  name: string | null;
  enumValues?: Label[] | null;
  ofType?: Ref | null;
}

interface Field {
  name: string;
  description?: string | null;
  args?: { name: string; type?: Ref }[];
  type: Ref & { fields?: Field[] | null; inputFields?: Field[] | null; ofType?: (Ref & { fields?: Field[] | null }) | null };
}

interface Answer {
  dataset: {
    name: string; type: string; label: string | null; key: string[]; aggregate: boolean; limit: number; maxLimit: number;
    columns: { name: string; type: string; label: string | null; description: string | null }[];
    measures: { name: string; type: string; label: string | null; description: string | null }[];
    relations: Relation[];
  } | null;
  rows: { fields: Field[] } | null;
  key: { fields: Field[] } | null;
  groups: { fields: Field[] } | null;
  where: { inputFields: Field[] } | null;
  having: { inputFields: Field[] } | null;
  order: { inputFields: Field[] } | null;
  compare: { inputFields: Field[] } | null;
  query: { fields: { name: string; args: { name: string }[] }[] } | null;
}

const operation = `query Explore($dataset: String!, $rows: String!, $key: String!, $groups: String!, $where: String!, $having: String!, $order: String!, $compare: String!) {
  dataset(name: $dataset) { name type label key aggregate limit maxLimit columns { name type label description } measures { name type label description } relations { name to many } }
  rows: __type(name: $rows) { fields { name type { ...ref } } }
  key: __type(name: $key) { fields { name args { name } type { kind name } } }
  groups: __type(name: $groups) { fields { name args { name } type { kind name fields { name args { name } type { ...ref } } ofType { kind name fields { name args { name } type { ...ref } } } } } }
  where: __type(name: $where) { inputFields { name type { kind name inputFields { name type { ...ref } } } } }
  having: __type(name: $having) { inputFields { name type { kind name inputFields { name type { ...ref } } } } }
  order: __type(name: $order) { inputFields { name } }
  compare: __type(name: $compare) { inputFields { name } }
}
fragment ref on __Type { kind name enumValues { name description } ofType { kind name enumValues { name description } ofType { kind name enumValues { name description } ofType { kind name } } } }`;

// named is the type within lists and what may not be null.
function named(type: Ref | null | undefined): Ref {
  let inner = type;
  while (inner?.ofType && (inner.kind === 'NON_NULL' || inner.kind === 'LIST')) inner = inner.ofType;
  return inner ?? { kind: 'SCALAR', name: 'String' };
}
function isList(type: Ref | null | undefined): boolean {
  return type?.kind === 'LIST' || (type?.kind === 'NON_NULL' && type.ofType?.kind === 'LIST');
}
const operatorsIn = (fields: Field[] | null | undefined): Column['operators'] =>
  (fields ?? []).map(({ name, type }) => ({ name, type: named(type).name ?? '', list: isList(type), input: named(type).kind === 'INPUT_OBJECT' }));

const counts = new Set(['count', 'runningCount', 'countShare', 'isOthers', 'key', 'previous', '__typename']);

// What the first and the last rows have needs an order of rows; percentiles are offered by usual parts, as p90.
export const edges = new Set(['first', 'last']);
const percentiles = ['p10', 'p25', 'p75', 'p90', 'p95', 'p99'];

async function load(listed: Listed): Promise<Model> {
  const { type } = listed;
  const got = await ask<Answer>(operation, {
    dataset: listed.name, rows: type, key: `${type}Key`, groups: `${type}Aggregate`, where: `${type}Where`, having: `${type}Having`, order: `${type}OrderBy`, compare: `${type}CompareTo`,
  });
  const { dataset } = got;
  if (!dataset) throw new Failure(t.explore.gone, 'NOT_FOUND', undefined, false);
  const rows = new Map(got.rows?.fields.map((field) => [field.name, field]));
  const keys = new Map(got.key?.fields.map((field) => [field.name, field]));
  const groups = new Map(got.groups?.fields.map((field) => [field.name, field]));
  const filters = new Map(got.where?.inputFields.map((field) => [field.name, field]));
  const sorts = new Set(got.order?.inputFields.map(({ name }) => name));
  const columns = dataset.columns.flatMap(({ name, type: ofColumn, label, description }): Column[] => {
    const field = rows.get(name);
    if (!field) return [];
    const key = keys.get(name);
    const aggregate = groups.get(name);
    const inner = aggregate && (aggregate.type.fields ?? aggregate.type.ofType?.fields);
    const functions = inner
      ? inner
          .filter((f) => ((f.args ?? []).length === 0 || f.name === 'percentile' || (edges.has(f.name) && sorts.size > 0)) && !['runningSum', 'sumShare', '__typename'].includes(f.name))
          .flatMap((f) => (f.name === 'percentile' ? percentiles : [f.name]).map((name) => ({ name, type: named(f.type).name ?? '' })))
      : [];
    return [
      {
        path: name, label: label ?? words(name), description, type: named(field.type).name ?? ofColumn, list: isList(field.type),
        labels: named(field.type).kind === 'ENUM' ? (named(field.type).enumValues ?? undefined) : undefined,
        groupable: key !== undefined, time: key?.args?.some((arg) => arg.name === 'by') ?? false, bins: key?.args?.some((arg) => arg.name === 'bin') ?? false,
        sortable: sorts.has(name), functions, operators: operatorsIn(filters.get(name)?.type.inputFields),
      },
    ];
  });
  const measures = dataset.measures.flatMap(({ name, type: ofMeasure, label, description }): Measure[] =>
    groups.has(name) && !counts.has(name) ? [{ path: name, label: label ?? words(name), description, type: ofMeasure }] : [],
  );
  const havings = new Map(got.having?.inputFields.map((field) => [field.name, operatorsIn(field.type.inputFields)]));
  return {
    ...dataset,
    label: dataset.label ?? words(dataset.name),
    aggregate: dataset.aggregate && groups.size > 0,
    columns,
    measures: groups.has('count') ? [{ path: 'count', label: t.explore.count, description: null, type: 'BigInt' }, ...measures] : measures,
    compares: got.compare?.inputFields.map(({ name }) => name) ?? [],
    fills: columns.some(({ time, bins }) => time || bins),
    operatorsOf: (measure) => havings.get(measure) ?? havings.get('count') ?? [],
  };
}

// words makes what people read of a name: orderedAt is "Ordered at".
export function words(name: string): string {
  const apart = name.replace(/_/g, ' ').replace(/([a-z0-9])([A-Z])/g, (_all, a: string, b: string) => `${a} ${b.toLowerCase()}`).trim();
  return apart.charAt(0).toUpperCase() + apart.slice(1);
}

export interface Models {
  main: Model;
  // one finds what a path through relations leads to.
  column: (path: string) => (Column & { of?: Relation }) | undefined;
  measure: (path: string) => Measure | undefined;
  // columns of the dataset and of those that its relations lead to.
  columns: (Column & { of?: Relation })[];
  many: (path: string) => Relation | undefined;
}

const near = 12; // relations whose columns are offered

// useModels reads a dataset and those next to it.
export function useModels(list: Listed[] | undefined, dataset: string | undefined): { data: Models | undefined; error: unknown; refetch: () => unknown } {
  const listed = list?.find(({ name }) => name === dataset);
  const main = useQuery({ queryKey: ['explore', era(), 'model', dataset], enabled: listed !== undefined, staleTime: 300_000, queryFn: () => load(listed!) });
  const next = [...new Set(main.data?.relations.map(({ to }) => to))].slice(0, near).flatMap((to) => list?.find(({ name }) => name === to) ?? []);
  const others = useQueries({ queries: next.map((one) => ({ queryKey: ['explore', era(), 'model', one.name], staleTime: 300_000, queryFn: () => load(one) })) });
  if (!main.data || others.some(({ isPending }) => isPending)) return { data: undefined, error: main.error, refetch: () => main.refetch() };
  const found = new Map(others.flatMap(({ data }) => (data ? [[data.name, data] as const] : [])));
  const model = main.data;
  const columns: Models['columns'] = [...model.columns];
  for (const relation of model.relations) {
    for (const column of found.get(relation.to)?.columns ?? []) {
      columns.push({ ...column, path: `${relation.name}.${column.path}`, label: column.label, of: relation, sortable: column.sortable && !relation.many, groupable: column.groupable && !relation.many, functions: [] });
    }
  }
  const byPath = new Map(columns.map((column) => [column.path, column]));
  return {
    data: {
      main: model,
      columns,
      column: (path) => byPath.get(path),
      measure: (path) => measureOf(model, path),
      many: (path) => byPath.get(path)?.of && (byPath.get(path)!.of!.many ? byPath.get(path)!.of : undefined),
    },
    error: undefined,
    refetch: () => main.refetch(),
  };
}

function measureOf(model: Model, path: string): Measure | undefined {
  const [column, fn] = path.split('.');
  if (fn === undefined) return model.measures.find((measure) => measure.path === path);
  const of = model.columns.find((one) => one.path === column);
  const made = of?.functions.find((one) => one.name === fn);
  return of && made && { path, label: t.explore.functionOf(t.explore.functions[fn] ?? words(fn), of.label), description: of.description, type: made.type };
}

export const numeric = (type: string) => ['Int', 'BigInt', 'Decimal', 'Float'].includes(type);
export const temporal = (type: string) => ['Date', 'Timestamp', 'LocalTimestamp'].includes(type);
