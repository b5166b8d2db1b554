package types

import (
	"strings"
	"testing"
)

const oneDataset = `
datasets: {things: {tenant: tenant}}
`

// TestPostgresTypes: every type is served, and what is read of it can be asked for.
func TestPostgresTypes(t *testing.T) {
	t.Parallel()
	g := postgres.open(t, `
CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION ltree;
CREATE TYPE grade AS ENUM ('A', 'B-plus', '3rd');
CREATE TYPE place AS (street text, no int);
CREATE DOMAIN code AS citext;
CREATE DOMAIN tags AS text[];
CREATE TABLE things (id int PRIMARY KEY, tenant text NOT NULL,
	mon money, gr grade, grs grade[], ci citext, cis citext[], dom code, ip inet, ips inet[], net cidr, mac macaddr, x xml, b bit(3), vb varbit, path ltree,
	ts tsvector, tq tsquery, o oid, lsn pg_lsn, tz timetz, pt point, hs hstore, pl place, pls place[], r int4range, rs daterange[], mr int4multirange,
	grid int[][], f4 real, f4s real[], iv interval, ivs interval[], bys bytea[], dt tags, ti time, mons money[]);
INSERT INTO things VALUES (1, 't1',
	'12.50', 'B-plus', '{A,B-plus,NULL}', 'Ann@X.org', '{Red,NULL}', 'AbC', '10.0.0.1', '{10.0.0.1,10.0.0.0/8}', '10.0.0.0/8', '08:00:2b:01:02:03', '<a>1</a>', '101', '01', 'top.sub',
	'a b', 'a & b', 5, '16/B374D848', '10:00:00+02', '(1,2)', 'k=>v, n=>NULL', '("High St",7)', '{"(a,1)",NULL}', '[1,5)', '{"[2026-01-01,2026-02-01)",empty,NULL}', '{[1,3),[5,7)}',
	'{{1,2},{3,4}}', 1.1, '{1.1,NULL}', '1 mon -3 days 4.5s', '{1 day,NULL}', '{"\\x00ff",NULL}', '{a,b}', '24:00:00', '{1.5,2}');
INSERT INTO things (id, tenant, ci, gr, mon, ip, r, mr) VALUES (2, 't1', 'ANN@x.ORG', 'A', '-3', '10.0.0.1/8', 'empty', '{}'), (3, 't1', NULL, NULL, NULL, NULL, NULL, NULL), (4, 't2', 'ann@x.org', 'A', '1', NULL, '(,3]', NULL);`, oneDataset)

	g.answers(t, `{things(limit: 1) {mon gr grs ci cis dom ip ips net mac x b vb path ts tq o lsn tz pt}}`,
		`{"data":{"things":[{"mon":12.50,"gr":"B-plus","grs":["A","B-plus",null],"ci":"Ann@X.org","cis":["Red",null],"dom":"AbC","ip":"10.0.0.1","ips":["10.0.0.1","10.0.0.0/8"],`+
			`"net":"10.0.0.0/8","mac":"08:00:2b:01:02:03","x":"<a>1</a>","b":"101","vb":"01","path":"top.sub","ts":"'a' 'b'","tq":"'a' & 'b'","o":"5","lsn":"16/B374D848","tz":"10:00:00+02","pt":"(1,2)"}]}}`)
	g.answers(t, `{things(limit: 1) {hs pl pls r rs mr grid f4 f4s iv ivs bys dt ti mons}}`,
		`{"data":{"things":[{"hs":{"k":"v","n":null},"pl":{"no":7,"street":"High St"},"pls":[{"no":1,"street":"a"},null],"r":{"lower":1,"lowerInclusive":true,"upper":5,"upperInclusive":false},`+
			`"rs":[{"lower":"2026-01-01","lowerInclusive":true,"upper":"2026-02-01","upperInclusive":false},{"empty":true},null],`+
			`"mr":[{"lower":1,"lowerInclusive":true,"upper":3,"upperInclusive":false},{"lower":5,"lowerInclusive":true,"upper":7,"upperInclusive":false}],`+
			`"grid":[[1,2],[3,4]],"f4":1.1,"f4s":[1.1,null],"iv":"P1M-3DT4.5S","ivs":["P1D",null],"bys":["AP8=",null],"dt":["a","b"],"ti":"24:00:00","mons":[1.50,2.00]}]}}`)
	g.answers(t, `{things(orderBy: [{id: ASC}]) {r mr}}`,
		`{"data":{"things":[{"r":{"lower":1,"lowerInclusive":true,"upper":5,"upperInclusive":false},"mr":[{"lower":1,"lowerInclusive":true,"upper":3,"upperInclusive":false},`+
			`{"lower":5,"lowerInclusive":true,"upper":7,"upperInclusive":false}]},{"r":{"empty":true},"mr":[]},{"r":null,"mr":null}]}}`)

	ids := func(where string, want ...string) {
		t.Helper()
		var rows []string
		for _, id := range want {
			rows = append(rows, `{"id":`+id+`}`)
		}
		g.answers(t, `{things(where: {`+where+`}, orderBy: [{id: ASC}]) {id}}`, `{"data":{"things":[`+strings.Join(rows, ",")+`]}}`)
	}
	// What was answered is found by it.
	for _, where := range []string{
		`mon: {eq: 12.5}`, `gr: {eq: "B-plus"}`, `grs: {has: "B-plus"}`, `cis: {has: "rED"}`, `dom: {eq: "ABC"}`, `ip: {eq: "10.0.0.1"}`, `ips: {has: "10.0.0.0/8"}`,
		`net: {eq: "10.0.0.0/8"}`, `mac: {in: ["08:00:2b:01:02:03", "no address"]}`, `x: {eq: "<a>1</a>"}`, `b: {eq: "101"}`, `vb: {eq: "01"}`, `path: {startsWith: "top."}`,
		`ts: {eq: "'a' 'b'"}`, `o: {eq: "5"}`, `lsn: {eq: "16/B374D848"}`, `tz: {eq: "10:00:00+02"}`, `pt: {eq: "(1,2)"}`, `f4: {eq: 1.1}`, `f4s: {has: 1.1}`, `ti: {eq: "24:00:00"}`,
		`ti: {gt: "23:59:59"}`, `iv: {eq: "P1M-3DT4.5S"}`, `hs: {contains: {k: "v"}}`, `pl: {contains: {no: 7}}`, `r: {contains: {lower: 1}}`, `grid: {contains: [[1, 2]]}`, `mons: {has: 1.5}`,
	} {
		ids(where, "1")
	}
	// Labels and addresses that there are not are of no row, and unlike every other.
	ids(`gr: {eq: "no label"}`)
	ids(`gr: {in: ["no label", "A"]}`, "2")
	ids(`gr: {neq: "no label"}`, "1", "2", "3")
	ids(`gr: {notIn: ["no label", "A"]}`, "1", "3")
	ids(`not: {gr: {eq: "A"}}`, "1", "3")
	ids(`ip: {eq: "no address"}`)
	ids(`ip: {neq: "no address"}`, "1", "2", "3")
	ids(`ip: {isNull: true}`, "3")
	ids(`mon: {lt: 0}`, "2")
	// citext is compared and ordered as its column says.
	ids(`ci: {eq: "ann@x.org"}`, "1", "2")
	ids(`ci: {in: ["ANN@X.ORG"]}`, "1", "2")
	ids(`ci: {neq: "ann@x.org"}`, "3")
	ids(`ci: {notIn: ["ann@x.org"]}`, "3")
	ids(`ci: {startsWith: "ANN"}`, "1", "2")
	ids(`ci: {contains: "@X.o"}`, "1", "2")
	ids(`ci: {like: "aNN%ORG"}`, "1", "2")
	ids(`ci: {notLike: "aNN%ORG"}`, "3")
	ids(`ci: {gte: "ann@x.org", lte: "ANN@X.ORG"}`, "1", "2")
	ids(`ci: {gt: "ANN@X.ORG"}`)
	ids(`ci: {lt: "B"}`, "1", "2")
	ids(`ci: {between: [{from: "ANN", to: "b"}]}`, "1", "2")
	g.pages(t, "ci", "1", "2", "3")
	g.answers(t, `{things(orderBy: [{ci: ASC}, {id: DESC}]) {ci}}`, `{"data":{"things":[{"ci":"ANN@x.ORG"},{"ci":"Ann@X.org"},{"ci":null}]}}`)
	g.answers(t, `{thingsAggregate {key {ci} count}}`, `{"data":{"thingsAggregate":[{"key":{"ci":"ann@x.org"},"count":2},{"key":{"ci":null},"count":1}]}}`)
	g.answers(t, `{thingsAggregate {ci {countDistinct} count}}`, `{"data":{"thingsAggregate":[{"ci":{"countDistinct":1},"count":3}]}}`)
	g.answers(t, `{thingsAggregate {mon {sum max avg} gr {countDistinct}}}`, `{"data":{"thingsAggregate":[{"mon":{"sum":9.50,"max":12.50,"avg":4.75},"gr":{"countDistinct":2}}]}}`)
	g.answers(t, `{thingsAggregate(orderBy: [{key: {gr: ASC}}]) {key {gr} count}}`,
		`{"data":{"thingsAggregate":[{"key":{"gr":"A"},"count":1},{"key":{"gr":"B-plus"},"count":1},{"key":{"gr":null},"count":1}]}}`)
}

