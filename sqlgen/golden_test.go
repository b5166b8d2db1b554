package sqlgen_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"usher/plan"
	"usher/plan/plantest"
	"usher/sqlgen"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden renders the queries of testdata/*.txtar, once for each rule. A
// section "grant" is what the principal's token holds beside its tenant, up to
// the next; "fetch" in the place of "query" asks for what is fetched of each
// reference, and for the same level over what was fetched; "together" for the
// one statement of a tree; "tiles" for that of several queries, a line each,
// that read the same rows. Every literal of
// text there is "it's", which must not be seen in SQL.
func TestGolden(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/catalog.yml")
	if err != nil {
		t.Fatal(err)
	}
	cat := plantest.Catalog(t, string(text), nil)
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		grant := ""
		out := &txtar.Archive{Comment: archive.Comment}
		for i, f := range archive.Files {
			if f.Name == "want" {
				continue
			}
			out.Files = append(out.Files, f)
			if f.Name == "grant" {
				grant = ", " + strings.TrimSpace(string(f.Data))
				continue
			}
			var got strings.Builder
			for _, e := range []struct {
				name    string
				dialect sqlgen.Dialect
			}{{"pg", sqlgen.Postgres}, {"duck", sqlgen.DuckDB}} {
				build := func(text string) plan.Query {
					q, err := plan.Build(plantest.Request(t, text), cat, plantest.Principal(t, `tenant: "acme", strategy: "`+e.name+`"`+grant), now)
					if err != nil {
						t.Fatalf("%s: %s: %v", file, text, err)
					}
					return q
				}
				if f.Name == "tiles" {
					var queries []plan.Query
					for line := range strings.Lines(string(f.Data)) {
						queries = append(queries, build(line))
					}
					for _, tiles := range plan.SharedScans(queries) {
						s, err := sqlgen.SharedScan(tiles, e.dialect)
						script(t, &got, e.name, s, err)
					}
					continue
				}
				q := build(string(f.Data))
				if f.Name == "together" {
					s, err := sqlgen.Together(q.Root(), e.dialect)
					script(t, &got, e.name, s, err)
					continue
				}
				if f.Name == "query" {
					render(t, &got, e.name, q.Root(), e.dialect)
					continue
				}
				for i, fetch := range q.Fetches(q.Root(), 7) {
					render(t, &got, fmt.Sprintf("%s fetch t%d into %s", e.name, i, fetch.Table()), fetch.Query().Root(), e.dialect)
				}
				if e.dialect == sqlgen.DuckDB {
					render(t, &got, "over what was fetched", q.Root().OnScratch(7), e.dialect)
				}
			}
			want := ""
			if i+1 < len(archive.Files) && archive.Files[i+1].Name == "want" {
				want = string(archive.Files[i+1].Data)
			}
			if diff := cmp.Diff(want, got.String()); diff != "" && !*update {
				t.Errorf("%s: %s-want +got:\n%s", file, f.Data, diff)
			}
			out.Files = append(out.Files, txtar.File{Name: "want", Data: []byte(got.String())})
		}
		if *update {
			if err := os.WriteFile(file, txtar.Format(out), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// render writes the statements of a level and of those nested in it.
func render(t *testing.T, b *strings.Builder, name string, l plan.Level, d sqlgen.Dialect) {
	t.Helper()
	s, err := sqlgen.Render(l, d)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(s.Text, "it's") || strings.Contains(s.Text, "Madrid") {
		t.Errorf("a value stands in the SQL: %s", s.Text)
	}
	if again, _ := sqlgen.Render(l, d); again.Text != s.Text {
		t.Errorf("a second statement differs:\n%s\n%s", s.Text, again.Text)
	}
	fmt.Fprintf(b, "%s:\n  %s\n", name, s.Text)
	if s.Parents > 0 {
		fmt.Fprintf(b, "  after %d lists of the parents' keys\n", s.Parents)
	}
	for i, arg := range s.Args.Bind(nil) {
		fmt.Fprintf(b, "  $%d %q\n", s.Parents+i+1, arg)
	}
	for i := range l.Children() {
		render(t, b, fmt.Sprintf("%s level %d", name, i), l.Child(i), d)
	}
	if total, ok := l.Total(); ok {
		render(t, b, name+" total", total, d)
	}
}

func script(t *testing.T, b *strings.Builder, name string, s sqlgen.Script, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(s.Text, "it's") || strings.Contains(s.Text, "Madrid") {
		t.Errorf("a value stands in the SQL: %s", s.Text)
	}
	fmt.Fprintf(b, "%s:\n  %s\n", name, s.Text)
	for i, arg := range s.Args.Bind(nil) {
		fmt.Fprintf(b, "  $%d %q\n", i+1, arg)
	}
	for i, p := range s.Parts {
		fmt.Fprintf(b, "  part %d below %d: cells %d\n", i, p.Parent, p.Cells)
	}
}

// TestKeys reads the keys that are already there.
func TestKeys(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/catalog.yml")
	if err != nil {
		t.Fatal(err)
	}
	q, err := plan.Build(plantest.Request(t, "orders { customer { name } }"), plantest.Catalog(t, string(text), nil), plantest.Principal(t, `tenant: "acme"`), now)
	if err != nil {
		t.Fatal(err)
	}
	_, column, ok := q.Fetches(q.Root(), 0)[1].Join()
	s := sqlgen.Keys("l0_r0", column, 5, sqlgen.DuckDB)
	if want := `SELECT DISTINCT CAST("customer_id" AS BIGINT) FROM "l0_r0" WHERE "customer_id" IS NOT NULL LIMIT 5`; !ok || s.Text != want || s.Args.Len() != 0 {
		t.Errorf("got %s, want %s", s.Text, want)
	}
}
