package tenancy_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"usher/pgtest"
	"usher/principal"
	"usher/tenancy"
	"usher/tenancy/database"
)

// A store of every version that there was is brought to this program's: it has the
// tables of a new one, and what it held is there: tenants, keys, tokens and that one
// was revoked, users, roles, saved queries.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		spec := postgresOf(pgtest.Start(t).Database(t))
		upgrade(t, func(name string) database.Spec {
			spec.Schema = name
			return spec
		})
	})
	t.Run("duckdb", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		upgrade(t, func(name string) database.Spec {
			return database.Spec{Path: filepath.Join(dir, name, "control.duckdb")}
		})
	})
}

func upgrade(t *testing.T, place func(name string) database.Spec) {
	ctx := t.Context()
	opts := tenancy.Options{CheckRole: func(principal.Principal, string, string, json.RawMessage) error { return nil }}
	today := open(t, place("today"), opts)
	tenant(t, today, "acme")
	user := tenancy.NewUser{Tenant: "acme", Username: "ann", Password: "correct horse battery"}
	must(today.CreateUser(ctx, root(), user))
	if err := today.PutRole(ctx, root(), "acme", "clerk", json.RawMessage(`{"datasets": {"orders": {}}}`)); err != nil {
		t.Fatal(err)
	}
	saved := must(today.CreateSavedQuery(ctx, adminOf("acme"), tenancy.NewSavedQuery{Name: "all", Document: "{ orders { id } }"}))
	token := must(today.Mint(ctx, root(), tenancy.TokenRequest{Subject: "ann", Tenant: "acme"})).Token
	revoked := must(today.Mint(ctx, root(), tenancy.TokenRequest{Subject: "bob", Tenant: "acme"})).Token
	must(today.Revoke(ctx, root(), tenancy.Revocation{Tenant: "acme", Subject: "bob"}))
	columns := must(today.Columns(ctx))

	versions := must(today.Versions())
	if len(versions) < 5 || versions[0] != 1 {
		t.Fatalf("there are versions %v", versions)
	}
	for _, version := range versions {
		spec := place(fmt.Sprintf("v%d", version))
		if err := tenancy.Age(ctx, spec, version, today); err != nil {
			t.Fatalf("version %d: %v", version, err)
		}
		s := open(t, spec, opts)
		if diff := cmp.Diff(columns, must(s.Columns(ctx))); diff != "" {
			t.Errorf("from version %d, -new +migrated:\n%s", version, diff)
		}
		if p := accepted(t, s, token); p.Tenant != "acme" || p.Subject != "ann" {
			t.Errorf("from version %d: %+v", version, p)
		}
		refused(t, s, revoked, tenancy.ErrRevoked)
		if _, err := s.Login(ctx, tenancy.Credentials{Tenant: user.Tenant, Username: user.Username, Password: user.Password}); err != nil {
			t.Errorf("from version %d: %v", version, err)
		}
		if roles := must(s.Roles(ctx, root(), "acme")); len(roles) != 1 || roles[0].Name != "clerk" {
			t.Errorf("from version %d: %+v", version, roles)
		}
		if q := must(s.SavedQueryByID(ctx, adminOf("acme"), saved.ID)); q.Document != saved.Document {
			t.Errorf("from version %d: %+v", version, q)
		}
		tenant(t, s, "globex") // and it is written
	}
}
