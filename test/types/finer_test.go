package types

import "testing"

// TestFinerTimes: what is finer than a microsecond is cut off, of times before 1970
// as well, wherever they stand.
func TestFinerTimes(t *testing.T) {
	t.Parallel()
	g := duckDB.open(t, `
CREATE TABLE things (id int PRIMARY KEY, tenant text NOT NULL, ti TIME_NS, tis TIME_NS[], ts TIMESTAMP_NS, tss TIMESTAMP_NS[]);
INSERT INTO things VALUES (1, 't1', '10:00:00.123456789', ['10:00:00.1234569', NULL], '2026-01-01 00:00:00.123456789', ['1960-01-01 00:00:00.123456789', NULL]),
	(2, 't1', '23:59:59.999999999', [], '1960-01-01 00:00:00.123456789', []), (3, 't1', '24:00:00', NULL, NULL, NULL), (4, 't1', NULL, NULL, '1959-12-31 23:59:59.9999999', NULL);`, oneDataset)
	g.answers(t, `{things(orderBy: [{id: ASC}]) {ti tis ts tss}}`, `{"data":{"things":[{"ti":"10:00:00.123456","tis":["10:00:00.123456",null],"ts":"2026-01-01T00:00:00.123456","tss":["1960-01-01T00:00:00.123456",null]},`+
		`{"ti":"23:59:59.999999","tis":[],"ts":"1960-01-01T00:00:00.123456","tss":[]},{"ti":"24:00:00","tis":null,"ts":null,"tss":null},{"ti":null,"tis":null,"ts":"1959-12-31T23:59:59.999999","tss":null}]}}`)
	g.answers(t, `{things(where: {ti: {eq: "23:59:59.999999"}, ts: {eq: "1960-01-01T00:00:00.123456"}}) {id}}`, `{"data":{"things":[{"id":2}]}}`)
}
