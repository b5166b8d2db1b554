// How much there is for a minute: of a tenant, of a token. What is left empty says nothing.
import { t } from '../texts';
import { TextField } from '../ui/controls';

export interface Limits {
  requests: number | null;
  databaseMilliseconds: number | null;
  rows: number | null;
  bytes: number | null;
}

export const limitFields = 'limits { requests databaseMilliseconds rows bytes }';

const kinds = ['requests', 'databaseMilliseconds', 'rows', 'bytes'] as const;
type Kind = (typeof kinds)[number];

const times: [string, number][] = [['m', 60_000], ['s', 1000], ['ms', 1]];
const sizes: [string, number][] = [['GiB', 2 ** 30], ['GB', 1e9], ['MiB', 2 ** 20], ['MB', 1e6], ['KiB', 1024], ['kB', 1000], ['B', 1]];
const units: Partial<Record<Kind, [string, number][]>> = { databaseMilliseconds: times, bytes: sizes };

// spoken is a limit as people write it, in the greatest unit that says it exactly.
function spoken(kind: Kind, n: number): string {
  const [unit, size] = units[kind]?.find(([, of]) => n % of === 0 && n >= of) ?? ['', 1];
  return unit ? `${n / size}${unit}` : String(n);
}

// read is the number that somebody wrote; undefined: it is none, or less than one.
function read(kind: Kind, text: string): number | undefined {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.replaceAll(/(?<=\d)[,_](?=\d{3}\b)/g, '')) ?? [];
  const size = unit === '' ? (kind === 'databaseMilliseconds' ? undefined : 1) : units[kind]?.find(([name]) => name.toLowerCase() === unit.toLowerCase())?.[1];
  const n = Math.round(Number(digits) * (size ?? NaN) * 1e6) / 1e6;
  return Number.isSafeInteger(n) && n >= 1 && n <= most[kind] ? n : undefined;
}

// most is what the server takes: of time, a million connections that are always at work.
const most: Record<Kind, number> = { requests: Number.MAX_SAFE_INTEGER, databaseMilliseconds: 6e10, rows: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER };

const shown = (kind: Kind, n: number) => (kind === 'requests' || kind === 'rows' ? n.toLocaleString('en') : spoken(kind, n));

// inWords are limits as they are listed; what nobody limits is left out.
export const inWords = (limits: Limits) => kinds.flatMap((kind) => (limits[kind] === null ? [] : [t.limits.each[kind](shown(kind, limits[kind]))]));

// granted are the limits of a token or a key, which has a rate as well: of two the lower holds.
export function granted({ limits, rate }: { limits: Limits; rate: number | null }) {
  const requests = rate === null ? limits.requests : Math.min(rate, limits.requests ?? rate);
  return inWords({ ...limits, requests });
}

type Texts = Record<Kind, string>;

// limitTexts are limits as a form has them; what nobody limits is empty.
export const limitTexts = (now?: Limits) => Object.fromEntries(kinds.map((kind) => [kind, now?.[kind] ? spoken(kind, now[kind]) : ''])) as Texts;

// limitsForm reads what a form of them says.
export function limitsForm(texts: Texts, change: (texts: Texts) => void) {
  const wrong = (kind: Kind) => (texts[kind].trim() === '' || read(kind, texts[kind].trim()) !== undefined ? undefined : t.limits.wrong[kind]);
  const value = (kind: Kind) => (texts[kind].trim() === '' ? undefined : read(kind, texts[kind].trim()));
  return {
    texts,
    set: (kind: Kind, text: string) => change({ ...texts, [kind]: text }),
    wrong,
    bad: kinds.some((kind) => wrong(kind) !== undefined),
    value,
    // input is what is said; undefined: nothing is.
    input: () => {
      const said = kinds.filter((kind) => value(kind) !== undefined).map((kind) => [kind, String(value(kind))] as const);
      return said.length > 0 ? Object.fromEntries(said) : undefined;
    },
  };
}

// LimitFields are one field for each. A token's limits are beside the usual ones, which are
// the configuration's for each token: what is wider than these changes nothing.
export function LimitFields({ form, usual, narrows }: { form: ReturnType<typeof limitsForm>; usual?: Limits; narrows?: boolean }) {
  return kinds.map((kind) => {
    const [value, now] = [form.value(kind), usual?.[kind]];
    const idle = narrows && value !== undefined && now !== null && now !== undefined && value >= now;
    const hint = usual === undefined ? t.limits.unknown : now === null || now === undefined ? t.limits.free : t.limits.usual(shown(kind, now));
    return <TextField key={kind} label={t.limits.labels[kind]} hint={idle ? t.limits.idle(shown(kind, now)) : hint} placeholder={t.limits.such[kind]} wrong={form.wrong(kind)} value={form.texts[kind]} onChange={(text) => form.set(kind, text)} autoComplete="off" />;
  });
}
