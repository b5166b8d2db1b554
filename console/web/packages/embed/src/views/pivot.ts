import { html } from 'lit';
import { label } from '../labels.ts';
import { at } from '../paths.ts';
import { texts } from '../texts.ts';
import { distinct, units } from './categories.ts';
import { defineView, sheet, ViewElement } from './base.ts';
import styles from './table.css';

const style = sheet(`${styles}usher-pivot{overflow:auto;scrollbar-width:thin}usher-pivot tbody tr:last-child>*{border-bottom-color:transparent}
usher-pivot tbody th{position:sticky;inset-inline-start:0;background:var(--u-surface)}usher-pivot thead th:first-child{inset-inline-start:0;z-index:2}`);

/** A table of `x` down, `series` across and `y` in the cells. It adds nothing up: not every measure is a sum. */
class PivotView extends ViewElement {
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
      const measure = label(path);
      if (!series) return measure;
      const of = formats.category(series, value, unitS);
      return y.length > 1 ? `${of}, ${measure}` : of;
    };
    this.tabIndex = 0;
    this.role = 'region';
    this.ariaLabel = title || texts.rows(String(down.length));
    return html`<table>
      <thead><tr><th scope="col">${label(x)}</th>${columns.map((column) => html`<th scope="col" class="num">${name(column)}</th>`)}</tr></thead>
      <tbody>${down.map(
        (value) => html`<tr>
          <th scope="row">${formats.category(x, value, unitX)}</th>
          ${columns.map(({ value: of, path }) => {
            const row = cells.get(JSON.stringify([value, series && of]));
            return html`<td class="num">${formats.text(path, row && at(row, path), all.get(path))}</td>`;
          })}
        </tr>`,
      )}</tbody>
    </table>`;
  }
}

defineView('usher-pivot', PivotView);
