package plan_test

import (
	"context"
	"errors"
	"iter"
	"reflect"
	"strings"
	"testing"

	"usher/catalog"
	"usher/datasource"
	"usher/datasource/sqlexec"
	"usher/datasource/writing"
	"usher/plan"
	"usher/sqlgen"
	"usher/value"
)

// TestForged hands what package plan did not make to all who execute plans.
func TestForged(t *testing.T) {
	t.Parallel()
	var zero plan.Query
	if zero.Valid() {
		t.Error("the zero query is valid")
	}
	if text := plan.Dump(zero); text != "no plan\n" {
		t.Errorf("the zero query is dumped as %q", text)
	}
	var none plan.Override
	if _, ok := none.Header("a"); ok || none.BaseURL() != "" {
		t.Error("the zero override says something")
	}
	if _, ok := none.Property("a"); ok {
		t.Error("the zero override has a property")
	}
	for name := range none.Headers() {
		t.Error("the zero override has a header", name)
	}
	for name := range none.Properties() {
		t.Error("the zero override has a property", name)
	}
	for _, d := range []sqlgen.Dialect{sqlgen.Postgres, sqlgen.DuckDB} {
		if s, err := sqlgen.Render(plan.Level{}, d); !errors.Is(err, sqlgen.ErrNotPlanned) || s.Text != "" {
			t.Errorf("the zero level is rendered as %q, %v", s.Text, err)
		}
		if s, err := sqlgen.Together(plan.Level{}, d); !errors.Is(err, sqlgen.ErrNotPlanned) || s.Text != "" {
			t.Errorf("the zero level is rendered as %q, %v", s.Text, err)
		}
		if s, err := sqlgen.SharedScan(plan.SharedScan{}, d); !errors.Is(err, sqlgen.ErrNotPlanned) || s.Text != "" {
			t.Errorf("no shared scan is rendered as %q, %v", s.Text, err)
		}
		if _, err := sqlexec.Prepare(zero, d); !errors.Is(err, sqlgen.ErrNotPlanned) {
			t.Errorf("the zero query is prepared: %v", err)
		}
		if _, err := sqlexec.PrepareSharedScan(plan.SharedScan{}, d); !errors.Is(err, sqlgen.ErrNotPlanned) {
			t.Errorf("no shared scan is prepared: %v", err)
		}
		if _, err := (sqlexec.Run{Dialect: d}).Query(t.Context(), zero); !errors.Is(err, sqlgen.ErrNotPlanned) {
			t.Errorf("the zero query is run: %v", err)
		}
		if err := sqlexec.Fetch(t.Context(), nil, d, zero, nil); !errors.Is(err, sqlgen.ErrNotPlanned) {
			t.Errorf("the zero query is fetched: %v", err)
		}
		if err := sqlexec.Fetch(t.Context(), nil, d, plan.Fetch{}.Query(), nil); !errors.Is(err, sqlgen.ErrNotPlanned) {
			t.Errorf("the zero fetch is fetched: %v", err)
		}
	}
	if (plan.Change{}).Valid() || plan.DumpChange(plan.Change{}) != "no plan\n" {
		t.Error("the zero change is valid")
	}
	for what, render := range map[string]func(sqlgen.ChangeDialect) (sqlgen.Statement, error){
		"insert": func(d sqlgen.ChangeDialect) (sqlgen.Statement, error) {
			return sqlgen.Insert(plan.Insert{}, plan.Upsert{}, d)
		},
		"update": func(d sqlgen.ChangeDialect) (sqlgen.Statement, error) { return sqlgen.Update(plan.Update{}, d) },
		"delete": func(d sqlgen.ChangeDialect) (sqlgen.Statement, error) { return sqlgen.Delete(plan.Level{}, "", d) },
		"chosen": func(d sqlgen.ChangeDialect) (sqlgen.Statement, error) { return sqlgen.Chosen(plan.Level{}, d) },
		"named": func(d sqlgen.ChangeDialect) (sqlgen.Statement, error) {
			return sqlgen.Named(plan.Level{}, sqlgen.NoLock, d)
		},
	} {
		if s, err := render(sqlgen.PostgresChange); !errors.Is(err, sqlgen.ErrNotPlanned) || s.Text != "" {
			t.Errorf("the zero %s is rendered as %q, %v", what, s.Text, err)
		}
	}
	if _, err := sqlexec.Apply(t.Context(), nil, sqlgen.PostgresChange, plan.Change{}, nil, nil); !errors.Is(err, sqlgen.ErrNotPlanned) {
		t.Errorf("the zero change is made: %v", err)
	}
	sources, err := datasource.New(&catalog.Catalog{}, datasource.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sources.Close() }()
	if _, err := sources.Answer(t.Context(), zero); !errors.Is(err, datasource.ErrNotPlanned) {
		t.Errorf("the zero query is answered: %v", err)
	}
	for _, changes := range [][]plan.Change{nil, {{}}} {
		for what, change := range map[string]func(context.Context, []plan.Change, writing.Terms) (writing.Made, error){
			"the sources": sources.Change, "a database": new(writing.Database).Change, "an API": writing.API{}.Change,
		} {
			if _, err := change(t.Context(), changes, writing.Terms{}); !errors.Is(err, writing.ErrNotPlanned) {
				t.Errorf("the zero change is made by %s: %v", what, err)
			}
		}
	}
	for what, put := range map[string]func(context.Context, plan.Import, sqlexec.Incoming, writing.ImportTerms) (writing.Imported, error){
		"the sources": sources.Import, "an API": writing.API{}.Import,
		"a database": func(ctx context.Context, i plan.Import, rows sqlexec.Incoming, terms writing.ImportTerms) (writing.Imported, error) {
			return new(writing.Database).Import(ctx, i, rows, terms, nil)
		},
	} {
		if in, err := put(t.Context(), plan.Import{}, nil, writing.ImportTerms{}); in.Rows != 0 || !errors.Is(err, writing.ErrNotPlanned) {
			t.Errorf("the zero import is made by %s: %v", what, err)
		}
	}
	if s, err := sqlgen.Load(plan.Import{}, nil, sqlgen.PostgresImport); !errors.Is(err, sqlgen.ErrNotPlanned) || s.Text != "" {
		t.Errorf("the zero import is rendered as %q, %v", s.Text, err)
	}
	if s, err := sqlgen.LoadWhole(plan.Import{}, nil, "", sqlgen.PostgresImport); !errors.Is(err, sqlgen.ErrNotPlanned) || s.Text != "" {
		t.Errorf("the zero import is rendered as %q, %v", s.Text, err)
	}
	if _, err := sqlgen.Stage(plan.Import{}, sqlgen.PostgresImport); !errors.Is(err, sqlgen.ErrNotPlanned) {
		t.Errorf("the zero import is staged: %v", err)
	}
	if _, err := sources.PrepareSharedScan(plan.SharedScan{}); !errors.Is(err, datasource.ErrNotPlanned) {
		t.Errorf("no shared scan is prepared: %v", err)
	}
}

