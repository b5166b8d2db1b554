import type { Failure } from './error.ts';

export type Kind = 'number' | 'table' | 'line' | 'area' | 'bar' | 'pie' | 'donut' | 'scatter' | 'heatmap' | 'pivot' | 'text';

export interface Format {
  style?: 'decimal' | 'currency' | 'percent' | 'date';
  currency?: string;
  digits?: number;
  unit?: 'year' | 'quarter' | 'month' | 'week' | 'day' | 'hour' | 'minute' | 'second';
}

export interface Column {
  path: string;
  label?: string;
}

/** What is drawn of an answer. Paths have members by their names, with dots between. */
export interface Chart {
  kind: Kind;
  rows?: string;
  x?: string;
  y?: string[];
  series?: string;
  size?: string;
  columns?: Column[];
  compare?: string;
  compareLabel?: string;
  stacked?: boolean;
  horizontal?: boolean;
  format?: Record<string, Format>;
  text?: string;
}

export interface Tile {
  id: string;
  title?: string;
  description?: string;
  at: { x: number; y: number; w: number; h: number };
  query?: string;
  variables?: Record<string, unknown>;
  chart: Chart;
}

export interface Parameter {
  name: string;
  label?: string;
  type: string;
  control?: 'date' | 'select' | 'text' | 'number' | 'toggle';
  default?: unknown;
  options?: { value: unknown; label?: string }[];
}

export interface Dashboard {
  title?: string;
  description?: string;
  refresh?: number;
  /** Of the token's clocks, if it says so. */
  timezone?: string;
  parameters?: Parameter[];
  tiles: Tile[];
}

/** The answer to one tile. */
export interface Result {
  data?: unknown;
  errors?: Failure[];
}

export interface Run {
  dashboard: Dashboard;
  tiles: Record<string, Result>;
}
