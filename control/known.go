package control

import (
	"slices"

	"usher/auth"
	"usher/catalog"
)

// KnownIssuer tells whether the configuration has an issuer of a name.
func KnownIssuer(issuers func() []auth.IssuerSpec) func(name string) bool {
	return func(name string) bool {
		return slices.ContainsFunc(issuers(), func(i auth.IssuerSpec) bool { return i.Name == name })
	}
}

// KnownTenant tells whether the configuration registers a tenant, or trusts the issuer
// that is named with ids of tenants that nobody registers.
func KnownTenant(cat func() *catalog.Catalog, issuers func() []auth.IssuerSpec) func(id, issuer string) bool {
	return func(id, issuer string) bool {
		_, registered := cat().Tenants[id]
		return registered || slices.ContainsFunc(issuers(), func(i auth.IssuerSpec) bool { return i.Name == issuer && i.Tenants == "trusted" })
	}
}