// copies are the structs with exported fields that accessors hand out. They
// hold no part of a plan: whoever changes one has changed a copy.
var copies = map[string]bool{"plan.On": true, "plan.Field": true, "plan.Target": true, "plan.LookedUp": true, "value.Type": true, "catalog.Spread": true}

// TestSealed walks the types a Query is made of: none has an exported field,
// but for plain copies, and no accessor of theirs hands out a slice, map or
// pointer into the plan.
func TestSealed(t *testing.T) {
	t.Parallel()
	seen := make(map[reflect.Type]bool)
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		if seen[typ] {
			return
		}
		seen[typ] = true
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array:
			walk(typ.Elem())
			return
		case reflect.Map:
			walk(typ.Key())
			walk(typ.Elem())
			return
		case reflect.Struct:
		default:
			return
		}
		if typ.PkgPath() == "unique" { // never changes, and hands out copies
			return
		}
		if !strings.HasPrefix(typ.PkgPath(), "usher/") {
			t.Errorf("%s is part of a plan", typ)
		}
		for f := range typ.Fields() {
			if f.IsExported() && !copies[typ.String()] {
				t.Errorf("%s.%s can be set", typ, f.Name)
			}
			walk(f.Type)
		}
		if typ.PkgPath() != "usher/plan" {
			return
		}
		for m := range typ.Methods() {
			for out := range m.Type.Outs() {
				switch out.Kind() {
				case reflect.Func:
					if out != reflect.TypeFor[iter.Seq2[string, string]]() { // which yields copies
						t.Errorf("%s.%s hands out a %s", typ, m.Name, out)
					}
				case reflect.Map, reflect.Pointer, reflect.Chan:
					t.Errorf("%s.%s hands out a %s", typ, m.Name, out)
				case reflect.Slice:
					if m.Name != "Fetches" && m.Name != "Sources" && m.Name != "Lookups" { // made anew by each call
						t.Errorf("%s.%s hands out a %s", typ, m.Name, out)
					}
				default:
				}
			}
		}
		for m := range reflect.PointerTo(typ).Methods() {
			if _, ok := typ.MethodByName(m.Name); !ok {
				t.Errorf("%s.%s has a pointer to what it could change", typ, m.Name)
			}
		}
	}
	walk(reflect.TypeFor[plan.Query]())
	walk(reflect.TypeFor[plan.Fetch]())
	walk(reflect.TypeFor[plan.SharedScan]())
	walk(reflect.TypeFor[plan.Lookup]())
	walk(reflect.TypeFor[plan.Change]())
	walk(reflect.TypeFor[plan.Import]())
	for _, typ := range []reflect.Type{reflect.TypeFor[plan.Level](), reflect.TypeFor[plan.Ref](), reflect.TypeFor[plan.Expr](), reflect.TypeFor[value.Value]()} {
		if !seen[typ] {
			t.Errorf("the walk did not reach %s", typ)
		}
	}
}

// TestCopies changes everything a plan's accessors hand out.
func TestCopies(t *testing.T) {
	t.Parallel()
	cases, _ := goldens(t)
	changed := 0
	for _, g := range cases {
		q, err := g.build()
		if err != nil {
			continue
		}
		before := plan.Dump(q)
		root := q.Root()
		for i := range root.Refs() {
			r := root.Ref(i)
			target := r.Target()
			target.Tenant = "other"
			for j := range r.Ons() {
				on := r.On(j)
				on.From, on.To = on.To, on.From
			}
			for j := range r.Fields() {
				f := r.Field(j)
				f.Stored, f.Type = "other", value.Of(value.JSON)
				changed++
			}
		}
		sources := root.Sources()
		sources[0] = plan.Target{Source: "other"}
		fetches := q.Fetches(root, 0)
		fetches[0] = plan.Fetch{}
		moved := root.OnScratch(0)
		_ = moved.Ref(0)
		if after := plan.Dump(q); after != before {
			t.Fatalf("the plan was\n%sand is\n%s", before, after)
		}
	}
	if changed == 0 {
		t.Error("nothing was changed")
	}
}
