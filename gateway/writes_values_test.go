package gateway_test

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

// valued is a table of types that hold less than what is written in GraphQL, in both engines.
const valued = `CREATE TYPE mood AS ENUM ('so la', 'very well');
CREATE TABLE nums (tenant text NOT NULL, id int NOT NULL, r real, d double precision, rs real[], m mood, m2 mood, ms mood[], s smallint, big bigint, bigs bigint[], PRIMARY KEY (tenant, id));`

const valuedDatasets = `
  nums: {tenant: tenant, key: id, writable: true, columns: {id: Int!, tenant: String!, r: Float, d: Float, rs: "[Float]", m: String, m2: String, ms: "[String]", s: Int, big: BigInt, bigs: "[BigInt]"}}
`

func openValued(t *testing.T) map[string]importing {
	t.Helper()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, writtenTables+valued)
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), inFile+";"+valued)
	worlds := map[string]importing{
		"server": {writing: openWrittenAs(t, db, func(text string) string { return text + valuedDatasets })},
		"file":   {writing: openFiles(t, dir, writtenInFile(dir)+valuedDatasets)},
	}
	for name, i := range worlds {
		i.serve(t)
		worlds[name] = i
	}
	return worlds
}

// A float is the nearest number of its kind, and what none of its kind is near to is refused where it stands.
func TestWritesOfFloats(t *testing.T) {
	t.Parallel()
	const (
		single = "the number is out of the range of single precision, in which it is kept: up to 3.4e38, and down to 1.4e-45"
		small  = "expected Float: a number that is not so small that it would be 0"
	)
	for name, g := range openValued(t) {
		ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
		for n, line := range []struct{ text, variables, want string }{
			{`mutation { insertNumsOne(row: {id: 1, r: 0.1, d: 0.1, rs: [0.1, null, -2]}) { r d rs } }`, ``, `{"insertNumsOne":{"r":0.1,"d":0.1,"rs":[0.1,null,-2]}}`},
			{`mutation { insertNumsOne(row: {id: 2, r: 0.123456789, d: 0.12345678901234567890}) { r d } }`, ``, `{"insertNumsOne":{"r":0.12345679,"d":0.12345678901234568}}`},
			{`mutation { insertNumsOne(row: {id: 3, r: 16777217, d: 9007199254740993}) { r d } }`, ``, `{"insertNumsOne":{"r":16777216,"d":9007199254740992}}`},
			{`mutation { insertNumsOne(row: {id: 4, r: 3.4028235e38, d: 1.7976931348623157e308}) { r d } }`, ``, `{"insertNumsOne":{"r":3.4028235e+38,"d":1.7976931348623157e+308}}`},
			{`mutation { insertNumsOne(row: {id: 5, r: -1.4e-45, d: 5e-324}) { r d } }`, ``, `{"insertNumsOne":{"r":-1e-45,"d":5e-324}}`},
			{`mutation { insertNumsOne(row: {id: 6, r: 0, d: -0.0}) { r d } }`, ``, `{"insertNumsOne":{"r":0,"d":0}}`},
			{`mutation { insertNumsOne(row: {id: 9, r: 3.5e38}) { r } }`, ``, `null BAD_USER_INPUT: r: ` + single + ` (insertNumsOne.row.r)`},
			{`mutation { insertNumsOne(row: {id: 9, r: -1e-46}) { r } }`, ``, `null BAD_USER_INPUT: r: ` + single + ` (insertNumsOne.row.r)`},
			{`mutation { insertNumsOne(row: {id: 9, d: 1e-400}) { r } }`, ``, `null BAD_USER_INPUT: d: ` + small + ` (insertNumsOne.row.d)`},
			{`mutation { insertNumsOne(row: {id: 9, d: 1e400}) { r } }`, ``, ` GRAPHQL_VALIDATION_FAILED: Expected a value of type "Float", found 1e400.`},
			{`mutation { insertNums(rows: [{id: 9, r: 1}, {id: 10, r: 1e39}]) { affected } }`, ``, `null BAD_USER_INPUT: r: ` + single + ` (insertNums.rows.1.r)`},
			{`mutation { insertNums(rows: [{id: 1, r: 1e39}], onConflict: {key: id, update: [r]}) { affected } }`, ``, `null BAD_USER_INPUT: r: ` + single + ` (insertNums.rows.0.r)`},
			{`mutation { insertNumsOne(row: {id: 9, rs: [1, null, 1e39]}) { r } }`, ``, `null BAD_USER_INPUT: rs: ` + single + ` (insertNumsOne.row.rs)`},
			{`mutation ($r: Float) { insertNumsOne(row: {id: 9, r: $r}) { r } }`, `{"r": 1e39}`, `null BAD_USER_INPUT: r: ` + single + ` (insertNumsOne.row.r)`},
			{`mutation ($r: [Float]) { insertNumsOne(row: {id: 9, rs: $r}) { r } }`, `{"r": [1, 1e39]}`, `null BAD_USER_INPUT: rs: ` + single + ` (insertNumsOne.row.rs)`},
			{`mutation ($r: [Float]) { insertNumsOne(row: {id: 7, rs: $r}) { rs } }`, `{"r": [1, 0.1]}`, `{"insertNumsOne":{"rs":[1,0.1]}}`},
			{`mutation ($r: Float) { updateNumsByPk(id: 1, set: {r: $r}) { r } }`, `{"r": 1e-50}`, `null BAD_USER_INPUT: r: ` + single + ` (updateNumsByPk.set.r)`},
			{`mutation ($r: Float) { updateNumsByPk(id: 1, set: {r: $r}) { r } }`, `{"r": 0.2}`, `{"updateNumsByPk":{"r":0.2}}`},
			{`mutation { updateNums(where: {id: {lte: 2}}, set: {r: 1e39}) { affected } }`, ``, `null BAD_USER_INPUT: r: ` + single + ` (updateNums.set.r)`},
			// A sum may become too large where it is kept.
			{`mutation { updateNumsByPk(id: 4, increment: {r: 1e38}) { r } }`, ``, `null BAD_USER_INPUT: a number is too large for its column in nums (updateNumsByPk.increment.r)`},
			{`mutation { updateNumsByPk(id: 4, increment: {d: 1e308}) { d } }`, ``, `null BAD_USER_INPUT: a number is too large for its column in nums (updateNumsByPk.increment.d)`},
			{`mutation { updateNumsByPk(id: 4, increment: {r: 1e39}) { r } }`, ``, `null BAD_USER_INPUT: r: ` + single + ` (updateNumsByPk.increment.r)`},
			{`mutation { updateNumsByPk(id: 1, increment: {r: 0.1, d: 0.2}) { r d } }`, ``, `{"updateNumsByPk":{"r":0.3,"d":0.30000000000000004}}`},
			// Conditions compare what is shown.
			{`{ nums(where: {r: {eq: 0.12345679}}) { id } }`, ``, `{"nums":[{"id":2}]}`},
			{`{ nums(where: {r: {in: [0.3, 1e300]}}) { id } }`, ``, `{"nums":[{"id":1}]}`},
			{`{ nums(where: {r: {eq: 0.123456789}}) { id } }`, ``, `{"nums":[]}`},
			{`{ nums(where: {r: {gt: 1e38, lt: 1e300}}) { id } }`, ``, `{"nums":[{"id":4}]}`},
			{`{ nums(where: {r: {eq: 1e-400}}) { id } }`, ``, `{"nums":null} BAD_USER_INPUT: r: eq: ` + small + ` (nums.where)`},
			{`{ nums(where: {rs: {has: 0.1}}, orderBy: [{id: ASC}]) { id } }`, ``, `{"nums":[{"id":1},{"id":7}]}`},
		} {
			if got := short(t, g.withVariables(t, ann, line.text, cmp.Or(line.variables, "null"))); got != line.want {
				t.Errorf("%s, %d: %s %s\n got %s\nwant %s", name, n, line.text, line.variables, got, line.want)
			}
		}
		for _, c := range []struct{ path, body, want string }{
			{"/import/nums?format=csv", "id,r\n20,0.1\n21,1e39\n", failed(400, "r: "+single, `,"line":3,"rows":0`)},
			{"/import/nums?format=csv", "id,rs\n20,\"[1e-60]\"\n", failed(400, "rs: "+single, `,"line":2,"rows":0`)},
			{"/import/nums?format=ndjson", `{"id": 20, "d": 1e-400}` + "\n", failed(400, "d: "+small, `,"line":1,"rows":0`)},
			{"/import/nums?format=csv", "id,r,rs\n20,0.1,\"[0.5,null]\"\n", `200 {"rows":1}`},
		} {
			if got := g.load(t, ann, c.path, c.body); got != c.want {
				t.Errorf("%s: %s %q\n got %s\nwant %s", name, c.path, c.body, got, c.want)
			}
		}
		if got := short(t, g.query(t, ann, `{ nums(where: {id: {eq: 20}}) { r rs } }`)); got != `{"nums":[{"r":0.1,"rs":[0.5,null]}]}` {
			t.Errorf("%s: imported was %s", name, got)
		}
	}
}

