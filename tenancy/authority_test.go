package tenancy_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"usher/dashboard"
	"usher/fault"
	"usher/principal"
	"usher/tenancy"
)

// actors are everybody who may ask for a change, by who they are.
func actors() map[string]principal.Principal {
	with := func(roles []string, scopes ...principal.Scope) principal.Principal {
		return principal.Principal{Subject: "actor", Issuer: "idp", Tenant: "acme", TenantKey: "acme", Roles: roles, Scopes: scopes}
	}
	boss := with([]string{"viewer", "auditor"}, principal.Administer, principal.CreateTokens, principal.ReadData)
	filtered, limited, foreign, acting := boss, boss, boss, boss
	filtered.Grant.Filters = []principal.Filter{{Dataset: "orders", Where: eq("a", "b")}}
	limited.RoleSpecs = map[string]string{"regional": "{}"}
	foreign.Tenant, foreign.TenantKey = "other", "other"
	acting.Acting = &principal.Acting{Subject: "root", Reason: "ticket"}
	keeper := root()
	keeper.Scopes = []principal.Scope{principal.ReadData, principal.CreateTokens}
	confined := root()
	confined.Grant.Datasets = []string{"orders"}
	return map[string]principal.Principal{
		"root":     root(),
		"boss":     boss,
		"clerk":    with([]string{"viewer"}, principal.Administer, principal.ReadData),
		"filtered": filtered,
		"limited":  limited,
		"foreign":  foreign,
		"acting":   acting,
		"reader":   with([]string{"viewer", "auditor"}, principal.ReadData, principal.CreateTokens),
		"keeper":   keeper,   // of all tenants, without the right to administer
		"confined": confined, // of all tenants, restricted
		"nobody":   {},
	}
}

