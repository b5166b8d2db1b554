// What may be picked: datasets, columns, and measures with the functions of columns.
import { t } from '../../texts';
import type { Listed, Models } from './model';
import { words } from './model';
import type { Item } from './picker';

export function datasetItems(list: Listed[]): Item[] {
  return list.map(({ name, label: called, description }) => ({ id: name, name: called ?? words(name), under: description ?? (called ? name : undefined) }));
}

export function measureItems({ main }: Models, but: string[] = []): Item[] {
  const made = main.measures.map(({ path, label: name, description, type }) => ({ id: path, name, under: description ?? undefined, group: t.explore.measures, mark: type }));
  const functions = main.columns.flatMap((column) => column.functions.map(({ name, type }) => ({ id: `${column.path}.${name}`, name: t.explore.functionOf(t.explore.functions[name] ?? words(name), column.label), group: column.label, mark: type })));
  return [...made, ...functions].filter(({ id }) => !but.includes(id));
}

export function columnItems(models: Models, fits: (column: Models['columns'][number]) => boolean, but: string[] = []): Item[] {
  return models.columns
    .filter((column) => fits(column) && !but.includes(column.path))
    .map(({ path, label: name, description, type, of }) => ({ id: path, name, under: description ?? undefined, group: of ? `${words(of.name)}${of.many ? ` (${t.explore.many})` : ''}` : models.main.label, mark: type }));
}
