// What is wrong with a chart that a page describes. Documents of dashboards are checked by usher when they are saved.
import { type Chart, type Kind, UsherError } from '@usher/client';
import { knownCurrency } from './format.ts';

const kinds: Record<Kind, true> = { number: true, table: true, line: true, area: true, bar: true, pie: true, donut: true, scatter: true, heatmap: true, pivot: true, text: true };
const text = (value: unknown) => typeof value === 'string';
const object = (value: unknown) => typeof value === 'object' && !Array.isArray(value); // null is left out before
const list = (of: (value: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(of);
const one = (...words: string[]) => (value: unknown) => words.includes(value as string);

const format: Record<string, [is: (value: never) => boolean, what: string]> = {
  style: [one('decimal', 'currency', 'percent', 'date'), 'decimal, currency, percent or date'],
  currency: [knownCurrency, 'a currency, such as EUR'],
  digits: [(value: number) => Number.isInteger(value) && value >= 0 && value <= 100, 'a number of digits, 0 to 100'],
  unit: [one('year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second'), 'a unit of time, year to second'],
};
const said: Record<string, [is: (value: never) => boolean, what: string]> = {
  kind: [(value: string) => Object.hasOwn(kinds, value), `one of ${Object.keys(kinds).join(', ')}`],
  ...Object.fromEntries(['rows', 'x', 'series', 'size', 'compare', 'compareLabel', 'text'].map((name) => [name, [text, 'a text']])),
  y: [list(text), 'a list of paths, such as ["revenue"]'],
  columns: [list((column) => !!column && object(column) && text((column as { path: unknown }).path)), 'a list such as [{"path": "revenue"}]'],
  format: [object, 'an object, such as {"revenue": {"style": "currency"}}'],
};

function wrong(of: object, rules: typeof said): [name: string, what: string] | undefined {
  for (const [name, [is, what]] of Object.entries(rules)) {
    const value = (of as Record<string, unknown>)[name] ?? undefined;
    if (value !== undefined && !is(value as never)) return [name, what];
  }
  return undefined;
}

/** What keeps a chart from being drawn, or from being asked for every so many seconds. */
export function improper(chart: Chart, seconds: number | null | undefined): UsherError | undefined {
  const every = seconds ?? 0;
  if (every !== 0 && !(every >= 5 && every <= 86_400)) {
    return new UsherError('Of "refresh" there are 5 to 86400 seconds.', { code: 'SETUP', hint: 'Write refresh="60", or leave it out.' });
  }
  const found = wrong(chart, said) ?? Object.entries(chart.format ?? {}).flatMap(([path, of]) => (of && typeof of === 'object' ? (wrong(of, format) ?? []) : [`format of ${path}`, 'an object']));
  return found[0] === undefined ? undefined : new UsherError(`The "${found[0]}" of a chart has to be ${found[1]}.`, { code: 'SETUP' });
}