// Whoever changes a user, a role or a key holds what these may do, before and
// after. Every method of the store that changes something is tried by everybody.
func TestAuthority(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{CheckRole: func(principal.Principal, string, string, json.RawMessage) error { return nil }, Operations: hiding{}})
		ctx := t.Context()
		for _, id := range []string{"acme", "other"} {
			tenant(t, s, id)
		}
		spec := json.RawMessage(`{"datasets": {}}`)
		more := []principal.Scope{principal.CreateTokens, principal.ReadData}
		less := []principal.Scope{principal.ReadData}
		n := 0
		name := func() string { n++; return fmt.Sprintf("x%d", n) }
		// Those who are changed: ann may do what a clerk may not, bob may not.
		some := func(scopes []principal.Scope, roles ...string) string {
			u := name()
			must(s.CreateUser(ctx, root(), tenancy.NewUser{Tenant: "acme", Username: u, Password: password, Roles: roles, Scopes: scopes}))
			return u
		}
		ann := func() string { return some(more, "auditor") }
		bob := func() string { return some(less, "viewer") }
		role := func(holders ...string) string {
			r := name()
			if err := s.PutRole(ctx, root(), "acme", r, spec); err != nil {
				t.Fatal(err)
			}
			for _, held := range holders {
				must(s.CreateUser(ctx, root(), tenancy.NewUser{Tenant: "acme", Username: name(), Password: password, Roles: []string{held, r}}))
			}
			return r
		}
		heldByToken := func() string {
			r := role()
			must(s.Mint(ctx, root(), tenancy.TokenRequest{Tenant: "acme", Subject: "x", Roles: []string{"auditor", r}}))
			return r
		}
		key := func(scopes []principal.Scope, may tenancy.MayGrant, roles ...string) string {
			return must(s.CreateKey(ctx, root(), tenancy.KeyRequest{Name: name(), Tenant: "acme", Scopes: scopes, Roles: roles, MayGrant: may})).ID
		}
		query := func(owner string) string {
			p := principal.Principal{Subject: owner, Issuer: "idp", Tenant: "acme", Scopes: less}
			return must(s.CreateSavedQuery(ctx, p, tenancy.NewSavedQuery{Name: "q", Document: "{ a }", Shared: true})).ID
		}
		ofTenant := func(document string) string {
			return must(s.CreateSavedQuery(ctx, actors()["boss"], tenancy.NewSavedQuery{Name: name(), Document: document, OfTenant: true})).ID
		}
		templateOf := func(document string) string {
			p := root()
			p.Roles = []string{"auditor"}
			return must(s.CreateSavedQuery(ctx, p, tenancy.NewSavedQuery{Name: name(), Document: document, OfTenant: true, Shared: true})).ID
		}
		operation := tenancy.NewSavedQuery{Name: "q", Document: "{ b }", Shared: true}
		created := func(_ any, err error) error { return err }
		type actor = principal.Principal
		const everyTenants, both, three = "root", "root boss", "root boss clerk"
		tried := map[string]bool{}
		for _, line := range []struct {
			method, what string
			may          string
			do           func(actor) error
		}{
			{"SetPassword", "of ann", both, func(p actor) error { return s.SetPassword(ctx, p, "acme", ann(), password) }},
			{"SetPassword", "of bob", three, func(p actor) error { return s.SetPassword(ctx, p, "acme", bob(), password) }},
			{"SetUserStatus", "disable ann", both, func(p actor) error { return s.SetUserStatus(ctx, p, "acme", ann(), tenancy.Disabled) }},
			{"SetUserStatus", "enable ann", both, func(p actor) error { return s.SetUserStatus(ctx, p, "acme", ann(), tenancy.Active) }},
			{"SetUserStatus", "disable bob", three, func(p actor) error { return s.SetUserStatus(ctx, p, "acme", bob(), tenancy.Disabled) }},
			{"SetUserRights", "take all from ann", both, func(p actor) error { return s.SetUserRights(ctx, p, "acme", ann(), nil, nil) }},
			{"SetUserRights", "give bob more", both, func(p actor) error { return s.SetUserRights(ctx, p, "acme", bob(), []string{"auditor"}, less) }},
			{"SetUserRights", "give bob a scope", both, func(p actor) error { return s.SetUserRights(ctx, p, "acme", bob(), nil, more) }},
			{"SetUserRights", "take all from bob", three, func(p actor) error { return s.SetUserRights(ctx, p, "acme", bob(), nil, nil) }},
			{"SetUserRights", "take what restricts from one who may more", both, func(p actor) error {
				return s.SetUserRights(ctx, p, "acme", some(less, "auditor", role()), []string{"auditor"}, less)
			}},
			{"SetUserProfile", "of ann", both, func(p actor) error { return s.SetUserProfile(ctx, p, "acme", ann(), "Ann", "ann@acme.example") }},
			{"SetUserProfile", "of bob", three, func(p actor) error { return s.SetUserProfile(ctx, p, "acme", bob(), "", "") }},
			{"UnlockUser", "ann", both, func(p actor) error { return s.UnlockUser(ctx, p, "acme", ann()) }},
			{"UnlockUser", "bob", three, func(p actor) error { return s.UnlockUser(ctx, p, "acme", bob()) }},
			{"EndUserSessions", "of ann", both, func(p actor) error { return created(s.EndUserSessions(ctx, p, "acme", ann())) }},
			{"EndUserSessions", "of bob", three, func(p actor) error { return created(s.EndUserSessions(ctx, p, "acme", bob())) }},
			{"DeleteUser", "ann", both, func(p actor) error { return s.DeleteUser(ctx, p, "acme", ann()) }},
			{"DeleteUser", "bob", three, func(p actor) error { return s.DeleteUser(ctx, p, "acme", bob()) }},
			{"CreateUser", "who may more", both, func(p actor) error {
				return created(s.CreateUser(ctx, p, tenancy.NewUser{Tenant: "acme", Username: name(), Password: password, Scopes: more}))
			}},
			{"CreateUser", "who may less", three, func(p actor) error {
				return created(s.CreateUser(ctx, p, tenancy.NewUser{Tenant: "acme", Username: name(), Password: password}))
			}},
			{"CreateUser", "of no tenant", everyTenants, func(p actor) error {
				return created(s.CreateUser(ctx, p, tenancy.NewUser{Username: name(), Password: password}))
			}},
			{"PutRole", "new", three, func(p actor) error { return s.PutRole(ctx, p, "acme", name(), spec) }},
			{"PutRole", "held by one who may more", both, func(p actor) error { return s.PutRole(ctx, p, "acme", role("viewer", "auditor"), spec) }},
			{"PutRole", "held by a token that may more", both, func(p actor) error { return s.PutRole(ctx, p, "acme", heldByToken(), spec) }},
			{"PutRole", "held by one who may less", three, func(p actor) error { return s.PutRole(ctx, p, "acme", role("viewer"), spec) }},
			{"DeleteRole", "held by one who may more", both, func(p actor) error { return s.DeleteRole(ctx, p, "acme", role("auditor")) }},
			{"DeleteRole", "held by one who may less", three, func(p actor) error { return s.DeleteRole(ctx, p, "acme", role("viewer")) }},
			{"CreateKey", "that may more", both, func(p actor) error {
				return created(s.CreateKey(ctx, p, tenancy.KeyRequest{Name: name(), Tenant: "acme", Scopes: more}))
			}},
			{"CreateKey", "that may less", three, func(p actor) error {
				return created(s.CreateKey(ctx, p, tenancy.KeyRequest{Name: name(), Tenant: "acme", Scopes: less}))
			}},
			{"CreateKey", "with a role that the tenant owns", three, func(p actor) error {
				return created(s.CreateKey(ctx, p, tenancy.KeyRequest{Name: name(), Tenant: "acme", Scopes: less, Roles: []string{role()}}))
			}},
			{"CreateKey", "with a role that the tenant owns, and one that may more", both, func(p actor) error {
				return created(s.CreateKey(ctx, p, tenancy.KeyRequest{Name: name(), Tenant: "acme", Scopes: less, Roles: []string{role(), "auditor"}}))
			}},
			{"CreateKey", "of all tenants", everyTenants, func(p actor) error {
				return created(s.CreateKey(ctx, p, tenancy.KeyRequest{Name: name(), AllTenants: true, Scopes: less}))
			}},
			{"Revoke", "a key that may more", both, func(p actor) error {
				return created(s.Revoke(ctx, p, tenancy.Revocation{Tenant: "acme", TokenID: key(more, tenancy.MayGrant{}, "auditor")}))
			}},
			{"Revoke", "a key that may grant", everyTenants, func(p actor) error {
				return created(s.Revoke(ctx, p, tenancy.Revocation{Tenant: "acme", TokenID: key(less, tenancy.MayGrant{Parameters: []string{"a"}})}))
			}},
			{"Revoke", "a key that may less", three, func(p actor) error {
				return created(s.Revoke(ctx, p, tenancy.Revocation{Tenant: "acme", TokenID: key(less, tenancy.MayGrant{}, "viewer")}))
			}},
			{"Revoke", "a key among others", everyTenants, func(p actor) error {
				must(s.CreateKey(ctx, root(), tenancy.KeyRequest{Name: "shop", Tenant: "acme", Scopes: less, MayGrant: tenancy.MayGrant{Clear: []string{"a"}}}))
				return created(s.Revoke(ctx, p, tenancy.Revocation{Tenant: "acme", Subject: "shop"}))
			}},
			{"CreateTenant", "", everyTenants, func(p actor) error { return created(s.CreateTenant(ctx, p, tenancy.NewTenant{ID: name()})) }},
			{"SetTenantStrategy", "", everyTenants, func(p actor) error { return s.SetTenantStrategy(ctx, p, "acme", "", nil) }},
			{"SetTenantAllowHosts", "", everyTenants, func(p actor) error { return s.SetTenantAllowHosts(ctx, p, "acme", nil) }},
			{"SetTenantExternalIDs", "", everyTenants, func(p actor) error { return s.SetTenantExternalIDs(ctx, p, "acme", nil) }},
			{"TestAccount", "", "root confined boss clerk filtered limited", func(p actor) error {
				_, _, err := s.TestAccount(ctx, p, "acme")
				return err
			}},
			{"SetTenantCell", "", everyTenants, func(p actor) error { return s.SetTenantCell(ctx, p, "acme", "") }},
			{"SetTenantBindings", "", everyTenants, func(p actor) error { return s.SetTenantBindings(ctx, p, "acme", nil) }},
			{"SetTenantWeight", "", everyTenants, func(p actor) error { return s.SetTenantWeight(ctx, p, "acme", 2) }},
			{"SetTenantLimits", "", everyTenants, func(p actor) error { return s.SetTenantLimits(ctx, p, "acme", principal.Budget{}) }},
			{"Reload", "", everyTenants, func(p actor) error { return s.Reload(ctx, p, func() error { return nil }) }},
			{"SetTenantAccounts", "", everyTenants, func(p actor) error { return s.SetTenantAccounts(ctx, p, "acme", nil) }},
			{"SetTenantAccount", "", everyTenants, func(p actor) error { return s.SetTenantAccount(ctx, p, "acme", "silo", principal.Account{Schema: "a"}) }},
			{"RemoveTenantAccount", "", everyTenants, func(p actor) error { return s.RemoveTenantAccount(ctx, p, "acme", "silo") }},
			{"SuspendTenant", "", everyTenants, func(p actor) error { id := name(); tenant(t, s, id); return s.SuspendTenant(ctx, p, id) }},
			{"ResumeTenant", "", everyTenants, func(p actor) error { id := name(); tenant(t, s, id); return s.ResumeTenant(ctx, p, id) }},
			{"DeleteTenant", "", everyTenants, func(p actor) error { id := name(); tenant(t, s, id); return s.DeleteTenant(ctx, p, id) }},
			{"ReleasePlaces", "", everyTenants, func(p actor) error {
				id := name()
				tenant(t, s, id)
				return cmp.Or(s.DeleteTenant(ctx, root(), id), s.ReleasePlaces(ctx, p, id))
			}},
			{"RenameTenant", "", "root confined boss clerk filtered limited", func(p actor) error { return s.RenameTenant(ctx, p, "acme", "Acme") }},
			{"ActAs", "", everyTenants, func(p actor) error {
				return created(s.ActAs(ctx, p, tenancy.ActRequest{Tenant: "acme", Reason: "x", Roles: []string{"viewer"}}))
			}},
			{"UpdateSavedQuery", "of ann", "boss", func(p actor) error { return created(s.UpdateSavedQuery(ctx, p, query(ann()), operation)) }},
			{"UpdateSavedQuery", "of bob", "boss clerk", func(p actor) error { return created(s.UpdateSavedQuery(ctx, p, query(bob()), operation)) }},
			{"DeleteSavedQuery", "of ann", "boss", func(p actor) error { return s.DeleteSavedQuery(ctx, p, query(ann()), 0) }},
			{"DeleteSavedQuery", "of bob", "boss clerk", func(p actor) error { return s.DeleteSavedQuery(ctx, p, query(bob()), 0) }},
			{"CreateSavedQuery", "of the tenant", "root boss clerk foreign", func(p actor) error {
				return created(s.CreateSavedQuery(ctx, p, tenancy.NewSavedQuery{Name: name(), Document: "{ a }", OfTenant: true}))
			}},
			{"CreateSavedQuery", "shared with all tenants", "root", func(p actor) error {
				return created(s.CreateSavedQuery(ctx, p, tenancy.NewSavedQuery{Name: name(), Document: "{ a }", OfTenant: true, Shared: true}))
			}},
			{"CopySavedQuery", "that is shared with all tenants", "root boss clerk foreign", func(p actor) error {
				as := name()
				return created(s.CopySavedQuery(ctx, p, templateOf("{ a }"), &as, true))
			}},
			{"CopySavedQuery", "that a clerk does not see", "boss foreign", func(p actor) error {
				as := name()
				return created(s.CopySavedQuery(ctx, p, templateOf("{ hidden }"), &as, true))
			}},
			{"UpdateSavedQuery", "that is shared with all tenants", "root", func(p actor) error {
				return created(s.UpdateSavedQuery(ctx, p, templateOf("{ a }"), tenancy.NewSavedQuery{Name: name(), Document: "{ b }"}))
			}},
			{"DeleteSavedQuery", "that is shared with all tenants", "root", func(p actor) error { return s.DeleteSavedQuery(ctx, p, templateOf("{ a }"), 0) }},
			{"UpdateSavedQuery", "of the tenant", "boss clerk", func(p actor) error {
				return created(s.UpdateSavedQuery(ctx, p, ofTenant("{ a }"), tenancy.NewSavedQuery{Name: name(), Document: "{ b }"}))
			}},
			{"UpdateSavedQuery", "of the tenant, with what a clerk does not see", "boss", func(p actor) error {
				return created(s.UpdateSavedQuery(ctx, p, ofTenant("{ a }"), tenancy.NewSavedQuery{Name: name(), Document: "{ hidden }"}))
			}},
			{"UpdateSavedQuery", "of the tenant, which a clerk does not see", "boss", func(p actor) error {
				return created(s.UpdateSavedQuery(ctx, p, ofTenant("{ hidden }"), tenancy.NewSavedQuery{Name: name(), Document: "{ b }"}))
			}},
			{"DeleteSavedQuery", "of the tenant", "boss clerk", func(p actor) error { return s.DeleteSavedQuery(ctx, p, ofTenant("{ a }"), 0) }},
			{"DeleteSavedQuery", "of the tenant, which a clerk does not see", "boss", func(p actor) error { return s.DeleteSavedQuery(ctx, p, ofTenant("{ hidden }"), 0) }},
			{"SaveDashboard", "of one's own", "root boss clerk foreign", func(p actor) error { return created(s.SaveDashboard(ctx, p, board(name(), "{ a }"))) }},
			{"SaveDashboard", "which a clerk does not see", "boss foreign", func(p actor) error { return created(s.SaveDashboard(ctx, p, board(name(), "{ hidden }"))) }},
			{"SaveDashboard", "shared", "root", func(p actor) error {
				n := board(name(), "{ a }")
				n.Shared = true
				return created(s.SaveDashboard(ctx, p, n))
			}},
			{"SaveDashboard", "in place of what a clerk does not see", "boss", func(p actor) error {
				n := board(name(), "{ hidden }")
				must(s.SaveDashboard(ctx, actors()["boss"], n))
				n.Version, n.Document = 1, board("x", "{ a }").Document
				return created(s.SaveDashboard(ctx, p, n))
			}},
			{"CopyDashboard", "that is shared", "root boss clerk foreign", func(p actor) error {
				n := board(name(), "{ a }")
				n.Shared = true
				must(s.SaveDashboard(ctx, root(), n))
				return created(s.CopyDashboard(ctx, p, n.Name, name()))
			}},
			{"CopyDashboard", "of the tenant, which a clerk does not see", "boss", func(p actor) error {
				n := board(name(), "{ hidden }")
				must(s.SaveDashboard(ctx, actors()["boss"], n))
				return created(s.CopyDashboard(ctx, p, n.Name, name()))
			}},
			{"TenantDashboards", "to mint for, of the tenant", everyTenants, func(p actor) error {
				return created(s.TenantDashboards(ctx, p, "acme"))
			}},
			{"DeleteDashboard", "of the tenant", "boss clerk", func(p actor) error {
				n := board(name(), "{ a }")
				must(s.SaveDashboard(ctx, actors()["boss"], n))
				return s.DeleteDashboard(ctx, p, n.Name, 1)
			}},
			{"DeleteDashboard", "which a clerk does not see", "boss", func(p actor) error {
				n := board(name(), "{ hidden }")
				must(s.SaveDashboard(ctx, actors()["boss"], n))
				return s.DeleteDashboard(ctx, p, n.Name, 1)
			}},
		} {
			tried[line.method] = true
			for who, p := range actors() {
				err := line.do(p)
				if may := slices.Contains(strings.Fields(line.may), who); may != (err == nil) {
					t.Errorf("%s %s by %s: %v", line.method, line.what, who, err)
				}
				if err == nil {
					continue
				}
				if code := fault.From(err).Code; code != fault.Forbidden && code != fault.Unauthenticated && code != fault.NotFound {
					t.Errorf("%s %s by %s: %v", line.method, line.what, who, err)
				}
			}
		}
		for m := range reflect.TypeFor[*tenancy.Store]().Methods() {
			for i := range m.Type.NumIn() {
				if m.Type.In(i) == reflect.TypeFor[principal.Principal]() && !tried[m.Name] && !slices.Contains(changesNobody, m.Name) {
					t.Errorf("%s takes who asks, and nobody has tried whom it lets change what", m.Name)
				}
			}
		}
	})
}

