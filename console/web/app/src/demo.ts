// What a demo offers to start with; other servers offer nothing.
import { queryOptions } from '@tanstack/react-query';
import { below } from './base';

export interface Sample {
  name: string;
  tenant: string;
  strategy: string;
  token: string;
}

export interface Person {
  name: string;
  tenant: string;
  username: string;
  does: string;
  password: string;
}

export interface Demo {
  tokens: Sample[];
  queries: { name: string; query: string }[];
  people: Person[];
}

const nothing: Demo = { tokens: [], queries: [], people: [] };

export const demoQuery = queryOptions({
  queryKey: ['demo'],
  staleTime: 60_000,
  retry: false,
  queryFn: async (): Promise<Demo> => {
    try {
      const response = await fetch(below('demo.json'), { cache: 'no-store', credentials: 'omit' });
      if (!response.ok) return nothing;
      const { tokens = [], queries = [], people = [] } = (await response.json()) as Partial<Demo>;
      return { tokens, queries, people };
    } catch {
      return nothing;
    }
  },
});