// A BigInt is a whole number however JSON writes it, to the last digit; a text of it is of digits.
func TestWholeNumbers(t *testing.T) {
	t.Parallel()
	const far = "expected BigInt: a whole number from -9223372036854775808 to 9223372036854775807"
	for name, g := range openValued(t) {
		ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
		for n, line := range []struct{ text, variables, want string }{
			{`mutation ($b: BigInt, $l: [BigInt]) { insertNumsOne(row: {id: 1, big: $b, bigs: $l}) { big bigs } }`, `{"b": 2e0, "l": [1.0, 10e-1, null]}`, `{"insertNumsOne":{"big":2,"bigs":[1,1,null]}}`},
			{`mutation ($r: [NumsInsert!]!) { insertNums(rows: $r) { affected } }`, `{"r": [{"id": 2, "big": 9007199254740993.0}, {"id": 3, "big": -9.223372036854775808e18}]}`, `{"insertNums":{"affected":2}}`},
			{`query ($b: BigInt) { nums(where: {big: {eq: $b}}) { id } }`, `{"b": 2.0}`, `{"nums":[{"id":1}]}`},
			{`query ($b: [BigInt!]) { nums(where: {big: {in: $b}}, orderBy: [{id: ASC}]) { id } }`, `{"b": [20e-1, 9.007199254740993e15]}`, `{"nums":[{"id":1},{"id":2}]}`},
			{`query ($w: NumsWhere) { nums(where: $w) { id } }`, `{"w": {"big": {"lt": -9223372036854775807.0}}}`, `{"nums":[{"id":3}]}`},
			{`{ nums(where: {bigs: {has: 1.0}}) { id } }`, ``, `{"nums":[{"id":1}]}`},
			{`query ($q: TableQuery!) { table(query: $q) { rows } }`, `{"q": {"dataset": "nums", "columns": ["id"], "where": {"big": {"eq": 2.0}}}}`, `{"table":{"rows":[[1]]}}`},
			{`query ($b: BigInt) { nums(where: {big: {eq: $b}}) { id } }`, `{"b": 2.5}`, `{"nums":null} BAD_USER_INPUT: big: eq: ` + far + ` (nums.where)`},
			{`query ($b: BigInt) { nums(where: {big: {eq: $b}}) { id } }`, `{"b": "2.0"}`, `{"nums":null} BAD_USER_INPUT: big: eq: ` + far + ` (nums.where)`},
			{`query ($b: BigInt) { nums(where: {big: {eq: $b}}) { id } }`, `{"b": 1e400}`, `{"nums":null} BAD_USER_INPUT: big: eq: ` + far + ` (nums.where)`},
			{`query ($b: BigInt) { nums(where: {big: {eq: $b}}) { id } }`, `{"b": 9223372036854775808.0}`, `{"nums":null} BAD_USER_INPUT: big: eq: ` + far + ` (nums.where)`},
		} {
			if got := short(t, g.withVariables(t, ann, line.text, cmp.Or(line.variables, "null"))); got != line.want {
				t.Errorf("%s, %d: %s %s\n got %s\nwant %s", name, n, line.text, line.variables, got, line.want)
			}
		}
		if got := g.load(t, ann, "/import/nums?format=ndjson", `{"id": 20, "big": 3.0, "bigs": [4e0]}`+"\n"); got != `200 {"rows":1}` {
			t.Errorf("%s: %s", name, got)
		}
		if got := short(t, g.query(t, ann, `{ nums(where: {id: {eq: 20}}) { big bigs } }`)); got != `{"nums":[{"big":3,"bigs":[4]}]}` {
			t.Errorf("%s: imported was %s", name, got)
		}
	}
}

