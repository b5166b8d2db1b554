// Asking: one question at a time for each pair of eyes, the one before it cancelled.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Failure, send } from '../../api';
import { server } from '../../base';
import type { Explained } from '../../query/explain';
import { session } from '../../session';
import { t } from '../../texts';
import { era } from './era';

// Elements are the parts of embed.js that are used here: the charts that other pages
// have, and numbers with all their digits.
export interface Elements {
  parse: (text: string) => Promise<unknown>;
  isNumeric: (value: unknown) => boolean;
}

export const elementsQuery = {
  queryKey: ['embed.js', 'parts'],
  staleTime: Infinity,
  retry: false,
  queryFn: async () => {
    try {
      return (await import(/* @vite-ignore */ server('embed.js'))) as Elements;
    } catch {
      throw new Failure(t.dashboards.noElements, 'UNREACHABLE');
    }
  },
};

// exactly asks for something with the digits its numbers have, to be written again.
export async function exactly<T>(elements: Elements, query: string, variables: Record<string, unknown>): Promise<T> {
  const response = await send(JSON.stringify({ query, variables }));
  const answer = (await elements.parse(await response.text())) as { data?: T | null; errors?: { message: string; extensions?: { code?: string } }[] };
  const problem = answer.errors?.[0];
  if (problem || !answer.data) throw new Failure(problem?.message ?? t.errors.noJSON(response.status), problem?.extensions?.code ?? String(response.status));
  return answer.data;
}

interface Problem {
  message: string;
  path?: (string | number)[];
  extensions?: { code?: string; hint?: string; requestId?: string; retryAfter?: number };
}

export interface Came {
  result: { data: unknown };
  rows: unknown[];
  notes: string[]; // of what could not be written
  ms: number;
  bytes: number;
  explained?: Explained[];
}

// Refused is a Failure with what to do about it.
export class Refused extends Failure {
  constructor(
    message: string,
    code: string,
    requestId: string | undefined,
    readonly hint: string | undefined,
    readonly seconds: number | undefined,
  ) {
    super(message, code, requestId, false);
  }
}

async function run(elements: Elements, query: string, field: string, token: string | undefined, explain: boolean, signal: AbortSignal): Promise<Came> {
  const began = performance.now();
  const response = await send(JSON.stringify({ query, ...(explain ? { extensions: { explain: true } } : {}) }), token ?? session.token(), signal);
  const text = await response.text();
  const ms = performance.now() - began;
  const requestId = response.headers.get('x-request-id') ?? undefined;
  let answer: { data?: Record<string, unknown> | null; errors?: Problem[]; extensions?: { explain?: Explained[] } };
  try {
    answer = (await elements.parse(text)) as typeof answer;
  } catch {
    throw new Failure(t.errors.noJSON(response.status), 'NO_JSON', requestId);
  }
  const problem = answer.errors?.[0];
  if (response.status === 401 && token === undefined) session.end('refused');
  const rows = answer.data?.[field];
  if (!Array.isArray(rows)) {
    const after = Number(response.headers.get('retry-after')) || Number(problem?.extensions?.retryAfter) || undefined;
    throw new Refused(problem?.message ?? t.errors.noJSON(response.status), problem?.extensions?.code ?? String(response.status), problem?.extensions?.requestId ?? requestId, problem?.extensions?.hint, after);
  }
  return {
    result: { data: answer.data },
    rows,
    notes: (answer.errors ?? []).map(({ message }) => message),
    ms,
    bytes: text.length,
    explained: answer.extensions?.explain,
  };
}

export interface Question {
  query: string;
  field: string;
  explain: boolean;
  eyes?: { id: string; token: string };
}

// useAnswer asks a question. React Query aborts the one before when it changes.
export function useAnswer(elements: Elements | undefined, question: Question | undefined) {
  const { query = '', field = '', explain = false, eyes } = question ?? {};
  const asked = useQuery({
    // Never the token itself: keys of queries may be looked at.
    queryKey: ['explore', era(), 'answer', eyes?.id ?? 'own', query, explain],
    enabled: elements !== undefined && question !== undefined,
    retry: false,
    staleTime: 30_000,
    gcTime: 60_000,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => run(elements!, query, field, eyes?.token, explain, signal),
  });
  return asked;
}

// useLate is true once something has gone on for 300 ms: what is quicker would flicker.
export function useLate(busy: boolean): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (!busy) return;
    const timer = setTimeout(() => setLate(true), 300);
    return () => clearTimeout(timer);
  }, [busy]);
  return late && busy;
}

export function at(row: unknown, path: string): unknown {
  let found = row;
  for (const name of path.split('.')) found = typeof found === 'object' && found !== null ? (found as Record<string, unknown>)[name] : undefined;
  return found;
}

export const shown = (value: unknown): string => (value === null || value === undefined ? t.none : typeof value === 'object' && !(value as { text?: string }).text ? JSON.stringify(value) : String(value));
