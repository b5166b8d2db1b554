package postgres_test

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"

	"usher/catalog"
	"usher/datasource/postgres"
	"usher/fault"
	"usher/pgtest"
)

// Nothing of the process's environment reaches the connection.
func TestEnvironment(t *testing.T) {
	db := pgtest.Start(t).Database(t)
	for name, v := range map[string]string{
		"PGHOST": "nowhere.invalid", "PGHOSTADDR": "192.0.2.1", "PGPORT": "1", "PGDATABASE": "elsewhere", "PGUSER": "nobody",
		"PGPASSWORD": "wrong", "PGPASSFILE": "/nonexistent", "PGOPTIONS": "-c default_transaction_read_only=off", "PGAPPNAME": "other",
		"PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/nonexistent", "PGCONNECT_TIMEOUT": "1", "PGCLIENTENCODING": "LATIN1",
		"PGDATESTYLE": "German", "PGTZ": "Asia/Tokyo", "PGGEQO": "off", "PGTARGETSESSIONATTRS": "read-write",
		"PGSERVICE": "none", "PGSERVICEFILE": "/nonexistent", "PGSSLNEGOTIATION": "direct", "PGLOADBALANCEHOSTS": "random",
		"HOME": "/nonexistent",
	} {
		t.Setenv(name, v)
	}
	want(t, open(t, specOf(db), postgres.Options{}), `"`+db.Name+`"|"`+db.User+`"|"usher"|"UTC"|"on"|"on"`,
		`SELECT current_database()::text, current_user::text, current_setting('application_name'), current_setting('TimeZone'),
			current_setting('geqo'), current_setting('default_transaction_read_only')`)

	// What the account leaves out is not filled in either.
	for _, change := range []func(*catalog.PostgresSpec){
		func(s *catalog.PostgresSpec) { s.Host = "" },
		func(s *catalog.PostgresSpec) { s.Database = "" },
		func(s *catalog.PostgresSpec) { s.User = "" },
	} {
		spec := specOf(db)
		change(&spec)
		_, err := postgres.Open(spec, postgres.Options{})
		wantFault(t, err, fault.Internal)
	}
	t.Setenv("PGPASSWORD", db.Password)
	spec := specOf(db)
	spec.Password = ""
	_, err := ask(t.Context(), open(t, spec, postgres.Options{}), false, 1, "SELECT 1")
	wantFault(t, err, fault.Unavailable)
}

func TestRefusedAccounts(t *testing.T) {
	t.Parallel()
	good := catalog.PostgresSpec{Host: "127.0.0.1", Port: 5432, Database: "d", User: "u", Password: "p", SSLMode: "disable"}
	for what, change := range map[string]func(*catalog.PostgresSpec){
		"a host name or an address": func(s *catalog.PostgresSpec) { s.Host = "a,,b" },
		"of one server":             func(s *catalog.PostgresSpec) { s.Host = "/var/run/postgresql" },
		"is not the name":           func(s *catalog.PostgresSpec) { s.Host = "@abstract" },
		"address of one":            func(s *catalog.PostgresSpec) { s.Host = "a host=b" },
		"does not exist":            func(s *catalog.PostgresSpec) { s.Port = 65536 },
		"database":                  func(s *catalog.PostgresSpec) { s.Database = strings.Repeat("d", 64) },
		"user":                      func(s *catalog.PostgresSpec) { s.User = strings.Repeat("ü", 32) },
		"NUL":                       func(s *catalog.PostgresSpec) { s.Database = "d\x00application_name\x00x" },
		"password":                  func(s *catalog.PostgresSpec) { s.Password = "p\x00" },
		"sslmode":                   func(s *catalog.PostgresSpec) { s.SSLMode = "prefer" },
		"no such file":              func(s *catalog.PostgresSpec) { s.SSLMode, s.RootCert = "", "/nonexistent" },
	} {
		spec := good
		change(&spec)
		_, err := postgres.Open(spec, postgres.Options{})
		wantFault(t, err, fault.Internal)
		if err != nil && !strings.Contains(err.Error(), what) {
			t.Errorf("%v: want %q", err, what)
		}
	}
	good.Database, good.User = strings.Repeat("d", 63), strings.Repeat("u", 63)
	if _, err := postgres.Open(good, postgres.Options{}); err != nil {
		t.Errorf("names of 63 bytes: %v", err)
	}
}

func TestWrongAccounts(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	for what, change := range map[string]func(*catalog.PostgresSpec){
		"password": func(s *catalog.PostgresSpec) { s.Password = "secret" },
		"database": func(s *catalog.PostgresSpec) { s.Database = "test_elsewhere" },
		"user":     func(s *catalog.PostgresSpec) { s.User = "test_nobody" },
		"TLS":      func(s *catalog.PostgresSpec) { s.SSLMode = "require" }, // which this server does not have
	} {
		spec := specOf(db)
		change(&spec)
		_, err := ask(t.Context(), open(t, spec, postgres.Options{}), true, 1, "SELECT 1")
		wantFault(t, err, fault.Unavailable)
		if err != nil && !strings.Contains(err.Error(), what) {
			t.Errorf("the cause %v does not speak of the %s", err, what)
		}
	}
}

// A login may end up as another role, by a setting of the role.
func TestIdentityIsCompared(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	spec := role(t, db, "ALTER ROLE $role SET role = pg_monitor; GRANT pg_monitor TO $role")
	_, err := ask(t.Context(), open(t, spec, postgres.Options{}), true, 1, "SELECT 1")
	wantFault(t, err, fault.Unavailable)
	if err != nil && !strings.Contains(err.Error(), "pg_monitor") {
		t.Errorf("the cause %v does not name the role", err)
	}
}

func TestRefusedAddress(t *testing.T) {
	t.Parallel()
	refused := errors.New("not this address")
	var asked string
	db := open(t, specOf(pgtest.Start(t).Database(t)), postgres.Options{Control: func(_, address string, _ syscall.RawConn) error {
		asked = address
		return refused
	}})
	_, err := ask(t.Context(), db, true, 1, "SELECT 1")
	wantFault(t, err, fault.Unavailable)
	if !errors.Is(err, refused) || !strings.HasPrefix(asked, "127.0.0.1:") {
		t.Errorf("%v, asked for %q", err, asked)
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	db := open(t, catalog.PostgresSpec{Host: "127.0.0.1", Port: port, Database: "d", User: "u", Password: "secret", SSLMode: "disable"}, postgres.Options{})
	_, err = ask(t.Context(), db, true, 1, "SELECT 1")
	wantFault(t, err, fault.Unavailable)
}
