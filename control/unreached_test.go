package control_test

import (
	"iter"
	"strings"
	"testing"

	"usher/catalog"
	"usher/control"
	"usher/fault"
	"usher/principal"
	"usher/tenancy"
)

// While sources are silent a tenant is registered all the same, if nothing of its own leads to
// one of them: everything else of it is where everybody is, or in a source that was
// looked into. Who is refused is told which source it is for.
func TestTenantsWhileASourceIsSilent(t *testing.T) {
	t.Parallel()
	nobody := iter.Seq2[tenancy.Record, error](func(func(tenancy.Record, error) bool) {})
	spec := catalog.Spec{
		Sources: map[string]catalog.SourceSpec{
			"shop": {Kind: "postgres", Host: "h", Database: "d", User: "u"},
			"eu":   {Kind: "postgres", Host: "h", Database: "d2", User: "u", Cells: map[string]catalog.CellSpec{"eu1": {Host: "h1"}}},
			"each": {Kind: "duckdb", Path: "{tenant}.duckdb", Template: true}, "file": {Kind: "duckdb", Path: "{tenant}.file", Template: true},
			"atlas": {Kind: "duckdb", Path: "a"},
		},
		Strategies: map[string]catalog.StrategySpec{
			"all": {Kind: "shared", Source: "shop"}, "own": {Kind: "database", Source: "each"}, "filed": {Kind: "database", Source: "file"}, "celled": {Kind: "shared", Source: "eu"},
		},
		DefaultStrategy: "all",
		Datasets: map[string]catalog.DatasetSpec{
			"events": {Tenant: catalog.TenancySpec{Column: "t"}, Bind: map[string]catalog.BindingSpec{"old": {Source: "each", Table: "old_events"}}},
			"lands":  {Common: true, Source: "atlas", Columns: catalog.Ordered[catalog.ColumnSpec]{{Name: "c", Value: catalog.ColumnSpec{Type: "String"}}}},
		},
	}
	cat, problems := catalog.CompileReached(spec, catalog.Introspected{}, []string{"shop", "each", "eu"}, nil)
	if cat == nil || cat.Dataset("events") != nil {
		t.Fatal(problems)
	}
	neighbors, bad := control.Configured(cat)
	if bad != nil {
		t.Fatal(bad)
	}
	account := func(source string) principal.Routing {
		return principal.Routing{Accounts: map[string]principal.Account{source: {Database: "x"}}}
	}
	for _, c := range []struct {
		what   string
		record principal.Routing
		source string // that it waits for; empty: none
	}{
		{"nothing", principal.Routing{}, ""},
		{"a shared source by name", principal.Routing{Strategy: "all"}, ""},
		{"a template that is silent", principal.Routing{Strategy: "own"}, "each"},
		{"the same for a dataset", principal.Routing{Strategies: map[string]string{"events": "own"}}, "each"},
		{"the same, but not for any dataset", principal.Routing{Strategy: "own", Strategies: map[string]string{"events": "all"}}, ""},
		{"a template that was looked into", principal.Routing{Strategy: "filed"}, ""},
		{"a binding", principal.Routing{Bindings: map[string]string{"events": "old"}}, "each"},
		{"a cell of a silent source", principal.Routing{Strategy: "celled", Cell: "eu1"}, "eu"},
		{"a cell of it, and it is not read", principal.Routing{Cell: "eu1"}, ""},
		{"no cell of it", principal.Routing{Strategy: "celled"}, ""},
		{"an account of a silent source", account("shop"), "shop"},
		{"an account where nothing is left out", account("atlas"), ""},
		{"an account where something is left out", account("file"), "a source of this"},
	} {
		err := neighbors.CheckDisjoint(principal.Principal{Tenant: "t4", TenantKey: "k4", Routing: c.record}, nobody)
		f := fault.From(err)
		switch {
		case c.source == "" && err != nil:
			t.Errorf("%s: %v", c.what, err)
		case c.source != "" && (f == nil || f.Code != fault.Unavailable || f.RetryAfter == 0 || f.Hint == "" || !strings.Contains(f.Message, c.source)):
			t.Errorf("%s: %v", c.what, err)
		}
	}
	token := principal.Principal{Tenant: "t4", TenantKey: "k4", Subject: "s", Grant: principal.Grant{Accounts: account("each").Accounts}}
	if f := fault.From(neighbors.CheckAccounts(token, 0)); f == nil || f.Code != fault.Unavailable || !strings.Contains(f.Message, "each") {
		t.Errorf("a token's account: %v", f)
	}
	token.Grant.Accounts, token.Routing = account("atlas").Accounts, account("each")
	if err := neighbors.CheckAccounts(token, 0); err != nil {
		t.Errorf("a token's account elsewhere: %v", err)
	}
}
