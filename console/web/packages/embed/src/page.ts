// What a dashboard's element shows. It is loaded while the token and the answers are on their way.
import type { Dashboard, Tile } from '@usher/client';
import { html, nothing } from 'lit';
import { choose } from './choose.ts';
import type { Board, Page } from './board.ts';
import './tile.ts';
import type { Pick } from './view.ts';

export { knownZone } from './format.ts';
export { settled } from './settled.ts';

export const page: Page = (of) => {
  const { _plan: plan, _problem: problem, _answer: answer } = of;
  if (!plan && !problem && !of.name) return nothing; // the page may still name it
  return html`<div class="page" @tile-retry=${() => of.refresh()} @tile-reset=${() => (of.chosen = {})} @tile-pick=${(event: CustomEvent<Pick>) => pick(of, event)}>
    ${plan && !of.headless ? head(of, plan) : nothing}
    ${problem && answer ? html`<usher-notice .problem=${problem} .since=${of._since} .names=${older(of)} .locale=${of.language} .timezone=${of.timezone}></usher-notice>` : nothing}
    ${plan && (answer || !problem)
      ? html`<div class="grid">${rows(ordered(plan.tiles)).map(([one, alone]) => tile(of, one, plan, alone))}</div>`
      : html`<usher-tile class="alone" .tile=${{ chart: {} }} .problem=${problem}></usher-tile>`}
  </div>`;
};

/** The titles of the tiles that are older than the others. */
function older({ _plan: plan, _kept: kept, _answer: answer }: Board): string | undefined {
  if (!kept || kept.length === Object.keys(answer!.tiles).length) return undefined;
  return kept.map((id) => plan?.tiles.find((one) => one.id === id)?.title || id).join(', ');
}

function head(of: Board, plan: Dashboard): unknown {
  const { title, description, parameters = [] } = plan;
  const controls = parameters.filter(({ control }) => control);
  if (controls.length > 0) void import('./parameters.ts');
  return html`<div class="head">
    <div class="titles">${title && html`<h2>${title}</h2>`}${description && html`<p>${description}</p>`}</div>
    ${controls.length > 0
      ? html`<usher-parameters
          .parameters=${controls}
          .values=${of.values}
          .timezone=${of.values.timezone ?? of._zone ?? plan.timezone}
          .locale=${of.language}
          @parameter=${({ detail }: CustomEvent<{ name: string; value: unknown }>) => of.set(detail.name, detail.value)}
        ></usher-parameters>`
      : nothing}
  </div>`;
}

function tile(of: Board, one: Tile, { parameters = [] }: Dashboard, alone: boolean): unknown {
  const { kind } = one.chart;
  const { x, y, w, h } = one.at;
  const { values, _answer: answer } = of;
  // A number grows with its text; all others fill the place that they have.
  return html`<usher-tile
    class=${kind === 'number' || kind === 'text' ? `${kind}${alone ? ' whole' : ''}` : 'fixed'}
    data-tile=${one.id}
    .style=${`--x:${x + 1};--y:${y + 1};--w:${w};--h:${h}`}
    .tile=${one}
    .result=${kind === 'text' ? {} : answer?.tiles[one.id]}
    ?busy=${of._busy && answer !== undefined}
    .locale=${of.language}
    .timezone=${values.timezone ?? of.timezone}
    .places=${of.places}
    .selectable=${new Set(parameters.map(({ name }) => name))}
    .selected=${new Map(Object.entries(values))}
    .changed=${Object.keys(of.chosen).length > 0}
  ></usher-tile>`;
}

function pick(of: Board, { target, detail }: CustomEvent<Pick>): void {
  if (!of.tell('select', { tile: (target as HTMLElement).dataset.tile, ...detail })) return;
  of.chosen = choose(detail, of._plan?.parameters, of.values, of.chosen);
}

/** Numbers stand by twos on narrow pages: the last of an odd run has its row for itself. */
function rows(tiles: Tile[]): [Tile, boolean][] {
  let run = 0;
  return tiles.map((one, i) => {
    run = one.chart.kind === 'number' ? run + 1 : 0;
    return [one, run % 2 === 1 && tiles[i + 1]?.chart.kind !== 'number'];
  });
}

/** As they are read, by screen readers and by narrow pages. */
function ordered(tiles: Tile[]): Tile[] {
  return [...tiles].sort((a, b) => a.at.y - b.at.y || a.at.x - b.at.x);
}
