import { type Chart, type Format, isNumeric } from '@usher/client';
import { isTime, offsetOf, unitOf, wall } from '../format.ts';
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

const many = 2_000; // steps of an axis: with more, one is hardly a pixel wide
// Texts of minutes and seconds may be of what happened then, and no buckets: where most steps are missing there is no step.
const sparse: Partial<Record<NonNullable<Format['unit']>, number>> = { hour: 20, minute: 2, second: 2 };

/**
 * Times as they go along an axis: where they come in steps, those that nothing came for have their place as well. `sorted` are put in the
 * order of time; of others the order is somebody's, and they are left as they came unless it is that.
 */
export function timeline(values: unknown[], unit: NonNullable<Format['unit']>, sorted: boolean): unknown[] {
  const calendar = unit === 'year' || unit === 'quarter' || unit === 'month';
  const clock = unit in sparse;
  // A day has 23 hours where clocks are changed: hours are as far apart as their instants are, days as their dates.
  const place = (text: string): number => {
    const date = new Date(wall(text));
    if (calendar) return date.getUTCDate() === 1 && date.getTime() % 86_400_000 === 0 ? 12 * date.getUTCFullYear() + date.getUTCMonth() : Number.NaN;
    return clock && offsetOf(text) ? Date.parse(text) : date.getTime();
  };
  const known = values.filter(isTime).map((text) => ({ text, at: place(text) }));
  if (sorted && !known.some(({ at }) => Number.isNaN(at))) known.sort((a, b) => a.at - b.at);
  const gaps = known.slice(1).map(({ at }, i) => at - known[i]!.at);
  const others = values.filter((value) => !isTime(value));
  const step = gaps.reduce(divisor, 0);
  const total = step > 0 ? (known.at(-1)!.at - known[0]!.at) / step + 1 : 0;
  const steps = step > 0 && gaps.every((gap) => gap >= 0) && total <= Math.min(many, (sparse[unit] ?? many) * known.length);
  return [...known.flatMap(({ text }, i) => [text, ...(steps && gaps[i] ? Array.from({ length: gaps[i] / step - 1 }, (_none, n) => moved(text, (n + 1) * step, calendar)) : [])]), ...others];
}

/** The greatest number that divides both. */
function divisor(a: number, b: number): number {
  return b === 0 ? Math.abs(a) : divisor(b, a % b);
}

/** A time that is so much later, written in the same way. */
function moved(text: string, by: number, calendar: boolean): string {
  const date = new Date(wall(text));
  if (calendar) date.setUTCMonth(date.getUTCMonth() + by);
  else date.setTime(date.getTime() + by);
  const written = date.toISOString();
  return text.includes('T') ? written.slice(0, 19) + (offsetOf(text) ?? '') : written.slice(0, 10);
}

/** Nothing comes last; numbers by their size, all else as people order it. */
export function compare(a: unknown, b: unknown, up = true): number {
  if (a === null || a === undefined) return b === null || b === undefined ? 0 : 1;
  if (b === null || b === undefined) return -1;
  const order = isNumeric(a) && isNumeric(b) ? Number(a) - Number(b) : String(a).localeCompare(String(b), undefined, { numeric: true });
  return up ? order : -order;
}
