import { html, nothing } from 'lit';
import { at } from '../paths.ts';
import { texts } from '../texts.ts';
import { distinct, units } from './categories.ts';
import { defineView, sheet } from './base.ts';
import { named } from './model.ts';
import { paper, roomOf, word } from './paper.ts';
import { Scroller } from './scroller.ts';
import styles from './table.css';

const style = sheet(`${styles}usher-pivot{overflow:auto;scrollbar-width:thin}usher-pivot tbody tr:last-child>*{border-bottom-color:transparent}
usher-pivot tbody th{position:sticky;inset-inline-start:0;background:var(--u-surface)}usher-pivot thead th:first-child{inset-inline-start:0;z-index:2}@media print{usher-pivot{overflow:visible}usher-pivot th{position:static!important}}${paper}`);

/** A table of `x` down, `series` across and `y` in the cells. It adds nothing up: not every measure is a sum. */
class PivotView extends Scroller {
  protected readonly sheet = style;

  override render(): unknown {
    const { chart, rows, formats, title } = this.view;
    const { x = '', series, y = [] } = chart;
    const down = distinct(rows, x);
    const across = series ? distinct(rows, series) : [undefined];
    const unitX = units(chart, x, down);
    const unitS = series ? units(chart, series, across) : undefined;
    const cells = new Map(rows.map((row) => [JSON.stringify([at(row, x), series && at(row, series)]), row]));
    const columns = across.flatMap((value) => y.map((path) => ({ value, path })));
    const all = new Map(y.map((path) => [path, rows.map((row) => at(row, path))]));
    const name = ({ value, path }: { value: unknown; path: string }) => {
      const measure = named(chart, path);
      if (!series) return measure;
      const of = formats.category(series, value, unitS);
      return y.length > 1 ? `${of}, ${measure}` : of;
    };
    this.tabIndex = 0;
    this.role = 'group';
    this.ariaLabel = title || texts.rows(String(down.length));
    const text = (path: string, row: unknown) => formats.text(path, row && at(row, path), all.get(path));
    const longest = (path: string) => all.get(path)!.reduce((most: number, value) => Math.max(most, formats.text(path, value, all.get(path)).length), 1);
    const lengths = new Map(y.map((path) => [path, this._paper ? longest(path) : 0]));
    const room = () => roomOf([Math.max(...down.map((value) => word(formats.category(x, value, unitX)))), ...columns.map((column) => Math.max(word(name(column)), lengths.get(column.path)!))]);
    const said = (name: string) => (this._paper ? name : nothing);
    return html`<table class=${this._paper ? room() : ''}>
      <thead><tr><th scope="col">${named(chart, x)}</th>${columns.map((column) => html`<th scope="col" class="num">${name(column)}</th>`)}</tr></thead>
      <tbody>${down.map(
        (value) => html`<tr>
          <th scope="row" data-name=${said(named(chart, x))}>${formats.category(x, value, unitX)}</th>
          ${columns.map((column) => {
            const { value: of, path } = column;
            const row = cells.get(JSON.stringify([value, series && of]));
            return html`<td class="num" data-name=${said(name(column))} title=${formats.full(path, row && at(row, path), all.get(path)) ?? nothing}>${text(path, row)}</td>`;
          })}
        </tr>`,
      )}</tbody>
    </table>`;
  }
}

defineView('usher-pivot', PivotView);
