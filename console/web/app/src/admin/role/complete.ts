// What can stand where somebody writes: the words of a role, and names that its writer sees.
import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import type { EditorView } from '@codemirror/view';
import { t } from '../../texts';
import { allOperators, barred, formAt, isWhere, operators, right, type Form } from './grammar';
import type { Column, Dataset } from './shown';
import { member, read, whereIs, type Node } from './read';
import { fits, typeOf } from './values';

interface Offer {
  name: string;
  detail?: string;
  info?: string;
  then?: string; // the value that a name begins with, | where the cursor goes
  bare?: boolean; // no text
}

export function complete(context: CompletionContext, known: Dataset[] | undefined): CompletionResult | null {
  const word = context.matchBefore(/"?[\w$.]*/);
  if (!word || (word.from === word.to && !context.explicit)) return null;
  const text = context.state.doc.toString();
  const place = whereIs(text, word.from);
  if (place.due === 'nothing') return null;
  const offers = place.due === 'name' ? namesAt(place.path, known) : valuesAt(place.path, known, read(text).root);
  const shown = offers.filter(({ name }) => !place.has.includes(name));
  if (shown.length === 0) return null;
  // Whoever has begun without a quote is offered the same, and filtered by what was typed.
  const from = word.text.startsWith('"') ? word.from + 1 : word.from;
  return { from, options: shown.map((offer, at) => ({ ...option(offer, place.due === 'name'), boost: Math.max(-99, 99 - at) })), validFor: /^[\w$.]*$/ };
}

function option({ name, detail, info, then, bare }: Offer, isName: boolean): Completion {
  return {
    label: name,
    detail,
    info,
    apply(view: EditorView, _: Completion, from: number, to: number) {
      const text = view.state.doc;
      const begin = text.sliceString(from - 1, from) === '"' ? from - 1 : from;
      const end = text.sliceString(to, to + 1) === '"' ? to + 1 : to;
      const follows = /^\s*:/.test(text.sliceString(end, end + 20));
      const rest = isName && !follows ? `: ${then ?? ''}` : '';
      const cursor = rest.indexOf('|');
      const written = bare ? name : JSON.stringify(name);
      view.dispatch({
        changes: { from: begin, to: end, insert: written + rest.replace('|', '') },
        selection: { anchor: begin + written.length + (cursor < 0 ? rest.length : cursor) },
        userEvent: 'input.complete',
      });
    },
  };
}

const begins = (form: Form | undefined) => (isWhere(form) || form?.type === 'object' ? '{|}' : form?.type === 'array' ? '[|]' : '');

function namesAt(path: string[], known: Dataset[] | undefined): Offer[] {
  const { form, dataset, rest } = formAt(path);
  if (!form) return [];
  const of = known?.find(({ name }) => name === dataset);
  if (isWhere(form)) return conditionsAt(rest, of);
  if (form.properties) return Object.entries(form.properties).filter(([name]) => form.properties !== right || !barred(name, of?.bounds)).map(([name, below]) => ({ name, info: below.description, detail: t.roles.kinds[below.type ?? ''], then: begins(below) }));
  if (typeof form.additionalProperties === 'object') return (known ?? []).map(({ name, label }) => ({ name, detail: label ?? undefined, then: '{|}' }));
  return [];
}

// conditionsAt follows a condition: columns, then operators.
function conditionsAt(path: string[], dataset: Dataset | undefined): Offer[] {
  const [first, ...rest] = path;
  if (first === undefined) {
    return [
      ...(dataset?.columns ?? []).map(({ name, type, label }) => ({ name, detail: type, info: label ?? undefined, then: '{|}' })),
      ...['and', 'or'].map((name) => ({ name, info: t.roles.joins[name], then: '[{|}]' })),
      { name: 'not', info: t.roles.joins.not, then: '{|}' },
    ];
  }
  if (first === 'not') return conditionsAt(rest, dataset);
  if (first === 'and' || first === 'or') return conditionsAt(rest.slice(1), dataset);
  if (rest.length > 0) return [];
  const column = dataset?.columns.find(({ name }) => name === first);
  const offered = column?.operators ?? allOperators.map((name) => ({ name, list: operators.list.includes(name), description: undefined, labels: undefined }));
  return offered.map(({ name, list, description }) => ({ name, info: description ?? undefined, then: list ? '[|]' : ranges.includes(name) ? '{"n": |, "unit": "DAY"}' : textual(column) && name !== 'isNull' ? '"|"' : '' }));
}

const ranges = ['last', 'next', 'previous'];

const textual = (column: Column | undefined) => column !== undefined && !['Int', 'BigInt', 'Float', 'Decimal', 'Boolean', 'JSON'].includes(column.type);

function valuesAt(path: string[], known: Dataset[] | undefined, root: Node | undefined): Offer[] {
  const { form, dataset, rest } = formAt(path);
  const of = known?.find(({ name }) => name === dataset);
  if (form?.type === 'boolean') return ['true', 'false'].map((name) => ({ name, bare: true }));
  if (form && !isWhere(form)) {
    const inList = path.length > 0 && /^\d+$/.test(path[path.length - 1]!);
    return inList && form.type === 'string' ? nameable(path, of, root).map(({ name, type, label }) => ({ name, detail: type, info: label ?? undefined })) : [];
  }
  // Of a comparison: what the token says, and what the column knows.
  const names = rest.filter((name) => !/^\d+$/.test(name));
  const [named, operator] = names.slice(-2);
  if (operator === 'isNull') return ['true', 'false'].map((name) => ({ name, bare: true }));
  const column = of?.columns.find(({ name }) => name === named);
  const labels = column?.operators?.find(({ name }) => name === operator)?.labels ?? [];
  if (operator === 'toDate') return labels.map((name) => ({ name }));
  const type = column && typeOf(column);
  const inList = /^\d+$/.test(rest[rest.length - 1] ?? '');
  const many = inList || !['in', 'notIn'].includes(operator ?? '');
  const parameters = new Map((known ?? []).flatMap((one) => one.parameters.map(({ name, type }) => [name, type])));
  // In a list each value may be several; beside an operator of lists stands a list.
  const takes = (of: string) => !type || (inList ? [false, true].some((list) => fits(of, { ...type, list })) : fits(of, { ...type, list: !many || (type.list && operator !== 'has') }));
  return [
    ...labels.map((name) => ({ name })),
    ...(many && (!type || ['String', 'ID', 'UUID', 'BigInt', 'Decimal'].includes(type.name) || type.labels)
      ? [
          { name: '$subject', info: t.roles.references.subject },
          { name: '$tenant', info: t.roles.references.tenant },
        ]
      : []),
    ...(many ? [{ name: '$metadata.', info: t.roles.references.metadata }] : []),
    ...[...parameters].filter(([, type]) => takes(type)).map(([name, type]) => ({ name: `$${name}`, detail: type, info: t.roles.references.parameter })),
  ];
}

// nameable are the columns that a list of names may have: of a way of writing, those that the right shows and that are given values.
function nameable(path: string[], of: Dataset | undefined, root: Node | undefined): Column[] {
  const columns = of?.columns ?? [];
  const [datasets, dataset, way] = path;
  if (way === 'columns') return columns;
  const shown = member(member(member(root, datasets!), dataset!), 'columns');
  return columns.filter(({ name }) => (shown?.kind !== 'list' || shown.items.some(({ value }) => value === name)) && (of?.bounds?.given.includes(name) ?? true));
}
