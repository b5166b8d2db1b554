package tenancy_test

import (
	"slices"
	"strings"
	"testing"

	"usher/fault"
	"usher/principal"
	"usher/tenancy"
)

// What those who administer all tenants share is everybody's to run and to copy, and
// nobody else's to change; a tenant's copy hides it.
func TestTemplates(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{})
		ctx := t.Context()
		tenant(t, s, "acme")
		who := func(of, subject string) principal.Principal {
			return principal.Principal{Issuer: "idp", Tenant: of, Subject: subject, Scopes: []principal.Scope{principal.ReadData}}
		}
		alice, eve, boss := who("acme", "alice"), who("other", "eve"), adminOf("acme")
		embedded := who("acme", "alice")
		embedded.Grant.SavedOnly = true
		query := func(name, document string) tenancy.NewSavedQuery {
			return tenancy.NewSavedQuery{Name: name, Document: document, OfTenant: true, Shared: true, Shown: []byte(`{"dataset": "a"}`)}
		}
		template := must(s.CreateSavedQuery(ctx, root(), query("sales", "{ template }")))
		draft := query("draft", "{ draft }")
		draft.Shared = false
		hidden := must(s.CreateSavedQuery(ctx, root(), draft))
		if !template.Own || template.Version != 1 || string(template.Shown) != `{"dataset": "a"}` {
			t.Errorf("%+v", template)
		}

		names := func(p principal.Principal, search string) (all []string) {
			rows, _, err := s.SavedQueries(ctx, p, search, tenancy.Page{})
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range rows {
				all = append(all, q.Document)
			}
			slices.Sort(all)
			return all
		}
		same := func(what string, got []string, want ...string) {
			t.Helper()
			if !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", what, got, want)
			}
		}
		same("alice", names(alice, ""), "{ template }")
		same("another tenant", names(eve, ""), "{ template }")
		same("searched", names(eve, "SAL"), "{ template }")
		same("searched in vain", names(eve, "%"))
		same("who administers all", names(root(), ""), "{ draft }", "{ template }")
		// What bounds such a token is what its tenant has saved.
		same("a token for the tenant's queries", names(embedded, ""))
		_, err := s.SavedQueryByID(ctx, embedded, template.ID)
		wantCode(t, err, fault.NotFound)
		_, err = s.SavedQueryByID(ctx, alice, hidden.ID)
		wantCode(t, err, fault.NotFound)
		if got := must(s.SavedQuery(ctx, alice, "sales")); got.Own || got.Document != "{ template }" {
			t.Errorf("%+v", got)
		}

		// Nobody else shares with all, and nobody else changes what is shared.
		for _, p := range []principal.Principal{alice, boss, eve, who("", "x")} {
			if _, err := s.CreateSavedQuery(ctx, p, query("mine", "{ a }")); err == nil {
				t.Errorf("%s shares with all tenants", p.Subject)
			}
			if _, err := s.UpdateSavedQuery(ctx, p, template.ID, query("sales", "{ worse }")); err == nil {
				t.Errorf("%s changes the template", p.Subject)
			}
			if err := s.DeleteSavedQuery(ctx, p, template.ID, 0); err == nil {
				t.Errorf("%s deletes the template", p.Subject)
			}
		}
		reader := principal.Principal{AllTenants: true, Subject: "r", Scopes: []principal.Scope{principal.ReadData}}
		for _, ofTenant := range []bool{true, false} {
			_, err := s.CreateSavedQuery(ctx, reader, tenancy.NewSavedQuery{Name: "r", Document: "{ a }", OfTenant: ofTenant})
			wantCode(t, err, fault.Forbidden)
		}

		// A user's copy hides it from the user; the tenant's from everybody of the tenant.
		mine := must(s.CopySavedQuery(ctx, alice, template.ID, nil, false))
		if mine.Owner != "alice" || mine.Tenant != "acme" || string(mine.Shown) != `{"dataset": "a"}` || mine.Shared {
			t.Errorf("%+v", mine)
		}
		bob := who("acme", "bob")
		if got := must(s.SavedQuery(ctx, bob, "sales")); got.ID != template.ID {
			t.Errorf("alice's copy hides it from bob: %+v", got)
		}
		_, err = s.CopySavedQuery(ctx, bob, template.ID, nil, true)
		wantCode(t, err, fault.Forbidden)
		ours := must(s.CopySavedQuery(ctx, boss, template.ID, nil, true))
		must(s.UpdateSavedQuery(ctx, boss, ours.ID, tenancy.NewSavedQuery{Name: "sales", Document: "{ ours }", Version: 1}))
		same("bob", names(bob, ""), "{ ours }")
		same("another tenant", names(eve, ""), "{ template }")
		same("a token for the tenant's queries", names(embedded, ""), "{ ours }")
		empty, other := "", "second"
		_, err = s.CopySavedQuery(ctx, alice, template.ID, &empty, false)
		wantCode(t, err, fault.BadUserInput)
		_, err = s.CopySavedQuery(ctx, alice, template.ID, nil, false)
		wantCode(t, err, fault.Conflict)
		if got := must(s.CopySavedQuery(ctx, alice, template.ID, &other, false)); got.Name != other {
			t.Errorf("%+v", got)
		}
		_, err = s.CopySavedQuery(ctx, alice, hidden.ID, nil, false)
		wantCode(t, err, fault.NotFound)

		// A change is of the version that was read.
		_, err = s.UpdateSavedQuery(ctx, boss, ours.ID, tenancy.NewSavedQuery{Name: "sales", Document: "{ late }", Version: 1})
		wantCode(t, err, fault.Conflict)
		wantCode(t, s.DeleteSavedQuery(ctx, boss, ours.ID, 1), fault.Conflict)
		if err := s.DeleteSavedQuery(ctx, boss, ours.ID, 2); err != nil {
			t.Error(err)
		}
		same("bob after", names(bob, ""), "{ template }")
		for _, shown := range []string{"[]", "null", `"x"`, "{", `{"a": "` + strings.Repeat("x", 70_000) + `"}`} {
			_, err := s.CreateSavedQuery(ctx, alice, tenancy.NewSavedQuery{Name: "shown", Document: "{ a }", Shown: []byte(shown)})
			wantCode(t, err, fault.BadUserInput)
		}
		if entries, _, err := s.Entries(ctx, root(), tenancy.AuditFilter{Operation: "copySavedQuery"}, tenancy.Page{}); err != nil || len(entries) != 3 {
			t.Errorf("the audit log has %+v, %v", entries, err)
		}
	})
}

// A copy shows its owner no more than what it was made of: its text is theirs.
func TestCopyShowsNoMore(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{Operations: hiding{}})
		tenant(t, s, "acme")
		auditor := root()
		auditor.Roles = []string{"auditor"}
		template := must(s.CreateSavedQuery(t.Context(), auditor, tenancy.NewSavedQuery{Name: "pay", Document: "{ hidden { total } }", OfTenant: true, Shared: true}))
		alice := principal.Principal{Tenant: "acme", Subject: "alice", Scopes: []principal.Scope{principal.ReadData}}
		_, err := s.CopySavedQuery(t.Context(), alice, template.ID, nil, false)
		wantCode(t, err, fault.Forbidden)
	})
}
