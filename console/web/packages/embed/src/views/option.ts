// What ECharts is told to draw.
import { isNumeric } from '@usher/client';
import { at } from '../paths.ts';
import { texts } from '../texts.ts';
import type { LegendEntry, View } from '../view.ts';
import type { EChartsCoreOption } from './engine.ts';
import { compare } from './categories.ts';
import { type Cell, type Model, named as called, type Series, undrawn } from './model.ts';

/** The colors of the page, as they are now. */
export interface Colors {
  text: string;
  muted: string;
  line: string;
  surface: string;
  track: string;
  series: string[];
  tint: string;
  /** The place of a name among the colors: it keeps it, whatever else comes and goes. */
  place(name: string): number;
}

/** What is drawn, and what is told when somebody points at it. */
export interface Drawing {
  option: EChartsCoreOption;
  legend: LegendEntry[];
  /** What of it is not drawn, in words. */
  rest?: string | undefined;
  /** What stands at a place: by the index of the series and of the datum. */
  find(series: number, datum: number): { cell: Cell; series: Series | undefined; category: unknown } | undefined;
}

export interface Size {
  width: number;
  height: number;
  /** How wide a text is that stands beside an axis. */
  wide(text: string): number;
}

const font = (colors: Colors, color = colors.muted) => ({ color, fontSize: 12, lineHeight: 18 });

export function draw(view: View, model: Model, colors: Colors, size: Size): Drawing {
  switch (view.chart.kind) {
    case 'pie':
    case 'donut':
      return pie(view, model, colors, size);
    case 'scatter':
      return scatter(view, model, colors);
    case 'heatmap':
      return heat(view, model, colors, size);
    default:
      return cartesian(view, model, colors, size);
  }
}

/** Colors belong to series, whichever of them are hidden. After six they come again, lighter. */
function color(colors: Colors, i: number): { color: string; opacity: number } {
  return { color: colors.series[i % 6]!, opacity: 1 - 0.35 * Math.min(2, Math.floor(i / 6)) };
}

const swatch = (i: number) => `s${(i % 6) + 1}${['', ' paler', ' palest'][Math.min(2, Math.floor(i / 6))]}`;

const animation = () => ({
  animation: !matchMedia('(prefers-reduced-motion: reduce)').matches,
  animationDuration: 250,
  animationDurationUpdate: 250,
});

