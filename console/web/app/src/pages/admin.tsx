export const Tenants = () => null, TenantPage = Tenants, Users = Tenants, Roles = Tenants, Tokens = Tenants, Keys = Tenants, Audit = Tenants;
