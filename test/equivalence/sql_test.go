package equivalence

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2" // makes the files

	"usher/value"
)

// engine writes the world in an engine's SQL.
type engine struct {
	types map[value.Scalar]string
	bytes string // a function of a literal
}

var (
	duckdbSQL = engine{
		types: map[value.Scalar]string{value.Float: "DOUBLE", value.JSON: "JSON", value.Bytes: "BLOB"},
		bytes: "from_base64(%s)",
	}
	postgresSQL = engine{
		types: map[value.Scalar]string{value.Float: "DOUBLE PRECISION", value.JSON: "JSONB", value.Bytes: "BYTEA"},
		bytes: "decode(%s, 'base64')",
	}
)

// The types that both engines call the same.
var commonTypes = map[value.Scalar]string{
	value.Int: "INTEGER", value.BigInt: "BIGINT", value.Boolean: "BOOLEAN", value.String: "TEXT", value.ID: "TEXT", value.UUID: "UUID",
	value.Date: "DATE", value.Time: "TIME", value.Timestamp: "TIMESTAMPTZ", value.LocalTimestamp: "TIMESTAMP", value.Interval: "INTERVAL",
}

func (e engine) native(t value.Type) string {
	switch {
	case t.List:
		return e.native(t.Elem()) + "[]"
	case t.Scalar == value.Enum:
		return strings.ToLower(t.EnumName)
	case t.Scalar == value.Decimal:
		return fmt.Sprintf("DECIMAL(%d, %d)", t.Precision, t.Scale)
	}
	if name, ok := e.types[t.Scalar]; ok {
		return name
	}
	return commonTypes[t.Scalar]
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func (e engine) literal(t value.Type, c cell) string {
	switch {
	case c.null:
		return "NULL"
	case t.List:
		items := make([]string, len(c.items))
		for i, item := range c.items {
			items[i] = e.literal(t.Elem(), item)
		}
		return "CAST(ARRAY[" + strings.Join(items, ", ") + "] AS " + e.native(t) + ")"
	case t.Scalar == value.Bytes:
		return fmt.Sprintf(e.bytes, quoted(c.text))
	case t.Scalar == value.Interval:
		s, err := value.ParseSpan(c.text)
		if err != nil {
			panic(err)
		}
		return fmt.Sprintf("CAST('%d months %d days %d microseconds' AS INTERVAL)", s.Months, s.Days, s.Micros)
	}
	return "CAST(" + quoted(c.text) + " AS " + e.native(t) + ")"
}

// script makes the tables: with everybody's rows and the common ones, or one
// tenant's and those of the tenant alone.
func (e engine) script(w *world, tenant string) string {
	var b strings.Builder
	for _, t := range []value.Type{heat, status, kind} {
		fmt.Fprintf(&b, "CREATE TYPE %s AS ENUM ('%s');\n", e.native(t), strings.Join(t.Labels, "', '"))
	}
	for _, t := range w.tables {
		if t.common && tenant != "" {
			continue
		}
		columns := make([]string, len(t.stored()))
		for i, c := range t.stored() {
			columns[i] = `"` + c.name + `" ` + e.native(c.typ)
			if c.never {
				columns[i] += " NOT NULL"
			}
		}
		if t.lasting != nil && t.key != nil { // rows that others are a tenant's through
			columns = append(columns, "UNIQUE ("+strings.Join(t.key, ", ")+")")
		}
		fmt.Fprintf(&b, "CREATE TABLE %s (%s);\n", t.name, strings.Join(columns, ", "))
		rows := t.rows
		if tenant != "" {
			rows = t.of(tenant)
		}
		e.insert(&b, t, rows)
	}
	return b.String()
}

// indexes finds a tenant's rows by each column that a relation may be on, which
// has PostgreSQL asked in another way.
func indexes(w *world) string {
	var b strings.Builder
	for _, t := range w.tables {
		for _, c := range t.stored() {
			switch c.typ.Scalar { //nolint:exhaustive // what keys are made of
			case value.Int, value.BigInt, value.Decimal, value.String:
			default:
				continue
			}
			switch {
			case c.typ.List || c.name == tenantColumn:
			case t.common, t.through != "":
				fmt.Fprintf(&b, "CREATE INDEX ON %s (%q);\n", t.name, c.name)
			default:
				fmt.Fprintf(&b, "CREATE INDEX ON %s (%s, %q);\n", t.name, tenantColumn, c.name)
			}
		}
	}
	return b.String()
}

func (e engine) insert(b *strings.Builder, t *table, rows [][]cell) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "INSERT INTO %s VALUES\n", t.name)
	for i, row := range rows {
		if i > 0 {
			b.WriteString(",\n")
		}
		hidden := len(t.columns) - len(t.stored())
		for j, c := range t.stored() {
			if j == 0 {
				b.WriteByte('(')
			} else {
				b.WriteString(", ")
			}
			b.WriteString(e.literal(c.typ, row[j+hidden]))
		}
		b.WriteByte(')')
	}
	b.WriteString(";\n")
}

// writeDuckDB makes a database file.
func writeDuckDB(tb testing.TB, path, script string) {
	tb.Helper()
	db, err := sql.Open("duckdb", path)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(tb.Context(), "SET TimeZone = 'UTC';\n"+script); err != nil {
		tb.Fatalf("make %s: %v", filepath.Base(path), err)
	}
}