function cartesian(view: View, model: Model, colors: Colors, size: Size): Drawing {
  const { chart, formats, hidden } = view;
  const { kind, horizontal = false, compare } = chart;
  const bars = kind === 'bar';
  const stacked = chart.stacked === true && model.series.length > 1;
  // Two parts of one whole, lying: the second is what is left of the first.
  const parts = bars && stacked && horizontal && !chart.series && model.series.length === 2;
  const hue = (name: string, i: number) => (parts ? { color: i === 0 ? colors.series[2]! : colors.tint, opacity: 1 } : color(colors, colors.place(name)));
  const shown = model.series.map((series, i) => ({ series, i })).filter(({ series }) => !hidden.has(series.name));
  const path = model.series[0]?.path ?? '';

  // Only what is on top of a stack is round.
  const top = model.categories.map((_category, c) => shown.findLastIndex(({ series }) => Number(series.cells[c]?.value ?? 0) > 0));
  const radius = 4;
  const round = horizontal ? [0, radius, radius, 0] : [radius, radius, 0, 0];

  // Where the axis gives way to what stands beside the bars, that says their own value as well.
  const own = horizontal && !chart.series && model.series.length === 1;
  const besides = model.categories.map((_category, c) => {
    const cell = model.series[0]?.cells[c];
    const beside = compare ? formats.brief(compare, at(cell?.row, compare)) : '';
    return compare && own && cell ? `${formats.brief(path, cell.value)} · ${beside}` : beside;
  });
  const { days } = model;
  const names = model.categories.map((value) => model.name(value, !horizontal || !days));
  const step = every(size, [...names, ...(days ?? [])], names.length, bars);
  const right = !horizontal ? 4 : compare ? 12 + widest(size, besides) : 16;
  const category = {
    type: 'category',
    data: names,
    inverse: horizontal,
    boundaryGap: bars,
    axisTick: { show: false },
    axisLine: { show: !horizontal, lineStyle: { color: colors.line } },
    axisLabel: {
      ...font(colors, horizontal ? colors.text : colors.muted),
      hideOverlap: true,
      ...(bars || horizontal ? {} : { alignMinLabel: 'left', alignMaxLabel: 'right' }),
      ...(horizontal ? {} : { ...apart(step), formatter: (name: string) => cut(size, name, longest) }),
      // Where another day begins than that of the label before, it is below.
      ...(horizontal || !days ? {} : { formatter: (name: string, i: number) => (days[i] === days[i - step] ? name : `${name}\n${days[i] ?? ''}`) }),
      margin: horizontal ? 8 : 10,
      ...(horizontal ? { ...beside(size, names, right), interval: 0 } : {}),
      ...(!horizontal && bars && model.unit === undefined ? named(size, names, 72) : {}),
    },
  };
  const whole = model.series.every(({ cells }) => cells.every((cell) => Number.isInteger(number(cell) ?? 0)));
  const value = {
    type: 'value',
    splitNumber: 4,
    ...(whole ? { minInterval: 1 } : {}), // of what is counted there is no half
    ...(horizontal && compare ? { max: 'dataMax' } : {}),
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { show: !(horizontal && compare), lineStyle: { color: colors.line } },
    axisLabel: { show: !(horizontal && compare), ...font(colors), hideOverlap: true, formatter: (n: number) => formats.short(path, n) },
  };
  const series = shown.map(({ series, i }, place) => {
    const { color, opacity } = hue(series.name, i);
    const common = {
      id: `${i}`,
      name: series.name,
      ...(stacked ? { stack: 'all' } : {}),
      emphasis: { focus: model.series.length > 1 ? 'series' : 'none', blurScope: 'coordinateSystem' },
      blur: { itemStyle: { opacity: 0.35 }, lineStyle: { opacity: 0.35 }, areaStyle: { opacity: 0.08 } },
    };
    // What is not there adds nothing to a stack, which goes on where others have something.
    const datum = (c: number) => number(series.cells[c]) ?? (stacked && !bars && shown.some(({ series }) => number(series.cells[c]) !== null) ? 0 : null);
    if (!bars) {
      // A point without neighbors is no line: it is seen as one, and others when they are pointed at.
      const data = model.categories.map((_value, c) => datum(c));
      const alone = (c: number) => data[c] !== null && (data[c - 1] ?? data[c + 1] ?? null) === null;
      const unseen = { itemStyle: { opacity: 0 }, emphasis: { itemStyle: { opacity: 1 } }, blur: { itemStyle: { opacity: 0 } } };
      const some = data.some((_value, c) => alone(c));
      return {
        ...common,
        type: 'line',
        data: some ? data.map((value, c) => (alone(c) ? value : { value, ...unseen })) : data,
        symbol: 'circle',
        symbolSize: 6,
        showSymbol: some,
        showAllSymbol: some,
        connectNulls: false,
        lineStyle: { width: 2, color, opacity },
        itemStyle: { color, opacity },
        ...(kind === 'area' ? { areaStyle: { color, opacity: stacked ? 0.55 : 0.14 } } : {}),
      };
    }
    const beside = compare && place === shown.length - 1;
    return {
      ...common,
      type: 'bar',
      barMaxWidth: horizontal ? 16 : 40,
      barMinHeight: 1,
      barCategoryGap: '34%',
      barGap: '12%',
      data: model.categories.map((_value, c) => ({
        value: datum(c),
        itemStyle: { borderRadius: !stacked || top[c] === place ? round : horizontal && parts && place === 0 ? [radius, 0, 0, radius] : 0 },
      })),
      itemStyle: { color, opacity, ...(stacked && !parts ? { borderColor: colors.surface, borderWidth: 1 } : {}) },
      ...(beside
        ? {
            label: {
              show: true,
              position: horizontal ? 'right' : 'top',
              ...font(colors),
              formatter: ({ dataIndex }: { dataIndex: number }) => besides[dataIndex],
            },
          }
        : {}),
    };
  });
  return {
    option: {
      ...animation(),
      grid: { left: 2, right, top: 10, bottom: 6, containLabel: true },
      xAxis: horizontal ? value : category,
      yAxis: horizontal ? category : value,
      series,
    },
    legend: model.series.map(({ name }, i) => ({ name, color: parts ? (i === 0 ? 's3' : 'tint') : swatch(colors.place(name)) })),
    find: (index, c) => {
      const found = shown[index]?.series;
      const cell = found?.cells[c];
      return found && cell && { cell, series: found, category: model.categories[c] };
    },
  };
}

