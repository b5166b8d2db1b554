package pgtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"net/url"
	"strings"
	"testing"

	"github.com/lib/pq"
)

// DB is one test's own, empty database. Its user is a superuser.
type DB struct {
	Host           string
	Port           int
	Name           string
	User, Password string
	URL            string
}

// Database makes a database in which text sorts by code point. It is dropped,
// with whatever connections are left, at the end of the test.
func (s *Server) Database(tb testing.TB) DB {
	tb.Helper()
	return s.create(tb, "")
}

// DatabaseLocale makes a database in which text sorts by the rules of a
// language, such as "en_US" or "de_DE". The rules are the operating system's
// if it has that locale, else those of ICU.
func (s *Server) DatabaseLocale(tb testing.TB, locale string) DB {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), adminTimeout)
	defer cancel()
	var provider, name string
	err := s.admin.QueryRowContext(ctx, `
		SELECT collprovider, coalesce(to_jsonb(c)->>'colliculocale', to_jsonb(c)->>'colllocale', collcollate)
		FROM pg_collation c
		WHERE collprovider = 'c' AND collname = $1 || '.utf8'
		   OR collprovider = 'i' AND collname = replace($1, '_', '-') || '-x-icu'
		ORDER BY collprovider LIMIT 1`, locale).Scan(&provider, &name)
	if err != nil {
		tb.Fatalf("the PostgreSQL server has no locale %q, neither of the operating system nor of ICU (%v)", locale, err)
	}
	if provider == "c" {
		return s.create(tb, " LOCALE "+pq.QuoteLiteral(name))
	}
	return s.create(tb, " LOCALE_PROVIDER icu ICU_LOCALE "+pq.QuoteLiteral(name))
}

// create makes a database from template0: the only template that takes another
// locale, and the only one that nobody can be connected to.
func (s *Server) create(tb testing.TB, locale string) DB {
	tb.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	ctx, cancel := context.WithTimeout(tb.Context(), adminTimeout)
	defer cancel()
	if _, err := s.admin.ExecContext(ctx, "CREATE DATABASE "+pq.QuoteIdentifier(name)+" TEMPLATE template0 ENCODING 'UTF8'"+locale); err != nil {
		tb.Fatalf("make a test database: %v", err)
	}
	tb.Cleanup(func() {
		if s.own {
			return
		}
		// The test's own context has ended by now.
		ctx, cancel := context.WithTimeout(context.Background(), adminTimeout)
		defer cancel()
		if _, err := s.admin.ExecContext(ctx, "DROP DATABASE IF EXISTS "+pq.QuoteIdentifier(name)+" WITH (FORCE)"); err != nil {
			tb.Errorf("drop the test database: %v", err)
		}
	})
	return DB{Host: s.Host, Port: s.Port, Name: name, User: s.User, Password: s.Password, URL: s.url(name)}
}

// Open opens the database for the length of the test.
func (db DB) Open(tb testing.TB) *sql.DB {
	tb.Helper()
	connector, err := pq.NewConnector(db.URL)
	if err != nil {
		tb.Fatalf("open the test database: %v", err)
	}
	pool := sql.OpenDB(connector)
	tb.Cleanup(func() { _ = pool.Close() })
	return pool
}

// Exec runs SQL, which may be several statements, on a connection of its own.
func (db DB) Exec(tb testing.TB, statements string) {
	tb.Helper()
	pool := db.Open(tb)
	defer func() { _ = pool.Close() }()
	if _, err := pool.ExecContext(tb.Context(), statements); err != nil {
		tb.Fatalf("%v\nin the SQL:\n%s", err, statements)
	}
}

// Role makes a role of the test's own, whose name stands for $role in the
// statements, and returns the database as its account reaches it.
func (db DB) Role(tb testing.TB, statements string) DB {
	tb.Helper()
	as := db
	as.User, as.Password = strings.ToLower(tb.Name())+"_role", "p"
	address, err := url.Parse(db.URL)
	if err != nil {
		tb.Fatal(err)
	}
	address.User = url.UserPassword(as.User, as.Password)
	as.URL = address.String()
	db.Exec(tb, "CREATE ROLE "+as.User+" LOGIN PASSWORD 'p';"+strings.ReplaceAll(statements, "$role", as.User))
	// Roles belong to the whole server; the test's context has ended by then.
	pool := db.Open(tb)
	tb.Cleanup(func() {
		if _, err := pool.ExecContext(context.Background(), "DROP OWNED BY "+as.User+"; DROP ROLE "+as.User); err != nil {
			tb.Errorf("drop the role: %v", err)
		}
	})
	return as
}
