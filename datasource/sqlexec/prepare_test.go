package sqlexec_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/plan"
	"usher/plan/plantest"
	"usher/sqlgen"
)

// What no engine takes is refused before a connection is taken, and as what it
// is: too much, for ever.
func TestStatementsThatNoEngineTakes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../plan/testdata/shop.yml")
	if err != nil {
		t.Fatal(err)
	}
	cat, who := plantest.Catalog(t, string(text), nil), plantest.Principal(t, `tenant: "acme"`)
	ids := func(n int) string {
		var b strings.Builder
		for i := 0; i < n; i += 1000 {
			b.WriteString("{id: {in: [")
			for j := range min(1000, n-i) {
				fmt.Fprintf(&b, "%d ", i+j)
			}
			b.WriteString("]}} ")
		}
		return "{or: [" + b.String() + "]}"
	}
	percentiles := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "p%d: percentile(p: 0.%05d1) ", i, i)
		}
		return "{ amount { " + b.String() + "} }"
	}
	for name, c := range map[string]struct {
		text    string
		refused bool
	}{
		"arguments":                 {`orders(where: ` + ids(sqlgen.MaxArgs-1) + `) { id }`, false}, // and the tenant
		"too many arguments":        {`orders(where: ` + ids(sqlgen.MaxArgs) + `) { id }`, true},
		"too many in a nested list": {`orders { items(where: {order: ` + ids(sqlgen.MaxArgs) + `}) { line } }`, true},
		"columns":                   {`ordersAggregate ` + percentiles(1600), false},
		"too many columns":          {`ordersAggregate ` + percentiles(1601), true},
	} {
		q, err := plan.Build(plantest.Request(t, c.text), cat, who, time.Unix(0, 0))
		if err != nil {
			t.Fatal(name, err)
		}
		for engine, d := range map[string]sqlgen.Dialect{"postgres": sqlgen.Postgres, "duckdb": sqlgen.DuckDB} {
			if _, err = sqlexec.Prepare(q, d); c.refused != (err != nil) || err != nil && fault.From(err).Code != fault.TooComplex {
				t.Errorf("%s for %s: %v", name, engine, err)
			}
		}
	}
	tile := func(text string) plan.Query {
		q, err := plan.Build(plantest.Request(t, text), cat, who, time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	tiles := plan.SharedScans([]plan.Query{tile(`ordersAggregate { count }`), tile(`ordersAggregate(where: ` + ids(sqlgen.MaxArgs) + `) { count }`)})
	if len(tiles) != 1 {
		t.Fatal(len(tiles), "passes")
	}
	if _, err := sqlexec.PrepareSharedScan(tiles[0], sqlgen.Postgres); err == nil || fault.From(err).Code != fault.TooComplex {
		t.Error("tiles:", err)
	}
}
