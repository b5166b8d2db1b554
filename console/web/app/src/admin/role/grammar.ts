// How a role is written: what the configuration's schema says of roles, which a test compares,
// without what a tenant's own role cannot say.
import grammar from './grammar.json';
import type { Bounds } from './shown';

export interface Form {
  $ref?: string;
  type?: string;
  description?: string;
  properties?: Record<string, Form>;
  additionalProperties?: boolean | Form;
  items?: Form;
  minimum?: number;
}

export const role = grammar as Form;
export const right = (role.properties!.datasets!.additionalProperties as Form).properties!;

export const isWhere = (form: Form | undefined) => form?.$ref === '#/$defs/where';

// formAt follows names from the role on. It ends where conditions begin, with the names that are left.
export function formAt(path: string[]): { form?: Form; dataset?: string; rest: string[] } {
  let form: Form | undefined = role;
  let dataset: string | undefined;
  for (const [depth, name] of path.entries()) {
    if (isWhere(form)) return { form, dataset, rest: path.slice(depth) };
    const below: Form | undefined = form?.properties?.[name] ?? form?.items ?? (typeof form?.additionalProperties === 'object' ? form.additionalProperties : undefined);
    if (form === role.properties!.datasets) dataset = name;
    form = below;
  }
  return { form, dataset, rest: [] };
}

export const operators = {
  value: ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'like', 'notLike', 'ilike', 'notIlike', 'contains', 'startsWith', 'endsWith', 'icontains', 'istartsWith', 'iendsWith', 'has'],
  list: ['in', 'notIn', 'hasAny', 'hasAll'],
  other: ['isNull', 'last', 'next', 'previous', 'toDate', 'path'],
};
export const allOperators = [...operators.value, ...operators.list, ...operators.other];

// barred tells a word of a right that none on a dataset can have.
export const barred = (word: string, bounds: Bounds | undefined) => bounds !== undefined && (['insert', 'update', 'delete'].includes(word) ? !bounds.changes.includes(word) : word === 'include_deleted' && !bounds.includeDeleted);
