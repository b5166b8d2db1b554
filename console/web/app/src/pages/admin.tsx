// The pages of administration, in one chunk: who opens one opens others.
export { Audit } from '../admin/audit';
export { Keys } from '../admin/keys';
export { Roles } from '../admin/roles';
export { TenantPage, Tenants } from '../admin/tenants';
export { Tokens } from '../admin/tokens';
export { Users } from '../admin/users';
