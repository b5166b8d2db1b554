import type { Asker, Dashboard, Run } from '@usher/client';
import { type PropertyValues, unsafeCSS } from 'lit';
import type { Board, Page } from './board.ts';
import styles from './dashboard.css';
import { object, UsherElement } from './element.ts';
import { heldFocus } from './focus.ts';
import type { Places } from './view.ts';

/**
 * A dashboard of usher:
 *   <usher-dashboard name="sales" token-url="/api/usher-token" theme="auto"></usher-dashboard>
 * It tells `usher:select` when somebody chose a value (unless the page prevents it, a parameter of that name takes the value), `usher:change` when `chosen` is another,
 * `usher:load` when all numbers came, and `usher:error` when some did not.
 */
export class UsherDashboard extends UsherElement<Run> implements Board {
  static override properties = {
    ...UsherElement.properties,
    name: {},
    parameters: { converter: object },
    headless: { type: Boolean },
    _plan: { state: true },
    chosen: { attribute: false },
    _page: { state: true },
  };
  static override styles = [...UsherElement.styles, unsafeCSS(styles)];

  declare name: string | undefined;
  /** Values that the page gives to parameters, by their names. */
  declare parameters: Record<string, unknown> | undefined;
  /** Whether title and controls are left to the page. */
  declare headless: boolean;
  /** Values of parameters that were chosen by the person in front of it, as `usher:change` tells them. */
  declare chosen: Readonly<Record<string, unknown>>;

  declare _plan: Dashboard | undefined;
  declare _page: Page | undefined;
  _zone: string | undefined; // of the clocks that are asked by, if there is one of that name

  /** The colors of names, which are the same in all tiles. */
  readonly places: Places = new Map();

  protected readonly identity = ['name'];
  protected readonly details = ['parameters', 'chosen', 'timezone'];

  constructor() {
    super();
    this.headless = false;
    this.chosen = {};
  }

  protected readonly needs = 'name';
  protected readonly objects = ['parameters'];

  protected async ask(client: Asker, signal: AbortSignal): Promise<Run> {
    // The frame of the page stands while its numbers are counted.
    const plan = this._plan ?? (await client.dashboard(this.name!, { signal }));
    this._zone = (await this.load()).knownZone(this.timezone);
    this._plan = plan;
    const run = await client.run(this.name!, { parameters: this.#sent(), signal });
    // Rows are of what their tile asked.
    if (JSON.stringify(run.dashboard.tiles) !== JSON.stringify(this._plan.tiles)) this.old = true;
    this._plan = run.dashboard;
    return run;
  }

  protected seconds(): number {
    return this._plan?.refresh ?? 0;
  }

  protected override forget(): void {
    super.forget();
    this._plan = undefined;
  }

  /** The values that are not the dashboard's own. */
  #sent(): Record<string, unknown> {
    const given = { timezone: this._zone, ...this.parameters, ...this.chosen };
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
    this.chosen = { ...this.chosen, [name]: value };
  }

  protected async load(): Promise<typeof import('./page.ts')> {
    const loaded = await import('./page.ts');
    this._page = loaded.page;
    return loaded;
  }

  protected override anew(changed: PropertyValues): void {
    if (!changed.has('chosen') && Object.keys(this.chosen).length > 0) this.chosen = {};
  }

  protected override update(changed: PropertyValues): void {
    if (this.hasUpdated && changed.has('chosen')) this.tell('change', { values: this.chosen });
    heldFocus(this.shadowRoot, () => super.update(changed), '.page');
  }

  override render(): unknown {
    return this._page?.(this);
  }
}
