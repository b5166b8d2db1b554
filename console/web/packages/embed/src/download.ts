import { isNumeric } from '@usher/client';
import { label } from './labels.ts';
import { column } from './paths.ts';
import type { PlotView } from './views/plot.ts';
import type { LegendEntry, View } from './view.ts';

/** Saves what a tile, which has that root, shows. */
export async function download(root: ParentNode, view: View, what: 'csv' | 'png', legend: LegendEntry[]): Promise<void> {
  const name = (view.title || 'chart').replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '');
  if (what === 'csv') {
    save(new Blob(['\ufeff', csv(view)], { type: 'text/csv;charset=utf-8' }), `${name}.csv`);
    return;
  }
  const plot = root.querySelector('usher-plot') as PlotView | null;
  if (!plot) return;
  const drawn = plot.svg();
  const png = await picture(drawn, { root, title: view.title, names: legend.length > 1 ? legend.filter(({ name }) => !view.hidden.has(name)) : [] }).catch(() => undefined);
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

interface Frame {
  root: ParentNode;
  title: string;
  names: LegendEntry[];
}

/** The drawing at twice its size, with the title and the names of its colors above. */
async function picture({ text, width, height }: { text: string; width: number; height: number }, { root, title, names }: Frame): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const section = root.querySelector('section')!;
  const { backgroundColor, color, fontFamily } = getComputedStyle(section);
  const margin = 20;
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d')!;
  const fonts = { title: `600 15px ${fontFamily}`, name: `500 12px ${fontFamily}` };
  // Names go on in the next line where one is full.
  context.font = fonts.name;
  let x = 0;
  let line = 0;
  const placed = names.map((entry) => {
    const { color } = entry;
    const name = fitting(context, entry.name, width - 34);
    const wide = context.measureText(name).width + 34;
    if (x > 0 && x + wide > width) {
      x = 0;
      line++;
    }
    x += wide;
    return { name, color, x: x - wide, line };
  });
  const head = (title ? 30 : 0) + (placed.length > 0 ? (line + 1) * 22 + 6 : 0);
  canvas.width = (width + 2 * margin) * 2;
  canvas.height = (height + head + 2 * margin) * 2;
  context.scale(2, 2);
  context.fillStyle = backgroundColor;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.textBaseline = 'middle';
  context.fillStyle = color;
  context.font = fonts.title;
  context.fillText(title, margin, margin + 9);
  context.font = fonts.name;
  for (const { name, color: swatch, x, line } of placed) {
    const y = margin + (title ? 30 : 0) + line * 22 + 9;
    context.fillStyle = getComputedStyle(section.querySelector(`.legend .${swatch.replace(' ', '.')}`)!).backgroundColor;
    context.globalAlpha = swatch.endsWith('palest') ? 0.3 : swatch.endsWith('paler') ? 0.65 : 1;
    context.fillRect(margin + x, y - 5, 10, 10);
    context.globalAlpha = 1;
    context.fillStyle = color;
    context.fillText(name, margin + x + 16, y);
  }
  context.drawImage(image, margin, margin + head, width, height);
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture'))), 'image/png'));
}

/** As much of a text as there is room for. */
function fitting(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  const characters = [...text];
  while (characters.length > 1 && context.measureText(`${characters.join('')}…`).width > width) characters.pop();
  return `${characters.join('')}…`;
}

function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
