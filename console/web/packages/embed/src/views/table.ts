import { type Column, isNumeric } from '@usher/client';
import { html, nothing } from 'lit';
import { aloud } from '../format.ts';
import { label } from '../labels.ts';
import { at, column as cells, leaf } from '../paths.ts';
import { texts } from '../texts.ts';
import { defineView, sheet } from './base.ts';
import { compare } from './categories.ts';
import { paper, roomOf, word } from './paper.ts';
import { Scroller } from './scroller.ts';
import { spark } from './spark.ts';
import styles from './table.css';

const style = sheet(styles + paper);
const few = 200; // rows that are all in the page
const printed = 2000; // rows that are on paper
const beyond = 12; // rows above and below those in sight
const most = 3; // columns of a narrow page, the first among them

interface Shown extends Column {
  values: unknown[];
  kind: 'text' | 'number' | 'bar' | 'line';
  top: number;
}

/**
 * Rows and columns. `y` are the columns with bars, a column that leads to a list of numbers is a small line, and `series` is what
 * stands muted below the first column. Of many rows only those in sight are in the page.
 */
class TableView extends Scroller {
  static override properties = { ...Scroller.properties, _sort: { state: true }, _top: { state: true } };
  protected readonly sheet = style;

  declare _sort: { path: string; up: boolean } | undefined;
  declare _top: number;

  constructor() {
    super();
    this._top = 0;
    this.addEventListener('scroll', () => {
      const top = Math.floor(this.scrollTop / this.#height);
      if (Math.abs(top - this._top) >= beyond / 2) this._top = top;
    }, { passive: true });
  }

  #kept: { view: unknown; sort: unknown; order: number[]; columns: Shown[] } | undefined;

  /** The columns, and the rows' places in the order that is shown. Bars are ordered by their length until somebody asks otherwise. */
  #table(): { order: number[]; columns: Shown[] } {
    const { view } = this;
    const sort = this.#sorted;
    if (this.#kept?.view === view && this.#kept.sort === sort) return this.#kept;
    const columns = (view.chart.columns ?? []).map((column): Shown => {
      const values = cells(view.rows, column.path);
      const known = values.filter((value) => value !== null && value !== undefined);
      const numbers = known.length > 0 && known.every(isNumeric);
      const lines = known.length > 0 && known.every((value) => Array.isArray(value) && value.every((v) => v === null || isNumeric(v)));
      const kind = lines ? 'line' : !numbers ? 'text' : view.chart.y?.includes(column.path) ? 'bar' : 'number';
      return { ...column, values, kind, top: numbers ? Math.max(0, ...known.map(Number)) : 0 };
    });
    const order = view.rows.map((_row, i) => i);
    const by = sort && columns.find(({ path }) => path === sort.path)?.values;
    if (by) order.sort((a, b) => compare(by[a], by[b], sort.up));
    this.#kept = { view, sort, order, columns };
    return this.#kept;
  }

  get #sorted(): { path: string; up: boolean } | undefined {
    const bars = this.view.chart.y?.[0];
    return this._sort ?? (bars === undefined ? undefined : { path: bars, up: false });
  }