const number = (cell: Cell | undefined) => (cell?.value === null || cell?.value === undefined ? null : Number(cell.value));

function pie(view: View, model: Model, colors: Colors, size: Size): Drawing {
  const { formats, hidden, chart } = view;
  const one = model.series[0];
  const slices = model.categories.map((category, i) => ({ category, name: model.name(category), cell: one?.cells[i] }));
  const chosen = slices.filter(({ name }) => !hidden.has(name));
  const shown = chosen.filter(({ cell }) => Number(cell?.value ?? 0) > 0);
  // What is less than nothing has no slice, and counts.
  const total = chosen.reduce((sum, { cell }) => sum + Number(cell?.value ?? 0), 0);
  const rest = undrawn(chart, hidden, model);
  const outer = Math.max(0, Math.min(size.width, size.height) / 2 - 6);
  const bare = shown.length === 0 && outer < 24; // in so little room the total stands by itself
  const counted = chosen.some(({ cell }) => cell && cell.value !== null);
  const whole = counted ? formats.short(one?.path ?? '', total) : texts.none; // in the ring, where it has to find room
  return {
    option: {
      ...animation(),
      series: [{
        id: '0',
        type: 'pie',
        radius: chart.kind === 'donut' && !bare ? [outer * 0.62, outer] : [0, bare ? 0 : outer],
        padAngle: shown.length > 1 ? 0.6 : 0,
        itemStyle: { borderRadius: 3, borderColor: colors.surface, borderWidth: 1 },
        label: chart.kind === 'donut'
          ? { show: true, position: 'center', color: colors.text, fontSize: bare ? 14 : Math.min(22, (1.1 * outer) / (0.62 * whole.length)), fontWeight: 650, lineHeight: 30, formatter: () => whole }
          : { show: false },
        labelLine: { show: false },
        showEmptyCircle: rest === undefined,
        emphasis: { scaleSize: 4 },
        // Without slices a ring is empty, and has its total nevertheless.
        data: shown.length === 0 && chart.kind === 'donut'
          ? [{ value: 0, itemStyle: { color: colors.track }, emphasis: { disabled: true } }]
          : shown.map(({ name, cell }) => ({ name, value: Number(cell!.value), itemStyle: color(colors, colors.place(name)) })),
      }],
    },
    legend: slices.map(({ name }) => ({ name, color: swatch(colors.place(name)) })),
    rest,
    find: (_series, datum) => {
      const slice = shown[datum];
      return slice?.cell && { cell: slice.cell, series: one, category: slice.category };
    },
  };
}

