import { type Chart, type Format, isNumeric } from '@usher/client';
import { isTime, unitOf } from '../format.ts';
import { at, leaf } from '../paths.ts';

/** The values at a path, each once, in the order of the answer. */
export function distinct(rows: unknown[], path: string): unknown[] {
  const found = new Map<string, unknown>();
  for (const row of rows) {
    const value = at(row, path) ?? null;
    found.set(JSON.stringify(value), value);
  }
  return [...found.values()];
}

/** What buckets of time these are, if that is what they are. */
export function units(chart: Chart, path: string, values: unknown[]): Format['unit'] {
  const known = values.filter((value) => value !== null);
  if (known.length === 0 || !known.every(isTime)) return undefined;
  const format = chart.format?.[path] ?? chart.format?.[leaf(path)];
  return format?.unit ?? unitOf(known as string[]);
}

/** Nothing comes last; numbers by their size, all else as people order it. */
export function compare(a: unknown, b: unknown, up = true): number {
  if (a === null || a === undefined) return b === null || b === undefined ? 0 : 1;
  if (b === null || b === undefined) return -1;
  const order = isNumeric(a) && isNumeric(b) ? Number(a) - Number(b) : String(a).localeCompare(String(b), undefined, { numeric: true });
  return up ? order : -order;
}
