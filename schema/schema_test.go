package schema_test

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	"usher/catalog"
	"usher/principal"
	"usher/query"
	"usher/schema"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func build(tb testing.TB, b *schema.Builder, cat *catalog.Catalog, allTenants bool, roles ...string) *schema.Schema {
	tb.Helper()
	view, err := cat.View(principal.Principal{AllTenants: allTenants, Roles: roles})
	if err != nil {
		tb.Fatal(err)
	}
	s, err := b.Build(view, schema.Holder|schema.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func builder(tb testing.TB) *schema.Builder {
	tb.Helper()
	b, err := schema.NewBuilder()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func reload(tb testing.TB, text string) {
	tb.Helper()
	if _, err := validator.LoadSchema(validator.Prelude, &ast.Source{Name: "printed", Input: text}); err != nil {
		tb.Errorf("the printed schema is refused: %v", err)
	}
}

func TestSchemas(t *testing.T) {
	t.Parallel()
	open, ruled := compile(t, shop(), nil), compile(t, shop(), clerks())
	for _, c := range []struct {
		name       string
		cat        *catalog.Catalog
		allTenants bool
		roles      []string
	}{
		{"tenant", open, false, nil},
		{"operator", open, true, nil},
		{"clerk", ruled, false, []string{"clerk"}},
		{"buyer", ruled, false, []string{"buyer"}},
		{"nobody", ruled, false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := build(t, builder(t), c.cat, c.allTenants, c.roles...).SDL()
			reload(t, got)
			path := filepath.Join("testdata", c.name+".graphql")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("the schema differs from %s (-want +got); if that is meant, run the test with -update\n%s", path, diff)
			}
		})
	}
}

func TestRootsSayWhatIsAsked(t *testing.T) {
	t.Parallel()
	s := build(t, builder(t), compile(t, shop(), clerks()), false, "clerk")
	want := map[string]schema.Root{
		"orders":           {Dataset: "orders", Shape: query.Many},
		"ordersByPk":       {Dataset: "orders", Shape: query.ByKey},
		"ordersConnection": {Dataset: "orders", Shape: query.Connection},
		"ordersAggregate":  {Dataset: "orders", Shape: query.Groups},
	}
	if diff := cmp.Diff(want, s.Roots); diff != "" {
		t.Errorf("roots (-want +got):\n%s", diff)
	}
	for name := range s.Roots {
		if s.AST.Query.Fields.ForName(name) == nil {
			t.Errorf("the root %s is no field of the query type", name)
		}
	}
}

// What a role hides must be nowhere in its schema.
func TestHiddenNamesAreNowhere(t *testing.T) {
	t.Parallel()
	cat := compile(t, shop(), clerks())
	text := build(t, builder(t), cat, false, "clerk").SDL()
	for _, hidden := range []string{"secret", "Secret", "tenant_id", "customers", "Customers", "items", "Items", "status", "Status", "LOST", "blobs"} {
		if strings.Contains(text, hidden) {
			t.Errorf("a clerk's schema holds %q", hidden)
		}
	}
	if !strings.Contains(text, "revenue") {
		t.Error("a clerk's schema lacks the measure revenue, whose columns are visible")
	}
}

func TestViewsShareTypesOfEqualRights(t *testing.T) {
	t.Parallel()
	b, cat := builder(t), compile(t, shop(), clerks())
	clerk, all := build(t, b, cat, false, "clerk"), build(t, b, cat, false, "all")
	both := build(t, b, cat, false, "clerk", "all")
	if all.AST.Types["Orders"] != both.AST.Types["Orders"] {
		t.Error("equal rights on orders made two types")
	}
	if all.AST.Types["Orders"] == clerk.AST.Types["Orders"] {
		t.Error("different rights on orders share one type")
	}
	if clerk.AST.Types["DecimalWhere"] != all.AST.Types["DecimalWhere"] {
		t.Error("DecimalWhere is not shared")
	}
}

// A later view must not change an earlier one.
func TestBuildLeavesOtherSchemasAlone(t *testing.T) {
	t.Parallel()
	b, cat := builder(t), compile(t, shop(), clerks())
	clerk := build(t, b, cat, false, "clerk")
	before := clerk.SDL()
	build(t, b, cat, true, "all")
	if diff := cmp.Diff(before, clerk.SDL()); diff != "" {
		t.Errorf("the schema changed:\n%s", diff)
	}
}

func TestNamesMadeTwiceAreRefused(t *testing.T) {
	t.Parallel()
	cat := compile(t, map[string]catalog.DatasetSpec{
		"things": {Common: true, Source: "main", Type: "BigIntWhere", Columns: columns("id", "Int"), Bind: bound("things")},
		"others": {Common: true, Source: "main", Type: "StringWhere", Columns: columns("name", "String"), Bind: bound("others")},
	}, nil)
	view, err := cat.View(principal.Principal{AllTenants: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = builder(t).Build(view, schema.Holder|schema.Reader)
	if err == nil {
		t.Fatal("a dataset of type BigIntWhere and one of type StringWhere were accepted")
	}
	for _, want := range []string{`"BigIntWhere"`, `"StringWhere"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
}

func TestWideCatalogIsValid(t *testing.T) {
	t.Parallel()
	reload(t, build(t, builder(t), compile(t, wide(30), nil), false).SDL())
}

// BenchmarkBuild tells what a first view of 1000 datasets of 30 columns costs,
// and what every further one does.
func BenchmarkBuild(b *testing.B) {
	cat := compile(b, wide(1000), nil)
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			build(b, builder(b), cat, false)
		}
	})
	b.Run("further", func(b *testing.B) {
		b.ReportAllocs()
		shared := builder(b)
		build(b, shared, cat, false)
		view, err := cat.View(principal.Principal{})
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := shared.Build(view, schema.Holder|schema.Reader); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("retained", func(b *testing.B) {
		view, err := cat.View(principal.Principal{})
		if err != nil {
			b.Fatal(err)
		}
		const further = 20
		for b.Loop() {
			shared := builder(b)
			views := make([]*schema.Schema, further+1)
			empty := heap()
			for i := range views {
				if i == 1 {
					b.ReportMetric(float64(heap()-empty), "first-bytes")
					empty = heap()
				}
				if views[i], err = shared.Build(view, schema.Holder|schema.Reader); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(heap()-empty)/further, "further-bytes")
			runtime.KeepAlive(views)
			runtime.KeepAlive(shared)
		}
	})
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
