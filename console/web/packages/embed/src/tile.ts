import { type Kind, type Result, type Tile, UsherError } from '@usher/client';
import { html, LitElement, nothing, type TemplateResult, unsafeCSS } from 'lit';
import { explain } from './explain.ts';
import { Formats } from './format.ts';
import './notice.ts';
export { choose } from './choose.ts';
import styles from './tile.css';
import { texts } from './texts.ts';
import { complete, type LegendEntry, type Pick, type View } from './view.ts';

// What draws each kind is loaded when the first tile of it stands on a page.
const number = () => import('./views/number.ts');
const table = () => import('./views/table.ts');
const plot = () => import('./views/plot.ts');
const loaders: Record<Kind, () => Promise<unknown>> = {
  number, table, line: plot, area: plot, bar: plot, pie: plot, donut: plot, scatter: plot, heatmap: plot,
  pivot: () => import('./views/pivot.ts'),
  text: () => import('./views/text.ts'),
};
const plots = new Set<Kind>(['line', 'area', 'bar', 'pie', 'donut', 'scatter', 'heatmap']);

/**
 * One tile: its frame, its states and what can be done with it. It asks nobody: whoever has the answer gives it the tile and the
 * result. It tells `tile-retry`, `tile-reset` and `tile-pick`.
 */
export class UsherTile extends LitElement {
  static override properties = {
    tile: { attribute: false },
    result: { attribute: false },
    problem: { attribute: false },
    busy: { type: Boolean, reflect: true },
    locale: {},
    timezone: {},
    selectable: { attribute: false },
    selected: { attribute: false },
    changed: { type: Boolean },
    level: { type: Number },
    _hidden: { state: true },
    _legend: { state: true },
    _table: { state: true },
    _failed: { state: true },
  };
  static override styles = unsafeCSS(styles);

  declare tile: Tile;
  declare result: Result | undefined;
  /** What kept the tile from having a result. */
  declare problem: unknown;
  declare busy: boolean;
  declare locale: string | undefined;
  declare timezone: string | undefined;
  declare selectable: ReadonlySet<string>;
  declare selected: ReadonlyMap<string, unknown>;
  /** Whether something is selected that could be taken back. */
  declare changed: boolean;
  declare _hidden: ReadonlySet<string>;
  declare _legend: LegendEntry[];
  declare _table: boolean;
  declare _failed: boolean;

  constructor() {
    super();
    this.busy = this.changed = this._table = this._failed = false;
    this.selectable = this._hidden = new Set<string>();
    this.selected = new Map<string, unknown>();
    this._legend = [];
  }

