// What becomes of an answer of which something failed.
import { type Failure, type Result, type Run, UsherError } from '@usher/client';
import { passes } from './passes.ts';

export interface Settled<Answer> {
  /** What is shown now, in part of answers before. */
  shown: Answer;
  /** When the oldest came of it; nothing of it is there without. */
  since: Date | undefined;
  /** The names of parts that stand for newer ones, which failed for now. */
  kept: string[];
  problem: UsherError | undefined;
  failed: { tile: string | undefined; error: UsherError }[];
  /** For how many seconds somebody asks to be left alone. */
  wait: number;
}

type Parts = Record<string, Result>;

const came = new WeakMap<Result, number>();
const partsOf = (answer: Run | Result | undefined): Parts => (answer && 'tiles' in answer ? answer.tiles : answer ? { '': answer } : {});
const passing = ({ extensions }: Failure): boolean => passes(extensions?.code);
const wait = ({ errors }: Result): number => Number(errors?.[0]?.extensions?.retryAfter ?? 0);

/** What failed with what passes stays as it was. What is refused, or asked wrongly, is shown no more. Throws the one reason for which no tile has an answer. */
export function settled<Answer extends Run | Result>(answer: Answer, before: Answer | undefined): Settled<Answer> {
  const [parts, former] = [partsOf(answer), partsOf(before)];
  const failed = Object.entries(parts).filter(([, { errors }]) => errors?.[0]);
  if ('tiles' in answer && failed[0] && failed.length === Object.keys(parts).length) saidOnce(failed.map(([, part]) => part));
  const kept = failed.filter(([name, { errors }]) => errors!.every(passing) && former[name] && !former[name].errors?.[0]).map(([name]) => name);
  const shown = { ...parts, ...Object.fromEntries(kept.map((name) => [name, former[name]!])) };
  const now = Date.now();
  const times = Object.values(shown).flatMap((part) => {
    if (!came.has(part)) came.set(part, now);
    return part.errors?.[0] ? [] : [came.get(part)!];
  });
  return {
    shown: 'tiles' in answer ? { ...answer, tiles: shown } : (shown[''] as Answer),
    since: times[0] === undefined ? undefined : new Date(Math.min(...times)),
    kept,
    problem: kept[0] === undefined ? undefined : UsherError.of(parts[kept[0]]!.errors![0]),
    failed: failed.map(([tile, { errors }]) => ({ tile: tile || undefined, error: UsherError.of(errors![0]) })),
    wait: Math.max(0, ...Object.values(parts).map(wait)),
  };
}

function saidOnce(tiles: Result[]): void {
  const failures = tiles.map(({ errors }) => errors![0]!);
  const codes = new Set(failures.map(({ extensions }) => extensions?.code));
  if (!tiles.every(empty) || (codes.size > 1 && !failures.every(passing))) return;
  if (codes.has('FORBIDDEN')) throw new UsherError('Nothing on this dashboard is for you.', { code: 'FORBIDDEN' });
  throw UsherError.of((tiles.find(wait) ?? tiles[0])!.errors![0]);
}

/** Whether all that a tile asked for is missing. */
function empty({ data }: Result): boolean {
  return Object.values(data ?? {}).every((field) => field === null);
}
