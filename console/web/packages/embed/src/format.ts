import type { Format } from '@usher/client';
import { Exact, isNumeric, type Numeric } from '@usher/client';
import { leaf } from './paths.ts';
import { texts } from './texts.ts';

const dates = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?(Z|[+-]\d\d:\d\d)?$/;
const day = 86_400_000;

type Unit = NonNullable<Format['unit']>;

export function isTime(value: unknown): value is string {
  return typeof value === 'string' && dates.test(value);
}

/** The instant that a clock at the place of the text shows as if it were UTC's. */
export function wall(text: string): number {
  const [, date, time] = dates.exec(text) ?? [];
  return Date.parse(`${date}T${time ?? '00:00:00'}Z`);
}

/** What buckets are as far apart as these are. */
export function unitOf(values: string[]): Unit {
  const times = [...new Set(values.map(wall))].sort((a, b) => a - b);
  let least = Number.POSITIVE_INFINITY;
  for (let i = 1; i < times.length; i++) least = Math.min(least, times[i]! - times[i - 1]!);
  if (times.some((t) => t % 60_000 !== 0)) return 'second';
  if (times.some((t) => t % 3_600_000 !== 0)) return 'minute';
  if (times.some((t) => t % day !== 0)) return 'hour';
  const first = times.every((t) => new Date(t).getUTCDate() === 1);
  if (first && (least >= 365 * day || times.length === 1) && times.every((t) => new Date(t).getUTCMonth() === 0) && times.length > 1) return 'year';
  if (first && least >= 89 * day && least < 366 * day) return 'quarter';
  if (first && (least >= 28 * day || times.length === 1)) return 'month';
  return 'day';
}

