package pgtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"
)

// Certificate makes one for 127.0.0.1 that has signed itself, and its key.
func Certificate(tb testing.TB) (cert, key string) {
	tb.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		tb.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		tb.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}))
}

// Encrypt gives the server a certificate; it writes the files itself, as they
// must be its own.
func (db DB) Encrypt(tb testing.TB, cert, key string) {
	tb.Helper()
	pool := db.Open(tb)
	var data string
	if err := pool.QueryRowContext(tb.Context(), "SELECT current_setting('data_directory')").Scan(&data); err != nil {
		tb.Fatal(err)
	}
	for name, text := range map[string]string{"server.crt": cert, "server.key": key} {
		lines := pq.QuoteLiteral(strings.TrimSpace(text))
		write := "umask 077 && cat > '" + filepath.Join(data, name) + "'"
		db.Exec(tb, "COPY (SELECT string_to_table("+lines+", E'\\n')) TO PROGRAM "+pq.QuoteLiteral(write))
	}
	for _, statement := range []string{"ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()"} {
		if _, err := pool.ExecContext(tb.Context(), statement); err != nil {
			tb.Fatal(err)
		}
	}
	encrypted := db
	encrypted.URL = strings.Replace(db.URL, "sslmode=disable", "sslmode=require", 1)
	for began := time.Now(); ; {
		err := encrypted.Open(tb).PingContext(tb.Context())
		if err == nil {
			return
		}
		if time.Since(began) > 10*time.Second {
			tb.Fatalf("the server does not take the certificate: %v", err)
		}
	}
}