// changesNobody are the methods that read, that concern only who asks, or whose
// rule is covers (TestCovers).
var changesNobody = []string{
	"Tenants", "GetTenant", "Users", "GetUser", "Roles", "Tokens", "Entries", "SavedQueries", "SavedQuery", "SavedQueryByID", "Dashboard", "Dashboards", "ShowsDashboard", "Findings", "Refused", "Revoked",
	"Mint", "Narrow", "ChangePassword", "RevokeOwn", "RevokeSessions", "Administers", "ShowsDocument", "ShowsRole", "ShowsSome",
}

// hiding shows whatever has "hidden" in its text to auditors only.
type hiding struct{}

func (h hiding) CheckDashboard(p principal.Principal, d dashboard.Document) error {
	return h.CheckWritten(p, string(d.JSON()), true)
}

func (h hiding) ShowsDashboard(p principal.Principal, d dashboard.Document) bool {
	return !h.HidesDashboard(p, d)
}

func (h hiding) ShowsSome(p principal.Principal, d dashboard.Document) bool {
	return h.ShowsDashboard(p, d)
}

func (h hiding) HiddenTiles(p principal.Principal, d dashboard.Document) []string {
	if h.ShowsDashboard(p, d) {
		return nil
	}
	return []string{"all"}
}

func (hiding) Findings(principal.Principal, dashboard.Document, bool) []dashboard.Finding { return nil }

func (h hiding) HidesDashboard(p principal.Principal, d dashboard.Document) bool {
	return h.Hides(p, tenancy.SavedQuery{Document: string(d.JSON())})
}

func (h hiding) CheckWritten(p principal.Principal, document string, _ bool) error {
	if h.Hides(p, tenancy.SavedQuery{Document: document}) {
		return fault.New(fault.Forbidden, "hidden")
	}
	return nil
}

func (h hiding) Shows(p principal.Principal, q tenancy.SavedQuery) bool { return !h.Hides(p, q) }

func (hiding) Hides(p principal.Principal, q tenancy.SavedQuery) bool {
	return strings.Contains(q.Document, "hidden") && !slices.Contains(p.Roles, "auditor")
}
