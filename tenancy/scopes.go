package tenancy

import (
	"slices"

	"usher/fault"
	"usher/principal"
)

func has(p principal.Principal, scope principal.Scope) bool { return slices.Contains(p.Scopes, scope) }

// knownScopes are the scopes there are.
func knownScopes() []principal.Scope {
	return []principal.Scope{principal.CreateTokens, principal.ReadData, principal.WriteData, principal.ExportData, principal.Administer, principal.Explain}
}

func checkScopes(scopes []principal.Scope) error {
	for i, scope := range scopes {
		if !slices.Contains(knownScopes(), scope) {
			return unusable("there is no scope %s; there are %s, %s, %s, %s, %s and %s", fault.Quote(string(scope)),
				principal.CreateTokens, principal.ReadData, principal.WriteData, principal.ExportData, principal.Administer, principal.Explain)
		}
		if slices.Contains(scopes[:i], scope) {
			return unusable("scope %s is named twice", scope)
		}
	}
	return nil
}
