import { type Kind, type Result, type Tile, UsherError } from '@usher/client';
import { html, LitElement, nothing, type PropertyValues, type TemplateResult, unsafeCSS } from 'lit';
import { explain, sentence } from './explain.ts';
import { heldFocus } from './focus.ts';
import { aloud, Formats } from './format.ts';
import { improper } from './improper.ts';
import './notice.ts';
import styles from './tile.css';
import { texts } from './texts.ts';
import { complete, type LegendEntry, type Pick, type Places, type View } from './view.ts';

export { knownZone } from './format.ts';
export { settled } from './settled.ts';

// What draws each kind is loaded when the first tile of it stands on a page.
const number = () => import('./views/number.ts');
const table = () => import('./views/table.ts');
const plot = () => import('./views/plot.ts');
const loaders: Record<Kind, () => Promise<unknown>> = {
  number, table, line: plot, area: plot, bar: plot, pie: plot, donut: plot, scatter: plot, heatmap: plot,
  pivot: () => import('./views/pivot.ts'),
  text: () => import('./views/text.ts'),
};
const many = 24; // names of a legend: on paper, more take the place of what they are of
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
    since: { attribute: false },
    busy: { type: Boolean, reflect: true },
    locale: {},
    timezone: {},
    exact: { type: Boolean },
    every: { attribute: false },
    selectable: { attribute: false },
    selected: { attribute: false },
    places: { attribute: false },
    changed: { type: Boolean },
    long: { type: Boolean, reflect: true },
    alone: { type: Boolean },
    _hidden: { state: true },
    _legend: { state: true },
    _table: { state: true },
    _failed: { state: true },
    _rest: { state: true },
  };
  static override styles = unsafeCSS(styles);

  declare tile: Tile;
  declare result: Result | undefined;
  /** What kept the tile from having a result, or a newer one than that. */
  declare problem: unknown;
  /** When the result came. */
  declare since: Date | undefined;
  declare busy: boolean;
  declare locale: string | undefined;
  declare timezone: string | undefined;
  /** Whether all digits are shown. */
  declare exact: boolean;
  /** Seconds between refreshes, as a page says it. */
  declare every: number | null | undefined;
  declare selectable: ReadonlySet<string>;
  declare selected: ReadonlyMap<string, unknown>;
  /** The colors of names that it shares with other tiles. */
  declare places: Places;
  /** Whether it is a list, which on paper is as long as it is. */
  declare long: boolean;
  /** Whether it stands on a page by itself, and its heading below that of the page. */
  declare alone: boolean;
  /** Whether something is selected that could be taken back. */
  declare changed: boolean;
  declare _hidden: ReadonlySet<string>;
  declare _legend: LegendEntry[];
  declare _table: boolean;
  declare _failed: boolean;
  declare _rest: string | undefined; // what is not in sight, as of a list that is scrolled

  constructor() {
    super();
    this.exact = this.busy = this.changed = this.alone = this.long = this._table = this._failed = false;
    this.selectable = this._hidden = new Set<string>();
    this.selected = new Map<string, unknown>();
    this._legend = [];
    this.places = new Map();
  }

  #load(kind: Kind): void {
    loaders[kind]().then(
      () => (this._failed = false),
      () => (this._failed = true),
    );
  }

  override willUpdate(): void {
    if (!this.tile) return;
    const wrong = this.alone ? improper(this.tile.chart, this.every) : undefined;
    if (wrong && wrong.message !== this.#wrong?.message) this.#say('wrong', wrong);
    this.#wrong = wrong;
    const kind = this._table ? 'table' : this.tile.chart.kind;
    this.long = kind === 'table' || kind === 'pivot' || this._legend.length > many;
    if (this.result && !wrong) this.#load(kind);
  }

  #wrong: UsherError | undefined;

  protected override update(changed: PropertyValues): void {
    heldFocus(this.shadowRoot, () => super.update(changed), 'section');
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
      places: this.places,
    };
  }

  #made: { of: unknown; locale: unknown; timezone: unknown; exact: boolean; formats: Formats } | undefined;
  #formats(): Formats {
    const { format } = this.tile.chart;
    if (this.#made?.of !== format || this.#made?.locale !== this.locale || this.#made?.timezone !== this.timezone || this.#made?.exact !== this.exact) {
      const { locale, timezone, exact } = this;
      this.#made = { of: format, locale, timezone, exact, formats: new Formats(format, locale, timezone, exact) };
    }
    return this.#made!.formats;
  }

  override render(): unknown {
    if (!this.tile) return nothing;
    const { title, description, chart } = this.tile;
    const view = this.#wrong ? undefined : this.result && this.view;
    const shown = view && (view.rows.length > 0 || chart.kind === 'text');
    const head = title || description || (shown && plots.has(chart.kind));
    return html`<section class=${chart.kind} role="group" aria-label=${title || nothing} aria-busy=${this.busy}>
      ${head
        ? html`<div class="head">
            <div class="titles">${title ? (this.alone ? html`<h2 title=${chart.kind === 'number' ? title : nothing}>${title}</h2>` : html`<h3 title=${chart.kind === 'number' ? title : nothing}>${title}</h3>`) : nothing}${description ? html`<p>${description}</p>` : nothing}</div>
            ${shown ? html`${this._table ? nothing : this.#legend()}${this.#actions(chart.kind)}` : nothing}
          </div>`
        : nothing}
      ${shown && this.problem ? html`<usher-notice .problem=${this.problem} .since=${this.since} .locale=${this.locale} .timezone=${this.timezone}></usher-notice>` : nothing}
      ${shown ? this.#partly() : nothing}
      <div class="body">${this.#body(view, shown)}</div>
    </section>`;
  }

  #body(view: View | undefined, shown: boolean | undefined): TemplateResult {
    const failure = this.result?.errors?.[0];
    if (this.#wrong) return this.#error(this.#wrong);
    if (this._failed) return this.#error(new UsherError('', { code: 'NETWORK' }));
    if (this.problem && !shown) return this.#error(this.problem);
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

  /** What is missing in what is shown. */
  #partly(): unknown {
    const errors = this.result?.errors ?? [];
    if (errors.length === 0) return nothing;
    const text = texts.partly(errors.length, sentence(errors[0]!.message));
    return html`<p class="partly" role="note" title=${text}>${text}</p>`;
  }

  #drawn(view: View): TemplateResult {
    const kind = this._table ? 'table' : view.chart.kind;
    const picked = (event: CustomEvent<Pick>) => this.#say('pick', event.detail);
    if (kind === 'number') return html`<usher-number .view=${view}></usher-number>`;
    if (kind === 'text') return html`<usher-text .view=${view}></usher-text>`;
    const told = (event: CustomEvent<string | null>) => (this._rest = event.detail ?? undefined);
    const rest = this._rest === undefined ? nothing : html`<div class="rest" aria-hidden="true">${this._rest}</div>`;
    if (kind === 'pivot') return html`<usher-pivot .view=${view} @rest=${told}></usher-pivot>${rest}`;
    if (kind === 'table') return html`<usher-table .view=${this._table ? asTable(view) : view} @pick=${picked} @rest=${told}></usher-table>${rest}`;
    return html`<usher-plot
      .view=${view}
      @pick=${picked}
      @legend=${(event: CustomEvent<LegendEntry[]>) => (this._legend = event.detail)}
      @rest=${told}
    ></usher-plot>${rest}`;
  }

  #error(problem: unknown): TemplateResult {
    const { title, why, id, again } = explain(problem);
    return html`<div class="state bad" role="alert">
      <svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="9" /><path d="M12 7.5v5.5m0 3v.5" /></svg>
      <strong>${title}</strong>
      <span>${why}</span>
      ${again ? html`<button @click=${() => this.#say('retry')}>${texts.tryAgain}</button>` : nothing}
      ${id ? html`<details><summary>${texts.details}</summary>${texts.requestId} <code>${id}</code></details>` : nothing}
    </div>`;
  }

  #legend(): unknown {
    if (this._legend.length < 2 || !plots.has(this.tile.chart.kind)) return nothing;
    return html`<div class="legend" role="group" aria-label=${texts.legend}>
      ${this._legend.map(
        ({ name, color }) => html`<button
          aria-pressed=${!this._hidden.has(name)}
          aria-label=${aloud(name)}
          @click=${() => {
            const hidden = new Set(this._hidden);
            if (!hidden.delete(name)) hidden.add(name);
            this._hidden = hidden;
          }}
        ><i class=${color}></i><span title=${name}>${name}</span></button>`,
      )}
    </div>`;
  }

  #actions(kind: Kind): unknown {
    if (kind === 'number' || kind === 'text') return nothing;
    const save = (what: 'csv' | 'png') => async () => {
      const { download } = await import('./download.ts');
      await download(this.renderRoot, this.view, what, this._legend);
    };
    if (!plots.has(kind)) return html`<button class="small" @click=${save('csv')}>${texts.exportCsv}</button>`;
    // A menu of its own: closed by Escape, by what is chosen, and when the focus leaves it. What is hidden keeps no focus.
    const close = (event: Event) => {
      const menu = event.currentTarget as HTMLDetailsElement;
      const escaped = event instanceof KeyboardEvent && event.key === 'Escape' && menu.open;
      if (escaped || (event.type === 'click' && (event.target as Element).closest('button'))) {
        menu.querySelector('summary')!.focus();
        menu.open = false;
        if (escaped) event.stopPropagation();
      } else if (event instanceof FocusEvent && !menu.contains(event.relatedTarget as Node | null)) menu.open = false;
    };
    return html`<details class="menu" @keydown=${close} @focusout=${close} @click=${close}>
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
  return { ...view, chart: { ...rest, kind: 'table', columns: [...new Set(paths)].map((path) => chart.columns?.find((column) => column.path === path) ?? { path }) } };
}

if (!customElements.get('usher-tile')) customElements.define('usher-tile', UsherTile);