  get #tall(): boolean {
    return this.view.chart.series !== undefined;
  }
  get #height(): number {
    return this.#tall ? 56 : 45;
  }

  override render(): unknown {
    const { order: rows, columns } = this.#table();
    const many = rows.length > (this._paper ? printed : few);
    const from = many && !this._paper ? Math.max(0, this._top - beyond) : 0;
    const until = !many ? rows.length : this._paper ? printed : Math.min(rows.length, this._top + Math.ceil((this.clientHeight || 600) / this.#height) + beyond);
    this.#unrendered = rows.length - until;
    this.tabIndex = 0;
    this.role = 'group';
    this.ariaLabel = this.view.title || texts.rows(String(rows.length));
    return html`<table class=${this._paper ? this.#room(columns, rows) : ''} aria-rowcount=${many ? rows.length + 1 : nothing}>
      <thead><tr>${columns.map((column, i) => this.#head(column, i))}</tr></thead>
      <tbody>
        ${gap(from * this.#height, columns.length)}
        ${rows.slice(from, until).map((row, i) => this.#row(row, from + i, columns, many))}
        ${this._paper ? more(rows.length - until, columns.length) : gap((rows.length - until) * this.#height, columns.length)}
      </tbody>
    </table>`;
  }

  #unrendered = 0;
  protected override get unrendered(): number {
    return this.#unrendered;
  }

  /** How much room there has to be on paper. */
  #room(columns: Shown[], order: number[]): string {
    return roomOf(columns.map((column) => Math.max(word(column.label ?? label(column.path)), column.kind === 'line' ? 9 : this.#longest(column, order))));
  }

  #longest({ path, values, kind }: Shown, order: number[]): number {
    const { formats } = this.view;
    return order.slice(0, printed).reduce((most, row) => {
      const text = formats.text(path, values[row], values);
      return Math.max(most, kind === 'text' ? word(text) : text.length);
    }, 0);
  }

  #class(column: Shown, i: number): string {
    return [
      column.kind === 'number' || column.kind === 'line' ? 'num' : '',
      column.kind === 'bar' ? 'bars' : '',
      column.kind === 'line' ? 'sparked' : '',
      i >= most && column.kind !== 'bar' && !this.view.formats.exact ? 'lesser' : '',
    ].join(' ');
  }

  #head(column: Shown, i: number): unknown {
    const name = column.label ?? label(column.path);
    // Buttons are not repeated where a table goes on on the next sheet.
    if (column.kind === 'line' || this._paper) return html`<th scope="col" class=${this.#class(column, i)}>${name}</th>`;
    const sorted = this.#sorted?.path === column.path ? this.#sorted : undefined;
    return html`<th scope="col" class=${this.#class(column, i)} aria-sort=${sorted ? (sorted.up ? 'ascending' : 'descending') : nothing}>
      <button class="sort" @click=${() => (this._sort = { path: column.path, up: sorted ? !sorted.up : column.kind === 'text' })}
        >${name}${sorted ? html`<svg viewBox="0 0 10 10" aria-hidden="true"><path d=${sorted.up ? 'M5 1 9.5 9h-9z' : 'M5 9 .5 1h9z'} /></svg>` : nothing}</button
      >
    </th>`;
  }

  #row(place: number, index: number, columns: Shown[], many: boolean): unknown {
    const row = this.view.rows[place];
    const { chart, formats, selectable, selected } = this.view;
    const paths = [...columns.map(({ path }) => path), ...(chart.series ? [chart.series] : [])].filter((path) => selectable.has(leaf(path)));
    const on = paths.some((path) => selected.get(leaf(path)) === at(row, path));
    return html`<tr class="${this.#tall ? 'tall' : ''} ${on ? 'on' : ''}" aria-rowindex=${many ? index + 2 : nothing}>
      ${columns.map((column, i) => {
        const value = column.values[place];
        const text = column.kind === 'line' ? '' : formats.text(column.path, value, column.values);
        const classes = `${this.#class(column, i)}${text.length > (column.kind === 'text' ? 40 : 22) ? ' far' : ''}`;
        const name = this._paper ? (column.label ?? label(column.path)) : nothing;
        if (column.kind === 'line') return html`<td class=${classes} data-name=${name}>${spark(value as unknown[])}</td>`;
        const full = formats.full(column.path, value, column.values) ?? nothing;
        if (column.kind === 'bar') {
          const part = column.top > 0 ? (Math.max(0, Number(value ?? 0)) / column.top) * 100 : 0;
          const wide = formats.text(column.path, column.values.find((v) => Number(v) === column.top), column.values).length;
          return html`<td class=${classes} data-name=${name} title=${full}><div class="barred"><span .style=${`min-width:${wide}ch`}>${text}</span><svg aria-hidden="true"
            ><rect class="track" width="100%" height="8" rx="4" /><rect class="bar" width="${part}%" height="8" rx="4" /></svg></div></td>`;
        }
        const below = i === 0 && chart.series ? html`<small>${formats.text(chart.series, at(row, chart.series))}</small>` : nothing;
        const picks = () => this.pick({ values: Object.fromEntries(paths.map((path) => [path, at(row, path)])), row });
        const said = i === 0 && paths.length > 0 ? html`<button class="pick" aria-label=${aloud(text)} aria-pressed=${on} @click=${picks}>${text}</button>` : text;
        if (i === 0) return html`<th scope="row" class=${classes} data-name=${name} title=${full}><div class="clip">${said}</div>${below}</th>`;
        return html`<td class=${classes} data-name=${name} title=${full}>${column.kind === 'text' ? html`<div class="clip">${said}</div>` : said}</td>`;
      })}
    </tr>`;
  }
}

function gap(height: number, columns: number): unknown {
  return height > 0 ? html`<tr class="gap" aria-hidden="true"><td colspan=${columns} .style=${`height:${height}px`}></td></tr>` : nothing;
}

/** What is not on paper is said there. */
function more(rows: number, columns: number): unknown {
  return rows > 0 ? html`<tr><td colspan=${columns}>${texts.moreRows(rows)}</td></tr>` : nothing;
}

defineView('usher-table', TableView);
