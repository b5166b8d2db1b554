// A tenant's own role as it is kept, with the text it has.
import { useQuery } from '@tanstack/react-query';
import { askExactly } from '../../api';
import { laidOut, member, read } from './read';

export interface Role {
  name: string;
  spec: unknown; // null: not shown
  createdAt: string;
  changedAt: string;
}

export const listed = 'query($tenant: String) { admin { it: roles(tenant: $tenant) { name spec createdAt changedAt } } }';

// useRole is null where there is none.
export function useRole(tenant: string | undefined, name: string, once?: boolean) {
  return useQuery({
    queryKey: ['roles', once ? 'edited' : 'one', tenant ?? '', name],
    ...(once ? { gcTime: 0, staleTime: Infinity, refetchOnWindowFocus: false } : {}),
    queryFn: async (): Promise<(Role & { text: string }) | null> => {
      const { data, text } = await askExactly<{ admin: { it: Role[] } }>(listed, { tenant });
      const at = data.admin.it.findIndex((role) => role.name === name);
      if (at < 0) return null;
      const spec = member(member(member(member(read(text).root, 'data'), 'admin'), 'it')?.items[at], 'spec');
      return { ...data.admin.it[at]!, text: spec ? laidOut(spec, text) : '' };
    },
  });
}
