// Numbers of answers, with all their digits. A JavaScript number rounds
// 9007199254740993 and writes 1.50 as 1.5, so a number that would not be written
// as it was read becomes an Exact; all others are plain numbers.

const mark = Symbol.for('usher.exact');

/** A number as usher wrote it. It calculates like a number, and rounds like one then; `String(n)` has all digits. */
export class Exact {
  /** Also of another copy of this package: an element may be given a client that came with another file. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && mark in value;
  }
  readonly text: string;
  constructor(text: string) {
    this.text = text;
    Object.defineProperty(this, mark, { value: true }); // not enumerable: it is no part of the value
  }
  valueOf(): number {
    return Number(this.text);
  }
  toString(): string {
    return this.text;
  }
  toJSON(): unknown {
    return raw ? raw(this.text) : this.text; // usher takes text for a number, too
  }
}

/** A number of an answer. `Number(n)` is the nearest JavaScript number. */
export type Numeric = number | Exact;

export function isNumeric(value: unknown): value is Numeric {
  return typeof value === 'number' || value instanceof Exact;
}

const raw = (JSON as { rawJSON?: (text: string) => unknown }).rawJSON;

const keep = (text: string): Numeric => (String(Number(text)) === text ? Number(text) : new Exact(text));

type Reviver = (this: unknown, key: string, value: unknown, context?: { source?: string }) => unknown;
const parseWith = JSON.parse as (text: string, reviver: Reviver) => unknown;

/** Whether this browser shows the source of a number while it parses. */
const tellsSource = parseWith('1.0', (_key, _value, context) => context?.source) === '1.0';

/** Reads JSON and keeps the digits of its numbers. */
export async function parse(text: string, native = tellsSource): Promise<unknown> {
  if (native) return parseWith(text, (_key, value, context) => (typeof value === 'number' ? keep(context!.source!) : value));
  const { parse } = await import('lossless-json');
  return parse(text, null, keep);
}
