package equivalence

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"usher/config"
	"usher/graph"
	"usher/pgtest"
	"usher/principal"
	"usher/resolvers"
	"usher/schema"
	"usher/test/program"
)

// planned plans each mutation for itself: nothing of it is kept for the next.
type planned struct{ *resolvers.Datasets }

// Change implements graph.DatasetResolver.
func (p planned) Change(ctx context.Context, asked graph.AskedChanges) []graph.Outcome {
	asked.Inputs = nil
	return p.Datasets.Change(ctx, asked)
}

// asker gives variables to a mutation, and values to variables.
type asker struct {
	writer
	schema *ast.Schema
}

// given is a mutation some of whose values are variables.
type given struct {
	text      string
	variables []*ast.VariableDefinition
	first     map[string]*ast.Value // what stood in their places
}

// variables puts variables in the places of some values of a mutation, whole rows and lists among them. Some
// are used twice, and some have a default.
func (a asker) variables(text string) given {
	doc, errs := gqlparser.LoadQueryWithRules(a.schema, text, rules.NewDefaultRules())
	if len(errs) > 0 {
		return given{text: text}
	}
	out, op := given{first: make(map[string]*ast.Value)}, doc.Operations[0]
	var lift func(v *ast.Value)
	lift = func(v *ast.Value) {
		if v.ExpectedType == nil || v.Kind == ast.Variable {
			return
		}
		if a.IntN(3) > 0 {
			for _, child := range v.Children {
				lift(child.Value)
			}
			return
		}
		first := *v
		typ := *v.ExpectedType
		for _, known := range op.VariableDefinitions {
			if known.Type.String() == typ.String() && a.IntN(4) == 0 {
				*v = ast.Value{Kind: ast.Variable, Raw: known.Variable, Position: v.Position}
				return
			}
		}
		def := &ast.VariableDefinition{Variable: fmt.Sprintf("v%d", len(op.VariableDefinitions)), Type: &typ, Position: v.Position}
		if a.IntN(4) == 0 {
			def.DefaultValue, typ.NonNull = &first, typ.NonNull && a.IntN(2) == 0
		}
		op.VariableDefinitions, out.first[def.Variable] = append(op.VariableDefinitions, def), &first
		*v = ast.Value{Kind: ast.Variable, Raw: def.Variable, Position: v.Position}
	}
	var walk func(ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, s := range set {
			if f, ok := s.(*ast.Field); ok {
				for _, arg := range f.Arguments {
					lift(arg.Value)
				}
				walk(f.SelectionSet)
			}
		}
	}
	walk(op.SelectionSet)
	var b strings.Builder
	formatter.NewFormatter(&b, formatter.WithIndent(" ")).FormatQueryDocument(doc)
	out.text, out.variables = b.String(), op.VariableDefinitions
	return out
}

// values gives each variable a value, or none: those that stood in the mutation, and others.
func (a asker) values(g given, other bool) map[string]any {
	out := make(map[string]any)
	for _, v := range g.variables {
		value := a.like(g.first[v.Variable], v.Type, other)
		if other && a.IntN(16) == 0 {
			value = nil
		}
		if !other || a.IntN(16) > 0 {
			out[v.Variable] = value
		}
	}
	return out
}

// like is a value with the shape of one, or nearly.
func (a asker) like(v *ast.Value, t *ast.Type, other bool) any {
	if other && a.IntN(12) == 0 {
		return a.any(t, 2)
	}
	switch {
	case v.Kind == ast.NullValue:
		return nil
	case v.Kind == ast.ListValue && t.Elem != nil:
		out := make([]any, 0, len(v.Children))
		for _, child := range v.Children {
			if other && a.IntN(6) == 0 {
				continue
			}
			out = append(out, a.like(child.Value, t.Elem, other))
		}
		return out
	case t.Elem != nil:
		return a.like(v, t.Elem, other)
	}
	def := a.schema.Types[t.NamedType]
	if v.Kind == ast.ObjectValue && def.Kind == ast.InputObject {
		out := make(map[string]any)
		for _, child := range v.Children {
			field := def.Fields.ForName(child.Name)
			switch {
			case other && a.IntN(12) == 0: // it is left out
			case other && a.IntN(16) == 0:
				out[child.Name] = nil
			default:
				out[child.Name] = a.like(child.Value, field.Type, other)
			}
		}
		if other && a.IntN(6) == 0 {
			more := def.Fields[a.IntN(len(def.Fields))]
			out[more.Name] = a.any(more.Type, 1)
		}
		return out
	}
	if other && a.IntN(3) == 0 {
		return a.any(t, 1)
	}
	return literal(v)
}

