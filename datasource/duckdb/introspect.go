package duckdb

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"

	"usher/catalog"
	"usher/sqlgen"
	"usher/value"
)

// Introspect describes the tables and views of the schemas, sorted by schema and
// name.
func (db *DB) Introspect(ctx context.Context, schemas ...string) ([]catalog.Table, error) {
	if _, err := db.use(ctx); err != nil {
		return nil, err
	}
	defer db.done()
	tables, err := db.introspect(ctx, sqlgen.DuckDB.List(schemas))
	if err != nil {
		return nil, translate(ctx, err)
	}
	return tables, nil
}

func (db *DB) introspect(ctx context.Context, schemas string) ([]catalog.Table, error) {
	enums, err := db.enums(ctx)
	if err != nil {
		return nil, err
	}
	tables, err := db.tables(ctx, schemas, enums)
	if err != nil {
		return nil, err
	}
	for i := range tables {
		if db.files { // the readers of files know no collations, and a probe would open the file
			for j := range tables[i].Columns {
				tables[i].Columns[j].ByCode = true
			}
			continue
		}
		if err := db.collations(ctx, &tables[i]); err != nil {
			return nil, err
		}
	}
	for _, add := range []func(context.Context, string, []catalog.Table) error{db.constraints, db.uniqueIndexes, db.defaults} {
		if err := add(ctx, schemas, tables); err != nil {
			return nil, err
		}
	}
	refer(tables)
	return tables, nil
}

// enums are the names of enum types by their native spelling: a column knows
// its labels only. Of several types with the same labels the first counts.
func (db *DB) enums(ctx context.Context) (map[string]string, error) {
	var found []struct {
		Name   string `db:"type_name"`
		Labels names  `db:"labels"`
	}
	err := db.catalog().SelectContext(ctx, &found, `
		SELECT type_name, to_json(labels)::VARCHAR AS labels FROM duckdb_types()
		WHERE logical_type = 'ENUM' AND NOT internal AND labels IS NOT NULL AND database_name = current_database()
		ORDER BY type_name DESC`)
	enums := make(map[string]string, len(found))
	for _, e := range found {
		enums[enumSpelling(e.Labels)] = e.Name
	}
	return enums, err
}

// among tells whether a schema is one of those listed in the first argument.
const among = "list_contains(from_json(CAST($1 AS JSON), '[\"VARCHAR\"]'), schema_name)"

func (db *DB) tables(ctx context.Context, schemas string, enums map[string]string) ([]catalog.Table, error) {
	var columns []struct {
		Schema   string `db:"schema_name"`
		Table    string `db:"table_name"`
		View     bool   `db:"is_view"`
		Name     string `db:"column_name"`
		Native   string `db:"data_type"`
		Nullable bool   `db:"is_nullable"`
		Comment  string `db:"comment"`
	}
	err := db.catalog().SelectContext(ctx, &columns, `
		SELECT c.schema_name, c.table_name, v.view_name IS NOT NULL AS is_view, c.column_name, c.data_type, c.is_nullable, coalesce(c.comment, '') AS comment
		FROM (SELECT * FROM duckdb_columns() WHERE `+among+`) c
		LEFT JOIN duckdb_views() v ON v.database_name = c.database_name AND v.schema_name = c.schema_name AND v.view_name = c.table_name
		WHERE c.database_name = current_database() AND NOT c.internal
		ORDER BY c.schema_name, c.table_name, c.column_index`, schemas)
	var tables []catalog.Table
	for _, c := range columns {
		if n := len(tables); n == 0 || tables[n-1].Name != c.Table || tables[n-1].Schema != c.Schema {
			tables = append(tables, catalog.Table{Schema: c.Schema, Name: c.Table, View: c.View})
			if c.View {
				tables[n].Kind = catalog.AView
			}
		}
		column := catalog.TableColumn{Name: c.Name, Native: c.Native, Nullable: c.Nullable, Comment: c.Comment}
		how := typeOf(c.Native, enums, c.Table+"_"+c.Name)
		column.Type, column.Form, column.Odd, column.Supported = how.Type, how.Form, how.Odd, true
		last := &tables[len(tables)-1]
		last.Columns = append(last.Columns, column)
	}
	return tables, err
}

