// What a demo offers to start with; other servers offer nothing.
import { queryOptions } from '@tanstack/react-query';
import { below } from './base';

export interface Sample {
  name: string;
  tenant: string;
  strategy: string;
  token: string;
}

export interface Demo {
  tokens: Sample[];
  queries: { name: string; query: string }[];
  dashboards: string[]; // that stand in files: without a control store nothing lists them
}

const nothing: Demo = { tokens: [], queries: [], dashboards: [] };

export const demoQuery = queryOptions({
  queryKey: ['demo'],
  staleTime: 60_000,
  retry: false,
  queryFn: async (): Promise<Demo> => {
    try {
      const response = await fetch(below('demo.json'), { cache: 'no-store', credentials: 'omit' });
      if (!response.ok) return nothing;
      const { tokens = [], queries = [], dashboards = [] } = (await response.json()) as Partial<Demo>;
      return { tokens, queries, dashboards };
    } catch {
      return nothing;
    }
  },
});
