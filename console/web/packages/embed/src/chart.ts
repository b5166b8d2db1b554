import type { Asker, Chart, Result } from '@usher/client';
import { html, unsafeCSS } from 'lit';
import { object, UsherElement } from './element.ts';
import type { Pick } from './view.ts';

const list = { fromAttribute: (text: string | null) => text?.split(/[\s,]+/).filter(Boolean) };

/**
 * One chart of one question:
 *   <usher-chart query="{ordersAggregate{key{region}revenue}}" kind="bar" token-url="/api/usher-token"></usher-chart>
 * It tells `usher:select`, `usher:load` and `usher:error`, as a dashboard does.
 */
export class UsherChart extends UsherElement<Result> {
  static override properties = {
    ...UsherElement.properties,
    query: {},
    variables: { converter: object },
    kind: {},
    rows: {},
    x: {},
    y: { converter: list },
    series: {},
    chart: { converter: object },
    heading: {},
    description: {},
    exact: { type: Boolean },
    every: { attribute: 'refresh', type: Number },
  };
  static override styles = [...UsherElement.styles, unsafeCSS(':host{height:360px}usher-tile{height:100%}@media print{:host{height:auto}usher-tile{height:360px}[long]{height:auto}}')];

  declare query: string | undefined;
  declare variables: Record<string, unknown> | undefined;
  declare kind: Chart['kind'] | undefined;
  declare rows: string | undefined;
  declare x: string | undefined;
  declare y: string[] | undefined;
  declare series: string | undefined;
  /** Everything that a tile's chart may say; attributes say it for the usual. */
  declare chart: Partial<Chart> | undefined;
  declare heading: string | undefined;
  declare description: string | undefined;
  /** Whether all digits are shown, and with clocks whose they are. */
  declare exact: boolean | undefined;
  /** Seconds between refreshes; without them only when the page comes back into view. */
  declare every: number | null | undefined;

  protected readonly identity = ['query'];
  protected readonly details = ['variables', 'timezone', 'every'];

  protected readonly needs = 'query';
  protected readonly objects = ['variables', 'chart'];

  protected override asks(): boolean {
    return super.asks() || this.#drawn.kind === 'text'; // which asks nothing
  }

  protected async ask(client: Asker, signal: AbortSignal): Promise<Result> {
    const query = this.query;
    if (!query) return {};
    // It is asked again and again.
    if (query.includes('mutation')) (await import('./setup.ts')).unchanging(query);
    const timezone = /\$timezone\b/.test(query) ? (await this.load()).knownZone(this.timezone) : undefined;
    return client.query(query, { ...(timezone && { timezone }), ...this.variables }, { signal }).catch(async (error) => {
      throw (await import('./setup.ts')).asked(error);
    });
  }

  protected load(): Promise<typeof import('./tile.ts')> {
    return import('./tile.ts');
  }

  protected seconds(): number {
    const seconds = this.every!;
    return seconds >= 5 && seconds <= 86_400 ? seconds : 0; // its tile says what is wrong with others
  }

  get #drawn(): Chart {
    const { rows, x, y, series, chart } = this;
    const given = Object.fromEntries(Object.entries({ rows, x, y, series }).filter(([, value]) => value?.length));
    return { ...chart, ...given, kind: this.kind || chart?.kind || 'bar' };
  }

  override render(): unknown {
    const { id, heading: title, description, _answer: answer } = this;
    const drawn = this.#drawn;
    return html`<usher-tile
      alone
      .tile=${{ id, title, description, chart: drawn }}
      .result=${drawn.kind === 'text' ? {} : answer}
      .problem=${this._problem}
      .since=${this._since}
      ?busy=${this._busy && answer !== undefined}
      .locale=${this.language}
      .timezone=${this.timezone}
      .exact=${this.exact === true}
      .every=${this.every}
      @tile-retry=${this.refresh}
      @tile-wrong=${({ detail: error }: CustomEvent) => this.tell('error', { error })}
      @tile-pick=${({ detail }: CustomEvent<Pick>) => this.tell('select', detail)}
    ></usher-tile>`;
  }
}
