import { knownZone } from './format.ts';

/** The instant at which a day begins by the clocks of a time zone: months by Chicago begin at 06:00Z, or 05:00Z in summer. */
export function midnight(date: string, timezone: string | undefined): string {
  const utc = Date.parse(`${date}T00:00:00Z`);
  const zone = knownZone(timezone);
  if (!zone) return `${date}T00:00:00Z`;
  let instant = utc;
  // The offset is that of the instant, which it moves: the second time it is right.
  for (let i = 0; i < 2; i++) instant = utc - offset(instant, zone);
  return new Date(instant).toISOString().replace('.000Z', 'Z');
}

function offset(instant: number, timeZone: string): number {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' })
      .formatToParts(instant)
      .map(({ type, value }) => [type, Number(value)]),
  );
  return Date.UTC(parts.year!, parts.month! - 1, parts.day!, parts.hour!, parts.minute!, parts.second!) - instant;
}

/** The day of a value: the one that begins then by the clocks of the time zone, or else the one that is written there. */
export function dayOf(value: string, timezone: string | undefined): string {
  const day = value.slice(0, 10);
  // East of Greenwich a day begins while it is still the one before by UTC.
  const next = new Date(Date.parse(day) + 86_400_000 || 0).toISOString().slice(0, 10);
  return value.length > 10 && midnight(next, timezone) === value ? next : day;
}