function scatter(view: View, _model: Model, colors: Colors): Drawing {
  const { chart, rows, formats, hidden } = view;
  const { x = '', y = [], series, size } = chart;
  const path = y[0] ?? '';
  const groups = new Map<string, unknown[]>();
  for (const row of rows) {
    const name = series ? formats.category(series, at(row, series), undefined) : called(chart, path);
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  const most = size ? Math.max(...rows.map((row) => Number(at(row, size) ?? 0))) : 0;
  const ordered = [...groups].sort(([, a], [, b]) => (series ? compare(at(a[0], series), at(b[0], series)) : 0));
  const named = ordered.map(([name, rows], i) => ({ name, i, rows: rows.filter((row) => isNumeric(at(row, x)) && isNumeric(at(row, path))) }));
  const shown = named.filter(({ name }) => !hidden.has(name));
  const axis = (of: string, above: boolean) => ({
    type: 'value',
    scale: true,
    splitNumber: 4,
    name: called(chart, of),
    nameLocation: above ? 'end' : 'middle',
    nameGap: above ? 12 : 26,
    nameTextStyle: { ...font(colors), ...(above ? { align: 'left' } : {}) },
    axisLine: { show: !above, lineStyle: { color: colors.line } },
    axisTick: { show: false },
    splitLine: { show: above, lineStyle: { color: colors.line } },
    axisLabel: { ...font(colors), hideOverlap: true, formatter: (n: number) => formats.short(of, n) },
  });
  return {
    option: {
      ...animation(),
      grid: { left: 2, right: 16, top: 28, bottom: 24, containLabel: true },
      xAxis: axis(x, false),
      yAxis: axis(path, true),
      series: shown.map(({ name, i, rows }) => ({
        id: `${i}`,
        name,
        type: 'scatter',
        data: rows.map((row) => [Number(at(row, x)), Number(at(row, path))]),
        symbolSize: (_value: unknown, { dataIndex }: { dataIndex: number }) =>
          size && most > 0 ? 6 + 22 * Math.sqrt(Math.max(0, Number(at(rows[dataIndex], size) ?? 0)) / most) : 9,
        itemStyle: { ...color(colors, colors.place(name)), opacity: 0.72 * color(colors, colors.place(name)).opacity, borderColor: colors.surface, borderWidth: 1 },
      })),
    },
    legend: named.map(({ name }) => ({ name, color: swatch(colors.place(name)) })),
    find: (index, datum) => {
      const row = shown[index]?.rows[datum];
      const value = at(row, path);
      if (!row || !isNumeric(value)) return undefined;
      return { cell: { value, row }, series: { name: shown[index]!.name, path, value: series && at(row, series), cells: [] }, category: at(row, x) };
    },
  };
}

function heat(view: View, model: Model, colors: Colors, size: Size): Drawing {
  const { formats } = view;
  const cells = model.series.flatMap((series, s) => series.cells.flatMap((cell, c) => (cell && cell.value !== null ? [{ series, s, c, cell }] : [])));
  const numbers = cells.map(({ cell }) => Number(cell.value));
  const least = Math.min(0, ...numbers);
  const most = Math.max(...numbers);
  const names = model.series.map(({ name }) => name);
  const roomy = size.height / names.length > 22;
  const across = model.categories.map((value) => model.name(value, !model.days));
  const axis = (data: string[]) => ({ type: 'category', data, axisTick: { show: false }, axisLine: { show: false }, splitLine: { show: false } });
  const left = beside(size, names, 4);
  const kept = 16 + left.width; // from the cells, for their names
  const width = (size.width - kept) / across.length;
  const all = cells.map(({ cell }) => cell.value);
  const written = cells.map(({ series, cell }) => formats.text(series.path, cell.value, all));
  const full = widest(size, written) + 8 < width;
  const said = roomy && width > 48;
  const gap = Math.min(2, Math.floor(Math.min(width, size.height / names.length) / 5)); // between cells, which are what is seen
  return {
    option: {
      ...animation(),
      grid: { left: 2, right: 4, top: 4, bottom: 6, containLabel: true },
      xAxis: { ...axis(across), axisLabel: { ...font(colors), ...(model.unit === undefined ? named(size, across, kept) : { hideOverlap: true }) } },
      yAxis: { ...axis(names), inverse: true, axisLabel: { ...font(colors), ...(roomy ? { interval: 0 } : { hideOverlap: true }), ...left } },
      series: [{
        id: '0',
        // The heat map of ECharts wants a scale of colors of its own, and throws without one where it is built for development.
        type: 'custom',
        data: cells.map(({ s, c }) => [c, s]),
        renderItem: ({ dataIndex: i }: { dataIndex: number }, { coord, size: room, font }: Cells) => {
          const { series, s, c, cell } = cells[i]!;
          const [x, y] = coord([c, s]);
          const [width, height] = room([1, 1]);
          // Halves: their difference may be more than a number holds.
          const part = most === least ? 1 : (Number(cell.value) / 2 - least / 2) / (most / 2 - least / 2);
          const fill = mix(colors.series[0]!, colors.surface, 0.08 + 0.92 * part);
          const text = full ? written[i]! : formats.short(series.path, Number(cell.value));
          return {
            type: 'rect',
            shape: { x: x - width / 2, y: y - height / 2, width, height, r: 2 * gap },
            style: { fill, stroke: colors.surface, lineWidth: gap },
            ...(said ? { textContent: { style: { text, fill: stands(fill, colors.surface) > stands(fill, colors.text) ? colors.surface : colors.text, font: font({ fontSize: 12 }) } }, textConfig: { position: 'inside' } } : {}),
          };
        },
      }],
    },
    legend: [],
    find: (_series, datum) => {
      const found = cells[datum];
      return found && { cell: found.cell, series: found.series, category: model.categories[found.c] };
    },
  };

}

/** What ECharts tells of the places of cells. */
interface Cells {
  coord(of: [number, number]): [number, number];
  size(of: [number, number]): [number, number];
  font(of: object): string;
}

/** The parts of a color as the browser computed it. */
const channels = (color: string) => color.match(/[\d.]+/g)!.map(Number);

function mix(a: string, b: string, part: number): string {
  const [x, y] = [channels(a), channels(b)];
  return `rgb(${[0, 1, 2].map((i) => Math.round(x[i]! * part + y[i]! * (1 - part))).join(',')})`;
}

/** How far two colors stand out from each other: the contrast of WCAG. */
function stands(a: string, b: string): number {
  const [x, y] = [a, b].map((color) => {
    const [red, green, blue] = channels(color).map((of) => (of / 255 <= 0.04045 ? of / 255 / 12.92 : ((of / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue! + 0.05;
  });
  return Math.max(x! / y!, y! / x!);
}

export { type Cell, type Model, type Series };

const widest = ({ wide }: Size, texts: string[]) => Math.ceil(Math.max(0, ...texts.map(wide)));

// beside is the room of names at the left: what they need, and never so much that a chart has none beside what is at its right.
function beside(size: Size, names: string[], right: number) {
  const width = Math.min(widest(size, names), Math.floor(Math.min(240, size.width * 0.34, (size.width - right) / 2)));
  return { width, formatter: (name: string) => cut(size, name, width) };
}

// cut is as much of a name as there is room for. The mark after letters of a script that is read to the left stands at their left.
function cut({ wide }: Size, name: string, most: number): string {
  if (wide(name) <= most) return name;
  const letters = [...name];
  let fits = 0;
  for (let more = letters.length; fits < more; ) {
    const half = Math.ceil((fits + more) / 2);
    if (wide(`${letters.slice(0, half).join('')}…`) <= most) fits = half;
    else more = half - 1;
  }
  const kept = letters.slice(0, fits).join('').trimEnd();
  return /[\u0590-\u08ff\ufb1d-\ufefc]$/.test(kept) ? `${kept}…\u200f` : `${kept}…`;
}

const longest = 140; // pixels of a name below an axis

// every is of how many columns one has a label, so that none gives way to the next; the first and the last of a line stand within
// its ends.
function every(size: Size, texts: (string | undefined)[], columns: number, bars: boolean): number {
  const column = (size.width - 56) / Math.max(1, bars ? columns : columns - 1);
  const most = Math.min(longest, widest(size, texts.map((text) => text ?? '')));
  return Math.max(1, Math.ceil((bars ? most + 8 : 1.5 * most + 6) / column));
}

const apart = (step: number) => ({ interval: (i: number) => i % step === 0, showMinLabel: true, hideOverlap: step === 1 });

// named lays out names below their columns: each has the place of its column, as long as that is
// enough to read some of it, and else leans; what stands beside the columns takes its part of the width.
function named(size: Size, names: string[], kept: number) {
  const column = (size.width - kept) / Math.max(1, names.length);
  const each = { interval: 0, hideOverlap: false };
  if (widest(size, names) + 8 <= column) return each;
  const within = (room: number) => ({ ...each, formatter: (name: string) => cut(size, name, room) });
  if (column >= 48) return within(column - 8);
  return column >= 20 ? { ...within(76), rotate: 40 } : { ...within(longest), interval: 'auto', hideOverlap: true };
}
