import { type Chart, type Format, isNumeric, type Numeric } from '@usher/client';
import { aloud, isTime, wall } from '../format.ts';
import { label } from '../labels.ts';
import { at } from '../paths.ts';
import { texts } from '../texts.ts';
import type { View } from '../view.ts';
import { compare, distinct, timeline, units } from './categories.ts';

/** A row that is drawn, and its number. */
export interface Cell {
  value: Numeric | null;
  row: unknown;
}

export interface Series {
  name: string;
  path: string; // of the measure
  value: unknown; // of `series`
  cells: (Cell | undefined)[];
}

/** What a chart has along its axis, and the series over that. */
export interface Model {
  x: string;
  categories: unknown[];
  unit: Format['unit'];
  /** The days of the categories, where these are times of several. */
  days: (string | undefined)[] | undefined;
  series: Series[];
  name(category: unknown, short?: boolean): string;
}

export function model({ chart, rows, formats }: View): Model {
  const { x = '', series, y = [] } = chart;
  const found = distinct(rows, x);
  const unit = units(chart, x, found);
  const lines = chart.kind === 'line' || chart.kind === 'area';
  const categories = unit && (lines || (chart.kind === 'bar' && !chart.horizontal)) ? timeline(found, unit, lines) : found;
  // What comes again each year is told apart by the year.
  const times = unit === undefined ? [] : categories.filter(isTime).map(wall);
  const years = times.length > 1 && Math.max(...times) - Math.min(...times) > 364 * 86_400_000;
  const days = categories.map((value) => (isTime(value) ? formats.day(value, unit, years) : undefined));
  const place = new Map(categories.map((value, i) => [JSON.stringify(value), i]));
  const said = (path: string) => named(chart, path);
  const made = new Map<string, Series>();
  const values = series ? distinct(rows, series) : [null];
  const unitS = series ? units(chart, series, values) : undefined;
  // Names are told apart even where two values are written alike.
  const ordered = series && !unitS && chart.kind !== 'heatmap' ? [...values].sort((a, b) => compare(a, b)) : values;
  for (const value of ordered) {
    for (const path of y) {
      const of = series ? formats.category(series, value, unitS) : '';
      made.set(JSON.stringify([value, path]), {
        name: !series ? said(path) : y.length > 1 ? `${of}, ${said(path)}` : of,
        path, value,
        cells: new Array<Cell | undefined>(categories.length).fill(undefined),
      });
    }
  }
  for (const row of rows) {
    const i = place.get(JSON.stringify(at(row, x) ?? null))!;
    for (const path of y) {
      const value = at(row, path);
      made.get(JSON.stringify([series ? (at(row, series) ?? null) : null, path]))!.cells[i] = { value: isNumeric(value) ? value : null, row };
    }
  }
  return {
    x, categories, unit,
    days: new Set(days.filter((day) => day !== undefined)).size > 1 ? days : undefined,
    series: [...made.values()],
    name: (category, short) => formats.category(x, category, unit, short && !years),
  };
}

/** What a column is called: by the chart, or after its path. */
export function named({ columns }: Chart, path: string): string {
  return columns?.find((column) => column.path === path)?.label ?? label(path);
}

/** The sentence that says what a chart shows to who does not see it. */
export function sentence({ chart, formats, title, hidden }: View, { categories, series, name }: Pick<Model, 'categories' | 'series' | 'name'>): string {
  const said = texts.sentence;
  let text = said.chart(said.kind[chart.kind] ?? chart.kind, title);
  const there = categories.filter((_category, i) => series.length === 0 || series.some(({ cells }) => cells[i])).length;
  if (categories.length > 0) text += said.span(there, aloud(name(categories[0])), aloud(name(categories.at(-1))));
  if (series.length > 1) text += said.series(series.map((one) => aloud(one.name)).join(', '));
  const all = series.flatMap((one) => one.cells.flatMap((cell, i) => (cell && cell.value !== null ? [{ one, i, value: cell.value }] : [])));
  if (all.length > 1) {
    const most = all.reduce((a, b) => (Number(b.value) > Number(a.value) ? b : a));
    const least = all.reduce((a, b) => (Number(b.value) < Number(a.value) ? b : a));
    const where = ({ one, i }: (typeof all)[number]) => (series.length > 1 ? `${aloud(one.name)}, ` : '') + aloud(name(categories[i]));
    text += said.extremes(formats.text(most.one.path, most.value), where(most), formats.text(least.one.path, least.value), where(least));
  }
  const rest = undrawn(chart, hidden, { categories, series, name });
  return rest ? `${text} ${rest}.` : text;
}

/** What a round chart cannot show: a part that is less than nothing. */
export function undrawn({ kind }: Chart, hidden: View['hidden'], { categories, series, name }: Pick<Model, 'categories' | 'series' | 'name'>): string | undefined {
  if (kind !== 'pie' && kind !== 'donut') return undefined;
  const below = categories.filter((category, i) => !hidden.has(name(category)) && Number(series[0]?.cells[i]?.value ?? 0) < 0).length;
  return below > 0 ? texts.undrawn(below) : undefined;
}
