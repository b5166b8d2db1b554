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

/** How the clock of a text differs from that of UTC, if it says so. */
export function offsetOf(text: string): string | undefined {
  return dates.exec(text)?.[3];
}

/** What the values at a path are in cells: of a key buckets, and all else a time of its own, which is whole. */
function cellOf(path: string, values: string[]): Unit {
  const unit = unitOf(values);
  return /(?:^|\.)key\./.test(path) || clocks.has(unit) ? unit : values.some((text) => text.length > 10) ? 'minute' : 'day';
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
  hour: { year: 'numeric', month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' },
  minute: { year: 'numeric', month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' },
  second: { year: 'numeric', month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit', second: '2-digit' },
};
const narrow: Partial<Record<Unit, Intl.DateTimeFormatOptions>> = {
  month: { month: 'short' },
  week: { month: 'short', day: 'numeric' },
  day: { month: 'short', day: 'numeric' },
  hour: { hour: 'numeric', minute: '2-digit' },
  minute: { hour: 'numeric', minute: '2-digit' },
  second: { hour: 'numeric', minute: '2-digit', second: '2-digit' },
};

const clocks = new Set<Unit>(['hour', 'minute', 'second']);
const usual = 6; // decimals that somebody may have meant; more are those of a division
const huge = 1e15; // what no word stands for: in short it is a power of ten
const wordy = 24; // characters: beside something, more than that are no number any more

/** Writes the values of one chart for people. Numbers keep the digits they have, unless the format says how many; those of divisions are short, unless all are wanted. */
export class Formats {
  readonly #locale: string | undefined;
  readonly #timezone: string | undefined;
  readonly #formats: Record<string, Format>;
  /** Whether all is shown that came. */
  readonly exact: boolean;
  readonly #made = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

  constructor(formats: Record<string, Format> | undefined, locale?: string, timezone?: string, exact = false) {
    this.exact = exact;
    this.#formats = formats ?? {};
    this.#locale = known(locale, (l) => Intl.getCanonicalLocales(l));
    this.#timezone = knownZone(timezone);
  }

  of(path: string): Format {
    return this.#formats[path] ?? this.#formats[leaf(path)] ?? {};
  }

  /** A value in full. `like` are the values of its column, which are written alike. */
  text(path: string, value: unknown, like?: readonly unknown[]): string {
    if (value === null || value === undefined) return texts.none;
    if (isNumeric(value)) return this.number(path, value, like);
    if (typeof value === 'boolean') return value ? texts.yes : texts.no;
    const { style, unit } = this.of(path);
    if (isTime(value) && (style === undefined || style === 'date')) return this.time(value, unit ?? cellOf(path, (like ?? [value]).filter(isTime)));
    if (typeof value === 'string') return value;
    if (Array.isArray(value)) return value.map((item) => this.text(path, item)).join(', ');
    return JSON.stringify(value);
  }

  number(path: string, value: Numeric, like: readonly unknown[] = [value]): string {
    const { digits } = this.of(path);
    if (this.exact && digits === undefined) return this.#all(path, value);
    const most = like.reduce((most: number, v) => Math.max(most, isNumeric(v) ? decimals(v) : 0), 0);
    return this.#fixed(path, value, digits ?? (most > usual ? 2 : most));
  }

  /** All that a value says, where `text` says less: digits, and whose clock it is. */
  full(path: string, value: unknown, like?: readonly unknown[]): string | undefined {
    if (!isNumeric(value) && !isTime(value)) return undefined;
    const unit = isTime(value) ? (this.of(path).unit ?? cellOf(path, (like ?? [value]).filter(isTime))) : undefined;
    const all = isNumeric(value) ? this.#all(path, value) : clocks.has(unit!) ? this.time(value as string, unit!, false, true) : undefined;
    return all === undefined || all === this.text(path, value, like) ? undefined : all;
  }

  #all(path: string, value: Numeric): string {
    return this.#fixed(path, value, decimals(value));
  }

  #fixed(path: string, value: Numeric, digits: number): string {
    const shown = Math.min(100, digits);
    return this.#numbers(path, { minimumFractionDigits: shown, maximumFractionDigits: shown, ...(named(path) ? { useGrouping: false } : {}) }).format(exact(value));
  }

  /** A number as short as an axis wants it: $400K, 1E300. */
  short(path: string, value: number): string {
    const { style } = this.of(path);
    const parts = style === 'percent';
    const power = Math.abs(value) * (parts ? 100 : 1) >= huge;
    return this.#numbers(path, {
      notation: power ? 'scientific' : 'compact',
      useGrouping: true,
      minimumFractionDigits: 0,
      maximumFractionDigits: power ? 2 : parts ? 0 : Math.abs(value) < 10 && value % 1 !== 0 ? 2 : 1,
    }).format(value);
  }

  /** A value as it stands beside what it is of. */
  brief(path: string, value: unknown): string {
    const all = this.text(path, value);
    return isNumeric(value) && all.length > wordy ? this.short(path, Number(value)) : all;
  }

  /** A name on an axis or in a legend. */
  category(path: string, value: unknown, unit: Unit | undefined, short = false): string {
    if (unit && isTime(value)) return this.time(value, unit, short);
    // What is one thing has one name: no two are written alike.
    if (isNumeric(value) && this.of(path).digits === undefined) return this.#all(path, value);
    return this.text(path, value);
  }

  /**
   * What a clock showed: of buckets and of texts with an offset the clock that usher read, so that months stay the months they
   * are; of instants in UTC that of the time zone, if one is set.
   */
  time(text: string, unit: Unit, short = false, zone = this.exact): string {
    const zoned = this.#zoned(text, unit);
    const [, , clock, offset] = dates.exec(text) ?? [];
    const told = zone && !short && clock !== undefined && offset !== undefined && clocks.has(unit);
    const instant = zoned ? Date.parse(text) : wall(text);
    if (unit === 'quarter') {
      const moment = new Date(instant);
      return `Q${Math.floor(moment.getUTCMonth() / 3) + 1}${short ? '' : ` ${moment.getUTCFullYear()}`}`;
    }
    const said = this.#moment(instant, zoned, { ...((short && narrow[unit]) || parts[unit]), ...(told && (zoned || offset === 'Z') ? { timeZoneName: 'short' } : {}) });
    return told && !zoned && offset !== 'Z' ? `${said} UTC${offset}` : said;
  }

  /** The day of a time that is one of a clock. */
  day(text: string, unit: Unit | undefined, year: boolean): string | undefined {
    if (!clocks.has(unit!)) return undefined;
    const zoned = this.#zoned(text, unit!);
    return this.#moment(zoned ? Date.parse(text) : wall(text), zoned, year ? parts.day : narrow.day!);
  }

  /** Whether it is an instant, of which the time zone has a clock. */
  #zoned(text: string, unit: Unit): boolean {
    return this.#timezone !== undefined && /T.*Z$/.test(text) && clocks.has(unit);
  }

  #moment(instant: number, zoned: boolean, options: Intl.DateTimeFormatOptions): string {
    const written = { ...options, timeZone: zoned ? this.#timezone! : 'UTC' };
    return (this.#kept(JSON.stringify(written), () => new Intl.DateTimeFormat(this.#locale, written)) as Intl.DateTimeFormat).format(instant);
  }

  /** How much more or less, as a part of what it was; of parts, in points. */
  change(path: string, now: Numeric, before: Numeric): { text: string; up: boolean; same: boolean } | undefined {
    const a = Number(now);
    const b = Number(before);
    const points = this.of(path).style === 'percent';
    const difference = points ? (a - b) * 100 : (a - b) / Math.abs(b);
    if (!Number.isFinite(difference)) return undefined;
    const options: Intl.NumberFormatOptions = { minimumFractionDigits: 1, maximumFractionDigits: 1, ...(points ? {} : { style: 'percent' }) };
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

/** A name as it is read aloud: a dash has no sound. */
export function aloud(name: string): string {
  return name === texts.none || name.startsWith(`${texts.none}, `) ? texts.noneAloud + name.slice(texts.none.length) : name;
}

/** What a page gives may be nonsense: then it is as if it were not given. */
function known(name: string | undefined, check: (name: string) => unknown): string | undefined {
  try {
    return name ? (check(name), name) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a currency has that code. */
export function knownCurrency(code: unknown): boolean {
  return known(String(code), (currency) => new Intl.NumberFormat('en', { style: 'currency', currency })) !== undefined;
}

/** The time zone, if there is one of that name. */
export function knownZone(name: string | undefined): string | undefined {
  return known(name, (timeZone) => new Intl.DateTimeFormat('en', { timeZone }));
}

function decimals(value: Numeric): number {
  const [, fraction = '', exponent = '0'] = /^-?\d+(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(String(value)) ?? [];
  return Math.max(0, fraction.length - Number(exponent));
}

/** Whether numbers are the names of things, or of years, and no quantities. */
function named(path: string): boolean {
  return /(?:^|[._])(?:id|year)$|[a-z\d](?:Id|ID|Year)$/.test(path.replace(/\.(?:min|max|first|last)$/, ''));
}

/** Intl reads numbers as text with all their digits. */
function exact(value: Numeric): number {
  return (value instanceof Exact ? value.text : value) as number;
}