// What a column keeps of a time, an interval and of bytes is what was given: what its type has less room for is refused
// where it stands, and what usher itself writes has as many digits as are kept.
func TestWritesOfWhatIsKept(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, writtenTables+`CREATE DOMAIN minute AS time(0);
CREATE TABLE kept (tenant text NOT NULL, id int NOT NULL, t0 time(0), t6 time, d0 minute, l3 timestamp(3), z0 timestamptz(0), z1s timestamptz(1)[], i2 interval(2), ym interval year to month, dh interval day to hour, b bytea, bs bytea[], made timestamptz(0), PRIMARY KEY (tenant, id));`)
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), inFile+`;
CREATE TABLE kept (tenant text NOT NULL, id int NOT NULL, t0 TIME, t6 TIME_NS, d0 TIME, l3 TIMESTAMP_MS, z0 TIMESTAMP_S, z1s TIMESTAMP_S[], i2 INTERVAL, ym INTERVAL, dh INTERVAL, b BLOB, bs BLOB[], made TIMESTAMP_S, tn TIME_NS[], bf BLOB[2], PRIMARY KEY (tenant, id));`)
	const dataset = `
  kept: {tenant: tenant, key: id, writable: true, presets: {insert: {made: $now}, update: {made: $now}}, columns: {id: Int!, tenant: String!, t0: Time, t6: Time, d0: Time, l3: LocalTimestamp, z0: %[1]s, z1s: "[%[1]s]", i2: Interval, ym: Interval, dh: Interval, b: Bytes, bs: "[Bytes]", made: %[1]s%[2]s}}
`
	server := fmt.Sprintf(dataset, "Timestamp", "")
	worlds := map[string]importing{
		"server": {writing: openWrittenAs(t, db, func(text string) string { return text + server })},
		"file":   {writing: openFiles(t, dir, writtenInFile(dir)+fmt.Sprintf(dataset, "LocalTimestamp", ", tn: \"[Time]\", bf: \"[Bytes]\""))},
	}
	digits := func(column string, n int, at string) string {
		return fmt.Sprintf("null BAD_USER_INPUT: %s: the time has more digits of a second than are kept, which are %d (%s.%s)", column, n, at, column)
	}
	cut := func(column, native, at string) string {
		return fmt.Sprintf("null BAD_USER_INPUT: %s: the interval has parts that %s does not keep (%s.%s)", column, native, at, column)
	}
	const row, set = "insertKeptOne.row", "updateKeptByPk.set"
	type line struct{ text, variables, want string }
	both := []line{
		{`mutation { insertKeptOne(row: {id: 1, l3: "2026-01-02T03:04:05.125", t6: "10:00:00.123456", b: "AA==", bs: ["AA==", null, "", "/+8="]}) { l3 t6 b bs } }`, ``, `{"insertKeptOne":{"l3":"2026-01-02T03:04:05.125","t6":"10:00:00.123456","b":"AA==","bs":["AA==",null,"","/+8="]}}`},
		{`mutation { insertKept(rows: [{id: 2, bs: []}, {id: 3, bs: null, t6: "00:00:00"}, {id: 4, bs: ["QUE9PQ=="], t6: "23:59:59.999999"}]) { rows { bs t6 } } }`, ``, `{"insertKept":{"rows":[{"bs":[],"t6":null},{"bs":null,"t6":"00:00:00"},{"bs":["QUE9PQ=="],"t6":"23:59:59.999999"}]}}`},
		{`mutation ($bs: [Bytes]) { updateKeptByPk(id: 2, set: {bs: $bs, t6: "10:00:00.5"}) { bs t6 } }`, `{"bs": ["AQI="]}`, `{"updateKeptByPk":{"bs":["AQI="],"t6":"10:00:00.5"}}`},
		{`mutation { updateKept(where: {id: {lte: 2}}, set: {bs: ["AQI=", "AA=="]}) { rows { bs } } }`, ``, `{"updateKept":{"rows":[{"bs":["AQI=","AA=="]},{"bs":["AQI=","AA=="]}]}}`},
		{`mutation { insertKeptOne(row: {id: 9, l3: "2026-01-02T03:04:05.1255"}) { id } }`, ``, digits("l3", 3, row)},
		{`mutation ($t: LocalTimestamp) { insertKeptOne(row: {id: 9, l3: $t}) { id } }`, `{"t": "2026-01-02T03:04:05.0001"}`, digits("l3", 3, row)},
		{`mutation { insertKept(rows: [{id: 9}, {id: 10, l3: "2026-01-02T03:04:05.000001"}]) { affected } }`, ``, digits("l3", 3, "insertKept.rows.1")},
		{`mutation { updateKeptByPk(id: 1, set: {l3: "2026-01-02T03:04:05.0001"}) { id } }`, ``, digits("l3", 3, set)},
		{`{ kept(where: {l3: {lt: "2026-01-02T03:04:05.1250001"}}) { id } }`, ``, `{"kept":null} BAD_USER_INPUT: l3: lt: expected LocalTimestamp`},
		{`{ kept(where: {bs: {has: "QUE9PQ=="}}) { id } }`, ``, `{"kept":[{"id":4}]}`},
		{`{ kept(where: {l3: {lt: "2026-01-02T03:04:05.125001"}}) { id } }`, ``, `{"kept":[{"id":1}]}`},
	}
	lines := map[string][]line{
		"server": {
			{`mutation { insertKeptOne(row: {id: 5, t0: "10:00:00", d0: "10:00:01", z0: "2026-01-02T03:04:05Z", z1s: ["2026-01-02T03:04:05.5Z", null], i2: "PT0.25S", ym: "P1Y2M", dh: "P1M1DT5H"}) { t0 d0 z0 z1s i2 ym dh } }`, ``, `{"insertKeptOne":{"t0":"10:00:00","d0":"10:00:01","z0":"2026-01-02T03:04:05Z","z1s":["2026-01-02T03:04:05.5Z",null],"i2":"PT0.25S","ym":"P1Y2M","dh":"P1M1DT5H"}}`},
			{`mutation { insertKeptOne(row: {id: 9, t0: "10:00:00.5"}) { id } }`, ``, digits("t0", 0, row)},
			{`mutation { insertKeptOne(row: {id: 9, d0: "10:00:00.5"}) { id } }`, ``, digits("d0", 0, row)},
			{`mutation { insertKeptOne(row: {id: 9, z0: "2026-01-02T03:04:05.500+01:00"}) { id } }`, ``, digits("z0", 0, row)},
			{`mutation { insertKeptOne(row: {id: 9, z1s: ["2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05.55Z"]}) { id } }`, ``, digits("z1s", 1, row)},
			{`mutation ($t: [Timestamp]) { insertKeptOne(row: {id: 9, z1s: $t}) { id } }`, `{"t": ["2026-01-02T03:04:05.55Z"]}`, digits("z1s", 1, row)},
			{`mutation { insertKeptOne(row: {id: 9, i2: "PT0.255S"}) { id } }`, ``, cut("i2", "interval(2)", row)},
			{`mutation { insertKeptOne(row: {id: 9, ym: "P1D"}) { id } }`, ``, cut("ym", "interval year to month", row)},
			{`mutation { updateKeptByPk(id: 1, set: {dh: "PT1H1M"}) { id } }`, ``, cut("dh", "interval day to hour", set)},
		},
		"file": {
			{`mutation { insertKeptOne(row: {id: 5, z0: "2026-01-02T03:04:05", z1s: ["2026-01-02T03:04:05", null], tn: ["10:00:00.123456", null], bf: ["AA==", null]}) { z0 z1s tn bf } }`, ``, `{"insertKeptOne":{"z0":"2026-01-02T03:04:05","z1s":["2026-01-02T03:04:05",null],"tn":["10:00:00.123456",null],"bf":["AA==",null]}}`},
			{`mutation { insertKeptOne(row: {id: 9, z0: "2026-01-02T03:04:05.5"}) { id } }`, ``, digits("z0", 0, row)},
			{`mutation { insertKeptOne(row: {id: 9, z1s: ["2026-01-02T03:04:05.5"]}) { id } }`, ``, digits("z1s", 0, row)},
		},
	}
	for name, g := range worlds {
		g.serve(t)
		ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
		for n, line := range append(slices.Clone(both), lines[name]...) {
			if got := short(t, g.withVariables(t, ann, line.text, cmp.Or(line.variables, "null"))); !strings.HasPrefix(got, line.want) {
				t.Errorf("%s, %d: %s %s\n got %s\nwant %s", name, n, line.text, line.variables, got, line.want)
			}
		}
		if got := short(t, g.query(t, ann, `{ keptAggregate(where: {made: {isNull: true}}) { count } }`)); got != `{"keptAggregate":[{"count":0}]}` {
			t.Errorf("%s: what usher writes is not there: %s", name, got)
		}
		const more = "the time has more digits of a second than are kept, which are 3"
		for _, c := range []struct{ path, body, want string }{
			{"/import/kept?format=csv", "id,l3\n20,2026-01-02T03:04:05.123\n21,2026-01-02T03:04:05.1234\n", failed(400, "l3: "+more, `,"line":3,"rows":0`)},
			{"/import/kept?format=ndjson", `{"id": 20, "l3": "2026-01-02T03:04:05.1234"}` + "\n", failed(400, "l3: "+more, `,"line":1,"rows":0`)},
			{"/import/kept?format=csv", "id,l3,t6,b,bs\n20,2026-01-02T03:04:05.123,10:00:00.5,AA==,\"[\"\"AA==\"\",null]\"\n", `200 {"rows":1}`},
		} {
			if got := g.load(t, ann, c.path, c.body); got != c.want {
				t.Errorf("%s: %s %q\n got %s\nwant %s", name, c.path, c.body, got, c.want)
			}
		}
		if got := short(t, g.query(t, ann, `{ kept(where: {id: {eq: 20}}) { l3 t6 b bs } }`)); got != `{"kept":[{"l3":"2026-01-02T03:04:05.123","t6":"10:00:00.5","b":"AA==","bs":["AA==",null]}]}` {
			t.Errorf("%s: imported was %s", name, got)
		}
	}
}

