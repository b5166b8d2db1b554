package types

import "testing"

// TestDomains: what lies under a domain is asked for as the column is that has none.
func TestDomains(t *testing.T) {
	t.Parallel()
	g := postgres.open(t, `
CREATE EXTENSION citext;
CREATE TYPE ge AS ENUM ('LOW', 'MID', 'HIGH');
CREATE TYPE oe AS ENUM ('a b', 'c');
CREATE DOMAIN d_ge AS ge; CREATE DOMAIN d_ge2 AS d_ge CHECK (VALUE::ge <> 'HIGH'); CREATE DOMAIN d_oe AS oe; CREATE DOMAIN d_ges AS ge[]; CREATE DOMAIN d_oes AS oe[]; CREATE DOMAIN d_ct AS citext;
CREATE TABLE things (id int PRIMARY KEY, tenant text NOT NULL, ge d_ge, g2 d_ge2, oe d_oe, ges d_ges, oes d_oes, els d_ge[], oels d_oe[], cts d_ct[], plain ge);
INSERT INTO things VALUES (1, 't1', 'MID', 'MID', 'a b', '{LOW,MID}', '{"a b"}', '{MID}', '{"a b",NULL}', '{Red}', 'MID'), (2, 't1', 'LOW', 'LOW', 'c', '{HIGH}', '{c}', '{HIGH,NULL}', '{c}', '{}', 'LOW'), (3, 't1', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);`, oneDataset)
	g.answers(t, `{things(limit: 1) {ge g2 oe ges oes els oels cts}}`,
		`{"data":{"things":[{"ge":"MID","g2":"MID","oe":"a b","ges":["LOW","MID"],"oes":["a b"],"els":["MID"],"oels":["a b",null],"cts":["Red"]}]}}`)
	for _, where := range []string{
		`ge: {eq: MID}`, `ge: {in: [MID, HIGH]}`, `ge: {notIn: [LOW], isNull: false}`, `ge: {neq: LOW, isNull: false}`, `g2: {eq: MID}`, `oe: {eq: "a b"}`, `oe: {in: ["a b", "none"]}`,
		`oe: {neq: "c", isNull: false}`, `ges: {has: MID}`, `ges: {hasAll: [LOW, MID]}`, `oes: {has: "a b"}`, `els: {hasAny: [LOW, MID]}`, `oels: {has: "a b"}`, `cts: {has: "rED"}`,
	} {
		g.answers(t, `{things(where: {`+where+`}) {id}}`, `{"data":{"things":[{"id":1}]}}`)
	}
	for _, column := range []string{"ge", "g2", "plain"} {
		g.answers(t, `{things(orderBy: [{`+column+`: ASC}]) {id}}`, `{"data":{"things":[{"id":2},{"id":1},{"id":3}]}}`)
		g.answers(t, `{thingsAggregate(orderBy: [{key: {`+column+`: DESC}}]) {key {`+column+`} count}}`,
			`{"data":{"thingsAggregate":[{"key":{"`+column+`":"MID"},"count":1},{"key":{"`+column+`":"LOW"},"count":1},{"key":{"`+column+`":null},"count":1}]}}`)
		g.answers(t, `{thingsAggregate {`+column+` {countDistinct}}}`, `{"data":{"thingsAggregate":[{"`+column+`":{"countDistinct":2}}]}}`)
		g.pages(t, column, "2", "1", "3")
	}
	g.pages(t, "oe", "1", "2", "3")
}
