import { type Asker, type Dashboard, type Result, type Run, UsherError } from '@usher/client';
import { unsafeCSS } from 'lit';
import type { Board, Page } from './board.ts';
import styles from './dashboard.css';
import { object, UsherElement } from './element.ts';
import type { Places } from './view.ts';

/**
 * A dashboard of usher:
 *   <usher-dashboard name="sales" token-url="/api/usher-token" theme="auto"></usher-dashboard>
 * It tells `usher:select` when somebody chose a value (unless the page prevents it, a parameter of that name takes the value),
 * `usher:load` when numbers came, and `usher:error` when they did not.
 */
export class UsherDashboard extends UsherElement<Run> implements Board {
  static override properties = {
    ...UsherElement.properties,
    name: {},
    parameters: { converter: object },
    headless: { type: Boolean },
    _plan: { state: true },
    _chosen: { state: true },
    _page: { state: true },
  };
  static override styles = [...UsherElement.styles, unsafeCSS(styles)];

  declare name: string | undefined;
  /** Values that the page gives to parameters, by their names. */
  declare parameters: Record<string, unknown> | undefined;
  /** Whether title and controls are left to the page. */
  declare headless: boolean;

  declare _plan: Dashboard | undefined;
  declare _chosen: Readonly<Record<string, unknown>>; // by the person in front of it
  declare _page: Page | undefined;

  /** The colors of names, which are the same in all tiles. */
  readonly places: Places = new Map();

  protected readonly identity = ['name'];
  protected readonly details = ['parameters', '_chosen', 'timezone'];

  constructor() {
    super();
    this.headless = false;
    this._chosen = {};
  }

  protected readonly needs = 'name';
  protected readonly objects = ['parameters'];

  protected async ask(client: Asker, signal: AbortSignal): Promise<Run> {
    // The frame of the page stands while its numbers are counted.
    this._plan ??= await client.dashboard(this.name!, { signal });
    const run = await client.run(this.name!, { parameters: this.#sent(), signal });
    this._plan = run.dashboard;
    // Where no tile has an answer it is said once. What is shown stays if it is only for now.
    const tiles = Object.values(run.tiles);
    const failures = tiles.map(({ data, errors }) => (data == null ? errors?.[0] : undefined));
    const codes = new Set(failures.map((failure) => failure?.extensions?.code));
    const said = failures.every(Boolean) && (tiles.find(wait)?.errors?.[0] ?? (codes.size === 1 && failures[0]));
    if (said) throw said.extensions?.code === 'FORBIDDEN' ? new UsherError('Nothing on this dashboard is for you.', { code: 'FORBIDDEN' }) : UsherError.of(said);
    return run;
  }

  protected seconds(last: Run | undefined): number {
    return Math.max(this._plan?.refresh ?? 0, ...Object.values(last?.tiles ?? {}).map(wait));
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

  protected async load(): Promise<void> {
    this._page ??= (await import('./page.ts')).page;
  }

  override render(): unknown {
    return this._page?.(this);
  }
}

/** For how many seconds a tile asks to be left alone. */
function wait({ data, errors }: Result): number {
  return data === undefined ? Number(errors?.[0]?.extensions?.retryAfter ?? 0) : 0;
}
