// The pages of administration, in one chunk: who opens one opens others.
export { Audit } from '../admin/audit';
export { KeyPage, Keys } from '../admin/keys';
export { RolePage, Roles } from '../admin/roles';
export { Tenants } from '../admin/tenant/list';
export { TenantPage } from '../admin/tenant/page';
export { TokenPage, Tokens } from '../admin/tokens';
export { UserPage, Users } from '../admin/users';
