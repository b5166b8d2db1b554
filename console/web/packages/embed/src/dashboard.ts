import { type Client, type Dashboard, type Result, type Run, type Tile, UsherError } from '@usher/client';
import { html, nothing, unsafeCSS } from 'lit';
import styles from './dashboard.css';
import { object, UsherElement } from './element.ts';
import type { Pick } from './view.ts';

/**
 * A dashboard of usher:
 *   <usher-dashboard name="sales" token-url="/api/usher-token" theme="auto"></usher-dashboard>
 * It tells `usher:select` when somebody chose a value (unless the page prevents it, a parameter of that name takes the value),
 * `usher:load` when numbers came, and `usher:error` when they did not.
 */
export class UsherDashboard extends UsherElement<Run> {
  static override properties = {
    ...UsherElement.properties,
    name: {},
    parameters: { converter: object },
    headless: { type: Boolean },
    _plan: { state: true },
    _chosen: { state: true },
  };
  static override styles = [...UsherElement.styles, unsafeCSS(styles)];

  declare name: string | undefined;
  /** Values that the page gives to parameters, by their names. */
  declare parameters: Record<string, unknown> | undefined;
  /** Whether title and controls are left to the page. */
  declare headless: boolean;

  declare _plan: Dashboard | undefined;
  declare _chosen: Readonly<Record<string, unknown>>; // by the person in front of it

  protected readonly identity = ['name'];
  protected readonly details = ['parameters', '_chosen', 'timezone'];

  constructor() {
    super();
    this.headless = false;
    this._chosen = {};
  }

  protected readonly needs = 'name';
  protected readonly objects = ['parameters'];

  protected async ask(client: Client, signal: AbortSignal): Promise<Run> {
    // The frame of the page stands while its numbers are counted.
    this._plan ??= await client.dashboard(this.name!, { signal });
    const run = await client.run(this.name!, { parameters: this.#sent(), signal });
    this._plan = run.dashboard;
    // Where nothing is answered for now, what is shown stays.
    const tiles = Object.values(run.tiles);
    const later = this._answer && tiles.every(({ data }) => data == null) && tiles.find(wait);
    if (later) throw UsherError.of(later.errors![0]);
    return run;
  }

  protected seconds(last: Run | undefined): number {
    return Math.max(last?.dashboard.refresh ?? 0, ...Object.values(last?.tiles ?? {}).map(wait));
  }

  protected failures({ tiles }: Run): ReturnType<UsherElement<Run>['failures']> {
    return Object.entries(tiles).flatMap(([tile, { errors }]) => (errors?.[0] ? [{ tile, failure: errors[0] }] : []));
  }

  protected override forget(): void {
    super.forget();
    this._plan = undefined;
    if (Object.keys(this._chosen).length > 0) this._chosen = {};
  }

  /** The values that are not the dashboard's own. */
  #sent(): Record<string, unknown> {
    const given = { timezone: this.timezone, ...this.parameters, ...this._chosen };
    const known = (this._plan?.parameters ?? []).map(({ name }) => [name, (given as Record<string, unknown>)[name]]);
    return Object.fromEntries(known.filter(([, value]) => value !== undefined && value !== null));
  }

  /** What each parameter stands at. */
  get values(): Record<string, unknown> {
    const presets = (this._plan?.parameters ?? []).map(({ name, default: preset }) => [name, preset]);
    return { ...Object.fromEntries(presets), ...this.#sent() };
  }

  /** Gives a parameter a value, as its control does. */
  set(name: string, value: unknown): void {
    this._chosen = { ...this._chosen, [name]: value };
  }

  override render(): unknown {
    const { _plan: plan, _problem: problem, values } = this;
    if (!plan && !problem && !this.name) return nothing; // the page may still name it
    return html`<div class="page" @tile-retry=${this.refresh} @tile-reset=${() => (this._chosen = {})} @tile-pick=${this.#pick}>
      ${plan && !this.headless ? this.#head(plan, values) : nothing}
      ${problem && this._answer ? html`<usher-notice .problem=${problem}></usher-notice>` : nothing}
      ${plan
        ? html`<div class="grid">${ordered(plan.tiles).map((tile) => this.#tile(tile, plan, values))}</div>`
        : html`<usher-tile class="alone" .tile=${{ chart: {} }} .problem=${problem}></usher-tile>`}
    </div>`;
  }

  #head({ title, description, parameters = [] }: Dashboard, values: Record<string, unknown>): unknown {
    const controls = parameters.filter(({ control }) => control);
    if (controls.length > 0) void import('./parameters.ts');
    return html`<header>
      <div class="titles">${title && html`<h2>${title}</h2>`}${description && html`<p>${description}</p>`}</div>
      ${controls.length > 0
        ? html`<usher-parameters
            .parameters=${controls}
            .values=${values}
            .timezone=${values.timezone ?? this.timezone}
            @parameter=${({ detail }: CustomEvent<{ name: string; value: unknown }>) => this.set(detail.name, detail.value)}
          ></usher-parameters>`
        : nothing}
    </header>`;
  }

  #tile(tile: Tile, { parameters = [] }: Dashboard, values: Record<string, unknown>): unknown {
    const { kind } = tile.chart;
    const { x, y, w, h } = tile.at;
    // A number grows with its text; all others fill the place that they have.
    return html`<usher-tile
      class=${kind === 'number' || kind === 'text' ? kind : 'fixed'}
      data-tile=${tile.id}
      .style=${`--x:${x + 1};--y:${y + 1};--w:${w};--h:${h}`}
      .tile=${tile}
      .result=${kind === 'text' ? {} : this._answer?.tiles[tile.id]}
      .problem=${this._answer ? undefined : this._problem}
      ?busy=${this._busy && this._answer !== undefined}
      .locale=${this.language}
      .timezone=${values.timezone ?? this.timezone}
      .selectable=${new Set(parameters.map(({ name }) => name))}
      .selected=${new Map(Object.entries(values))}
      .changed=${Object.keys(this._chosen).length > 0}
    ></usher-tile>`;
  }

  #pick({ target, detail }: CustomEvent<Pick>): void {
    if (!this.tell('select', { tile: (target as HTMLElement).dataset.tile, ...detail })) return;
    // It is here: a tile tells of it.
    void import('./tile.ts').then(({ choose }) => (this._chosen = choose(detail, this._plan?.parameters, this.values, this._chosen)));
  }
}

/** For how many seconds a tile asks to be left alone. */
function wait({ data, errors }: Result): number {
  return data === undefined ? Number(errors?.[0]?.extensions?.retryAfter ?? 0) : 0;
}

/** As they are read, by screen readers and by narrow pages. */
function ordered(tiles: Tile[]): Tile[] {
  return [...tiles].sort((a, b) => a.at.y - b.at.y || a.at.x - b.at.x);
}
