import type { Parameter } from '@usher/client';
import { leaf } from './paths.ts';
import type { Pick } from './view.ts';

/**
 * What is chosen after a click into a tile: a value of a column that a parameter is named after is that parameter's; chosen again,
 * it is taken back.
 */
export function choose({ values: picked }: Pick, parameters: Parameter[] | undefined, values: Record<string, unknown>, before: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const chosen = { ...before };
  for (const [path, value] of Object.entries(picked)) {
    const parameter = parameters?.find(({ name }) => name === leaf(path));
    const given = parameter && valueFor(parameter, value);
    if (!parameter || given === undefined) continue;
    if (same(values[parameter.name], given)) delete chosen[parameter.name];
    else chosen[parameter.name] = given;
  }
  return chosen;
}

/** The value of a parameter that stands for what was chosen: an option of that value or name, or the value itself. */
function valueFor({ options, type }: Parameter, value: unknown): unknown {
  if (options) return options.find((option) => same(option.value, value) || same(option.value, [value]) || option.label === value)?.value;
  if (value === null || value === undefined) return undefined;
  return type.startsWith('[') ? [value] : value;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
