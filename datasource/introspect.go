package datasource

import (
	"context"

	"usher/catalog"
	"usher/datasource/duckdb"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/datasource/upstream"
)

// Introspect lists what a source holds by catalog.TableKey: a database's tables
// in the schemas, of which there is the usual one if none is named, those among them that the account may not read. Templates,
// and APIs that are no plugins, cannot be looked into: the list is nil.
func Introspect(ctx context.Context, source *catalog.Source, schemas ...string) (map[string]catalog.Table, error) {
	if source.Template {
		return nil, nil
	}
	if source.Kind == catalog.API {
		return upstream.Introspect(ctx, source)
	}
	if len(schemas) == 0 {
		schemas = []string{source.UsualSchema()}
	}
	var tables []catalog.Table
	var unread []catalog.Unreadable
	var err error
	switch source.Kind {
	case catalog.DuckDB:
		tables, err = introspectDuckDB(ctx, source.DuckDB, schemas)
	case catalog.Postgres:
		tables, unread, err = introspectPostgres(ctx, source, schemas)
	case catalog.API:
	}
	if err != nil {
		return nil, err
	}
	found := make(map[string]catalog.Table, len(tables))
	for _, t := range tables {
		found[catalog.TableKey(t.Schema, t.Name)] = t
	}
	for _, u := range unread {
		t := found[catalog.TableKey(u.Schema, u.Table)]
		t.Schema, t.Name, t.Unread = u.Schema, u.Table, u
		found[catalog.TableKey(u.Schema, u.Table)] = t
	}
	return found, nil
}

func introspectDuckDB(ctx context.Context, spec catalog.DuckDBSpec, schemas []string) ([]catalog.Table, error) {
	db, release, err := databaseFiles.open(spec, duckdb.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = release() }() // it was read only
	return db.Introspect(ctx, schemas...)
}

// introspectPostgres looks where the source is itself or, if it is in cells only,
// into the first that answers: the tables of the others are compared with the
// catalog when they are used for the first time.
func introspectPostgres(ctx context.Context, source *catalog.Source, schemas []string) (tables []catalog.Table, unread []catalog.Unreadable, err error) {
	err = inPostgres(source, func(db *postgres.DB) error {
		if tables, err = db.Introspect(ctx, schemas...); err == nil {
			unread, err = db.Unreadable(ctx, schemas...)
		}
		return err
	})
	return tables, unread, err
}

// inPostgres asks a database of the source.
func inPostgres(source *catalog.Source, ask func(*postgres.DB) error) (err error) {
	var opts postgres.Options
	if !source.Postgres.Session.NamesTenant() { // nobody's is not known yet
		opts.Session = source.Postgres.Session
	}
	places := source.Postgres.Places()
	if source.Postgres.Host != "" {
		places = places[:1]
	}
	for _, place := range places {
		var db *postgres.DB
		if db, err = postgres.Open(place, opts); err != nil {
			return err
		}
		err = ask(db)
		_ = db.Close()
		if err == nil {
			break
		}
	}
	return err
}

// AdmitsWriter tells whether a database takes the account by which rows are written, where
// that is one of its own: introspecting has shown no more than that it takes the other.
func AdmitsWriter(ctx context.Context, source *catalog.Source) error {
	if source.Kind != catalog.Postgres || source.Template {
		return nil
	}
	place, other := source.Postgres.WritingAt()
	if !other {
		return nil
	}
	db, err := postgres.Open(place, postgres.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // nothing was written
	return db.Session(postgres.Fresh(ctx), false, func(sqlexec.Session) error { return nil })
}

// Authorize asks a plugin whether it takes its connection; other sources have
// shown by Introspect that they take theirs.
func Authorize(ctx context.Context, source *catalog.Source) error {
	if source.Kind != catalog.API {
		return nil
	}
	return upstream.Authorize(ctx, source)
}
