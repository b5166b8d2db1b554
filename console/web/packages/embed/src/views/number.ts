import { isNumeric } from '@usher/client';
import { html, nothing, type PropertyValues } from 'lit';
import { at, single } from '../paths.ts';
import { texts } from '../texts.ts';
import styles from './number.css';
import { defineView, sheet, ViewElement } from './base.ts';
import { spark } from './spark.ts';

const style = sheet(styles);

// A number is one word: its type is as large as its place lets it be (number.css), and where that is too small to be read at a
// glance it is written in short, with all of it in its title.
const least = 14; // pixels

const pen = document.createElement('canvas').getContext('2d');

/** How wide a text is in the type of numbers, in parts of its size. All digits are as wide as a zero. */
function ems(text: string, family: string): number {
  if (!pen) return 0.75 * text.length;
  pen.font = `650 100px ${family}`;
  return (pen.measureText(text.replace(/\d/g, '0')).width + 1) / 100;
}

/**
 * One number, and how it compares. Of a list it is the last row's, and what it is compared with is the row before unless
 * `compare` leads elsewhere; the list is the line beside it. `series` leads to another list for that line.
 */
class NumberView extends ViewElement {
  static override properties = { ...ViewElement.properties, _wide: { state: true }, _font: { state: true } };
  protected readonly sheet = style;

  declare _wide: number; // pixels
  declare _font: string;
  #sizes: ResizeObserver | undefined;

  constructor() {
    super();
    this._wide = Number.POSITIVE_INFINITY;
    this._font = 'sans-serif';
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#sizes = new ResizeObserver(() => this.#fit());
    this.#sizes.observe(this);
    this.#sizes.observe(this.closest('section')!);
    void document.fonts.ready.then(() => this.requestUpdate()); // whose digits may be wider
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#sizes?.disconnect();
  }

  protected override updated(_changed: PropertyValues): void {
    this.#fit();
  }

  /** A tile whose height is given may be lower than its words: then they stand closer, and lines are cut at their ends. */
  #fit(): void {
    const section = this.closest('section');
    if (!section || this.clientWidth === 0) return;
    this._wide = this.clientWidth;
    this._font = getComputedStyle(this).fontFamily;
    for (const room of ['', 'little', 'least']) {
      section.dataset.room = room;
      if (section.scrollHeight <= section.clientHeight) break;
    }
  }

  override render(): unknown {
    const { chart, rows, data, formats } = this.view;
    const path = chart.y?.[0] ?? '';
    const last = rows.at(-1);
    const value = at(last, path);
    // What it is compared with stands in the row, or elsewhere in the answer.
    const before = chart.compare ? (at(last, chart.compare) ?? single(at(data, chart.compare))) : rows.length > 1 ? at(rows.at(-2), path) : undefined;
    const change = isNumeric(value) && isNumeric(before) ? formats.change(path, value, before) : undefined;
    const line = chart.series ? at(data, chart.series) : rows;
    const points = Array.isArray(line) ? at(line, path) : undefined;
    const direction = change && (change.same ? '' : change.up ? 'good' : 'bad');
    const all = formats.text(path, value);
    const short = isNumeric(value) && ems(all, this._font) * least > this._wide;
    const said = short ? formats.short(path, Number(value)) : all;
    return html`<div class="now">
        <div class="value" .style=${`--ems:${ems(said, this._font)}`} title=${formats.full(path, value) ?? (short ? all : nothing)}>${said}</div>
        ${Array.isArray(points) ? html`<div class="trend">${spark(points, true)}</div>` : nothing}
      </div>
      ${change || chart.compareLabel
          ? html`<div class="delta">
              ${change
                ? html`<span class="badge ${direction}" title=${isNumeric(before) ? formats.text(path, before) : nothing}
                    >${change.same
                      ? nothing
                      : html`<svg viewBox="0 0 10 10" role="img" aria-label=${texts.change(change.up)}>
                          <path d=${change.up ? 'M5 1 9.5 9h-9z' : 'M5 9 .5 1h9z'} />
                        </svg>`}${change.text}</span
                  >`
                : nothing}
              ${chart.compareLabel ? html`<span class="than" title=${chart.compareLabel}>${chart.compareLabel}</span>` : nothing}
            </div>`
          : nothing}`;
  }
}

NumberView.disableWarning?.('change-in-update'); // it fits its words to the room that they turn out to have
defineView('usher-number', NumberView);
