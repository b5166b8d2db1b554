import type { ECharts } from './engine.ts';
import { aloud } from '../format.ts';
import { at as valueAt, leaf } from '../paths.ts';
import { texts } from '../texts.ts';
import type { LegendEntry, View } from '../view.ts';
import { defineView, sheet, ViewElement } from './base.ts';
import { compare } from './categories.ts';
import { init } from './engine.ts';
import { type Model, model, named, sentence } from './model.ts';
import { type Colors, draw, type Drawing } from './option.ts';
import styles from './plot.css';

const style = sheet(styles);

/** Charts that ECharts draws. It is told colors, and draws again when those of the page change. */
export class PlotView extends ViewElement {
  protected readonly sheet = style;

  #canvas = document.createElement('div');
  #chart: ECharts | undefined;
  #drawing: Drawing | undefined;
  #sizes: ResizeObserver | undefined;
  #scheme = matchMedia('(prefers-color-scheme: dark)');
  #theme: MutationObserver | undefined;

  constructor() {
    super();
    this.#canvas.className = 'canvas';
    this.#canvas.role = 'img';
    this.#reading.className = 'reading';
    this.#reading.role = 'status';
    this.addEventListener('keydown', (event) => this.#keyed(event));
    this.addEventListener('blur', () => this.#read(-1));
  }

  #reading = document.createElement('div');
  #place = -1;

  // The canvas is not Lit's.
  override render(): unknown {
    return [this.#canvas, this.#reading];
  }

  /** Arrows go from mark to mark and say each, and Enter chooses it. */
  #keyed(event: KeyboardEvent): void {
    const marks = this.#marks();
    const step: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    let next = this.#place;
    if (event.key in step) next = Math.min(marks.length - 1, Math.max(0, this.#place < 0 ? 0 : this.#place + step[event.key]!));
    else if (event.key === 'Home') next = 0;
    else if (event.key === 'End') next = marks.length - 1;
    else if (event.key === 'Escape' && this.#place >= 0) next = -1;
    else if ((event.key === 'Enter' || event.key === ' ') && marks[this.#place]) {
      this.#clicked(...marks[this.#place]!);
      event.preventDefault();
      return;
    } else return;
    event.preventDefault();
    this.#read(next);
  }

  /** The places that have a value, along the axis and up the series. */
  #marks(): [series: number, datum: number][] {
    const option = this.#drawing?.option as { series?: { data?: unknown[] }[] } | undefined;
    const lengths = (option?.series ?? []).map(({ data }) => data?.length ?? 0);
    const marks: [number, number][] = [];
    for (let datum = 0; datum < Math.max(0, ...lengths); datum++) {
      for (let series = 0; series < lengths.length; series++) if (datum < lengths[series]! && this.#drawing!.find(series, datum)) marks.push([series, datum]);
    }
    return marks;
  }

  #read(next: number): void {
    this.#place = next;
    const mark = this.#marks()[next];
    const found = mark && this.#drawing!.find(...mark);
    if (!mark || !found) {
      this.#chart?.dispatchAction({ type: 'hideTip' });
      this.#chart?.dispatchAction({ type: 'downplay' });
      this.#reading.textContent = '';
      return;
    }
    const { formats, chart } = this.view;
    const name = chart.kind === 'scatter' ? formats.text(chart.x ?? '', found.category) : model(this.view).name(found.category);
    const of = found.series && (chart.series || (chart.y?.length ?? 0) > 1) ? `${aloud(found.series.name)}, ` : '';
    this.#reading.textContent = `${of}${aloud(name)}: ${formats.text(found.series?.path ?? '', found.cell.value)}`;
    this.#chart?.dispatchAction({ type: 'downplay' });
    this.#chart?.dispatchAction({ type: 'highlight', seriesIndex: mark[0], dataIndex: mark[1] });
    this.#chart?.dispatchAction({ type: 'showTip', seriesIndex: mark[0], dataIndex: mark[1] });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#scheme.addEventListener('change', this.#again);
    addEventListener('beforeprint', this.#print);
    addEventListener('afterprint', this.#print);
    this.#sizes = new ResizeObserver(() => this.#resized());
    this.#sizes.observe(this);
    const host = (this.getRootNode() as ShadowRoot).host?.getRootNode();
    if (host instanceof ShadowRoot) {
      this.#theme = new MutationObserver(this.#again);
      this.#theme.observe(host.host, { attributeFilter: ['theme', 'style', 'class'] });
    }
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#scheme.removeEventListener('change', this.#again);
    removeEventListener('beforeprint', this.#print);
    removeEventListener('afterprint', this.#print);
    this.#sizes?.disconnect();
    this.#theme?.disconnect();
    this.#chart?.dispose();
    this.#chart = undefined;
  }

  #again = (): void => this.requestUpdate();

  /** Paper is light, whatever the page is; and it waits for no movement. */
  #print = ({ type }: Event): void => {
    const paper = type === 'beforeprint';
    this.style.colorScheme = paper ? 'light' : '';
    this.updated();
    this.#chart?.getZr().flush();
    // There, and only there, the drawing is fitted to the sheet: with a size of its own it would follow each change of size too late.
    const svg = this.#canvas.querySelector('svg');
    if (paper) svg?.setAttribute('viewBox', `0 0 ${svg.getAttribute('width')} ${svg.getAttribute('height')}`);
    else svg?.removeAttribute('viewBox');
  };

  #resized(): void {
    const { clientWidth: width, clientHeight: height } = this;
    if (width === 0 || height === 0) return;
    if (this.#chart && (this.#chart.getWidth() !== width || this.#chart.getHeight() !== height)) {
      this.#chart.resize({ width, height });
    }
    this.requestUpdate(); // labels follow the width
  }

  override updated(): void {
    const { clientWidth: width, clientHeight: height } = this;
    if (width === 0 || height === 0) return;
    if (!this.#chart) {
      this.#chart = init(this.#canvas, undefined, { renderer: 'svg', width, height });
      this.#chart.on('click', ({ seriesIndex, dataIndex }) => this.#clicked(seriesIndex ?? 0, dataIndex));
    }
    const made = model(this.view);
    this.role = 'group';
    this.tabIndex = 0;
    this.ariaLabel = texts.readable;
    this.#canvas.ariaLabel = sentence(this.view, made);
    const colors = this.#colors(placesOf(this.view, made, this.#names));
    // Quotes of a family's name would end the attribute that it is written into.
    const fontFamily = getComputedStyle(this).fontFamily.replaceAll('"', "'");
    this.#drawing = draw(this.view, made, colors, { width, height, wide: measure(fontFamily) });
    const axis = ['line', 'area', 'bar'].includes(this.view.chart.kind);
    this.#chart.setOption(
      {
        ...this.#drawing.option,
        ...(this.style.colorScheme === '' ? {} : { animation: false }),
        textStyle: { fontFamily },
        tooltip: {
          trigger: axis ? 'axis' : 'item',
          confine: true,
          className: 'tips',
          transitionDuration: 0,
          padding: 0,
          borderWidth: 0,
          backgroundColor: 'transparent',
          shadowBlur: 0,
          shadowColor: 'transparent',
          axisPointer: { type: this.view.chart.kind === 'bar' ? 'shadow' : 'line', lineStyle: { color: colors.muted, width: 1 }, shadowStyle: { color: colors.muted, opacity: 0.08 }, label: { show: false } },
          formatter: (params: unknown) => this.#tip(params as Point | Point[]),
        },
      },
      { replaceMerge: ['series'] },
    );
    for (const element of [this.#canvas, ...this.#canvas.querySelectorAll(':scope > div > svg, .tips')]) emptied(element);
    this.#tellLegend(this.#drawing.legend);
    this.#tellRest(this.#drawing.rest);
  }

  #names = new Map<string, number>(); // of measures, which are this chart's own

  #said = '';
  #tellLegend(legend: LegendEntry[]): void {
    const said = JSON.stringify(legend);
    if (said === this.#said) return;
    this.#said = said;
    this.dispatchEvent(new CustomEvent('legend', { detail: legend }));
  }

  #rest: string | undefined | null = null; // nothing yet: its tile may still have what another said
  #tellRest(rest: string | undefined): void {
    if (rest === this.#rest) return;
    this.#rest = rest;
    this.dispatchEvent(new CustomEvent('rest', { detail: rest }));
  }

  /** The page's colors as rgb(), which is what the browser makes of any. */
  #colors(place: Colors['place']): Colors {
    const probe = document.createElement('i');
    probe.hidden = true;
    this.append(probe);
    const read = (name: string) => {
      probe.style.color = `var(--u-${name})`;
      return getComputedStyle(probe).color;
    };
    const colors: Colors = {
      text: read('text'), muted: read('muted'), line: read('line'), surface: read('surface'), track: read('track'),
      series: [1, 2, 3, 4, 5, 6].map((i) => read(`s${i}`)),
      tint: '',
      place,
    };
    probe.className = 'tint';
    colors.tint = srgb(getComputedStyle(probe).backgroundColor);
    probe.remove();
    return colors;
  }

  /** A tooltip of elements: names of data are text in it, whatever they are. */
  #tip(params: Point | Point[]): HTMLElement | string {
    const points = Array.isArray(params) ? params : [params];
    const { formats, chart } = this.view;
    const found = points.flatMap((point) => {
      const at = this.#drawing?.find(point.seriesIndex, point.dataIndex);
      return at ? [{ ...at, color: typeof point.color === 'string' ? point.color : '' }] : [];
    });
    const first = found[0];
    if (!first) return '';
    const tip = element('div', 'tip');
    const line = (color: string | undefined, name: string, value: string) => {
      const row = element('div', '');
      if (color) {
        const mark = element('i', '');
        mark.style.background = color;
        row.append(mark);
      }
      row.append(element('span', '', name), element('b', '', value));
      tip.append(row);
    };
    const made = model(this.view);
    if (chart.kind === 'scatter') {
      tip.append(element('strong', '', first.series!.name));
      for (const path of [chart.x, ...(chart.y ?? []), chart.size]) {
        if (path) line(undefined, named(chart, path), formats.text(path, valueAt(first.cell.row, path)));
      }
      return tip;
    }
    tip.append(element('strong', '', made.name(first.category)));
    for (const { cell, series, color } of [...found].reverse()) line(color, series!.name, formats.text(series!.path, cell.value));
    if (chart.compare && chart.kind === 'bar') line(undefined, named(chart, chart.compare), formats.text(chart.compare, valueAt(first.cell.row, chart.compare)));
    return tip;
  }

  #clicked(series: number, datum: number): void {
    const found = this.#drawing?.find(series, datum);
    if (!found) return;
    const { chart } = this.view;
    const values: Record<string, unknown> = {};
    for (const path of [chart.x, chart.series]) if (path) values[path] = valueAt(found.cell.row, path);
    this.pick({ values, row: found.cell.row });
  }

  /** The drawing as it is, as text of an SVG file. */
  svg(): { text: string; width: number; height: number } {
    const chart = this.#chart!;
    return { text: chart.renderToSVGString(), width: chart.getWidth(), height: chart.getHeight() };
  }
}

/**
 * The places of names among the colors. Values of one column have the same in all tiles, whatever their order there; they come in
 * the order of the first tile's series, or of their names.
 */
function placesOf({ chart, places }: View, made: Model, own: Map<string, number>): Colors['place'] {
  const round = chart.kind === 'pie' || chart.kind === 'donut';
  const of = round ? chart.x : (chart.y?.length ?? 0) > 1 ? undefined : chart.series;
  const kept = of ? (places.get(leaf(of)) ?? new Map<string, number>()) : own;
  if (of) places.set(leaf(of), kept);
  const place = (name: string) => {
    if (!kept.has(name)) kept.set(name, kept.size);
    return kept.get(name)!;
  };
  if (round) [...made.categories].sort((a, b) => compare(a === null ? null : made.name(a), b === null ? null : made.name(b))).forEach((value) => place(made.name(value)));
  else if (of) made.series.map(({ name }) => name).forEach(place);
  return place;
}

interface Point {
  seriesIndex: number;
  dataIndex: number;
  color?: unknown;
}

function element(name: string, className: string, text?: string): HTMLElement {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

const pen = document.createElement('canvas').getContext('2d');

/** How wide labels are in a font. */
function measure(family: string): (text: string) => number {
  if (pen) pen.font = `12px ${family}`;
  return (text) => pen?.measureText(text).width ?? 7 * text.length;
}

/** ECharts empties elements by their `innerHTML`, which pages with Trusted Types forbid. Nothing else of it is HTML. */
function emptied(element: Element): void {
  if (Object.hasOwn(element, 'innerHTML')) return;
  Object.defineProperty(element, 'innerHTML', { get: () => (element.hasChildNodes() ? ' ' : ''), set: () => element.replaceChildren() });
}

/** color(srgb 0.1 0.2 0.3), which ECharts does not read, as rgb(). */
function srgb(text: string): string {
  const parts = /^color\(srgb ([\d.]+) ([\d.]+) ([\d.]+)/.exec(text);
  return parts ? `rgb(${parts.slice(1, 4).map((part) => Math.round(Number(part) * 255)).join(',')})` : text;
}

defineView('usher-plot', PlotView);
