package tenancy_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"usher/dashboard"
	"usher/fault"
	"usher/principal"
	"usher/query"
	"usher/tenancy"
)

// board is a dashboard with one tile that asks a query.
func board(name, text string) tenancy.NewDashboard {
	quoted := strings.ReplaceAll(text, `"`, `\"`)
	return tenancy.NewDashboard{Name: name, Document: value(`{"title": "` + name + `", "tiles": [
		{"id": "t", "at": {"x": 0, "y": 0, "w": 3, "h": 2}, "query": "` + quoted + `", "chart": {"kind": "table", "rows": "a"}}]}`)}
}

func value(text string) query.Value { return must(query.ReadJSON([]byte(text))) }

func document(t *testing.T, text string) dashboard.Document {
	t.Helper()
	d, err := dashboard.Parse(board("x", text).Document)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// titles are names of dashboards with whose they are.
func titles(all []tenancy.Dashboard) string {
	var out []string
	for _, d := range all {
		out = append(out, fmt.Sprintf("%s:%t:%t:%d", d.Name, d.Shared, d.Own, d.Version))
	}
	return strings.Join(out, " ")
}

// A tenant sees its own dashboards and those that are shared, and its own in place of a
// shared one. Neither it nor its administrators see another's, or what is not shared yet.
func TestDashboards(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		files := map[string]dashboard.Document{"filed": document(t, "{ filed }"), "both": document(t, "{ both }")}
		s := open(tenancy.Options{Dashboards: func() map[string]dashboard.Document { return files }})
		ctx := t.Context()
		tenant(t, s, "acme")
		tenant(t, s, "other")
		acme, other := adminOf("acme"), adminOf("other")
		list := func(p principal.Principal, want string) {
			t.Helper()
			if got := titles(must(s.Dashboards(ctx, p))); got != want {
				t.Errorf("%s%v sees %s, want %s", p.Tenant, p.AllTenants, got, want)
			}
		}
		asked := func(p principal.Principal, name string) string {
			d, err := s.Dashboard(ctx, p, name)
			if err != nil {
				return string(fault.From(err).Code)
			}
			return d.Document.Tiles[0].Query
		}
		shared := board("sales", "{ template }")
		shared.Shared = true
		must(s.SaveDashboard(ctx, root(), shared))
		must(s.SaveDashboard(ctx, root(), board("draft", "{ draft }")))
		must(s.SaveDashboard(ctx, acme, board("own", "{ own }")))
		must(s.SaveDashboard(ctx, acme, board("both", "{ mine }")))
		list(acme, "both:false:true:1 filed:true:false:0 own:false:true:1 sales:true:false:1")
		list(other, "both:true:false:0 filed:true:false:0 sales:true:false:1")
		list(root(), "both:true:false:0 draft:false:true:1 filed:true:false:0 sales:true:true:1")
		// Whoever administers all tenants is told what tokens of one may be for, and not what it says.
		for id, want := range map[string]string{
			"acme":  "both:false:true:0 filed:true:false:0 own:false:true:0 sales:true:false:0",
			"other": "both:true:false:0 filed:true:false:0 sales:true:false:0",
		} {
			all := must(s.TenantDashboards(ctx, root(), id))
			if got := titles(all); got != want {
				t.Errorf("tokens of %s may be for %s, want %s", id, got, want)
			}
			for _, d := range all {
				if d.Own && (d.Title != d.Name || len(d.Document.Tiles) > 0) {
					t.Errorf("of the tenant's %s it is told %+v", d.Name, d)
				}
			}
		}
		for _, id := range []string{"", "*", "acme' OR '1'='1"} {
			_, err := s.TenantDashboards(ctx, root(), id)
			wantCode(t, err, fault.BadUserInput)
		}
		for name, want := range map[string][3]string{ // acme's, other's, of all
			"sales": {"{ template }", "{ template }", "{ template }"}, "draft": {"NOT_FOUND", "NOT_FOUND", "{ draft }"},
			"own": {"{ own }", "NOT_FOUND", "NOT_FOUND"}, "filed": {"{ filed }", "{ filed }", "{ filed }"}, "both": {"{ mine }", "{ both }", "{ both }"},
			"": {"NOT_FOUND", "NOT_FOUND", "NOT_FOUND"}, "sales' OR '1'='1": {"NOT_FOUND", "NOT_FOUND", "NOT_FOUND"},
		} {
			for i, p := range []principal.Principal{acme, other, root()} {
				if got := asked(p, name); got != want[i] {
					t.Errorf("%q of %d is %s, want %s", name, i, got, want[i])
				}
			}
		}

		// A copy hides what is shared, and is hidden from all others.
		copied := must(s.CopyDashboard(ctx, acme, "sales", "sales"))
		if copied.Version != 1 || copied.Shared || !copied.Own {
			t.Errorf("%+v", copied)
		}
		changed := board("sales", "{ mine }")
		changed.Version = 1
		if d := must(s.SaveDashboard(ctx, acme, changed)); d.Version != 2 {
			t.Errorf("%+v", d)
		}
		if got := asked(acme, "sales") + asked(other, "sales"); got != "{ mine }{ template }" {
			t.Error(got)
		}
		must(s.CopyDashboard(ctx, acme, "filed", "mine"))

		// What has changed since is not overwritten, and nothing by its name alone.
		for what, do := range map[string]func() error{
			"an old version": func() error { _, err := s.SaveDashboard(ctx, acme, changed); return err },
			"no version":     func() error { _, err := s.SaveDashboard(ctx, acme, board("sales", "{ x }")); return err },
			"an old deletion": func() error {
				return s.DeleteDashboard(ctx, acme, "sales", 1)
			},
			"a copy over it":   func() error { _, err := s.CopyDashboard(ctx, acme, "own", "sales"); return err },
			"a file's name":    func() error { _, err := s.SaveDashboard(ctx, root(), board("filed", "{ x }")); return err },
			"a taken template": func() error { _, err := s.SaveDashboard(ctx, root(), board("sales", "{ x }")); return err },
		} {
			if err := do(); fault.From(err) == nil || fault.From(err).Code != fault.Conflict {
				t.Errorf("%s: %v", what, err)
			}
		}
		wantCode(t, s.DeleteDashboard(ctx, other, "own", 1), fault.NotFound)
		wantCode(t, s.DeleteDashboard(ctx, acme, "filed", 1), fault.NotFound)
		missing := board("gone", "{ x }")
		missing.Version = 3
		_, err := s.SaveDashboard(ctx, acme, missing)
		wantCode(t, err, fault.NotFound)
		if err := s.DeleteDashboard(ctx, acme, "sales", 2); err != nil {
			t.Error(err)
		}
		if got := asked(acme, "sales"); got != "{ template }" {
			t.Error(got)
		}
		s.Flush(ctx)
		entries, _, err := s.Entries(ctx, acme, tenancy.AuditFilter{Operation: "saveDashboard"}, tenancy.Page{})
		if err != nil || len(entries) < 6 {
			t.Errorf("the log has %d, %v", len(entries), err)
		}

		// A deleted tenant's are gone, and nobody else's.
		if err := s.DeleteTenant(ctx, root(), "acme"); err != nil {
			t.Fatal(err)
		}
		if n := must(s.Count(ctx, "dashboards")); n != 2 {
			t.Errorf("%d dashboards are left", n)
		}
	})
}

