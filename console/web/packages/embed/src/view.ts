import { type Chart, isNumeric, type Result } from '@usher/client';
import type { Formats } from './format.ts';
import { rowsOf } from './paths.ts';

/** The places of names among the colors, by the columns that have them. */
export type Places = Map<string, Map<string, number>>;

/** What a view draws. */
export interface View {
  chart: Chart;
  data: unknown;
  rows: unknown[];
  title: string;
  formats: Formats;
  /** Names of what is hidden by the legend. */
  hidden: ReadonlySet<string>;
  /** The names of members that a click may select, and what is selected. */
  selectable: ReadonlySet<string>;
  selected: ReadonlyMap<string, unknown>;
  places: Places;
}

/** What somebody chose in a view: values by their paths, and the row they stand in. */
export interface Pick {
  values: Record<string, unknown>;
  row: unknown;
}

export interface LegendEntry {
  name: string;
  color: string; // class
}

/** The rows of an answer, with what the chart leaves unsaid: dimensions are what is no number, measures what is. */
export function complete(chart: Chart, result: Result | undefined): { chart: Chart; rows: unknown[] } {
  const rows = rowsOf(result?.data, chart.rows);
  if (chart.kind === 'text' || rows.length === 0) return { chart, rows };
  const found = leaves(rows[0], '');
  const numbers = found.filter(([, value]) => isNumeric(value)).map(([path]) => path);
  const names = found.filter(([, value]) => !isNumeric(value) && !Array.isArray(value)).map(([path]) => path);
  if (chart.kind === 'table') {
    return { chart: { ...chart, columns: chart.columns ?? found.map(([path]) => ({ path })) }, rows };
  }
  const flat = chart.kind === 'scatter';
  const x = chart.x ?? (flat ? numbers[0] : names[0]);
  const y = chart.y ?? numbers.filter((path) => path !== x && path !== chart.compare && path !== chart.size).slice(0, chart.series || flat ? 1 : undefined);
  const cross = chart.kind === 'heatmap' || chart.kind === 'pivot' || (chart.y === undefined && y.length === 1 && !flat);
  const series = chart.series ?? (cross && chart.x === undefined ? names[1] : undefined);
  return { chart: { ...chart, ...(x === undefined ? {} : { x }), y, ...(series === undefined ? {} : { series }) }, rows };
}

function leaves(value: unknown, path: string): [string, unknown][] {
  if (value === null || typeof value !== 'object' || Array.isArray(value) || isNumeric(value)) return [[path, value]];
  return Object.entries(value)
    .filter(([name]) => name !== '__typename')
    .flatMap(([name, member]) => leaves(member, path ? `${path}.${name}` : name));
}
