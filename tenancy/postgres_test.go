package tenancy_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"usher/fault"
	"usher/pgtest"
	"usher/tenancy"
	"usher/tenancy/database"
)

// Nothing of the process's environment reaches the connection.
func TestEnvironment(t *testing.T) {
	spec := postgresOf(pgtest.Start(t).Database(t))
	for name, v := range map[string]string{
		"PGHOST": "nowhere.invalid", "PGPORT": "1", "PGDATABASE": "elsewhere", "PGUSER": "nobody", "PGPASSWORD": "wrong", "PGSSLMODE": "verify-full",
		"PGOPTIONS": "-c default_transaction_read_only=on", "PGSERVICE": "none", "PGSERVICEFILE": "/nonexistent", "PGPASSFILE": "/nonexistent", "HOME": "/nonexistent",
	} {
		t.Setenv(name, v)
	}
	tenant(t, open(t, spec, tenancy.Options{}), "acme")
	t.Setenv("PGPASSWORD", spec.Postgres.Password)
	spec.Postgres.Password = ""
	_, err := tenancy.Open(t.Context(), spec, tenancy.Options{Password: cheap})
	wantCode(t, err, fault.Unavailable)
}

// A database that takes no connections for a while is away, and nothing has failed.
func TestDatabaseTakesNoConnections(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	db, admin := server.Database(t), server.Database(t)
	s := open(t, postgresOf(db), tenancy.Options{})
	tenant(t, s, "acme")
	allow := func(word string) { admin.Exec(t, `ALTER DATABASE "`+db.Name+`" ALLOW_CONNECTIONS `+word) }
	allow("false")
	admin.Exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+db.Name+"'")
	for range 3 {
		_, err := s.GetTenant(t.Context(), root(), "acme")
		wantCode(t, err, fault.Unavailable)
	}
	allow("true")
	eventually(t, "the tenant is read", func() bool { _, err := s.GetTenant(t.Context(), root(), "acme"); return err == nil })
}

// encrypting is a server that speaks TLS before another that does not.
func encrypting(t *testing.T, target string, certificate tls.Certificate) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	serve := func(client net.Conn) {
		defer func() { _ = client.Close() }()
		request := make([]byte, 8)
		if _, err := io.ReadFull(client, request); err != nil {
			return
		}
		_, _ = client.Write([]byte("S"))
		encrypted := tls.Server(client, &tls.Config{Certificates: []tls.Certificate{certificate}})
		server, err := net.Dial("tcp", target)
		if err != nil {
			return
		}
		defer func() { _ = server.Close() }()
		go func() {
			_, _ = io.Copy(server, encrypted)
			_ = server.Close()
		}()
		_, _ = io.Copy(encrypted, server)
	}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(client)
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

func certificate(t *testing.T) (made tls.Certificate, rootFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	rootFile = filepath.Join(t.TempDir(), "root.crt")
	if err := os.WriteFile(rootFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{signed}, PrivateKey: key}, rootFile
}

func TestTLS(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	made, root := certificate(t)
	_, otherRoot := certificate(t)
	encrypted := encrypting(t, net.JoinHostPort(db.Host, strconv.Itoa(db.Port)), made)
	for _, c := range []struct {
		host       string
		port       int
		mode, root string
		accepted   bool
	}{
		{"127.0.0.1", encrypted, "", root, true},
		{"127.0.0.1", encrypted, "verify-full", root, true},
		{"127.0.0.1", encrypted, "require", "", true},
		{"127.0.0.1", encrypted, "verify-full", otherRoot, false},
		{"127.0.0.1", encrypted, "verify-full", "", false},
		{"localhost", encrypted, "verify-full", root, false},
		{"127.0.0.1", db.Port, "verify-full", root, false},
		{"127.0.0.1", db.Port, "require", "", false}, // the server has no TLS: nothing is sent without
	} {
		spec := postgresOf(db)
		spec.Postgres.Hosts, spec.Postgres.SSLMode, spec.Postgres.RootCert = []database.Host{{Name: c.host, Port: c.port}}, c.mode, c.root
		s, err := tenancy.Open(t.Context(), spec, tenancy.Options{Password: cheap})
		if (err == nil) != c.accepted {
			t.Errorf("%+v: %v", c, err)
		}
		if err == nil {
			_ = s.Close()
		}
	}
}

// A pooler would have one session's statements meet another's: the store is not
// opened behind one, whatever the pooler was told to let through.
func TestPoolersAreRefused(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	for _, mode := range []string{"session", "transaction", "statement"} {
		for _, settings := range []string{"", "ignore_startup_parameters = search_path, statement_timeout, usher.connection"} {
			_, err := tenancy.Open(t.Context(), postgresOf(db.Bouncer(t, mode, settings)), tenancy.Options{Password: cheap})
			wantCode(t, err, fault.Unavailable)
			if !strings.Contains(fmt.Sprint(err), "pooler") {
				t.Errorf("%s: the cause does not say why: %v", mode, err)
			}
		}
	}
}

// Who owns the database may bound statements more narrowly, not less so.
func TestOwnersBound(t *testing.T) {
	t.Parallel()
	for owners, ends := range map[string]bool{"300ms": true, "0": false} {
		db := pgtest.Start(t).Database(t)
		store := open(t, postgresOf(db), tenancy.Options{})
		tenant(t, store, "acme")
		db.Exec(t, "ALTER DATABASE "+db.Name+" SET statement_timeout = '"+owners+"'; CREATE FUNCTION usher.nap() RETURNS trigger LANGUAGE plpgsql "+
			"AS $$ BEGIN PERFORM pg_sleep(1); RETURN new; END $$; CREATE TRIGGER nap BEFORE INSERT ON usher.tenants FOR EACH ROW EXECUTE FUNCTION usher.nap()")
		again := open(t, postgresOf(db), tenancy.Options{})
		_, err := again.CreateTenant(t.Context(), root(), tenancy.NewTenant{ID: "slow"})
		if failed := err != nil; failed != ends {
			t.Errorf("a second's work with a bound of %s: %v", owners, err)
		}
	}
}