const parts: Record<Unit, Intl.DateTimeFormatOptions> = {
  year: { year: 'numeric' },
  quarter: { year: 'numeric', month: 'short' },
  month: { year: 'numeric', month: 'short' },
  week: { year: 'numeric', month: 'short', day: 'numeric' },
  day: { year: 'numeric', month: 'short', day: 'numeric' },
  hour: { month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' },
  minute: { year: 'numeric', month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' },
  second: { year: 'numeric', month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit', second: '2-digit' },
};
const narrow: Partial<Record<Unit, Intl.DateTimeFormatOptions>> = {
  month: { month: 'short' },
  week: { month: 'short', day: 'numeric' },
  day: { month: 'short', day: 'numeric' },
  hour: { hour: 'numeric', minute: '2-digit' },
};

/** Writes the values of one chart for people. Numbers keep the digits they have, unless the format says how many. */
export class Formats {
  readonly #locale: string | undefined;
  readonly #timezone: string | undefined;
  readonly #formats: Record<string, Format>;
  readonly #made = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

  constructor(formats: Record<string, Format> | undefined, locale?: string, timezone?: string) {
    this.#formats = formats ?? {};
    this.#locale = known(locale, (l) => Intl.getCanonicalLocales(l));
    this.#timezone = known(timezone, (timeZone) => new Intl.DateTimeFormat('en', { timeZone }));
  }

  of(path: string): Format {
    return this.#formats[path] ?? this.#formats[leaf(path)] ?? {};
  }

  /** A value in full. `like` are the values of its column, which are written alike. */
  text(path: string, value: unknown, like?: readonly unknown[]): string {
    if (value === null || value === undefined) return '–';
    if (isNumeric(value)) return this.number(path, value, like);
    if (typeof value === 'boolean') return value ? texts.yes : texts.no;
    const { style, unit } = this.of(path);
    if (isTime(value) && (style === undefined || style === 'date')) return this.time(value, unit ?? unitOf((like ?? [value]).filter(isTime)));
    if (typeof value === 'string') return value;
    if (Array.isArray(value)) return value.map((item) => this.text(path, item)).join(', ');
    return JSON.stringify(value);
  }

  number(path: string, value: Numeric, like: readonly unknown[] = [value]): string {
    const { digits } = this.of(path);
    const shown = digits ?? Math.max(0, ...like.map((v) => (isNumeric(v) ? decimals(v) : 0)));
    return this.#numbers(path, { minimumFractionDigits: shown, maximumFractionDigits: shown }).format(exact(value));
  }

  /** A number as short as an axis wants it: $400K. */
  short(path: string, value: number): string {
    const { style } = this.of(path);
    return this.#numbers(path, {
      notation: 'compact',
      minimumFractionDigits: 0,
      maximumFractionDigits: style === 'percent' ? 0 : Math.abs(value) < 10 && value % 1 !== 0 ? 2 : 1,
    }).format(value);
  }

  /** A name on an axis or in a legend. */
  category(path: string, value: unknown, unit: Unit | undefined, short = false): string {
    if (value === null || value === undefined) return texts.none;
    if (unit && isTime(value)) return this.time(value, unit, short);
    return this.text(path, value);
  }

  /**
   * What a clock showed: of buckets and of texts with an offset the clock that usher read, so that months stay the months they
   * are; of instants in UTC that of the time zone, if one is set.
   */
  time(text: string, unit: Unit, short = false): string {
    const zoned = this.#timezone !== undefined && /T.*Z$/.test(text) && ['hour', 'minute', 'second'].includes(unit);
    const written = { ...((short && narrow[unit]) || parts[unit]), timeZone: zoned ? this.#timezone! : 'UTC' };
    const instant = zoned ? Date.parse(text) : wall(text);
    if (unit === 'quarter') {
      const moment = new Date(instant);
      return `Q${Math.floor(moment.getUTCMonth() / 3) + 1}${short ? '' : ` ${moment.getUTCFullYear()}`}`;
    }
    return (this.#kept(JSON.stringify(written), () => new Intl.DateTimeFormat(this.#locale, written)) as Intl.DateTimeFormat).format(instant);
  }

  /** How much more or less, as a part of what it was; of parts, in points. */
  change(path: string, now: Numeric, before: Numeric): { text: string; up: boolean; same: boolean } | undefined {
    const a = Number(now);
    const b = Number(before);
    const points = this.of(path).style === 'percent';
    const difference = points ? (a - b) * 100 : (a - b) / Math.abs(b);
    if (!Number.isFinite(difference)) return undefined;
    const options: Intl.NumberFormatOptions = { maximumFractionDigits: 1, ...(points ? {} : { style: 'percent' }) };
    const format = this.#kept(`change${points}`, () => new Intl.NumberFormat(this.#locale, options)) as Intl.NumberFormat;
    const text = format.format(Math.abs(difference));
    return { text: points ? `${text} ${texts.points}` : text, up: difference > 0, same: text === format.format(0) };
  }

  #numbers(path: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
    const { style, currency } = this.of(path);
    const written: Intl.NumberFormatOptions = {
      ...options,
      ...(style === 'percent' ? { style } : style === 'currency' ? { style, currency: currency ?? 'USD', currencyDisplay: 'narrowSymbol' } : {}),
    };
    return this.#kept(JSON.stringify(written), () => new Intl.NumberFormat(this.#locale, written)) as Intl.NumberFormat;
  }

  #kept<T extends Intl.NumberFormat | Intl.DateTimeFormat>(key: string, make: () => T): T {
    let made = this.#made.get(key) as T | undefined;
    if (!made) this.#made.set(key, (made = make()));
    return made;
  }
}

/** What a page gives may be nonsense: then it is as if it were not given. */
function known(name: string | undefined, check: (name: string) => unknown): string | undefined {
  try {
    return name && (check(name), name);
  } catch {
    return undefined;
  }
}

function decimals(value: Numeric): number {
  const text = String(value);
  if (value instanceof Exact) return /^-?\d+\.(\d+)$/.exec(text)?.[1]!.length ?? 0;
  return Math.min(2, /\.(\d+)$/.exec(text)?.[1]!.length ?? 0); // a double has digits that nobody wrote
}

/** Intl reads numbers as text with all their digits. */
function exact(value: Numeric): number {
  return (value instanceof Exact ? value.text : value) as number;
}
