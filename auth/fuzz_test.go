package auth

import (
	"errors"
	"strings"
	"testing"

	"usher/fault"
	"usher/principal"
)

// FuzzVerify feeds whole tokens. What is accepted must be one of the tokens
// that were signed.
func FuzzVerify(f *testing.F) {
	v := verifier(f, Options{}, shop(), global(), idp())
	valid := shopDraft().sign()
	f.Add(valid)
	f.Add(valid + "=")
	f.Add(strings.ToUpper(valid))
	f.Add(allTenants(globalDraft()).sign())
	signed := map[string]bool{valid: true, allTenants(globalDraft()).sign(): true}
	for _, c := range refusals {
		d := shopDraft()
		c.change(d)
		f.Add(d.sign())
	}
	f.Fuzz(func(t *testing.T, token string) {
		p, err := v.Verify(t.Context(), token)
		var refused *fault.Error
		switch {
		case err == nil && !signed[token]:
			t.Errorf("accepted %q as %+v", token, p)
		case err != nil && (!errors.As(err, &refused) || refused.Code != fault.Unauthenticated || refused.Message != refusal):
			t.Errorf("%q: %v", token, err)
		case err != nil && (p.Tenant != "" || p.AllTenants):
			t.Errorf("%q was refused but gave %+v", token, p)
		}
	})
}

// FuzzClaims signs whatever the claims are: what is accepted has exactly one
// scope, a well-formed tenant, and nothing that the issuer may not grant.
func FuzzClaims(f *testing.F) {
	v := verifier(f, Options{}, shop())
	for _, c := range refusals {
		d := shopDraft()
		c.change(d)
		if claims, err := decodePart(strings.Split(d.sign()+"..", ".")[1]); err == nil {
			f.Add(string(claims))
		}
	}
	f.Fuzz(func(t *testing.T, claims string) {
		d := shopDraft()
		d.claimsText = claims
		p, err := v.Verify(t.Context(), d.sign())
		if err != nil {
			return
		}
		if p.AllTenants || principal.CheckTenantID(p.Tenant) != nil || p.TenantKey != p.Tenant || !p.Expires.After(now.Add(-defaultLeeway)) {
			t.Errorf("%s: accepted as %+v", claims, p)
		}
		for _, role := range p.Roles {
			if role != "viewer" && role != "editor" {
				t.Errorf("%s: role %q", claims, role)
			}
		}
	})
}
