// A dashboard's document as the editor changes it: plain values, each change a new one.
import type { Dashboard, Kind, Tile } from '@usher/client';

export type { Chart, Format, Parameter, Tile } from '@usher/client';

export type Place = Tile['at'];

// Document is a dashboard as it is kept: it has a title.
export type Document = Dashboard & { title: string };

export const columns = 12;
export const kinds = ['number', 'table', 'line', 'area', 'bar', 'pie', 'donut', 'scatter', 'heatmap', 'pivot', 'text'] as const satisfies readonly Kind[];

// without leaves out what says nothing: a document has no nulls and no empty texts.
export function without<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined && part !== '' && part !== false && !(Array.isArray(part) && part.length === 0))) as T;
}

export function freeId(tiles: Tile[], like: string): string {
  const base = like.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 50) || 'tile';
  const taken = new Set(tiles.map(({ id }) => id));
  if (!taken.has(base)) return base;
  for (let n = 2; ; n++) if (!taken.has(`${base}-${n}`)) return `${base}-${n}`;
}

const meet = (a: Place, b: Place) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

// put gives a tile a place. Those that stand there go down, and what they meet in turn:
// nobody else moves, so that a page keeps its gaps. In one column nobody reads a title.
export function put(tiles: Tile[], id: string, wanted: Place): Tile[] {
  const w = Math.min(columns, Math.max(2, wanted.w));
  const at = { x: Math.min(columns - w, Math.max(0, wanted.x)), y: Math.max(0, wanted.y), w, h: Math.min(50, Math.max(1, wanted.h)) };
  const moved = new Map(tiles.map((tile) => [tile.id, tile.id === id ? at : tile.at]));
  const settled = [at];
  const others = tiles.filter((tile) => tile.id !== id).sort((a, b) => a.at.y - b.at.y || a.at.x - b.at.x);
  for (const tile of others) {
    let place = tile.at;
    for (let hit = settled.find((one) => meet(one, place)); hit; hit = settled.find((one) => meet(one, place))) place = { ...place, y: hit.y + hit.h };
    settled.push(place);
    moved.set(tile.id, place);
  }
  return tiles.map((tile) => (moved.get(tile.id) === tile.at ? tile : { ...tile, at: moved.get(tile.id)! }));
}

// below is the first free row.
export const below = (tiles: Tile[]) => Math.max(0, ...tiles.map(({ at }) => at.y + at.h));

// valuesOf are those of a tile's variables when somebody opens the dashboard.
export function valuesOf(document: Document, tile: Tile): Record<string, unknown> {
  const defaults = (document.parameters ?? []).filter((parameter) => parameter.default !== undefined).map((parameter) => [parameter.name, parameter.default]);
  const all: Record<string, unknown> = { ...tile.variables, ...Object.fromEntries(defaults) };
  const named = new Set([...(tile.query ?? '').matchAll(/\$([_A-Za-z]\w*)\s*:/g)].map(([, name]) => name));
  return Object.fromEntries(Object.entries(all).filter(([name]) => named.has(name)));
}