// literal is a value of a document as JSON.
func literal(v *ast.Value) any {
	switch v.Kind { //nolint:exhaustive // all others are texts
	case ast.NullValue:
		return nil
	case ast.BooleanValue:
		return v.Raw == "true"
	case ast.IntValue, ast.FloatValue:
		return json.Number(v.Raw)
	case ast.ListValue:
		out := []any{}
		for _, child := range v.Children {
			out = append(out, literal(child.Value))
		}
		return out
	case ast.ObjectValue:
		out := make(map[string]any)
		for _, child := range v.Children {
			out[child.Name] = literal(child.Value)
		}
		return out
	}
	return v.Raw
}

// plain are values of scalars that fit.
var plain = map[string][]any{
	"BigInt": {json.Number("12"), "-7"}, "Float": {json.Number("0.5"), json.Number("-2e3")}, "Decimal": {json.Number("2.50"), "3"}, "String": {"Ann", "Bob", "c1", "c5"},
	"Date": {"2026-11-29"}, "Timestamp": {"2026-01-01T00:00:00Z"}, "Time": {"12:30:00"}, "UUID": {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}, "JSON": {map[string]any{"a": true}},
}

// edges are values of scalars as JSON has them, at their edges and beyond.
var edges = map[string][]any{
	"Int":       {json.Number("0"), json.Number("-1"), json.Number("2147483647"), json.Number("2147483648"), json.Number("2.0"), "3", true},
	"BigInt":    {json.Number("0"), json.Number("9223372036854775807"), "9223372036854775808", "-9223372036854775808", "07", "x", json.Number("1.5"), ""},
	"Float":     {json.Number("-0.0"), json.Number("1e308"), json.Number("1e309"), json.Number("0.1"), "1.5", "NaN"},
	"Decimal":   {json.Number("2.50"), "2.5", json.Number("999.999"), json.Number("-0"), "1e2", "NaN", json.Number("123456789"), ""},
	"String":    {"", "a", "ü☃", "a name that is long", `"\{},`, "NULL", "hidden", "\u0000", json.Number("1"), "c1", "c2"},
	"Boolean":   {true, false, "true", json.Number("0")},
	"Date":      {"2024-02-29", "2026-02-29", "0001-01-01", "9999-12-31", "infinity", "", json.Number("2026")},
	"Timestamp": {"2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123456789+14:00", "2026-01-01", "2016-12-31T23:59:60Z", "0001-01-01T00:00:00Z", "now"},
	"Time":      {"00:00:00", "23:59:59.999999", "24:00:00", "12:00", "noon"},
	"UUID":      {"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc999c0b4ef8bb6d6bb9bd380a11", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "x"},
	"JSON":      {nil, "text", json.Number("1e400"), []any{}, map[string]any{"a": nil, "b": []any{json.Number("1"), nil}}, "\u0000", false},
}

// any is a value of a type, or nearly.
func (a asker) any(t *ast.Type, depth int) any {
	switch {
	case !t.NonNull && a.IntN(6) == 0:
		return nil
	case t.Elem != nil && a.IntN(4) > 0:
		out := []any{}
		for range a.IntN(3) {
			out = append(out, a.any(t.Elem, depth))
		}
		return out
	case t.Elem != nil:
		return a.any(t.Elem, depth)
	}
	def := a.schema.Types[t.NamedType]
	switch {
	case def.Kind == ast.Enum && a.IntN(8) > 0:
		return def.EnumValues[a.IntN(len(def.EnumValues))].Name
	case def.Kind == ast.InputObject:
		out := make(map[string]any)
		for _, f := range def.Fields {
			if f.Type.NonNull || depth > 0 && a.IntN(len(def.Fields)) < 2 {
				out[f.Name] = a.any(f.Type, depth-1)
			}
		}
		return out
	case def.Name == "Int" && a.IntN(8) > 0:
		return json.Number(a.id())
	}
	if of := plain[def.Name]; len(of) > 0 && a.IntN(3) > 0 {
		return of[a.IntN(len(of))]
	}
	if of := edges[def.Name]; len(of) > 0 {
		return of[a.IntN(len(of))]
	}
	return a.pick("x", "open", "")
}