  #load(kind: Kind): void {
    loaders[kind]().then(
      () => (this._failed = false),
      () => (this._failed = true),
    );
  }

  override willUpdate(): void {
    if (this.tile && this.result) this.#load(this._table ? 'table' : this.tile.chart.kind);
  }

  /** What is drawn, for whoever exports it. */
  get view(): View {
    const { chart, rows } = complete(this.tile.chart, this.result);
    return {
      chart, rows,
      data: this.result?.data,
      title: this.tile.title ?? '',
      formats: this.#formats(),
      hidden: this._hidden,
      selectable: this.selectable,
      selected: this.selected,
    };
  }

  #made: { of: unknown; locale: unknown; timezone: unknown; formats: Formats } | undefined;
  #formats(): Formats {
    const { format } = this.tile.chart;
    if (this.#made?.of !== format || this.#made?.locale !== this.locale || this.#made?.timezone !== this.timezone) {
      this.#made = { of: format, locale: this.locale, timezone: this.timezone, formats: new Formats(format, this.locale, this.timezone) };
    }
    return this.#made!.formats;
  }

  override render(): unknown {
    if (!this.tile) return nothing;
    const { title, description, chart } = this.tile;
    const view = this.result && this.view;
    const shown = view && (view.rows.length > 0 || chart.kind === 'text');
    const head = title || description || (shown && plots.has(chart.kind));
    return html`<section class=${chart.kind} aria-label=${title || nothing} aria-busy=${this.busy}>
      ${head
        ? html`<header>
            <div class="titles">${title ? html`<h3>${title}</h3>` : nothing}${description ? html`<p>${description}</p>` : nothing}</div>
            ${shown ? html`${this._table ? nothing : this.#legend()}${this.#actions(chart.kind)}` : nothing}
          </header>`
        : nothing}
      <div class="body">${this.#body(view, shown)}</div>
    </section>`;
  }

  #body(view: View | undefined, shown: boolean | undefined): TemplateResult {
    const failure = this.result?.errors?.[0];
    if (this._failed) return this.#error(new UsherError('', { code: 'NETWORK' }));
    if (this.problem) return this.#error(this.problem);
    if (!view) return html`<div class="loading" role="status" aria-label=${texts.loading}><i></i><i></i><i></i></div>`;
    if (shown) return this.#drawn(view);
    if (failure) return this.#error(UsherError.of(failure));
    return html`<div class="state">
      <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 20V10m6 10V4m6 16v-7m5 7H3" /></svg>
      <strong>${texts.empty}</strong>
      <span>${texts.emptyWhy}</span>
      ${this.changed
        ? html`<button @click=${() => this.#say('reset')}>${texts.reset}</button>`
        : html`<button @click=${() => this.#say('retry')}>${texts.refresh}</button>`}
    </div>`;
  }

  #drawn(view: View): TemplateResult {
    const kind = this._table ? 'table' : view.chart.kind;
    const picked = (event: CustomEvent<Pick>) => this.#say('pick', event.detail);
    if (kind === 'number') return html`<usher-number .view=${view}></usher-number>`;
    if (kind === 'text') return html`<usher-text .view=${view}></usher-text>`;
    if (kind === 'pivot') return html`<usher-pivot .view=${view}></usher-pivot>`;
    if (kind === 'table') return html`<usher-table .view=${this._table ? asTable(view) : view} @pick=${picked}></usher-table>`;
    return html`<usher-plot
      .view=${view}
      @pick=${picked}
      @legend=${(event: CustomEvent<LegendEntry[]>) => (this._legend = event.detail)}
    ></usher-plot>`;
  }

  #error(problem: unknown): TemplateResult {
    const { title, why, id } = explain(problem);
    return html`<div class="state bad" role="alert">
      <svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="9" /><path d="M12 7.5v5.5m0 3v.5" /></svg>
      <strong>${title}</strong>
      <span>${why}</span>
      <button @click=${() => this.#say('retry')}>${texts.tryAgain}</button>
      ${id ? html`<details><summary>${texts.details}</summary>${texts.requestId} <code>${id}</code></details>` : nothing}
    </div>`;
  }

  #legend(): unknown {
    if (this._legend.length < 2 || !plots.has(this.tile.chart.kind)) return nothing;
    return html`<div class="legend" role="group" aria-label=${texts.legend}>
      ${this._legend.map(
        ({ name, color }) => html`<button
          aria-pressed=${!this._hidden.has(name)}
          @click=${() => {
            const hidden = new Set(this._hidden);
            if (!hidden.delete(name)) hidden.add(name);
            this._hidden = hidden;
          }}
        ><i class=${color}></i>${name}</button>`,
      )}
    </div>`;
  }

  #actions(kind: Kind): unknown {
    if (kind === 'number' || kind === 'text') return nothing;
    const save = (what: 'csv' | 'png') => async () => {
      const { download } = await import('./download.ts');
      await download(this, what, this._legend);
    };
    if (!plots.has(kind)) return html`<button class="small" @click=${save('csv')}>${texts.exportCsv}</button>`;
    // A menu of its own: closed by Escape, and when the focus leaves it.
    const close = (event: Event) => {
      const menu = event.currentTarget as HTMLDetailsElement;
      if (event instanceof KeyboardEvent && event.key === 'Escape' && menu.open) {
        menu.open = false;
        menu.querySelector('summary')!.focus();
        event.stopPropagation();
      } else if (event instanceof FocusEvent && !menu.contains(event.relatedTarget as Node | null)) menu.open = false;
    };
    return html`<details class="menu" @keydown=${close} @focusout=${close} @click=${(event: Event) => {
      if ((event.target as Element).closest('button')) (event.currentTarget as HTMLDetailsElement).open = false;
    }}>
      <summary aria-label=${texts.more(this.tile.title ?? '')}>
        <svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="5" cy="12" r="1.6" /><circle cx="12" cy="12" r="1.6" /><circle cx="19" cy="12" r="1.6" /></svg>
      </summary>
      <div>
        <button @click=${() => (this._table = !this._table)}>${this._table ? texts.showChart : texts.showTable}</button>
        <button @click=${save('csv')}>${texts.csv}</button>
        ${this._table ? nothing : html`<button @click=${save('png')}>${texts.png}</button>`}
      </div>
    </details>`;
  }

  #say(what: string, detail?: unknown): void {
    this.dispatchEvent(new CustomEvent(`tile-${what}`, { detail, bubbles: true, composed: true }));
  }
}

/** The numbers of a chart as a table. */
function asTable(view: View): View {
  const { chart } = view;
  const paths = [chart.x, chart.series, ...(chart.y ?? []), chart.size, chart.compare].filter((path) => path !== undefined);
  const { series: _series, y: _y, x: _x, ...rest } = chart;
  return { ...view, chart: { ...rest, kind: 'table', columns: [...new Set(paths)].map((path) => ({ path })) } };
}

if (!customElements.get('usher-tile')) customElements.define('usher-tile', UsherTile);
