import { leaf } from './paths.ts';
import { texts } from './texts.ts';

/** orderedAt, ordered_at: Ordered at. total.avg: Average total. */
export function label(path: string): string {
  const of = texts.functions[leaf(path)] ?? percentile(leaf(path));
  if (of && path.includes('.')) return of(label(path.slice(0, path.lastIndexOf('.'))));
  const words = leaf(path)
    .replace(/_/g, ' ')
    .replace(/([a-z\d])([A-Z])/g, (_all, before: string, after: string) => `${before} ${after.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** p90: a percentile by its usual alias. */
function percentile(name: string): ((of: string) => string) | undefined {
  const part = /^p(\d\d)$/.exec(name)?.[1];
  return part === undefined ? undefined : (of) => texts.percentile(Number(part), of);
}
