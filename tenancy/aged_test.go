package tenancy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Versions are those that a store can have, from the oldest on.
func (s *Store) Versions() ([]int64, error) {
	all, err := s.migrations()
	var versions []int64
	for _, m := range all {
		versions = append(versions, m.Version)
	}
	slices.Sort(versions)
	return versions, err
}

// Columns are those of the store's tables, with their types.
func (s *Store) Columns(ctx context.Context) (columns []string, err error) {
	err = s.list(ctx, &columns, `SELECT CAST(table_name || '.' || column_name || ' ' || data_type AS TEXT) FROM information_schema.columns
		WHERE table_schema = $1 ORDER BY 1`, s.schema)
	return columns, err
}

// Age leaves a store as a program would have that knew versions up to one. It
// holds what another store does, as far as it has a place for it.
func Age(ctx context.Context, spec Spec, version int64, of *Store) (err error) {
	s := &Store{schema: cmp.Or(spec.Schema, "usher"), opts: Options{}.withDefaults()}
	if err := s.connect(ctx, spec); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, s.db.Close())
		if s.dsn != nil {
			s.dsn.close()
		}
	}()
	if err := s.makeSchema(ctx); err != nil {
		return err
	}
	provider, err := s.migrating()
	if err != nil {
		return err
	}
	if _, err := provider.UpTo(ctx, version); err != nil {
		return err
	}
	columns, err := s.Columns(ctx)
	if err != nil {
		return err
	}
	tables := make(map[string][]string)
	for _, c := range columns {
		table, rest, _ := strings.Cut(c, ".")
		name, _, _ := strings.Cut(rest, " ")
		tables[table] = append(tables[table], name)
	}
	delete(tables, "migrations")
	for table, names := range tables {
		if err := s.copyRows(ctx, of, table, names); err != nil {
			return fmt.Errorf("%s: %w", table, err)
		}
	}
	return nil
}

func (s *Store) copyRows(ctx context.Context, of *Store, table string, names []string) (err error) {
	if err := s.Exec(ctx, "DELETE FROM store."+table); err != nil { // what the migration itself has put there
		return err
	}
	list := strings.Join(names, ", ")
	rows, err := of.db.QueryxContext(ctx, of.sql("SELECT "+list+" FROM store."+table))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	places := make([]string, len(names))
	for i := range places {
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	for rows.Next() {
		row, err := rows.SliceScan()
		if err != nil {
			return err
		}
		for i, v := range row {
			if text, ok := v.([]byte); ok { // as the driver of PostgreSQL has texts
				row[i] = string(text)
			}
		}
		if err := s.Exec(ctx, "INSERT INTO store."+table+" ("+list+") VALUES ("+strings.Join(places, ", ")+")", row...); err != nil {
			return err
		}
	}
	return rows.Err()
}
