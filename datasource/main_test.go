package datasource

import (
	"context"
	"fmt"
	"testing"
	"time"

	"usher/catalog"
	"usher/config"
	"usher/pgtest"
	"usher/plan"
	"usher/plan/plantest"
	"usher/principal"
	"usher/value"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// now is the moment of all plans of these tests.
var now = time.Date(2028, time.March, 29, 12, 0, 0, 0, time.UTC)

// gate is a catalog with its sources.
type gate struct {
	testing.TB
	cat *catalog.Catalog
	*Sources
}

// open makes a gate of the text of a configuration, in which PASSWORD is the
// password of the database.
func open(tb testing.TB, db pgtest.DB, opts Options, text string) *gate {
	tb.Helper()
	cfg, err := config.Parse("usher.yml", []byte(text), func(string) (string, bool) { return db.Password, true })
	if err != nil {
		tb.Fatal(err)
	}
	cat, problems := catalog.Compile(cfg.Spec, nil)
	if err := cfg.Locate(problems); err != nil {
		tb.Fatal(err)
	}
	sources, err := New(cat, opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = sources.Close() })
	return &gate{tb, cat, sources}
}

// server is the keys of a source that is the test's database.
func server(db pgtest.DB) string {
	return fmt.Sprintf("kind: postgres, host: %q, port: %d, database: %q, user: %q, password: {env: PASSWORD}, sslmode: disable", db.Host, db.Port, db.Name, db.User)
}

// ask answers a question as its rows, with | between cells.
func (g *gate) ask(p principal.Principal, text string) ([]string, error) {
	return g.askIn(g.Context(), p, text)
}

func (g *gate) askIn(ctx context.Context, p principal.Principal, text string) ([]string, error) {
	q, err := plan.Build(plantest.Request(g, text), g.cat, p, now)
	if err != nil {
		return nil, err
	}
	result, err := g.Answer(ctx, q)
	if err != nil {
		return nil, err
	}
	out := make([]string, result.Rows.Len())
	for i := range out {
		row := result.Rows.Row(i)
		for c := range q.Root().Columns() {
			if c > 0 {
				out[i] += "|"
			}
			text, err := value.AppendText([]byte(out[i]), q.Root().Column(c).Type(), row.Cell(c), value.Style{})
			if err != nil {
				return nil, err
			}
			out[i] = string(text)
		}
	}
	return out, nil
}
