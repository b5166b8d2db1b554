// Whether what somebody compares with is of a column's type, in the words of the server, which judges it again.
import { t } from '../../texts';
import { member, type Node, type Span } from './read';
import type { Column } from './shown';

export interface Type {
  name: string; // without its list
  list: boolean;
  labels?: string[]; // of an enum
}

export const typeOf = ({ type, operators }: Pick<Column, 'type' | 'operators'>): Type => ({
  name: type.replace(/^\[(.*)\]$/, '$1'),
  list: type.startsWith('['),
  labels: operators?.find(({ name }) => name === 'in' || name === 'has')?.labels,
});

const written = ({ name, list }: Type) => (list ? `[${name}]` : name);

// Parameter is the type of a parameter: undefined where there is none, null where nobody can say.
export type Parameter = (name: string) => string | null | undefined;

export type Say = (at: Span, message: string) => void;

// reference is the name after the dollar sign of what the token says; $$ is a dollar sign.
export const reference = (node: Node | undefined) => (node?.kind === 'text' ? /^\$(?!\$)(.*)$/s.exec(String(node.value))?.[1] : undefined);

// ofToken tells what tokens say of themselves from a parameter.
export const ofToken = (name: string) => name === 'tenant' || name === 'subject' || /^metadata\../s.test(name);

// fits tells whether values of one type are compared with another, as the server tells it.
export function fits(parameter: string, to: Type): boolean {
  const { name, list } = typeOf({ type: parameter });
  if (list !== to.list) return false;
  if (name === to.name || (numbers.has(name) && numbers.has(to.name))) return true;
  return (name === 'String' && !numbers.has(to.name) && to.name !== 'Boolean') || (name === 'ID' && ['String', 'ID', 'UUID'].includes(to.name));
}

const numbers = new Set(['Int', 'BigInt', 'Decimal', 'Float']);
const texts = new Set(['like', 'notLike', 'ilike', 'notIlike', 'contains', 'startsWith', 'endsWith', 'icontains', 'istartsWith', 'iendsWith']);

// compares says what is wrong with what an operator compares a column with.
export function compares(operator: string, operand: Node, type: Type, parameter: Parameter, say: Say) {
  const named = reference(operand);
  const wanted = operator === 'in' || operator === 'notIn' ? { ...type, list: true } : operator === 'has' ? { ...type, list: false } : type;
  if (named !== undefined) return referred(named, operand, ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'in', 'notIn'].includes(operator) ? wanted : undefined, parameter, say);
  if (operator === 'isNull') {
    if (operand.kind !== 'truth') say(operand, t.roles.values.of('Boolean'));
  } else if (operator === 'toDate') unit(operand, say);
  else if (['last', 'next', 'previous'].includes(operator)) {
    const n = member(operand, 'n');
    if (operand.kind !== 'object') say(operand, t.roles.values.range);
    else if (n?.kind !== 'number' || !/^[1-9]\d{0,5}$/.test(String(n.value)) || Number(n.value) > 100_000) say(n ?? operand, t.roles.values.count);
    else unit(member(operand, 'unit') ?? operand, say);
  } else if (type.name === 'JSON') return;
  else if (texts.has(operator)) value(operand, { name: 'String', list: false }, parameter, say);
  else value(operand, wanted, parameter, say);
}

function unit(node: Node, say: Say) {
  if (node.kind !== 'text' || !t.roles.values.units.includes(String(node.value))) say(node, t.roles.values.unit);
}

function referred(name: string, at: Span, wanted: Type | undefined, parameter: Parameter, say: Say) {
  if (ofToken(name)) {
    if (wanted?.list) say(at, t.roles.values.one(`$${name}`));
    return;
  }
  const plain = name.replace(/^parameters\./, '');
  const known = parameter(plain);
  if (known === undefined) say(at, t.roles.values.noParameter(`$${name}`, plain));
  else if (known !== null && wanted && !fits(known, wanted)) say(at, t.roles.values.takes(`$${name}`, known, written(wanted)));
}

function value(node: Node, type: Type, parameter: Parameter, say: Say) {
  if (node.kind === 'null') return say(node, t.roles.nullCompares);
  const named = reference(node);
  if (named !== undefined) return referred(named, node, undefined, parameter, say);
  if (type.list) {
    if (node.kind !== 'list') return say(node, t.roles.values.list(written(type)));
    for (const item of node.items) value(item, { ...type, list: false }, parameter, say);
    return;
  }
  const wrong = literal(node, type);
  if (wrong) say(node, wrong);
}

function literal({ kind, value }: Node, { name, labels }: Type): string | undefined {
  const text = String(value).replace(/^\$\$/, '$');
  const taken = kind === 'text' ? !['Int', 'Float', 'Boolean'].includes(name) : kind === 'number' ? numbers.has(name) : kind === 'truth' && name === 'Boolean';
  if (!taken) return t.roles.values.of(name);
  if (labels) return labels.includes(text) ? undefined : t.roles.values.expected(name, t.roles.values.oneOf(labels));
  const is = forms[name];
  return !is || is(text) ? undefined : t.roles.values.expected(name, t.roles.values.forms[name]!);
}

const whole = (bits: number) => (text: string) => /^[+-]?\d{1,40}$/.test(text) && BigInt.asIntN(bits, BigInt(text.replace('+', ''))) === BigInt(text.replace('+', ''));

function decimal(text: string): boolean {
  const [, before = '', after = '', exponent = '0'] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/.exec(text) ?? [];
  if (!before || Math.abs(Number(exponent)) > 99) return false;
  const point = before.length + Number(exponent);
  const all = (before + after).padEnd(point, '0').padStart(before.length + after.length + Math.max(0, -point), '0');
  const at = Math.max(0, point);
  return all.slice(0, at).replace(/^0+/, '').length + all.slice(at).replace(/0+$/, '').length <= 38;
}

function date(text: string): boolean {
  const [, year, month, day] = (/^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? []).map(Number);
  if (!year || !month || !day) return false;
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, day);
  return at.getUTCMonth() === month - 1 && at.getUTCDate() === day;
}

const clock = (text: string) => /^(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6}0*)?$/.test(text);

const moment = (zone: RegExp) => (text: string) => {
  const [, day = '', at = '', rest = ''] = /^([^T]*)T([\d:.]*)(.*)$/s.exec(text) ?? [];
  return date(day) && clock(at) && zone.test(rest);
};

// forms tell whether a text is one of a type; a text of any other type is.
const forms: Record<string, (text: string) => boolean> = {
  Int: whole(32),
  BigInt: whole(64),
  Decimal: decimal,
  Float: (text) => Number.isFinite(Number(text)),
  UUID: (text) => /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text),
  Date: date,
  Time: (text) => (clock(text) && /(?:^[^.]*|\.\d{1,6})$/.test(text)) || /^24:00:00(?:\.0{1,6})?$/.test(text),
  Timestamp: moment(/^(?:Z|[+-](?:[01]\d|2[0-4]):[0-5]\d)$/),
  LocalTimestamp: moment(/^$/),
  Interval: (text) => /^-?P(?!$)(?:-?\d+Y)?(?:-?\d+M)?(?:-?\d+W)?(?:-?\d+D)?(?:T(?!$)(?:-?\d+H)?(?:-?\d+M)?(?:-?\d+(?:\.\d{1,6})?S)?)?$/.test(text),
  Bytes: (text) => /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/.test(text),
};
