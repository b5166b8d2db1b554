package catalog_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"usher/catalog"
	"usher/config"
	"usher/query"
	"usher/value"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestCompile runs testdata/*.txtar: usher.yml, tables (what introspection
// found, may be absent) and want: the problems, or else notes and catalog.
func TestCompile(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			section := func(name string) *txtar.File {
				for i := range archive.Files {
					if archive.Files[i].Name == name {
						return &archive.Files[i]
					}
				}
				archive.Files = append(archive.Files, txtar.File{Name: name})
				return &archive.Files[len(archive.Files)-1]
			}
			env := map[string]string{"PASSWORD": "pw-of-the-test, which is long enough", "DSN": dsnOf(archive.Comment)}
			cfg, err := config.Parse("usher.yml", section("usher.yml").Data, func(name string) (string, bool) {
				text, ok := env[name]
				return text, ok
			})
			if err != nil {
				t.Fatal(err)
			}
			var tables catalog.Introspected
			if text := section("tables").Data; len(text) > 0 {
				tables = parseTables(t, string(text))
			}
			got := outcome(t, cfg, tables)
			if strings.Contains(got, "pw-of") {
				t.Error("a secret is shown")
			}
			want := section("want")
			if *update {
				want.Data = []byte(got)
				archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return len(f.Data) == 0 })
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(want.Data), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// dsnOf is the data source name in a case's comment, after "DSN: ".
func dsnOf(comment []byte) string {
	_, rest, _ := strings.Cut(string(comment), "DSN: ")
	line, _, _ := strings.Cut(rest, "\n")
	return line
}

func outcome(t *testing.T, cfg *config.Config, tables catalog.Introspected) string {
	t.Helper()
	c, problems := catalog.Compile(cfg.Spec, tables)
	if refused := catalog.Refused(problems); refused != (c == nil) {
		t.Fatalf("refused is %t, and the catalog is %v", refused, c)
	}
	if err := cfg.Locate(problems); err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	for _, note := range cfg.Notes(problems) {
		fmt.Fprintln(&b, "note", note)
	}
	dump(&b, c)
	return b.String()
}

func dump(b *strings.Builder, c *catalog.Catalog) {
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		s := c.Sources[name]
		fmt.Fprintf(b, "source %s %s template=%t timeout=%s\n", name, s.Kind, s.Template, s.Timeout)
		switch s.Kind {
		case catalog.Postgres:
			p := s.Postgres
			fmt.Fprintf(b, "  %s:%d/%s as %s, password %d bytes, schema %s, sslmode %s, root_cert %q, %d connections\n",
				p.Host, p.Port, p.Database, p.User, len(p.Password), p.Schema, p.SSLMode, p.RootCert, p.MaxConns)
			if p.Pooler != catalog.NoPooler {
				fmt.Fprintf(b, "  behind a pooler of %ss\n", p.Pooler)
			}
		case catalog.DuckDB:
			fmt.Fprintf(b, "  %s %v\n", s.DuckDB.Path, s.DuckDB.Files)
		case catalog.API:
			api := s.API
			api.OAuth2.ClientSecret = fmt.Sprintf("%d bytes", len(api.OAuth2.ClientSecret))
			fmt.Fprintf(b, "  %+v\n", api)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Strategies)) {
		fmt.Fprintf(b, "strategy %s %s %s default=%t\n", name, c.Strategies[name].Kind, c.Strategies[name].Source, name == c.DefaultStrategy)
	}
	for _, d := range c.Datasets {
		fmt.Fprintf(b, "dataset %s type=%s common=%t source=%q limit=%d/%d", d.Name, d.Type, d.Common, d.Source, d.Limit, d.MaxLimit)
		if d.Tenant != nil {
			fmt.Fprintf(b, " tenant=%s", d.Tenant.Name)
		}
		if d.Parent != nil {
			fmt.Fprintf(b, " through=%s of %s.%s", d.Parent.Name, d.Ancestor().Name, d.Ancestor().Tenant.Name)
		}
		fmt.Fprintf(b, " key=%v\n", names(d.Key))
		for _, col := range d.Columns {
			fmt.Fprintf(b, "  column %s %s%s", col.Name, typeText(col.Type, col.Nullable), onlyText(col.Only))
			if col.Extra {
				fmt.Fprint(b, " extra")
			}
			fmt.Fprintln(b)
		}
		for _, rel := range d.Relations {
			fmt.Fprintf(b, "  relation %s to %s many=%t on", rel.Name, rel.To.Name, rel.Many)
			for _, p := range rel.On {
				fmt.Fprintf(b, " %s=%s", p.From.Name, p.To.Name)
			}
			if rel.OnDelete != catalog.LeaveToSource {
				fmt.Fprintf(b, " on delete %s", rel.OnDelete)
			}
			fmt.Fprintln(b, onlyText(rel.Only))
		}
		for _, m := range d.Measures {
			fmt.Fprintf(b, "  measure %s %s = %s%s\n", m.Name, typeText(m.Type, true), exprText(m.Expr), onlyText(m.Only))
		}
		writes(b, d)
		if d.Filter != nil {
			fmt.Fprintf(b, "  filter %s\n", queryText(d.Filter))
		}
		for _, source := range slices.Sorted(maps.Keys(d.Bindings)) {
			binding(b, d, source, d.Bindings[source])
		}
		for _, tenant := range slices.Sorted(maps.Keys(d.Own)) {
			binding(b, d, d.Own[tenant].Source+" of "+tenant, &d.Own[tenant].Binding)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Parameters)) {
		p := c.Parameters[name]
		fmt.Fprintf(b, "parameter %s %s required=%t default=%s\n", name, p.Type.GraphQL(), p.Required, queryText(p.Default))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Roles)) {
		for _, dataset := range slices.Sorted(maps.Keys(c.Roles[name].Datasets)) {
			r := c.Roles[name].Datasets[dataset]
			fmt.Fprintf(b, "role %s %s columns=%v aggregate=%t limit=%d filter=%s\n",
				name, dataset, slices.Sorted(maps.Keys(r.Columns)), r.Aggregate, r.Limit, queryText(r.Filter))
			grants(b, r)
		}
	}
}

func binding(b *strings.Builder, d *catalog.Dataset, source string, bind *catalog.Binding) {
	fmt.Fprintf(b, "  in %s schema=%q table=%q path=%q rows=%q\n", source, bind.Schema, bind.Table, bind.Path, bind.Rows)
	for _, col := range d.Columns {
		stored := bind.Columns[col.Name]
		if stored != (catalog.Stored{Name: col.Name}) {
			stored.Filled = false // as the column tells
			b.WriteString(strings.NewReplacer(" Form:0", "", " Filled:false", "", " Default:0", "", " Spread:<nil>", "").Replace(fmt.Sprintf("    %s %+v\n", col.Name, stored)))
		}
	}
}

func onlyText(only catalog.Only) string {
	if only == nil {
		return ""
	}
	return fmt.Sprint(" only=", []string(only))
}

func names(cols []*catalog.Column) []string {
	var out []string
	for _, col := range cols {
		out = append(out, col.Name)
	}
	return out
}

func typeText(t value.Type, nullable bool) string {
	text := t.GraphQL()
	if t.Scalar == value.Decimal {
		text += fmt.Sprintf("(%d,%d)", t.Precision, t.Scale)
	}
	if t.Scalar == value.Enum {
		text += fmt.Sprint(t.Labels)
	}
	if !nullable {
		text += "!"
	}
	return text
}

func exprText(e *catalog.Expr) string {
	filter := ""
	if e.Filter != nil {
		filter = " where " + queryText(e.Filter)
	}
	args := make([]string, len(e.Args))
	for i, arg := range e.Args {
		args[i] = exprText(arg)
	}
	switch e.Op {
	case catalog.ExprColumn:
		return strings.Join(append(slices.Clone(e.Path), e.Column), ".")
	case catalog.ExprNumber:
		return e.Number.Text()
	case catalog.ExprCount:
		return "count()" + filter
	case catalog.ExprAgg:
		if len(args) > 1 {
			filter += " with " + args[1]
		}
		return fmt.Sprintf("%s(%s%s)", e.Func, args[0], filter)
	case catalog.ExprNeg:
		return "-" + args[0]
	case catalog.ExprAdd, catalog.ExprSub, catalog.ExprMul, catalog.ExprDiv:
		symbol := map[catalog.ExprOp]string{
			catalog.ExprAdd: "+", catalog.ExprSub: "-", catalog.ExprMul: "*", catalog.ExprDiv: "/",
		}[e.Op]
		return fmt.Sprintf("(%s %s %s)", args[0], symbol, args[1])
	}
	return "?"
}

func queryText(v query.Value) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case query.Null:
		return "null"
	case query.List:
		var items []string
		for _, item := range v {
			items = append(items, queryText(item))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case query.Object:
		var items []string
		for _, m := range v {
			items = append(items, m.Name+": "+queryText(m.Value))
		}
		return "{" + strings.Join(items, ", ") + "}"
	case query.Text:
		return fmt.Sprintf("%q", string(v))
	}
	return fmt.Sprint(v)
}

// parseTables reads what introspection found: a line "source schema.table",
// then indented columns "name|type|native|words" and keys.
func parseTables(t *testing.T, text string) catalog.Introspected {
	t.Helper()
	out := make(catalog.Introspected)
	var source, key string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		rest, indented := strings.CutPrefix(line, "  ")
		if !indented {
			words := strings.Fields(line)
			source, key = words[0], ""
			if out[source] == nil {
				out[source] = make(map[string]catalog.Table)
			}
			if len(words) > 1 {
				key = words[1]
				schema, name, _ := strings.Cut(key, ".")
				out[source][key] = catalog.Table{Schema: schema, Name: name, View: slices.Contains(words, "view")}
			}
			continue
		}
		table := out[source][key]
		word, list, _ := strings.Cut(rest, " ")
		switch word {
		case "primary":
			table.PrimaryKey = strings.Fields(list)
		case "index":
			table.Indexes = append(table.Indexes, strings.Fields(list))
		case "unique":
			table.Unique = append(table.Unique, strings.Fields(list))
		case "collides", "referrer", "triggers", "rules", "kind":
			writing(t, &table, word, strings.Fields(list))
		case "foreign":
			from, to, _ := strings.Cut(list, " -> ")
			target := strings.Fields(to)
			schema, name, _ := strings.Cut(target[0], ".")
			table.ForeignKeys = append(table.ForeignKeys, catalog.ForeignKey{
				Columns: strings.Fields(from), RefSchema: schema, RefTable: name, RefColumns: target[1:],
			})
		default:
			table.Columns = append(table.Columns, parseColumn(t, rest))
		}
		out[source][key] = table
	}
	return out
}

func parseColumn(t *testing.T, text string) catalog.TableColumn {
	t.Helper()
	parts := strings.Split(text, "|")
	if len(parts) < 3 {
		t.Fatalf("column %q", text)
	}
	name, native := parts[0], parts[2]
	typ, required := strings.CutSuffix(parts[1], "!")
	tc := catalog.TableColumn{Name: name, Native: native, Nullable: !required, ByCode: true, Supported: true}
	if len(parts) > 3 {
		words := strings.Fields(parts[3])
		if slices.Contains(words, "merges") {
			tc.Form = value.Collated
		}
		if slices.Contains(words, "printed") {
			tc.Form = value.Printed
		}
		tc.ByCode = !slices.Contains(words, "collated")
		tc.InOrder = slices.Contains(words, "inorder")
		made(&tc, words)
		if slices.Contains(words, "commented") {
			tc.Comment = "A comment of the database."
		}
	}
	typ, list := strings.CutPrefix(typ, "[")
	typ = strings.TrimSuffix(typ, "]")
	scalar, ok := value.ScalarByName(typ)
	var precision, scale int
	switch {
	case ok:
		tc.Type = value.Of(scalar)
	case strings.HasPrefix(typ, "Decimal("):
		if _, err := fmt.Sscanf(typ, "Decimal(%d,%d)", &precision, &scale); err != nil {
			t.Fatal(err)
		}
		tc.Type = value.DecimalOf(precision, scale)
	case strings.HasPrefix(typ, "Enum "):
		words := strings.Fields(typ)
		tc.Type = value.Type{Scalar: value.Enum, EnumName: words[1], Labels: words[2:]}
	default:
		tc.Supported = false
	}
	tc.Type.List = list
	if strings.HasPrefix(native, "character(") {
		tc.Form = value.Padded
	}
	if native == "citext" {
		tc.Form, tc.Type.Folded = value.Folded, true
	}
	return tc
}
