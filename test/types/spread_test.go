package types

import (
	"strings"
	"testing"
)

// TestSpreadOfLargeNumbers: variances and medians are doubles, and as large as these,
// on both engines alike.
func TestSpreadOfLargeNumbers(t *testing.T) {
	t.Parallel()
	for _, e := range []engine{postgres, duckDB} {
		own := map[string]string{"postgres": "numeric(20,0)", "duckdb": "UBIGINT"}[e.name]
		g := e.open(t, `
CREATE TABLE things (id int PRIMARY KEY, tenant text NOT NULL, l bigint, u `+own+`, d decimal(18,2), f float8);
INSERT INTO things VALUES (1, 't1', 9223372036854775807, 18446744073709551615, 9999999999999999.99, 1), (2, 't1', -9223372036854775808, 18446744073709551615, -9999999999999999.99, 'NaN'),
	(3, 't2', 1, 18446744073709551615, 1, 'Infinity'), (4, 't2', 3, 18446744073709551613, 3, 2), (5, 't3', 1, 1, 1, 'NaN'), (6, 't3', NULL, NULL, NULL, NULL), (7, 't4', NULL, NULL, NULL, 3), (8, 't4', NULL, NULL, NULL, 5);`, oneDataset)
		g.answersTo(t, "t1", `{thingsAggregate {l {variance stddev} u {median} d {variance}}}`,
			`{"data":{"thingsAggregate":[{"l":{"variance":1.7014118346e+38,"stddev":13043817825314796000},"u":{"median":18446744073709552000},"d":{"variance":2e+32}}]}}`)
		g.answersTo(t, "t2", `{thingsAggregate {l {variance} u {median}}}`, `{"data":{"thingsAggregate":[{"l":{"variance":2},"u":{"median":18446744073709552000}}]}}`)
		for _, tenant := range []string{"t1", "t2"} {
			got := g.askAs(t, tenant, `{thingsAggregate {count f {variance stddev}}}`)
			if !strings.Contains(got, `"data":{"thingsAggregate":[{"count":2,"f":{"variance":null,"stddev":null}}]}`) || strings.Count(got, "the value is not finite, which JSON cannot hold") != 2 {
				t.Errorf("%s: %s", e.name, got)
			}
		}
		g.answersTo(t, "t3", `{thingsAggregate {f {variance stddev}}}`, `{"data":{"thingsAggregate":[{"f":{"variance":null,"stddev":null}}]}}`)
		g.answersTo(t, "t4", `{thingsAggregate {f {variance}}}`, `{"data":{"thingsAggregate":[{"f":{"variance":2}}]}}`)
	}
}
