import type { Dashboard, Run } from '@usher/client';
import type { Places } from './view.ts';

/** What a dashboard's element knows, for what draws it. */
export interface Board {
  readonly name: string | undefined;
  readonly headless: boolean;
  readonly timezone: string | undefined;
  /** The same, if there is one of that name. */
  readonly _zone: string | undefined;
  readonly language: string;
  readonly places: Places;
  /** What each parameter stands at. */
  readonly values: Record<string, unknown>;
  readonly _plan: Dashboard | undefined;
  readonly _answer: Run | undefined;
  readonly _since: Date | undefined;
  readonly _kept: string[] | undefined;
  readonly _problem: unknown;
  readonly _busy: boolean;
  chosen: Readonly<Record<string, unknown>>;
  set(name: string, value: unknown): void;
  tell(name: string, detail: unknown): boolean;
  refresh(): void;
}

export type Page = (of: Board) => unknown;
