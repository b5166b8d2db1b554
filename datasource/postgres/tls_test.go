package postgres_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"

	"usher/datasource/postgres"
	"usher/fault"
	"usher/pgtest"
)

// certificate makes one for 127.0.0.1 that has signed itself, and its key.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}))
}

func rootFile(t *testing.T, cert string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "root.crt")
	if err := os.WriteFile(path, []byte(cert), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// withTLS gives the server a certificate; it writes the files itself, as they
// must be its own.
func withTLS(t *testing.T, db pgtest.DB, cert, key string) {
	t.Helper()
	pool := db.Open(t)
	var data string
	if err := pool.QueryRowContext(t.Context(), "SELECT current_setting('data_directory')").Scan(&data); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"server.crt": cert, "server.key": key} {
		lines := pq.QuoteLiteral(strings.TrimSpace(text))
		write := "umask 077 && cat > '" + filepath.Join(data, name) + "'"
		db.Exec(t, "COPY (SELECT string_to_table("+lines+", E'\\n')) TO PROGRAM "+pq.QuoteLiteral(write))
	}
	for _, statement := range []string{"ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()"} {
		if _, err := pool.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	encrypted := db
	encrypted.URL = strings.Replace(db.URL, "sslmode=disable", "sslmode=require", 1)
	for began := time.Now(); ; {
		err := encrypted.Open(t).PingContext(t.Context())
		if err == nil {
			return
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("the server does not take the certificate: %v", err)
		}
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	server := pgtest.StartOwn(t)
	db := server.Database(t)
	cert, key := certificate(t)
	withTLS(t, db, cert, key)
	other, _ := certificate(t)
	root, otherRoot := rootFile(t, cert), rootFile(t, other)
	for _, c := range []struct {
		host, mode, root string
		accepted         bool
	}{
		{"127.0.0.1", "verify-full", root, true},
		{"127.0.0.1", "", root, true},
		{"localhost", "verify-full", root, false},
		{"localhost", "verify-ca", root, true},
		{"127.0.0.1", "verify-full", otherRoot, false},
		{"127.0.0.1", "verify-ca", otherRoot, false},
		{"127.0.0.1", "verify-full", "", false},
		{"127.0.0.1", "verify-ca", "", false},
		{"127.0.0.1", "require", "", true},
	} {
		spec := specOf(db)
		spec.Host, spec.SSLMode, spec.RootCert = c.host, c.mode, c.root
		source := open(t, spec, postgres.Options{})
		if c.accepted {
			want(t, source, "true", "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
			continue
		}
		_, err := ask(t.Context(), source, true, 1, "SELECT 1")
		wantFault(t, err, fault.Unavailable)
		if err != nil && !strings.Contains(err.Error(), "certificate") {
			t.Errorf("%+v: %v", c, err)
		}
	}

	// Deadlines and canceling work through TLS as well.
	spec := specOf(db)
	spec.SSLMode = "require"
	source := open(t, spec, postgres.Options{})
	within(t, "live", func(ctx context.Context) error {
		_, err := ask(ctx, source, true, 1, "SELECT 'marker'::text, pg_sleep(60) IS NULL")
		return err
	})
	gone(t, db.Open(t), "marker")
	want(t, source, "1", "SELECT 1")
	server.Freeze(t)
	for range 2 { // on the idle connection, and on a new one
		within(t, "frozen", func(ctx context.Context) error {
			_, err := ask(ctx, source, true, 1, "SELECT 1")
			return err
		})
	}
	server.Thaw(t)
	want(t, source, "1", "SELECT 1")
}
