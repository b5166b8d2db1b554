import { useDraft } from '../../drafts';
import type { Tenant } from './record';

// draftsOf begins the names of the drafts of a tenant's forms, or of those of all.
export const draftsOf = (id?: string) => (id === undefined ? 'tenant ' : `tenant ${id}/`);

// useForm is the draft of one form of a tenant's record.
export function useForm<T extends object>(tenant: Pick<Tenant, 'id' | 'name'>, form: string, first: T, title: string) {
  return useDraft(draftsOf(tenant.id) + form, first, `${title}: ${tenant.name}`);
}