// What only the source knows of a value is told with its column as well: which labels an enum has, and what a type holds.
func TestPlacesOfValues(t *testing.T) {
	t.Parallel()
	const unfit = "null BAD_USER_INPUT: a value does not fit its column in nums "
	for name, g := range openValued(t) {
		ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
		for _, line := range []struct{ text, want string }{
			{`mutation { insertNumsOne(row: {id: 1, m: "so la", m2: "very well", ms: ["so la", null]}) { m m2 ms } }`, `{"insertNumsOne":{"m":"so la","m2":"very well","ms":["so la",null]}}`},
			{`mutation { insertNumsOne(row: {id: 2, m: "well"}) { id } }`, unfit + `(insertNumsOne.row.m)`},
			{`mutation { insertNumsOne(row: {id: 2, m: "so la", m2: "well"}) { id } }`, unfit + `(insertNumsOne.row.m2)`},
			{`mutation { insertNumsOne(row: {id: 2, m2: "so la", ms: ["so la", "well"]}) { id } }`, unfit + `(insertNumsOne.row.ms)`},
			{`mutation { insertNums(rows: [{id: 2, m: "so la"}, {id: 3, m: null}, {id: 4, m: "so  la", m2: "so la"}]) { affected } }`, unfit + `(insertNums.rows.2.m)`},
			{`mutation { insertNums(rows: [{id: 2, m: "so la", m2: "so la"}, {id: 1, m2: ""}, {id: 1, m: "so la"}], onConflict: {key: id, update: [m2]}) { affected } }`, `null BAD_USER_INPUT: two rows have the same key (insertNums.rows.2)`},
			{`mutation { insertNums(rows: [{id: 2, m: "so la", m2: "so la"}, {id: 1, m: "so la", m2: ""}], onConflict: {key: id, update: [m2]}) { affected } }`, unfit + `(insertNums.rows.1.m2)`},
			{`mutation { updateNumsByPk(id: 1, set: {m: "so la", m2: "SO LA"}) { id } }`, unfit + `(updateNumsByPk.set.m2)`},
			{`mutation { insertNums(rows: [{id: 2, s: 1}, {id: 3, s: 70000}]) { affected } }`, `null BAD_USER_INPUT: a number is too large for its column in nums (insertNums.rows.1.s)`},
			{`mutation { insertNums(rows: [{id: 2, m: "so la"}, {id: 3, s: 7}, {id: 1}, {id: 4}]) { affected } }`, `null CONFLICT: there is a row of nums with the same id (insertNums.rows.2.id)`},
			{`mutation { updateNumsByPk(id: 1, set: {s: 30000}) { s } }`, `{"updateNumsByPk":{"s":30000}}`},
			{`mutation { updateNumsByPk(id: 1, increment: {s: 30000}) { s } }`, `null BAD_USER_INPUT: a number is too large for its column in nums (updateNumsByPk.increment.s)`},
		} {
			if got := short(t, g.query(t, ann, line.text)); got != line.want {
				t.Errorf("%s: %s\n got %s\nwant %s", name, line.text, got, line.want)
			}
		}
	}
}

