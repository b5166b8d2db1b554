package duckdb

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"usher/catalog"
)

// Introspect describes the tables and views of a schema, sorted by name.
func (db *DB) Introspect(ctx context.Context, schema string) ([]catalog.Table, error) {
	tables, err := db.introspect(ctx, schema)
	if err != nil {
		return nil, translate(ctx, err)
	}
	return tables, nil
}

func (db *DB) introspect(ctx context.Context, schema string) ([]catalog.Table, error) {
	enums, err := db.enums(ctx)
	if err != nil {
		return nil, err
	}
	tables, err := db.tables(ctx, schema, enums)
	if err != nil {
		return nil, err
	}
	for i := range tables {
		if db.files { // the readers of files know no collations, and a probe would open the file
			for j := range tables[i].Columns {
				tables[i].Columns[j].ByCode, tables[i].Columns[j].Deterministic = true, true
			}
			continue
		}
		if err := db.collations(ctx, &tables[i]); err != nil {
			return nil, err
		}
	}
	return tables, db.constraints(ctx, schema, tables)
}

// enums are the names of enum types by their native spelling: a column knows
// its labels only. Of several types with the same labels the first counts.
func (db *DB) enums(ctx context.Context) (map[string]string, error) {
	rows, err := db.pool.QueryContext(ctx, `
		SELECT type_name, to_json(labels)::VARCHAR FROM duckdb_types()
		WHERE logical_type = 'ENUM' AND NOT internal AND labels IS NOT NULL AND database_name = current_database()
		ORDER BY type_name DESC`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	enums := make(map[string]string)
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, err
		}
		labels, err := list(text)
		if err != nil {
			return nil, err
		}
		enums[enumSpelling(labels)] = name
	}
	return enums, rows.Err()
}

func (db *DB) tables(ctx context.Context, schema string, enums map[string]string) ([]catalog.Table, error) {
	rows, err := db.pool.QueryContext(ctx, `
		SELECT c.table_name, v.view_name IS NOT NULL, c.column_name, c.data_type, c.is_nullable, coalesce(c.comment, '')
		FROM duckdb_columns() c
		LEFT JOIN duckdb_views() v ON v.database_name = c.database_name AND v.schema_name = c.schema_name AND v.view_name = c.table_name
		WHERE c.database_name = current_database() AND c.schema_name = $1 AND NOT c.internal
		ORDER BY c.table_name, c.column_index`, schema)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var tables []catalog.Table
	for rows.Next() {
		table := catalog.Table{Schema: schema}
		var column catalog.TableColumn
		err := rows.Scan(&table.Name, &table.View, &column.Name, &column.Native, &column.Nullable, &column.Comment)
		if err != nil {
			return nil, err
		}
		column.Type, column.Supported = typeOf(column.Native, enums, table.Name+"_"+column.Name)
		if len(tables) == 0 || tables[len(tables)-1].Name != table.Name {
			tables = append(tables, table)
		}
		last := &tables[len(tables)-1]
		last.Columns = append(last.Columns, column)
	}
	return tables, rows.Err()
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
		column.ByCode, column.Deterministic = true, true
		if strings.HasPrefix(column.Native, "VARCHAR") && !strings.Contains(column.Native, "[") {
			texts = append(texts, column)
			none := "(SELECT " + identifier(column.Name) + " FROM " + identifier(table.Schema) + "." + identifier(table.Name) + " LIMIT 0)"
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
	if err := db.pool.QueryRowContext(ctx, "SELECT "+strings.Join(probes, ", ")).Scan(into...); err != nil {
		return err
	}
	for i, column := range texts {
		column.ByCode, column.Deterministic = !found[i], !found[i]
	}
	return nil
}

func (db *DB) constraints(ctx context.Context, schema string, tables []catalog.Table) error {
	rows, err := db.pool.QueryContext(ctx, `
		SELECT table_name, constraint_type, to_json(constraint_column_names)::VARCHAR,
			coalesce(referenced_table, ''), coalesce(to_json(referenced_column_names)::VARCHAR, '[]')
		FROM duckdb_constraints()
		WHERE database_name = current_database() AND schema_name = $1
			AND constraint_type IN ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY')
		ORDER BY table_name, constraint_index`, schema)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	byName := make(map[string]*catalog.Table, len(tables))
	for i := range tables {
		byName[tables[i].Name] = &tables[i]
	}
	for rows.Next() {
		var name, kind, columnText, refTable, refText string
		if err := rows.Scan(&name, &kind, &columnText, &refTable, &refText); err != nil {
			return err
		}
		columns, err := list(columnText)
		if err != nil {
			return err
		}
		refColumns, err := list(refText)
		if err != nil {
			return err
		}
		table := byName[name]
		switch kind {
		case "PRIMARY KEY":
			table.PrimaryKey = columns
		case "UNIQUE":
			table.Unique = append(table.Unique, columns)
		case "FOREIGN KEY":
			table.ForeignKeys = append(table.ForeignKeys, catalog.ForeignKey{
				// Both ends of a foreign key are in one schema.
				Columns: columns, RefSchema: schema, RefTable: refTable, RefColumns: refColumns,
			})
		}
	}
	return rows.Err()
}

func list(text string) ([]string, error) {
	var out []string
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return nil, fmt.Errorf("duckdb: a list of names: %w", err)
	}
	return out, nil
}
