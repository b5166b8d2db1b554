package catalog

import (
	"testing"

	"pgregory.net/rapid"
)

// TestTableKey: names are told apart whatever is in them, and can be written in a
// configuration as the key has them.
func TestTableKey(t *testing.T) {
	t.Parallel()
	name := rapid.StringOfN(rapid.SampledFrom([]rune(`ab."`)), 1, 4, -1)
	keys := make(map[string][2]string)
	rapid.Check(t, func(t *rapid.T) {
		schema, table := name.Draw(t, "schema"), name.Draw(t, "table")
		key := TableKey(schema, table)
		if other, taken := keys[key]; taken && other != [2]string{schema, table} {
			t.Fatalf("%q is both %q and %q.%q", key, other, schema, table)
		}
		keys[key] = [2]string{schema, table}
		if s, n := tableParts(key); s != schema || n != table {
			t.Fatalf("%q.%q is written %q and read as %q.%q", schema, table, key, s, n)
		}
	})
	for text, want := range map[string][2]string{
		"orders": {"", "orders"}, "sales.orders": {"sales", "orders"}, "a.b.c": {"a", "b.c"}, `"a.b"`: {"", "a.b"},
		`"a.b".c`: {"a.b", "c"}, `a."b.c"`: {"a", "b.c"}, `.a`: {"", ".a"}, `a.`: {"", "a."}, `"a`: {"", `"a`}, `"`: {"", `"`}, `""`: {"", `""`},
	} {
		if schema, table := tableParts(text); schema != want[0] || table != want[1] {
			t.Errorf("%s: %q, %q", text, schema, table)
		}
	}
}
