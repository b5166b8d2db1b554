package datasource

import (
	"testing"

	"usher/catalog"
	"usher/config"
	"usher/datasource/sqlexec"
	"usher/datasource/writing"
	"usher/held"
	"usher/pgtest"
	"usher/plan"
	"usher/plan/plantest"
	"usher/principal"
	"usher/slot"
)

// BenchmarkChange is an update of one row, with the database: prepared as one statement that is committed unseen, and as
// one that somebody is told of before COMMIT; and planned for itself.
func BenchmarkChange(b *testing.B) {
	db := pgtest.Start(b).Database(b)
	db.Exec(b, "CREATE TABLE items (tenant text NOT NULL, id int PRIMARY KEY, note text); INSERT INTO items VALUES ('acme', 1, 'x')")
	cfg, err := config.Parse("usher.yml", []byte(`
sources: {a: {`+server(db)+`}}
strategies: {shared: {kind: shared, source: a}}
datasets:
  items: {tenant: tenant, key: id, writable: true, global_keys: true, columns: {tenant: String!, id: Int!, note: String}}
`), func(string) (string, bool) { return db.Password, true })
	if err != nil {
		b.Fatal(err)
	}
	before, problems := catalog.Compile(cfg.Spec, nil)
	if before == nil {
		b.Fatal(problems)
	}
	tables, err := Introspect(b.Context(), before.Sources["a"])
	if err != nil {
		b.Fatal(err)
	}
	cat, problems := catalog.Compile(cfg.Spec, catalog.Introspected{"a": tables})
	if err := cfg.Locate(problems); err != nil {
		b.Fatal(err)
	}
	sources, err := New(cat, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = sources.Close() })
	who := named("acme")
	who.Scopes = []principal.Scope{principal.ReadData, principal.WriteData}
	asked := plantest.Change(b, `updateItemsByPk(id: 1, set: {note: "y"}) { id note }`)
	built, err := plan.BuildChange(asked, cat, who, now)
	if err != nil {
		b.Fatal(err)
	}
	in := append(plantest.InputsOfChange(asked, who), plan.Now(now))
	slots := slot.New(in)
	slotted, whose := plantest.SlottedChange(asked, who, slots)
	open, err := plan.PrepareChange(slotted, cat, whose, now, slots.At(len(in)-1))
	if err != nil {
		b.Fatal(err)
	}
	prepared, err := writing.Prepare(open)
	if err != nil {
		b.Fatal(err)
	}
	slots.Seal()
	texts, _ := slots.Bind(in)
	ctx, share := held.New(0).Begin(b.Context())
	defer share.End()
	for _, c := range []struct {
		name   string
		change plan.Change
		terms  writing.Terms
	}{
		{"sealed", open.Bind(who, texts), writing.Terms{Prepared: []writing.Prepared{prepared}}},
		{"whole", open.Bind(who, texts), writing.Terms{Prepared: []writing.Prepared{prepared}, Before: func([]sqlexec.Changed) error { return nil }}},
		{"planned", built, writing.Terms{}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				made, err := sources.Change(ctx, []plan.Change{c.change}, c.terms)
				if err != nil || len(made.Changed) != 1 || made.Changed[0].Affected != 1 {
					b.Fatal(made, err)
				}
				share.Give(int64(made.Changed[0].Results[0].Size()))
			}
		})
	}
}
