// The datasets that the writer of a role sees, with what can be named of each.
import { useQuery } from '@tanstack/react-query';
import { ask } from '../../api';
import { useMe } from '../../me';

export interface Column {
  name: string;
  type: string;
  label: string | null;
  operators?: { name: string; list: boolean; labels?: string[]; description?: string | null }[]; // by which it is compared
}

// Bounds are the most that a role may say of a dataset.
export interface Bounds {
  maxLimit: number;
  changes: string[]; // insert, update, delete
  given: string[]; // columns that insert and update may name
  includeDeleted: boolean;
}

export interface Dataset {
  name: string;
  label: string | null;
  columns: Column[];
  relations: { name: string }[];
  parameters: { name: string; type: string }[];
  bounds?: Bounds; // undefined as long as nobody knows
}

// useShown is undefined as long as nobody knows, and where the viewer sees none: then they may name any.
export function useShown(): Dataset[] | undefined {
  const me = useMe();
  return useQuery({
    queryKey: ['datasets', 'whole'],
    enabled: me.has('Query.datasets'),
    staleTime: 60_000,
    queryFn: () => ask<{ datasets: Dataset[] }>('{ datasets { name label columns { name type label } relations { name } parameters { name type } } }').then(({ datasets }) => (datasets.length > 0 ? datasets : null)),
  }).data ?? undefined;
}
