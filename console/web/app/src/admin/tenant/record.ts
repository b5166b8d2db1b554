// What is known of tenants: the record in the control store, and what the file says.
import { useQuery } from '@tanstack/react-query';
import { useMe } from '../../me';
import { admin } from '../common';
import { limitFields, type Limits } from '../limits';
import { ask } from '../../api';

export interface Account {
  source: string;
  set: string[];
}

// Routing is how a tenant's data is reached, in a record or in the file.
export interface Routing {
  id: string;
  strategy: string | null;
  cell: string | null;
  strategies: { dataset: string; strategy: string }[];
  bindings: { dataset: string; binding: string }[];
  accounts: Account[];
  externalIds: string[];
  allowHosts: string[];
}

export interface Tenant extends Routing {
  weight: number | null;
  limits: Limits;
  usual: { weight: number; limits: Limits };
  key: string;
  name: string;
  status: 'ACTIVE' | 'SUSPENDED' | 'DELETED';
  createdAt: string;
  changedAt: string;
}

export interface Configured extends Routing {
  registered: boolean;
  key: string | null;
  name: string | null;
  weight: number;
  limits: Limits;
  bound: string[];
}

const routing = 'id key name strategy cell strategies { dataset strategy } bindings { dataset binding } accounts { source set } externalIds allowHosts';

const ofRecord = `${routing} status createdAt changedAt weight ${limitFields} usual { weight ${limitFields} }`;

export const listed = `query($search: String, $after: String) { admin { it: tenants(search: $search, after: $after) { items { ${ofRecord} } next } } }`;
export const listedOfFile = `query($search: String, $after: String) { admin { it: configuredTenants(search: $search, after: $after) { items { ${routing} registered weight ${limitFields} bound } next } } }`;

export interface Found {
  record: Tenant | null;
  file: Configured | null;
}

// useTenant asks for both; null: neither knows the tenant.
export function useTenant(id: string) {
  return useQuery({
    queryKey: ['tenants', 'one', id],
    queryFn: async (): Promise<Found | null> => {
      const { admin } = await ask<{ admin: Found }>(`query($id: String!) { admin { record: tenant(id: $id) { ${ofRecord} } file: configuredTenant(id: $id) { ${routing} registered weight ${limitFields} bound } } }`, { id });
      return admin.record || admin.file ? admin : null;
    },
  });
}

export interface Configuration {
  loadedAt: string;
  sources: { name: string; kind: string; template: boolean }[];
  strategies: { name: string; kind: string; source: string; default: boolean }[];
  bindings: { dataset: string; name: string; source: string }[];
  cells: string[];
  tokenLimits: Limits;
}

// useConfiguration is what a record may name, for those who may change one.
export function useConfiguration() {
  const me = useMe();
  const asked = useQuery({
    queryKey: ['configuration'],
    enabled: me.has('AdminQuery.configuration'),
    queryFn: () => admin<Configuration>('{ admin { it: configuration { loadedAt sources { name kind template } strategies { name kind source default } bindings { dataset name source } cells tokenLimits { requests databaseMilliseconds rows bytes } } } }'),
  });
  return asked.data;
}

// useDatasetNames are the names of datasets, as far as the viewer sees them; undefined as
// long as nobody knows.
export function useDatasetNames() {
  const me = useMe();
  return useQuery({
    queryKey: ['datasets', 'names'],
    enabled: me.has('Query.datasets'),
    queryFn: () => ask<{ datasets: { name: string; label: string | null }[] }>('{ datasets { name label } }').then(({ datasets }) => datasets),
  }).data;
}

// useDatasets are those that can be chosen.
export function useDatasets() {
  return (useDatasetNames() ?? []).map(({ name, label }) => ({ id: name, name, under: label && label !== name ? label : undefined }));
}
