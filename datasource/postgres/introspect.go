package postgres

import (
	"context"
	"fmt"
	"slices"

	"usher/catalog"
	"usher/datasource/pgcatalog"
	"usher/datasource/sqlexec"
	"usher/value"
)

// Introspect describes what the account may read of the schemas.
func (db *DB) Introspect(ctx context.Context, schemas ...string) (tables []catalog.Table, err error) {
	err = db.catalogs(ctx, func(ask pgcatalog.Query) error {
		tables, err = pgcatalog.Tables(ctx, ask, schemas...)
		return err
	})
	return tables, err
}

// Unreadable lists what the schemas hold and the account may not read.
func (db *DB) Unreadable(ctx context.Context, schemas ...string) (out []catalog.Unreadable, err error) {
	err = db.catalogs(ctx, func(ask pgcatalog.Query) error {
		out, err = pgcatalog.Unreadable(ctx, ask, schemas...)
		return err
	})
	return out, err
}

// catalogs asks the system catalogs in one session.
func (db *DB) catalogs(ctx context.Context, of func(pgcatalog.Query) error) error {
	return db.Session(Fresh(ctx), true, func(s sqlexec.Session) error {
		return of(func(ctx context.Context, text string, args []string, columns []uint32) (value.Rows, error) {
			rows, err := s.Query(ctx, text, args)
			if err != nil {
				return nil, err
			}
			return rows, selected(rows, columns)
		})
	})
}

// selected refuses rows of other columns than a statement of ours selects.
func selected(found value.Rows, columns []uint32) error {
	if r, ok := found.(*rows); ok && !slices.Equal(r.types, columns) {
		return translate(r.ctx, fmt.Errorf("%w: introspection was answered with %d columns, or of other types than the %d asked for", errProtocol, len(r.types), len(columns)))
	}
	return nil
}