// Of those who change a dashboard at the same time, one does.
func TestDashboardsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{})
		tenant(t, s, "acme")
		for version := range 2 { // of a new one, and of one that is there
			var wg sync.WaitGroup
			errs := make([]error, 5)
			for i := range errs {
				wg.Go(func() {
					n := board("sales", "{ a }")
					n.Version = version
					_, errs[i] = s.SaveDashboard(t.Context(), adminOf("acme"), n)
				})
			}
			wg.Wait()
			done := 0
			for _, err := range errs {
				if err == nil {
					done++
				} else if fault.From(err).Code != fault.Conflict {
					t.Error(err)
				}
			}
			if done != 1 {
				t.Errorf("%d of 5 have changed version %d", done, version)
			}
		}
	})
}

// A token for some dashboards is for those, and none is made wider of it.
func TestTokensForDashboards(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{})
		ctx := t.Context()
		tenant(t, s, "acme")
		tenant(t, s, "other")
		for _, name := range []string{"a", "b"} {
			must(s.SaveDashboard(ctx, adminOf("acme"), board(name, "{ x }")))
		}
		must(s.SaveDashboard(ctx, adminOf("other"), board("theirs", "{ x }")))
		mint := func(p principal.Principal, names []string, change ...func(*tenancy.TokenRequest)) (principal.Principal, error) {
			r := tenancy.TokenRequest{Tenant: "acme", Subject: "v", Dashboards: names}
			for _, c := range change {
				c(&r)
			}
			made, err := s.Mint(ctx, p, r)
			if err != nil {
				return principal.Principal{}, err
			}
			got := accepted(t, s, made.Token)
			got.Scopes = append(got.Scopes, principal.CreateTokens)
			return got, nil
		}
		some := must(mint(adminOf("acme"), []string{"a"}))
		none := must(mint(adminOf("acme"), []string{}))
		free := must(mint(adminOf("acme"), nil))
		if !slices.Equal(some.Grant.Dashboards, []string{"a"}) || none.Grant.Dashboards == nil || len(none.Grant.Dashboards) > 0 || free.Grant.Dashboards != nil {
			t.Errorf("%v, %v, %v", some.Grant.Dashboards, none.Grant.Dashboards, free.Grant.Dashboards)
		}
		looks := func(p principal.Principal) string {
			out := ""
			for _, name := range []string{"a", "b", "theirs", "gone"} {
				_, err := s.Dashboard(ctx, p, name)
				if code := "ok"; err == nil {
					out += code + " "
				} else {
					out += string(fault.From(err).Code) + " "
				}
			}
			return out + titles(must(s.Dashboards(ctx, p)))
		}
		for _, line := range []struct {
			p    principal.Principal
			want string
		}{
			{some, "ok FORBIDDEN FORBIDDEN FORBIDDEN a:false:true:1"},
			{none, "FORBIDDEN FORBIDDEN FORBIDDEN FORBIDDEN "},
			{free, "ok ok NOT_FOUND NOT_FOUND a:false:true:1 b:false:true:1"},
		} {
			if got := looks(line.p); got != line.want {
				t.Errorf("%v looks at %s, want %s", line.p.Grant.Dashboards, got, line.want)
			}
		}
		for what, err := range map[string]error{
			"another":          second(mint(some, []string{"b"})),
			"one more":         second(mint(some, []string{"a", "b"})),
			"saved ones":       second(mint(some, nil, func(r *tenancy.TokenRequest) { r.SavedOnly = true })),
			"some of none":     second(mint(none, []string{"a"})),
			"of saved queries": second(mint(savedOnly(free), []string{"a"})),
		} {
			if f := fault.From(err); f == nil || f.Code != fault.Forbidden {
				t.Errorf("%s: %v", what, err)
			}
		}
		for _, from := range []principal.Principal{some, none} { // what is left out is the minter's
			if got := must(mint(from, nil)); !slices.Equal(got.Grant.Dashboards, from.Grant.Dashboards) || got.Grant.Dashboards == nil {
				t.Errorf("%v became %v", from.Grant.Dashboards, got.Grant.Dashboards)
			}
		}
		for what, err := range map[string]error{
			"twice":      second(mint(adminOf("acme"), []string{"a", "a"})),
			"unknown":    second(mint(adminOf("acme"), []string{"gone"})),
			"another's":  second(mint(adminOf("acme"), []string{"theirs"})),
			"and saved":  second(mint(adminOf("acme"), []string{"a"}, func(r *tenancy.TokenRequest) { r.SavedOnly = true })),
			"nameless":   second(mint(adminOf("acme"), []string{""})),
			"of all too": second(mint(root(), []string{"gone"})),
		} {
			if f := fault.From(err); f == nil || f.Code != fault.BadUserInput {
				t.Errorf("%s: %v", what, err)
			}
		}
		_, err := s.SavedQuery(ctx, some, "q")
		wantCode(t, err, fault.Forbidden)
		_, _, err = s.SavedQueries(ctx, none, "", tenancy.Page{})
		wantCode(t, err, fault.Forbidden)
		key := accepted(t, s, must(s.CreateKey(ctx, adminOf("acme"), tenancy.KeyRequest{Name: "k", Tenant: "acme", Scopes: []principal.Scope{principal.ReadData}, Dashboards: []string{"b"}})).Token)
		if got := looks(key); got != "FORBIDDEN ok FORBIDDEN FORBIDDEN b:false:true:1" {
			t.Errorf("the key looks at %s", got)
		}
		tokens, _, err := s.Tokens(ctx, adminOf("acme"), tenancy.TokenFilter{Kind: tenancy.ServiceKey}, tenancy.Page{})
		if err != nil || len(tokens) != 1 || !slices.Equal(tokens[0].Dashboards, []string{"b"}) {
			t.Errorf("%+v, %v", tokens, err)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func savedOnly(p principal.Principal) principal.Principal {
	p.Grant.SavedOnly = true
	return p
}
