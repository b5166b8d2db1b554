package datasource

import (
	"context"
	"testing"

	"usher/datasource/sqlexec"
	"usher/held"
	"usher/plan"
	"usher/plan/plantest"
	"usher/value"
)

// nothing is a database that answers everything at once, with no rows.
type nothing struct{}

func (nothing) Session(_ context.Context, _ bool, fn func(sqlexec.Session) error) error {
	return fn(nothing{})
}

func (nothing) Query(context.Context, string, []string) (value.Rows, error) { return nothing{}, nil }
func (nothing) Close() error                                                { return nil }
func (nothing) Next() bool                                                  { return false }
func (nothing) Cell(int) value.Cell                                         { return value.Cell{} }
func (nothing) Err() error                                                  { return nil }

// BenchmarkWay is what the way of a question costs beside what the database does.
func BenchmarkWay(b *testing.B) {
	cat := plantest.Catalog(b, `
sources: {a: {kind: postgres, host: nowhere.example, database: d, user: u, password: {env: P}}}
strategies: {shared: {kind: shared, source: a}}
datasets:
  items: {tenant: tenant, key: id, columns: {tenant: String!, id: Int!}}
  kept: {tenant: tenant, key: id, cache: 1h, columns: {tenant: String!, id: Int!}}
`, nil)
	sources, err := New(cat, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = sources.Close() })
	build := func(text string) plan.Query {
		q, err := plan.Build(plantest.Request(b, text), cat, named("acme"), now)
		if err != nil {
			b.Fatal(err)
		}
		return q
	}
	items := build("items { id }")
	target, _ := items.Single()
	source, release, err := sources.accounts.get(b.Context(), target)
	if err != nil {
		b.Fatal(err)
	}
	defer release()
	stubbed(source)
	ctx, share := held.New(0).Begin(b.Context())
	defer share.End()
	for name, q := range map[string]plan.Query{"answer": items, "kept": build("kept { id }")} {
		question, err := sources.Prepare(q)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				answered, err := question.Bind(q.Binding()).Answer(ctx)
				if err != nil {
					b.Fatal(err)
				}
				share.Give(answered.Held)
			}
		})
	}
	b.Run("fetch", func(b *testing.B) {
		b.ReportAllocs()
		each := func(rows value.Rows) error { rows.Next(); return nil }
		for b.Loop() {
			if err := source.Fetch(ctx, items, each); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// stubbed puts a database that does nothing in an account's place.
func stubbed(source Source) {
	db := source.(*database)
	db.db = nothing{}
	opened(db)
}
