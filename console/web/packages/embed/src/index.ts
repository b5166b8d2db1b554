// @usher/embed owns showing dashboards and charts of usher in pages, whoever's they are. It asks by @usher/client alone, and refuses
// to write anything that came from a server into a page's HTML.
import { UsherChart } from './chart.ts';
import { UsherDashboard } from './dashboard.ts';
import { UsherElement } from './element.ts';

/** Makes the elements known to the page, once. */
export function define(): void {
  if (!customElements.get('usher-dashboard')) customElements.define('usher-dashboard', UsherDashboard);
  if (!customElements.get('usher-chart')) customElements.define('usher-chart', UsherChart);
}

define();

export { UsherChart, UsherDashboard, UsherElement };
export * from '@usher/client';
