// Paths into answers: members by their names, items by their numbers, with dots between. Through a list a path leads to the list of what it leads to in each item.
export function at(value: unknown, path: string | undefined): unknown {
  if (!path) return value;
  let found = value;
  for (const name of path.split('.')) {
    if (Array.isArray(found) && /^\d+$/.test(name)) found = found[Number(name)];
    else if (Array.isArray(found)) found = found.map((item) => member(item, name));
    else found = member(found, name);
  }
  return found;
}

function member(value: unknown, name: string): unknown {
  return value !== null && typeof value === 'object' && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

/** The rows that a chart draws: a list, or the one object there. */
export function rowsOf(data: unknown, path: string | undefined): unknown[] {
  let found = at(data, path);
  // Without a path it is the one field of the answer.
  if (!path && found !== null && typeof found === 'object' && !Array.isArray(found)) found = Object.values(found)[0];
  if (found === null || found === undefined) return [];
  return Array.isArray(found) ? found.filter((row) => row !== null) : [found];
}

/** The one item of a list that has one: an aggregate below a row is such a list. */
export function single(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : value;
}

/** The values of a column. */
export function column(rows: unknown[], path: string): unknown[] {
  const values = rows.map((row) => at(row, path));
  const lists = values.some((value) => Array.isArray(value) && value.length > 1);
  return lists ? values : values.map((value) => (Array.isArray(value) && value.length === 0 ? null : single(value)));
}

/** The last name of a path, which is what formats and parameters may be named after. */
export function leaf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}
