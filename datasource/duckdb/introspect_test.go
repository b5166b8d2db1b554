package duckdb_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"usher/catalog"
	"usher/datasource/duckdb"
	"usher/value"
)

func TestIntrospect(t *testing.T) {
	t.Parallel()
	db := open(t, catalog.DuckDBSpec{Path: file(t,
		"CREATE SCHEMA sales",
		"CREATE TYPE order_status AS ENUM ('open', 'done')",
		"CREATE TYPE mood AS ENUM ('so la', 'it''s, (ok)')",
		`CREATE TABLE sales.types (
			b BOOLEAN, i1 TINYINT, i2 SMALLINT, i4 INTEGER, i8 BIGINT, i16 HUGEINT, u1 UTINYINT, u2 USMALLINT, u4 UINTEGER, u8 UBIGINT, u16 UHUGEINT,
			d DECIMAL(10, 2), d18 DECIMAL(18), f4 FLOAT, f8 DOUBLE, v VARCHAR, id UUID, da DATE, ti TIME, tz TIMETZ,
			ts TIMESTAMP, tss TIMESTAMP_S, tsm TIMESTAMP_MS, tsn TIMESTAMP_NS, tstz TIMESTAMPTZ, iv INTERVAL, js JSON, bl BLOB,
			en order_status, mo mood, un ENUM ('x', 'y'), bi BIT,
			li BIGINT[], ld DECIMAL(9, 3)[], le order_status[], ll INTEGER[][], ar INTEGER[3], st STRUCT(a INTEGER), ma MAP(VARCHAR, INTEGER))`,
		"CREATE TABLE sales.customers (tenant VARCHAR, id INTEGER, email VARCHAR NOT NULL UNIQUE, PRIMARY KEY (tenant, id))",
		"CREATE TABLE sales.orders (id BIGINT PRIMARY KEY, tenant VARCHAR NOT NULL, customer INTEGER, FOREIGN KEY (tenant, customer) REFERENCES sales.customers (tenant, id))",
		"COMMENT ON COLUMN sales.orders.customer IS 'who pays'",
		"CREATE VIEW sales.names AS SELECT email AS \"the email\" FROM sales.customers",
		"CREATE TABLE main.elsewhere (a INTEGER)",
	)}, duckdb.Options{})
	tables, err := db.Introspect(t.Context(), "sales")
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, c := range tables[len(tables)-1].Columns {
		line := c.Name + " " + c.Native
		if c.Supported {
			line += " → " + c.Type.GraphQL()
			if c.Type.Precision != 0 {
				line += fmt.Sprintf("(%d,%d)", c.Type.Precision, c.Type.Scale)
			}
			if len(c.Type.Labels) != 0 {
				line += fmt.Sprintf("%q", c.Type.Labels)
			}
		}
		if note := c.Form.Note(); note != "" {
			line += " " + note
		}
		if c.Odd {
			line += " odd"
		}
		types = append(types, line)
	}
	expected := `b BOOLEAN → Boolean
i1 TINYINT → Int
i2 SMALLINT → Int
i4 INTEGER → Int
i8 BIGINT → BigInt
i16 HUGEINT → Decimal(38,0) odd
u1 UTINYINT → Int
u2 USMALLINT → Int
u4 UINTEGER → BigInt
u8 UBIGINT → Decimal(20,0)
u16 UHUGEINT → Decimal(38,0) odd
d DECIMAL(10,2) → Decimal(10,2)
d18 DECIMAL(18,0) → Decimal(18,0)
f4 FLOAT → Float odd
f8 DOUBLE → Float odd
v VARCHAR → String
id UUID → UUID
da DATE → Date odd
ti TIME → Time
tz TIME WITH TIME ZONE → String as the text that the database prints
ts TIMESTAMP → LocalTimestamp odd
tss TIMESTAMP_S → LocalTimestamp odd
tsm TIMESTAMP_MS → LocalTimestamp odd
tsn TIMESTAMP_NS → LocalTimestamp odd
tstz TIMESTAMP WITH TIME ZONE → Timestamp odd
iv INTERVAL → Interval
js JSON → JSON odd
bl BLOB → Bytes
en ENUM('open', 'done') → OrderStatus["open" "done"]
mo ENUM('so la', 'it''s, (ok)') → String as text, since GraphQL cannot spell its labels
un ENUM('x', 'y') → TypesUn["x" "y"]
bi BIT → String as the text that the database prints
li BIGINT[] → [BigInt]
ld DECIMAL(9,3)[] → [Decimal](9,3)
le ENUM('open', 'done')[] → [OrderStatus]["open" "done"]
ll INTEGER[][] → JSON as JSON that the database makes of it
ar INTEGER[3] → [Int]
st STRUCT(a INTEGER) → JSON as JSON that the database makes of it
ma MAP(VARCHAR, INTEGER) → JSON as JSON that the database makes of it`
	if diff := cmp.Diff(strings.Split(expected, "\n"), types); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}

	for i := range tables {
		tables[i].Kind, tables[i].Colliding, tables[i].Referrers = "", nil, nil // see TestIntrospectWrites
		for j := range tables[i].Columns {
			c := &tables[i].Columns[j]
			if !c.ByCode || c.Form != value.Plain && i < 3 || !c.Supported && i < 3 {
				t.Errorf("%s.%s: %+v", tables[i].Name, c.Name, *c)
			}
			*c = catalog.TableColumn{Name: c.Name, Native: c.Native, Nullable: c.Nullable, Comment: c.Comment}
		}
	}
	want := []catalog.Table{
		{
			Schema: "sales", Name: "customers", PrimaryKey: []string{"tenant", "id"}, Unique: [][]string{{"email"}},
			Columns: []catalog.TableColumn{{Name: "tenant", Native: "VARCHAR"}, {Name: "id", Native: "INTEGER"}, {Name: "email", Native: "VARCHAR"}},
		},
		{Schema: "sales", Name: "names", View: true, Columns: []catalog.TableColumn{{Name: "the email", Native: "VARCHAR", Nullable: true}}},
		{
			Schema: "sales", Name: "orders", PrimaryKey: []string{"id"},
			Columns: []catalog.TableColumn{
				{Name: "id", Native: "BIGINT"},
				{Name: "tenant", Native: "VARCHAR"},
				{Name: "customer", Native: "INTEGER", Nullable: true, Comment: "who pays"},
			},
			ForeignKeys: []catalog.ForeignKey{{
				Columns: []string{"tenant", "customer"}, RefSchema: "sales", RefTable: "customers", RefColumns: []string{"tenant", "id"},
			}},
		},
	}
	if diff := cmp.Diff(want, tables[:len(tables)-1]); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
	for _, schema := range []string{"nowhere", "Sales'"} {
		if tables, err := db.Introspect(t.Context(), schema); err != nil || len(tables) != 0 {
			t.Errorf("schema %q: %v, %v", schema, tables, err)
		}
	}
}

// A collation is nowhere to be read, but found out.
func TestCollations(t *testing.T) {
	t.Parallel()
	db := open(t, catalog.DuckDBSpec{Path: file(t,
		"CREATE TABLE t (plain VARCHAR, nocase VARCHAR COLLATE NOCASE, noaccent VARCHAR COLLATE NOACCENT, nfc VARCHAR COLLATE NFC, german VARCHAR COLLATE de, two VARCHAR COLLATE nocase.noaccent)",
		"INSERT INTO t VALUES ('a', 'a', 'a', 'a', 'a', 'a')",
		"CREATE VIEW v AS SELECT plain AS p, nocase AS n FROM t",
	)}, duckdb.Options{})
	tables, err := db.Introspect(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		for _, c := range table.Columns {
			byCode := strings.HasPrefix(c.Name, "p")
			if c.ByCode != byCode || (c.Form == value.Collated) == byCode {
				t.Errorf("%s.%s: by code %t, plain %t", table.Name, c.Name, c.ByCode, c.Form == value.Plain)
			}
		}
	}
}
