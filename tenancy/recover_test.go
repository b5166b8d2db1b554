package tenancy_test

import (
	"testing"

	"usher/audit"
	"usher/principal"
	"usher/tenancy"
)

// A lost first key is replaced and can do nothing more; what it has made, and
// other administrators, stay.
func TestRecover(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{})
		ctx := t.Context()
		first, err := s.Bootstrap(ctx, "first")
		if err != nil {
			t.Fatal(err)
		}
		admin, err := s.Authenticate(ctx, first.Token)
		if err != nil {
			t.Fatal(err)
		}
		made, err := s.CreateKey(ctx, admin, tenancy.KeyRequest{Name: "bootstrap", AllTenants: true, Scopes: []principal.Scope{principal.Administer}})
		if err != nil {
			t.Fatal(err)
		}
		again, ended, err := s.Recover(ctx, "second")
		if err != nil || ended != 1 {
			t.Fatalf("%d ended, %v", ended, err)
		}
		if _, err := s.Authenticate(ctx, first.Token); err == nil {
			t.Error("the lost key is still good")
		}
		for what, token := range map[string]string{"the new one": again.Token, "what the lost one made": made.Token} {
			if p, err := s.Authenticate(ctx, token); err != nil || !p.AllTenants {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, ended, err := s.Recover(ctx, "third"); err != nil || ended != 1 {
			t.Errorf("once more: %d ended, %v", ended, err)
		}
		if _, err := s.Authenticate(ctx, made.Token); err != nil {
			t.Errorf("a key of somebody called bootstrap ended: %v", err)
		}
		if _, _, err := s.Recover(ctx, ""); err == nil {
			t.Error("a key has no name")
		}
		administrator, err := s.Authenticate(ctx, made.Token)
		if err != nil {
			t.Fatal(err)
		}
		entries, _, err := s.Entries(ctx, administrator, tenancy.AuditFilter{Kind: audit.Administration, Operation: "recover"}, tenancy.Page{Limit: 10})
		if err != nil || len(entries) != 2 || entries[1].Detail != "second; earlier first keys that ended: 1" {
			t.Errorf("%v: %+v", err, entries)
		}
	})
}
