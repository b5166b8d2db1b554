// Names that forms offer: of roles, of the configuration and of a tenant.
import { useQuery } from '@tanstack/react-query';
import { ask } from '../api';
import { useMe } from '../me';
import { t } from '../texts';
import type { Choice } from '../ui/controls';
import { admin } from './common';

export interface Grant {
  dataset: string;
  columns: string[];
  aggregate: boolean;
  maxLimit: number;
  changes: string[];
}

export interface ConfiguredRole {
  name: string;
  grants: Grant[];
}

export function useConfiguredRoles() {
  const me = useMe();
  return useQuery({
    queryKey: ['roles', 'configured'],
    enabled: me.has('AdminQuery.configuredRoles'),
    queryFn: () => admin<ConfiguredRole[]>('{ admin { it: configuredRoles { name grants { dataset columns aggregate maxLimit changes } } } }'),
  });
}

// useRoles are the roles that somebody of a tenant may be given.
export function useRoles(tenant: string | undefined): Choice[] {
  const me = useMe();
  const configured = useConfiguredRoles();
  const own = useQuery({
    queryKey: ['roles', 'names', tenant ?? me.tenant ?? ''],
    enabled: me.has('AdminQuery.roles') && (tenant ?? me.tenant ?? undefined) !== undefined,
    queryFn: () => admin<{ name: string }[]>('query($tenant: String) { admin { it: roles(tenant: $tenant) { name } } }', { tenant }),
  });
  return [...(own.data ?? []).map(({ name }) => ({ id: name, name, under: t.roles.ofTenant })), ...(configured.data ?? []).map(({ name }) => ({ id: name, name, under: t.roles.ofFile }))];
}

interface Board {
  name: string;
  title: string;
  shared: boolean;
}

// useBoards are the dashboards that a token of a tenant may be for; undefined: of all tenants. Of another tenant's they are
// told to those who administer all.
export function useBoards(tenant: string | undefined): Choice[] {
  const me = useMe();
  const other = tenant !== undefined && tenant !== me.tenant;
  const found = useQuery({
    queryKey: ['dashboards', 'offered', tenant ?? ''],
    enabled: me.has(other ? 'AdminQuery.dashboards' : 'Query.dashboards'),
    queryFn: () => (other ? admin<Board[]>('query($tenant: String!) { admin { it: dashboards(tenant: $tenant) { name title shared } } }', { tenant }) : ask<{ dashboards: Board[] }>('{ dashboards { name title shared } }').then(({ dashboards }) => dashboards)),
  });
  return (found.data ?? []).map(({ name, title, shared }) => ({ id: name, name: title, under: `${name} · ${shared ? t.dashboards.shared : t.dashboards.own}` }));
}
