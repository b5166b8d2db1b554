// @usher/react owns the elements of @usher/embed as React components: properties are props, and the events onSelect, onLoad, onError and, of dashboards, onChange.
// On a server they write what attributes can say, and refuse to write tokens.
import { createComponent, type EventName } from '@lit/react';
import { UsherChart as Chart, UsherDashboard as Dashboard, type UsherError } from '@usher/embed';
import * as React from 'react';
import { refreshed } from './refreshed.ts';
import { written } from './written.ts';

export interface Select {
  /** The tile that it was chosen in, of a dashboard. */
  tile?: string;
  /** The values that were chosen, by their paths. */
  values: Record<string, unknown>;
  row: unknown;
}

const events = {
  onSelect: 'usher:select' as EventName<CustomEvent<Select>>,
  onLoad: 'usher:load' as EventName<CustomEvent<object>>,
  onError: 'usher:error' as EventName<CustomEvent<{ error: UsherError; tile?: string }>>,
};

const ofDashboards = { ...events, onChange: 'usher:change' as EventName<CustomEvent<{ values: Readonly<Record<string, unknown>> }>> };

export const UsherDashboard = refreshed(written(createComponent({ react: React, tagName: 'usher-dashboard', elementClass: Dashboard, events: ofDashboards }), 'usher-dashboard', Dashboard, ofDashboards));
export const UsherChart = refreshed(written(createComponent({ react: React, tagName: 'usher-chart', elementClass: Chart, events }), 'usher-chart', Chart, events), 'every');

/** What a ref to a component holds. */
export type { UsherChart as UsherChartElement, UsherDashboard as UsherDashboardElement } from '@usher/embed';
export * from '@usher/client';