// TestDuckDBTypes: the same for what DuckDB has.
func TestDuckDBTypes(t *testing.T) {
	t.Parallel()
	g := duckDB.open(t, `
CREATE TYPE grade AS ENUM ('A', 'B-plus', '3rd');
CREATE TABLE things (id int PRIMARY KEY, tenant text NOT NULL,
	h HUGEINT, u UBIGINT, uh UHUGEINT, b BIT, bl BLOB, m MAP(VARCHAR, INTEGER), st STRUCT(a INTEGER, d DECIMAL(5,2)), un UNION(num INTEGER, str VARCHAR),
	ll INTEGER[][], ar INTEGER[2], sts STRUCT(a INTEGER)[], tz TIMETZ, ts TIMESTAMP_S, tm TIMESTAMP_MS, tn TIMESTAMP_NS, iv INTERVAL, uu UUID, gr grade, grs grade[], js JSON,
	nc VARCHAR COLLATE NOCASE, f4 FLOAT, f4s FLOAT[], hs HUGEINT[], ti TIME, big BIGNUM);
INSERT INTO things VALUES (1, 't1',
	12345678901234567890123456789012345678, 18446744073709551615, 5, '0101', '\x00\xFF'::BLOB, MAP {'k': 1}, {'a': 1, 'd': 1.50}, union_value(num := 2),
	[[1,2],[3]], [1,2], [{'a': 1}, NULL], '10:00:00+02', '2026-01-01 00:00:01', '2026-01-01 00:00:00.5', '2026-01-01 00:00:00.123456789', INTERVAL '1 month', '123e4567-e89b-12d3-a456-426614174000', 'B-plus', ['A', 'B-plus', NULL], '{"a":1}',
	'Ann', 1.1, [1.1, NULL], [7, NULL], '24:00:00', '123456789012345678901234567890123456789012345'::BIGNUM);
INSERT INTO things (id, tenant, nc, gr) VALUES (2, 't1', 'ANN', 'A'), (3, 't1', NULL, NULL), (4, 't2', 'ann', 'A');
INSERT INTO things (id, tenant, h, uh) VALUES (5, 't5', 170141183460469231731687303715884105727, 340282366920938463463374607431768211455), (6, 't5', 6, 6), (7, 't5', NULL, NULL);`, oneDataset)

	g.answers(t, `{things(limit: 1) {h u uh b bl m st un ll ar sts tz ts tm tn iv uu gr grs js nc f4 f4s hs ti big}}`,
		`{"data":{"things":[{"h":12345678901234567890123456789012345678,"u":18446744073709551615,"uh":5,"b":"0101","bl":"AP8=","m":{"k":1},"st":{"a":1,"d":1.5},"un":{"num":2},`+
			`"ll":[[1,2],[3]],"ar":[1,2],"sts":[{"a":1},null],"tz":"10:00:00+02","ts":"2026-01-01T00:00:01","tm":"2026-01-01T00:00:00.5","tn":"2026-01-01T00:00:00.123456","iv":"P1M",`+
			`"uu":"123e4567-e89b-12d3-a456-426614174000","gr":"B-plus","grs":["A","B-plus",null],"js":{"a":1},"nc":"Ann","f4":1.1,"f4s":[1.1,null],"hs":[7,null],"ti":"24:00:00","big":"123456789012345678901234567890123456789012345"}]}}`)
	for _, where := range []string{
		`h: {eq: 12345678901234567890123456789012345678}`, `u: {eq: 18446744073709551615}`, `uh: {in: [5, 6]}`, `b: {eq: "0101"}`, `bl: {eq: "AP8="}`, `m: {contains: {k: 1}}`, `st: {contains: {a: 1}}`,
		`un: {contains: {num: 2}}`, `ll: {contains: [[3]]}`, `ar: {has: 2}`, `tz: {eq: "10:00:00+02"}`, `ts: {eq: "2026-01-01T00:00:01"}`, `tm: {eq: "2026-01-01T00:00:00.5"}`,
		`tn: {eq: "2026-01-01T00:00:00.123456"}`, `iv: {eq: "P1M"}`, `gr: {eq: "B-plus"}`, `gr: {in: ["3rd", "B-plus"]}`, `grs: {has: "B-plus"}`, `nc: {eq: "Ann"}`, `f4: {eq: 1.1}`, `f4s: {has: 1.1}`, `hs: {has: 7}`,
		`ti: {eq: "24:00:00"}`,
	} {
		g.answers(t, `{things(where: {`+where+`}) {id}}`, `{"data":{"things":[{"id":1}]}}`)
	}
	g.answers(t, `{things(where: {gr: {eq: "no label"}}) {id}}`, `{"data":{"things":[]}}`)
	g.answers(t, `{things(where: {gr: {neq: "no label"}}, orderBy: [{id: ASC}]) {id}}`, `{"data":{"things":[{"id":1},{"id":2},{"id":3}]}}`)
	// A collation that merges texts is not asked; both are themselves.
	g.answers(t, `{thingsAggregate(orderBy: [{key: {nc: ASC}}]) {key {nc} count}}`,
		`{"data":{"thingsAggregate":[{"key":{"nc":"ANN"},"count":1},{"key":{"nc":"Ann"},"count":1},{"key":{"nc":null},"count":1}]}}`)
	// A whole number of 39 digits costs its own cell, and is in the group of nulls.
	g.answersTo(t, "t5", `{things(orderBy: [{h: DESC}, {id: ASC}]) {id h uh}}`,
		`{"errors":[{"message":"the number has more than 38 digits","path":["things",1,"h"],"extensions":{"code":"NOT_IMPLEMENTED"}},{"message":"the number has more than 38 digits","path":["things",1,"uh"],"extensions":{"code":"NOT_IMPLEMENTED"}}],`+
			`"data":{"things":[{"id":6,"h":6,"uh":6},{"id":5,"h":null,"uh":null},{"id":7,"h":null,"uh":null}]}}`)
	g.answersTo(t, "t5", `{thingsAggregate {key {h} count}}`, `{"data":{"thingsAggregate":[{"key":{"h":6},"count":1},{"key":{"h":null},"count":2}]}}`)
	g.answersTo(t, "t5", `{things(where: {uh: {eq: 6}}) {id}}`, `{"data":{"things":[{"id":6}]}}`)
	g.answersTo(t, "t5", `{things(where: {uh: {neq: 6}}, orderBy: [{id: ASC}]) {id}}`, `{"data":{"things":[{"id":5},{"id":7}]}}`)
}
