package tenancy_test

import (
	"strings"
	"testing"

	"usher/fault"
	"usher/principal"
	"usher/tenancy"
)

// What is named and is not there is NOT_FOUND, and revokes nothing: a token of usher's
// own, a tenant, an issuer. A tenant that only an issuer knows is named with the issuer.
func TestRevokingWhatThereIsNot(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s, ctx := open(tenancy.Options{
			KnownIssuer: func(name string) bool { return name == "idp" || name == "strict" },
			KnownTenant: func(id, issuer string) bool { return id == "of-the-file" || issuer == "idp" },
		}), t.Context()
		tenant(t, s, "acme")
		tenant(t, s, "globex")
		mint := func(of string) string {
			return must(s.Mint(ctx, root(), tenancy.TokenRequest{Tenant: of, Subject: "ann"})).ID
		}
		foreign := principal.Principal{Issuer: "idp", Tenant: "unregistered", Subject: "boss", Scopes: []principal.Scope{principal.Administer}}
		own, others := mint("acme"), mint("globex")
		for _, line := range []struct {
			by    principal.Principal
			r     tenancy.Revocation
			ended int
			code  fault.Code
		}{
			{root(), tenancy.Revocation{TokenID: "zzz"}, 0, fault.NotFound},
			{root(), tenancy.Revocation{TokenID: "zzz", Issuer: tenancy.Issuer}, 0, fault.NotFound},
			{root(), tenancy.Revocation{TokenID: own, Subject: "bob"}, 0, fault.NotFound},
			{root(), tenancy.Revocation{TokenID: own, Tenant: "globex"}, 0, fault.NotFound},
			{adminOf("acme"), tenancy.Revocation{TokenID: others}, 0, fault.NotFound},
			{root(), tenancy.Revocation{TokenID: "j1", Issuer: "idp"}, 0, ""},
			{root(), tenancy.Revocation{Tenant: "nobody"}, 0, fault.NotFound},
			{root(), tenancy.Revocation{Tenant: "nobody", Subject: "ann"}, 0, fault.NotFound},
			{root(), tenancy.Revocation{Tenant: "nobody", Issuer: tenancy.Issuer}, 0, fault.NotFound},
			{root(), tenancy.Revocation{Tenant: "nobody", Issuer: "strict"}, 0, fault.NotFound},
			{root(), tenancy.Revocation{Tenant: "nobody", Issuer: "idp"}, 0, ""},
			{root(), tenancy.Revocation{Tenant: "of-the-file"}, 0, ""},
			{root(), tenancy.Revocation{Issuer: "idq"}, 0, fault.NotFound},
			{foreign, tenancy.Revocation{Tenant: "unregistered"}, 0, ""},
			{foreign, tenancy.Revocation{Subject: "ann"}, 0, ""},
			{root(), tenancy.Revocation{TokenID: own}, 1, ""},
			{root(), tenancy.Revocation{TokenID: own}, 0, ""}, // it has ended already
			{root(), tenancy.Revocation{Tenant: "globex", Subject: "bob"}, 0, ""},
			{adminOf("globex"), tenancy.Revocation{Tenant: "globex"}, 1, ""},
		} {
			ended, err := s.Revoke(ctx, line.by, line.r)
			if line.code != "" {
				wantCode(t, err, line.code)
			} else if err != nil {
				t.Errorf("%+v: %v", line.r, err)
			}
			if ended != line.ended {
				t.Errorf("%+v: %d ended", line.r, ended)
			}
		}
		s.Flush(ctx)
		log, _, err := s.Entries(ctx, root(), tenancy.AuditFilter{Operation: "revoke", Outcome: "done"}, tenancy.Page{})
		if err != nil || len(log) != 9 || log[0].Detail != "tenant globex: 1 of usher's own" || !strings.HasSuffix(log[1].Detail, ": 0 of usher's own") {
			t.Errorf("%+v, %v", log, err)
		}
	})
}

// Whoever misspells a tenant does not get an empty list.
func TestListsOfNoTenant(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s, ctx := open(tenancy.Options{KnownTenant: func(id, issuer string) bool { return id == "of-the-file" || issuer == "idp" }}), t.Context()
		tenant(t, s, "acme")
		tenant(t, s, "late")
		if err := s.DeleteTenant(ctx, root(), "late"); err != nil {
			t.Fatal(err)
		}
		lists := map[string]func(principal.Principal, string) error{
			"users": func(p principal.Principal, of string) error {
				_, _, err := s.Users(ctx, p, tenancy.UserFilter{Tenant: of}, tenancy.Page{})
				return err
			},
			"tokens": func(p principal.Principal, of string) error {
				_, _, err := s.Tokens(ctx, p, tenancy.TokenFilter{Tenant: of}, tenancy.Page{})
				return err
			},
			"roles": func(p principal.Principal, of string) error {
				_, err := s.Roles(ctx, p, of)
				return err
			},
		}
		for what, list := range lists {
			wantCode(t, list(root(), "nobody"), fault.NotFound)
			for _, of := range []string{"acme", "of-the-file", "late"} {
				if err := list(root(), of); err != nil {
					t.Errorf("%s of %s: %v", what, of, err)
				}
			}
			for _, of := range []string{"acme", "known-to-the-issuer-alone"} {
				if err := list(adminOf(of), of); err != nil {
					t.Errorf("%s of %s, by its own: %v", what, of, err)
				}
			}
			wantCode(t, list(adminOf("acme"), "nobody"), fault.Forbidden)
		}
		if err := lists["tokens"](root(), ""); err != nil {
			t.Error(err)
		}
	})
}
