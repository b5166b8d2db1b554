import type { Chart, Format } from '@usher/client';
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