// TestPreparedWritesAreTheSame makes random mutations with variables, each several times with other
// values and by other tenants: prepared for those who asked before, over tables that are shared and over tables
// of one tenant, and planned for each. Answers are the same, and so are the tables afterwards.
func TestPreparedWritesAreTheSame(t *testing.T) {
	t.Parallel()
	tables := func(tenant bool) pgtest.DB {
		db := pgtest.Start(t).Database(t)
		db.Exec(t, writtenTables(tenant))
		if tenant {
			db.Exec(t, `
INSERT INTO customers (tenant, id, name, code, version) SELECT t, n, 'of ' || t, 'c' || n, 1 FROM unnest(ARRAY['bistro', 'cantina']) t, generate_series(1, 9) n;
INSERT INTO orders (tenant, id, customer_id, note) SELECT t, n, n, 'of ' || t FROM unnest(ARRAY['bistro', 'cantina']) t, generate_series(1, 9) n`)
		}
		return db
	}
	open := func(db, own pgtest.DB, by func(*resolvers.Datasets) graph.DatasetResolver) *gateway {
		more, bind := "", ""
		if own.Name != "" {
			more = fmt.Sprintf("  own: {kind: postgres, host: 127.0.0.1, port: %d, database: %q, user: %q, password: {env: PG}, sslmode: disable}", own.Port, own.Name, own.User)
			bind = "tenants: {acme: {bind: {customers: {source: own, table: customers, columns: {tenant: ~}}, orders: {source: own, table: orders, columns: {tenant: ~}}, lines: {source: own, table: lines, columns: {tenant: ~}}, notes: {source: own, table: notes, columns: {tenant: ~}}}}}"
		}
		cfg, err := config.Parse("usher.yml", fmt.Appendf(nil, writtenConfig, db.Name, db.User, db.Port, more, bind), func(string) (string, bool) { return db.Password, true })
		if err != nil {
			t.Fatal(err)
		}
		return newGatewayBy(t, cfg.Spec, by)
	}
	shared, sharedAnew, own, ownRest := tables(true), tables(true), tables(false), tables(true)
	together, apart := open(shared, pgtest.DB{}, prepare), open(ownRest, own, prepare)
	anew := open(sharedAnew, pgtest.DB{}, func(d *resolvers.Datasets) graph.DatasetResolver { return planned{d} })
	rows, anewRows, ownRows, restRows := shared.Open(t), sharedAnew.Open(t), own.Open(t), ownRest.Open(t)
	others := tablesOf(t, rows, false)
	newAsker(t, anew, 3).alike(t, 250, []*gateway{anew, together, apart}, func(after string) {
		if want, got, inOwn := tablesOf(t, anewRows, true), tablesOf(t, rows, true), tablesOf(t, ownRows, true); got != want || inOwn != want {
			t.Fatalf("after %s\nplanned:          %s\nprepared:         %s\nprepared for own: %s", after, want, got, inOwn)
		}
		if want, got, inRest := tablesOf(t, anewRows, false), tablesOf(t, rows, false), tablesOf(t, restRows, false); got != want || inRest != want {
			t.Fatalf("after %s\nplanned:     %s\nprepared:    %s\nbeside own: %s", after, want, got, inRest)
		}
	})
	if others == tablesOf(t, rows, false) {
		t.Error("another tenant has written nothing")
	}
}

// TestPreparedWritesAreTheSameInFiles is the same of files of DuckDB.
func TestPreparedWritesAreTheSameInFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func(name string, by func(*resolvers.Datasets) graph.DatasetResolver) *gateway {
		program.MakeDuckDB(t, filepath.Join(dir, name+".duckdb"), strings.NewReplacer("numeric(8,2)", "DECIMAL(8,2)", "jsonb", "JSON").Replace(unbound.Replace(writtenTables(true))))
		text := regexp.MustCompile(`shop: {kind: postgres.*`).ReplaceAllString(fmt.Sprintf(writtenConfig, "", "", 1, "", ""), "shop: {kind: duckdb, path: "+name+".duckdb}")
		cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(text), func(string) (string, bool) { return "", true })
		if err != nil {
			t.Fatal(err)
		}
		return newGatewayBy(t, cfg.Spec, by)
	}
	together, anew := open("prepared", prepare), open("planned", func(d *resolvers.Datasets) graph.DatasetResolver { return planned{d} })
	read := operation{Query: `{ orders(orderBy: [{id: ASC}]) ` + orderFields + ` customers(orderBy: [{id: ASC}]) ` + customerFields + ` lines(orderBy: [{order_id: ASC}, {line: ASC}]) { order_id line sku } notes(orderBy: [{id: ASC}]) { id order_id version } }`}
	newAsker(t, anew, 4).alike(t, 100, []*gateway{anew, together}, func(after string) {
		for _, tenant := range []string{"acme", "bistro"} {
			if want, got := anew.askAs(t.Context(), writes(tenant), read), together.askAs(t.Context(), writes(tenant), read); string(got) != string(want) {
				t.Fatalf("after %s\nplanned:  %s\nprepared: %s", after, want, got)
			}
		}
	})
}

