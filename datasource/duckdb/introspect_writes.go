package duckdb

import (
	"context"
	"regexp"
	"strings"

	"usher/catalog"
	"usher/sqlgen"
)

// random are the functions of which no two values are equal.
var random = regexp.MustCompile(`(?i)^(uuid|gen_random_uuid|uuidv4|uuidv7)\(\)$`)

// defaultOf reads how a column is filled that is left out.
func defaultOf(expr string) (catalog.DefaultKind, catalog.Made) {
	switch {
	case expr == "" || strings.EqualFold(expr, "NULL"):
		return catalog.NoDefault, catalog.NotMade
	case strings.Contains(expr, "nextval(") && !strings.Contains(expr, "%"):
		return catalog.ByDefault, catalog.Counted
	case random.MatchString(expr):
		return catalog.ByDefault, catalog.Random
	}
	return catalog.ByDefault, catalog.NotMade
}

// defaults adds how columns are filled. The engine lists a column that it computes
// as one with a default; only the statement that makes the table tells them apart.
func (db *DB) defaults(ctx context.Context, schemas string, tables []catalog.Table) error {
	var found []struct {
		Schema  string `db:"schema_name"`
		Table   string `db:"table_name"`
		Name    string `db:"column_name"`
		Default string `db:"column_default"`
		SQL     string `db:"sql"`
	}
	err := db.catalog().SelectContext(ctx, &found, `
		SELECT c.schema_name, c.table_name, c.column_name, c.column_default, coalesce(t.sql, '') AS sql
		FROM (SELECT * FROM duckdb_columns() WHERE `+among+` AND column_default IS NOT NULL) c
		JOIN duckdb_tables() t ON t.database_name = c.database_name AND t.schema_name = c.schema_name AND t.table_name = c.table_name
		WHERE c.database_name = current_database() AND NOT c.internal
		ORDER BY c.schema_name, c.table_name, c.column_index`, schemas)
	for _, f := range found {
		table := tableNamed(tables, f.Schema, f.Table)
		if table == nil {
			continue
		}
		for i := range table.Columns {
			col := &table.Columns[i]
			if col.Name != f.Name {
				continue
			}
			col.Default, col.Made = defaultOf(f.Default)
			for _, name := range []string{col.Name, sqlgen.Identifier(col.Name)} {
				if strings.Contains(f.SQL, name+" "+col.Native+" GENERATED ALWAYS AS(") {
					col.Default, col.Made = catalog.Computed, catalog.NotMade
				}
			}
		}
	}
	return err
}

// uniqueIndexes adds those that are no constraints. An expression stands in
// parentheses, a name that needs them in quotes.
func (db *DB) uniqueIndexes(ctx context.Context, schemas string, tables []catalog.Table) error {
	var found []struct {
		Schema string `db:"schema_name"`
		Table  string `db:"table_name"`
		Name   string `db:"index_name"`
		Parts  names  `db:"parts"`
	}
	err := db.catalog().SelectContext(ctx, &found, `
		SELECT schema_name, table_name, index_name, to_json(CAST(expressions AS VARCHAR[]))::VARCHAR AS parts
		FROM duckdb_indexes()
		WHERE database_name = current_database() AND `+among+` AND is_unique
		ORDER BY schema_name, table_name, index_name`, schemas)
	for _, f := range found {
		table := tableNamed(tables, f.Schema, f.Table)
		if table == nil {
			continue
		}
		by := catalog.CollidingBy{Name: f.Name}
		for _, part := range f.Parts {
			if column := columnOf(table, part); column != "" {
				by.Columns = append(by.Columns, column)
			} else {
				by.Expression = true
			}
		}
		table.Colliding = append(table.Colliding, by)
	}
	return err
}

// columnOf is the column that a part of an index is, or empty.
func columnOf(table *catalog.Table, part string) string {
	for _, col := range table.Columns {
		if part == col.Name || part == sqlgen.Identifier(col.Name) {
			return col.Name
		}
	}
	return ""
}

// refer adds to each table the foreign keys onto it. The engine keeps them, and changes no
// row on their behalf.
func refer(tables []catalog.Table) {
	for _, from := range tables {
		for _, fk := range from.ForeignKeys {
			if to := tableNamed(tables, fk.RefSchema, fk.RefTable); to != nil {
				to.Referrers = append(to.Referrers, catalog.Referrer{Schema: from.Schema, Table: from.Name, Columns: fk.Columns, RefColumns: fk.RefColumns})
			}
		}
	}
}

func tableNamed(tables []catalog.Table, schema, name string) *catalog.Table {
	for i := range tables {
		if tables[i].Schema == schema && tables[i].Name == name {
			return &tables[i]
		}
	}
	return nil
}