// Of several rows the first that is refused is told in files as well, where a transaction does not go on after a
// failure: whatever it collides with, at whatever depth and however many there are.
func TestPlacesOfRowsInFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), inFile)
	server, _ := openWritten(t)
	ann := map[string]string{}
	worlds := map[string]writing{"server": server, "file": openWrittenFile(t, dir)}
	for name, g := range worlds {
		ann[name] = g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	}
	many := func(n int, bad map[int]string) string {
		rows := make([]string, n)
		for i := range rows {
			rows[i] = fmt.Sprintf(`{"id":%d,"note":"n%d"}`, 1000+i, i)
			if bad[i] != "" {
				rows[i] = bad[i]
			}
		}
		return `{"rows":[` + strings.Join(rows, ",") + `]}`
	}
	const rows = `mutation ($rows: [OrdersInsert!]!) { insertOrders(rows: $rows) { affected } }`
	for _, line := range []struct{ text, variables, server, file string }{
		{`mutation { insertOrders(rows: [{id: 60}, {id: 61}, {id: 1}, {id: 62}]) { affected } }`, "", `CONFLICT: there is a row of orders with the same id (insertOrders.rows.2.id)`, ""},
		{`mutation { insertOrders(rows: [{id: 60}, {id: 61, note: "first"}]) { affected } }`, "", `CONFLICT: there is a row of orders with the same note (insertOrders.rows.1.note)`, ""},
		{`mutation { insertOrders(rows: [{id: 60, note: "x"}, {id: 61, note: "y"}, {id: 62, note: "x"}]) { affected } }`, "", `CONFLICT: there is a row of orders with the same note (insertOrders.rows.2.note)`, ""},
		{`mutation { insertOrders(rows: [{id: 1}]) { affected } }`, "", `CONFLICT: there is a row of orders with the same id (insertOrders.rows.0.id)`, ""},
		{`mutation { insertCustomersOne(row: {id: 1}) { id } }`, "", `CONFLICT: there is a row of customers with the same id (insertCustomersOne.row.id)`, ""},
		{`mutation { insertOrders(rows: [{id: 60}, {id: 60}]) { affected } }`, "", `CONFLICT: there is a row of orders with the same id (insertOrders.rows.1.id)`, ""},
		{
			`mutation { insertOrders(rows: [{id: 60, status: "new"}, {id: 61, status: "bad"}, {id: 1, status: "new"}]) { affected } }`, "", `BAD_USER_INPUT: status of orders may not have such a value (insertOrders.rows.1.status)`,
			`BAD_USER_INPUT: a row of orders has values that may not be there together (insertOrders.rows.1)`,
		},
		{
			`mutation { a: insertOrdersOne(row: {id: 60}) { id } b: insertOrders(rows: [{id: 61}, {id: 60}]) { affected } }`, "", `CONFLICT: there is a row of orders with the same id (b.rows.1.id)`,
			`CONFLICT: the change of orders collides with a row that is there (b.rows.1)`,
		},
		{`mutation { insertOrders(rows: [{id: 60}, {id: 61, note: "first"}], onConflict: {key: id, update: [note]}) { affected } }`, "", `CONFLICT: there is a row of orders with the same note (insertOrders.rows.1.note)`, ""},
		{
			`mutation { insertBoxes(rows: [{id: 60, items: [{line: 1}]}, {id: 61, items: [{line: 1}, {line: 2}, {line: 2}]}]) { affected } }`, "",
			`CONFLICT: there is a row of items with the same box_id, line (insertBoxes.rows.1.items.2)`, "",
		},
		{
			`mutation { insertOrders(rows: [{id: 60, customer: {insert: {id: 8}}}, {id: 61, customer: {insert: {id: 1}}}]) { affected } }`, "",
			`CONFLICT: there is a row of customers with the same id (insertOrders.rows.1.customer.insert.id)`, "",
		},
		{rows, many(1000, map[int]string{777: `{"id": 1}`, 900: `{"id": 1}`}), `CONFLICT: there is a row of orders with the same id (insertOrders.rows.777.id)`, ""},
		{rows, many(1000, map[int]string{999: `{"id": 99999, "note": "first"}`}), `CONFLICT: there is a row of orders with the same note (insertOrders.rows.999.note)`, ""},
		{rows, many(1000, map[int]string{0: `{"id": 1, "note": "of 0"}`}), `CONFLICT: there is a row of orders with the same id (insertOrders.rows.0.id)`, ""},
	} {
		for name, g := range worlds {
			want := line.server
			if name == "file" && line.file != "" {
				want = line.file
			}
			if got := short(t, g.withVariables(t, ann[name], line.text, cmp.Or(line.variables, "null"))); got != "null "+want {
				t.Errorf("%s: %s\n got %s\nwant %s", name, line.text, got, want)
			}
		}
	}
	for name, g := range worlds {
		if got := short(t, g.query(t, ann[name], `{ orders { id } boxes { id } customers { id } items { line } }`)); got != `{"orders":[{"id":1}],"boxes":[{"id":1}],"customers":[{"id":1}],"items":[{"line":1}]}` {
			t.Errorf("%s: there is %s", name, got)
		}
	}
}