// writes is who writes as a tenant.
func writes(tenant string) principal.Principal {
	return principal.Principal{Subject: "ana of " + tenant, Tenant: tenant, TenantKey: tenant, Scopes: []principal.Scope{principal.ReadData, principal.WriteData}}
}

// prepare has nothing between an engine and what answers it.
func prepare(d *resolvers.Datasets) graph.DatasetResolver { return d }

// newAsker asks what the schema of a gateway has.
func newAsker(t *testing.T, g *gateway, seed uint64) asker {
	t.Helper()
	view, err := g.catalog.View(writes("acme"))
	if err != nil {
		t.Fatal(err)
	}
	builder, err := schema.NewBuilder()
	if err != nil {
		t.Fatal(err)
	}
	built, err := builder.Build(view, schema.AudienceOf(writes("acme")))
	if err != nil {
		t.Fatal(err)
	}
	return asker{writer{rand.New(rand.NewPCG(seed, 9)), 18}, built.AST}
}

// alike makes mutations in several ways, the first of which plans each for itself, and compares what they
// answer, and now and then what is there afterwards.
func (a asker) alike(t *testing.T, mutations int, ways []*gateway, compare func(after string)) {
	t.Helper()
	done, refused := 0, make(map[string]int)
	for n := range mutations {
		text := a.mutation()
		if n%5 == 0 {
			text = a.upsert()
		}
		if n%2 == 0 { // of the table's own rows alone
			text = strings.NewReplacer(orderFields, `{ id note amount made_by }`, customerFields, `{ id name code version state born }`).Replace(text)
		}
		asked := a.variables(text)
		for try := range 5 {
			who := writes("acme")
			if try > 0 && a.IntN(4) == 0 {
				who = writes("bistro")
			}
			op := operation{Query: asked.text, Variables: a.values(asked, try > 0)}
			want := string(ways[0].askAs(t.Context(), who, op))
			for i, way := range ways[1:] {
				if got := string(way.askAs(t.Context(), who, op)); got != want {
					t.Fatalf("mutation %d.%d of %s: %s\nplanned:     %s\nprepared, %d: %s\n%s", n, try, who.Tenant, op, want, i, got, way.log)
				}
			}
			if !strings.Contains(want, `"errors"`) {
				done++
				continue
			}
			if strings.Contains(want, `"INTERNAL"`) || strings.Contains(want, `"UNAVAILABLE"`) {
				t.Fatalf("%s\n%s\n%s", op, want, ways[0].log)
			}
			for _, code := range []string{"CONFLICT", "NOT_FOUND", "BAD_USER_INPUT", "FORBIDDEN"} {
				if strings.Contains(want, `"`+code+`"`) {
					refused[code]++
				}
			}
		}
		if n%10 == 0 {
			compare(asked.text)
		}
	}
	if done < mutations/2 || slices.ContainsFunc([]string{"CONFLICT", "NOT_FOUND", "BAD_USER_INPUT", "FORBIDDEN"}, func(code string) bool { return refused[code] == 0 }) {
		t.Errorf("%d were done, and refused were %v: the test has nothing to prove there", done, refused)
	}
	for _, way := range ways[1:] {
		if bound := hits(t, way); bound < float64(mutations/3) {
			t.Errorf("%v of them were bound to what was planned before", bound)
		}
	}
}

// hits is how many operations of a gateway were planned before.
func hits(t *testing.T, g *gateway) float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(g.planned); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "usher_known_operations_hits_total" {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatal("nobody counts them")
	return 0
}
