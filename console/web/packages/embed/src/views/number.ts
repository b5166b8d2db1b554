import { isNumeric } from '@usher/client';
import { html, nothing } from 'lit';
import { at, single } from '../paths.ts';
import { texts } from '../texts.ts';
import styles from './number.css';
import { defineView, sheet, ViewElement } from './base.ts';
import { spark } from './spark.ts';

const style = sheet(styles);

/**
 * One number, and how it compares. Of a list it is the last row's, and what it is compared with is the row before unless
 * `compare` leads elsewhere; the list is the line beside it. `series` leads to another list for that line.
 */
class NumberView extends ViewElement {
  protected readonly sheet = style;

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
    return html`<div class="value">${formats.text(path, value)}</div>
      ${Array.isArray(points) ? spark(points, true) : nothing}
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
              ${chart.compareLabel ? html`<span>${chart.compareLabel}</span>` : nothing}
            </div>`
          : nothing}`;
  }
}

defineView('usher-number', NumberView);
