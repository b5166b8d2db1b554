import { isNumeric } from '@usher/client';
import { column, label } from './paths.ts';
import type { UsherTile } from './tile.ts';
import type { PlotView } from './views/plot.ts';
import type { View } from './view.ts';

/** Saves what a tile shows. */
export async function download(tile: UsherTile, what: 'csv' | 'png'): Promise<void> {
  const { view } = tile;
  const name = (view.title || 'chart').replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '');
  if (what === 'csv') {
    save(new Blob(['\ufeff', csv(view)], { type: 'text/csv;charset=utf-8' }), `${name}.csv`);
    return;
  }
  const plot = tile.shadowRoot!.querySelector('usher-plot') as PlotView | null;
  if (!plot) return;
  const drawn = plot.svg();
  const surface = getComputedStyle(tile.shadowRoot!.querySelector('section')!).backgroundColor;
  const png = await picture(drawn, surface).catch(() => undefined);
  if (png) save(png, `${name}.png`);
  else save(new Blob([drawn.text], { type: 'image/svg+xml' }), `${name}.svg`); // where the page's policy forbids images of data
}

/** All rows that came, with all digits. Text that a spreadsheet would take for a formula is marked as text. */
export function csv({ chart, rows }: View): string {
  const columns = chart.columns?.map(({ path, label: said }) => ({ path, name: said ?? label(path) })) ??
    [...new Set([chart.x, chart.series, ...(chart.y ?? []), chart.size, chart.compare])].flatMap((path) => (path ? [{ path, name: label(path) }] : []));
  const cells = columns.map(({ path }) => column(rows, path));
  const lines = [columns.map(({ name }) => field(name)), ...rows.map((_row, i) => cells.map((values) => field(values[i])))];
  return lines.map((line) => `${line.join(',')}\r\n`).join('');
}

function field(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (isNumeric(value)) return String(value);
  let text = typeof value === 'string' ? value : JSON.stringify(value);
  if (/^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

async function picture({ text, width, height }: { text: string; width: number; height: number }, surface: string): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = width * 2;
  canvas.height = height * 2;
  const context = canvas.getContext('2d')!;
  context.fillStyle = surface;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture'))), 'image/png'));
}

function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
