package pgcatalog_test

import (
	"testing"

	"usher/catalog"
	"usher/datasource/postgres"
	"usher/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// database makes one with the statements run in it.
func database(t *testing.T, statements string) pgtest.DB {
	t.Helper()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, statements)
	return db
}

func specOf(db pgtest.DB) catalog.PostgresSpec {
	return catalog.PostgresSpec{
		Host: db.Host, Port: db.Port, Database: db.Name, User: db.User, Password: db.Password, SSLMode: "disable", MaxConns: 2,
	}
}

// open reads what the catalogs say over connections as usher has them.
func open(t *testing.T, spec catalog.PostgresSpec) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(spec, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
