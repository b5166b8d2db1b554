package upstream

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/catalog"
	"usher/fault"
)

// authority is a private CA of a test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	dir  string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.cert, a.key = a.sign("ca", true)
	return a
}

// sign makes a certificate and its key, and writes both as files.
func (a *authority) sign(name string, ca bool) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: ca, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := a.cert, a.key
	if ca {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(name+".crt", "CERTIFICATE", der)
	a.write(name+".key", "PRIVATE KEY", private)
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

func (a *authority) write(name, kind string, der []byte) {
	a.t.Helper()
	if err := os.WriteFile(a.file(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// TestMutualTLS: an API behind a company's own CA that wants to see a client's
// certificate is asked with both, and not without either.
func TestMutualTLS(t *testing.T) {
	t.Parallel()
	ca, stranger := newAuthority(t), newAuthority(t)
	ca.sign("server", false)
	ca.sign("usher", false)
	stranger.sign("usher", false)
	pair, err := tls.LoadX509KeyPair(ca.file("server.crt"), ca.file("server.key"))
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AddCert(ca.cert)
	var shown []string
	server := httptest.NewUnstartedServer(answering(says(listing), says(`[["acme",1,"a"]]`)))
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients, MinVersion: tls.VersionTLS12,
		VerifyConnection: func(state tls.ConnectionState) error {
			shown = append(shown, state.PeerCertificates[0].Subject.CommonName)
			return nil
		},
	}
	server.Config.ErrorLog = nil
	server.StartTLS()
	t.Cleanup(server.Close)

	ask := func(root, cert, key string) error {
		a := plugged(t, server.URL, func(s *catalog.SourceSpec) {
			s.RootCert, s.ClientCert, s.ClientKey = catalog.Path(root), catalog.Path(cert), catalog.Path(key)
		})
		_, err := a.fetch(t.Context(), a.things(t, acme, nil, "name"))
		return err
	}
	if err := ask(ca.file("ca.crt"), ca.file("usher.crt"), ca.file("usher.key")); err != nil || len(shown) == 0 || shown[0] != "usher" {
		t.Error("with both:", err, shown)
	}
	refused(t, ask("", ca.file("usher.crt"), ca.file("usher.key")), fault.Unavailable, "")
	refused(t, ask(stranger.file("ca.crt"), ca.file("usher.crt"), ca.file("usher.key")), fault.Unavailable, "")
	refused(t, ask(ca.file("ca.crt"), "", ""), fault.Unavailable, "")
	refused(t, ask(ca.file("ca.crt"), stranger.file("usher.crt"), stranger.file("usher.key")), fault.Unavailable, "")

	for name, change := range map[string]func(*catalog.APISpec){
		"no file":        func(s *catalog.APISpec) { s.RootCert = ca.file("none") },
		"no certificate": func(s *catalog.APISpec) { s.RootCert = ca.file("usher.key") },
		"another's key":  func(s *catalog.APISpec) { s.ClientCert, s.ClientKey = ca.file("usher.crt"), ca.file("server.key") },
	} {
		var spec catalog.APISpec
		change(&spec)
		if _, err := tlsConfig(spec); err == nil || !strings.Contains(err.Error(), "cert") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
