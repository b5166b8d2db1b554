package tenancy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"usher/tenancy/database"
)

// Versions are those that a store can have, from the oldest on.
func (s *Store) Versions() ([]int64, error) { return s.db.Versions() }

// Columns are those of the store's tables, with their types.
func (s *Store) Columns(ctx context.Context) (columns []string, err error) {
	err = s.db.List(ctx, &columns, `SELECT CAST(table_name || '.' || column_name || ' ' || data_type AS TEXT) FROM information_schema.columns
		WHERE table_schema || '.' = 'store.' ORDER BY 1`)
	return columns, err
}

// Age leaves a store as a program would have that knew versions up to one. It
// holds what another store does, as far as it has a place for it.
func Age(ctx context.Context, spec database.Spec, version int64, of *Store) (err error) {
	db, err := database.Open(ctx, spec, slog.Default())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	s := &Store{db: db, opts: Options{}.withDefaults()}
	if err := db.MigrateTo(ctx, version); err != nil {
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

func (s *Store) copyRows(ctx context.Context, of *Store, table string, names []string) error {
	if err := s.Exec(ctx, "DELETE FROM store."+table); err != nil { // what the migration itself has put there
		return err
	}
	var rows []string
	if err := of.db.List(ctx, &rows, "SELECT CAST(to_json(x) AS TEXT) FROM store."+table+" x"); err != nil {
		return err
	}
	places := make([]string, len(names))
	for i := range places {
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	for _, text := range rows {
		var row map[string]any
		reader := json.NewDecoder(strings.NewReader(text))
		reader.UseNumber()
		if err := reader.Decode(&row); err != nil {
			return err
		}
		cells := make([]any, len(names))
		for i, name := range names {
			cells[i] = row[name]
		}
		if err := s.Exec(ctx, "INSERT INTO store."+table+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(places, ", ")+")", cells...); err != nil {
			return err
		}
	}
	return nil
}
