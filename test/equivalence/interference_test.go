package equivalence

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"usher/catalog"
	"usher/pgtest"
	"usher/value"
)

// asking is the tenant that asks while the rows of others are not the same.
var asking = tenants[0]

// everybody reaches a world where the rows of all tenants are together.
func everybody(t *testing.T, w *world, a *api) []way {
	t.Helper()
	path := filepath.Join(t.TempDir(), "shared.duckdb")
	writeDuckDB(t, path, duckdbSQL.script(w, ""))
	spec := w.spec(map[string]catalog.SourceSpec{
		"shared": {Kind: "duckdb", Path: catalog.Path(path)}, "all": a.source(serve(t, a)),
	}, map[string]catalog.StrategySpec{
		"shared": {Kind: "shared", Source: "shared"}, "all": {Kind: "api", Source: "all"},
	}, "shared")
	spec.DefaultStrategy = "shared"
	duck := newGateway(t, spec)

	server := pgtest.Start(t)
	database := server.Database(t)
	database.Exec(t, postgresSQL.script(w, "")+"ANALYZE;")
	mixed := w.spec(map[string]catalog.SourceSpec{
		"c": postgresSource(server, database.Name), "shared": {Kind: "duckdb", Path: catalog.Path(path)}, "all": a.source(serve(t, a)),
	}, map[string]catalog.StrategySpec{
		"c":     {Kind: "shared", Source: "c"},
		"all":   {Source: "all"},
		"mixed": {Source: "c", Datasets: map[string]string{"orders": "shared", "items": "all"}},
	}, "c")
	mixed.DefaultStrategy = "c"
	postgres := newGateway(t, mixed)
	return []way{
		{"a shared DuckDB", duck, "shared", true, nil},
		{"an API with everybody's rows", duck, "all", false, nil},
		{"a shared PostgreSQL", postgres, "c", true, nil},
		{"a shared PostgreSQL, a shared DuckDB and an API", postgres, "mixed", true, nil},
	}
}

// others copies a world in which the rows of all tenants but the asking one
// are others: some gone, some changed, some new, in another place.
func (w *world) others() *world {
	r := rng{rand.New(rand.NewPCG(11, 26))}
	out := emptyWorld()
	for i, t := range w.tables {
		to := out.tables[i]
		if t.common {
			to.rows = t.rows
			continue
		}
		for _, row := range t.rows {
			switch {
			case !row[0].null && row[0].text == asking:
				to.rows = append(to.rows, row)
			case r.IntN(3) == 0: // gone
			default:
				row = slices.Clone(row)
				for j, c := range t.columns[1:] {
					if !slices.Contains(t.key, c.name) && !slices.Contains(t.lasting, c.name) && r.IntN(2) == 0 {
						row[j+1] = r.some(c.typ)
					}
				}
				to.rows = slices.Insert(to.rows, r.IntN(len(to.rows)+1), row)
			}
		}
	}
	out.sameKeys(r)
	return out
}

// sameKeys gives another tenant rows with the keys of the asking one's, which
// refer to what those refer to.
func (w *world) sameKeys(r rng) {
	for _, t := range w.tables {
		if t.common || t.lasting != nil { // a key among those of all tenants, or a row that would be the asking one's
			continue
		}
		taken := make(map[string]bool)
		id := func(row []cell) (id string) {
			for _, k := range t.key {
				id += row[t.index(k)].text + "\x00"
			}
			return id
		}
		for _, row := range t.of(tenants[1]) {
			taken[id(row)] = true
		}
		for _, row := range t.of(asking) {
			if len(t.key) > 0 && taken[id(row)] || r.IntN(2) == 0 {
				continue
			}
			row = slices.Clone(row)
			row[0] = cell{text: tenants[1]}
			t.rows = append(t.rows, row)
		}
	}
}

// poison are values that are valid in a database and at which expressions may
// fail: beyond what buckets, sums and squares can hold, or no number at all.
var poison = map[value.Scalar][]string{
	value.Int:            {"2147483647", "-2147483648"},
	value.BigInt:         {"9223372036854775807", "-9223372036854775808"},
	value.Float:          {"NaN", "Infinity", "-Infinity", "1.7e308"},
	value.String:         {`\`, `%\`, `a\`, "{", "[1,", "9e999", "1/0", "\u202e"},
	value.Date:           {"infinity", "-infinity", "5000000-01-01"},
	value.Timestamp:      {"infinity", "-infinity", "290000-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
	value.LocalTimestamp: {"infinity", "-infinity", "290000-01-01T00:00:00"},
	value.Interval:       {"P178000000Y", "-P178000000Y", "PT2562047H"},
}

// poisoned copies a world in which the rows of all tenants but the asking one
// hold poison.
func (w *world) poisoned() *world {
	r := rng{rand.New(rand.NewPCG(13, 26))}
	out := emptyWorld()
	for i, t := range w.tables {
		to := out.tables[i]
		for _, row := range t.rows {
			if !t.common && (row[0].null || row[0].text != asking) {
				row = slices.Clone(row)
				for j, c := range t.columns {
					texts := poison[c.typ.Scalar]
					switch {
					case j == 0 || slices.Contains(t.key, c.name) || slices.Contains(t.lasting, c.name) || c.typ.List || r.IntN(4) == 0:
					case c.typ.Scalar == value.Decimal:
						row[j] = cell{text: biggest(c.typ)}
					case len(texts) > 0:
						row[j] = r.oneOf(texts)
					}
				}
			}
			to.rows = append(to.rows, row)
		}
	}
	return out
}

// biggest is the largest number of a decimal type.
func biggest(t value.Type) string {
	digits := make([]byte, 0, t.Precision+1)
	for i := range t.Precision {
		if i == t.Precision-t.Scale {
			digits = append(digits, '.')
		}
		digits = append(digits, '9')
	}
	return string(digits)
}

// TestNonInterference: nothing that differs between two worlds in the rows of
// other tenants shows in an answer: no row, count, order or error.
func TestNonInterference(t *testing.T) {
	w := newWorld()
	ways := everybody(t, w, newAPI(w, false, ""))
	others, poisoned := w.others(), w.poisoned()
	t.Run("Others", func(t *testing.T) {
		interference(t, w, ways, everybody(t, others, newAPI(others, false, "")))
	})
	// No value in a row of another tenant makes an operation fail, whether an
	// engine can hold it or an API may not send it.
	t.Run("Poison", func(t *testing.T) {
		interference(t, w, ways, everybody(t, poisoned, newAPI(w, false, asking)))
	})
}

// interference asks the same in pairs of ways and compares what came.
func interference(t *testing.T, w *world, ways, others []way) {
	t.Helper()
	covered := newCoverage()
	rapid.Check(t, func(t *rapid.T) {
		op, hits := draw(t, ways[0].gateway.schema, w, asking, nil)
		answers, disturbed := askAll(t.Context(), ways, asking, op), askAll(t.Context(), others, asking, op)
		covered.add(hits, answers[0])
		for i := range ways {
			if !ways[i].answers(op) {
				continue
			}
			broken(t, others[i], op, disturbed[i])
			same(t, asking, op, ways[i].name, answers[i], others[i].name+" where the others' rows are not the same", disturbed[i])
		}
	})
	covered.check(t, nil)
}