// collations finds the text columns that do not compare by code point. The
// engine names no column's collation anywhere, but a comparison follows it;
// the four here betray a language, NOCASE, NOACCENT and NFC. No row is
// read.
func (db *DB) collations(ctx context.Context, table *catalog.Table) error {
	var probes []string
	var texts []*catalog.TableColumn
	for i := range table.Columns {
		column := &table.Columns[i]
		column.ByCode = true
		if strings.HasPrefix(column.Native, "VARCHAR") && !strings.Contains(column.Native, "[") {
			texts = append(texts, column)
			none := "(SELECT " + sqlgen.Identifier(column.Name) + " FROM " + sqlgen.Identifier(table.Schema) + "." + sqlgen.Identifier(table.Name) + " LIMIT 0)"
			probes = append(probes, fmt.Sprintf(
				"coalesce(%[1]s, 'a') < 'B' OR coalesce(%[1]s, 'a') = 'A' OR coalesce(%[1]s, 'é') < 'f' OR coalesce(%[1]s, 'é') = 'e' || chr(769)", none))
		}
	}
	if len(probes) == 0 {
		return nil
	}
	found := make([]bool, len(probes))
	into := make([]any, len(probes))
	for i := range found {
		into[i] = &found[i]
	}
	if err := db.current().QueryRowContext(ctx, "SELECT "+strings.Join(probes, ", ")).Scan(into...); err != nil {
		return err
	}
	for i, column := range texts {
		if found[i] {
			column.ByCode, column.Form = false, value.Collated
		}
	}
	return nil
}

func (db *DB) constraints(ctx context.Context, schemas string, tables []catalog.Table) error {
	var found []struct {
		Schema     string `db:"schema_name"`
		Table      string `db:"table_name"`
		Name       string `db:"name"`
		Kind       string `db:"constraint_type"`
		Columns    names  `db:"columns"`
		RefTable   string `db:"ref_table"`
		RefColumns names  `db:"ref_columns"`
	}
	err := db.catalog().SelectContext(ctx, &found, `
		SELECT schema_name, table_name, constraint_type, coalesce(constraint_name, '') AS name, to_json(constraint_column_names)::VARCHAR AS columns,
			coalesce(referenced_table, '') AS ref_table, coalesce(to_json(referenced_column_names)::VARCHAR, '[]') AS ref_columns
		FROM duckdb_constraints()
		WHERE database_name = current_database() AND `+among+`
			AND constraint_type IN ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY')
		ORDER BY schema_name, table_name, constraint_index`, schemas)
	type name struct{ schema, table string }
	byName := make(map[name]*catalog.Table, len(tables))
	for i := range tables {
		byName[name{tables[i].Schema, tables[i].Name}] = &tables[i]
	}
	for _, c := range found {
		table := byName[name{c.Schema, c.Table}]
		switch c.Kind {
		case "PRIMARY KEY":
			table.PrimaryKey = c.Columns
			table.Colliding = append(table.Colliding, catalog.CollidingBy{Name: c.Name, Columns: c.Columns, Constraint: true})
		case "UNIQUE":
			table.Unique = append(table.Unique, c.Columns)
			table.Colliding = append(table.Colliding, catalog.CollidingBy{Name: c.Name, Columns: c.Columns, Constraint: true})
		case "FOREIGN KEY":
			table.ForeignKeys = append(table.ForeignKeys, catalog.ForeignKey{
				// Both ends of a foreign key are in one schema.
				Columns: c.Columns, RefSchema: c.Schema, RefTable: c.RefTable, RefColumns: c.RefColumns,
			})
		}
	}
	return err
}

// catalog is the engine's own catalog, asked through sqlx: what it tells is
// small, and read once.
func (db *DB) catalog() *sqlx.DB { return sqlx.NewDb(db.current(), "duckdb") }

// names is a list of names as the statements above return it, in JSON.
type names []string

// Scan implements sql.Scanner.
func (n *names) Scan(from any) error {
	text, ok := from.(string)
	if !ok {
		return fmt.Errorf("duckdb: a list of names arrived as %T", from)
	}
	*n = nil
	if err := json.Unmarshal([]byte(text), (*[]string)(n)); err != nil {
		return fmt.Errorf("duckdb: a list of names: %w", err)
	}
	return nil
}
