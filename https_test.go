package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/test/program"
)

// issue writes a certificate for 127.0.0.1 and its key, good for so many hours from now, and returns who trusts it.
func issue(t *testing.T, dir string, hours int64) *x509.CertPool {
	t.Helper()
	return issueBetween(t, dir, time.Now().Add(-2*time.Hour), time.Now().Add(time.Duration(hours)*time.Hour))
}

func issueBetween(t *testing.T, dir string, from, until time.Time) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(until.UnixNano()), NotBefore: from, NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	program.WriteFile(t, filepath.Join(dir, "tls.crt"), string(text))
	program.WriteFile(t, filepath.Join(dir, "tls.key"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool
}

// TestHTTPS: with server.tls usher answers as https, by HTTP/2 where the client
// speaks it; a certificate that is replaced is used for the next connections, one
// that cannot be used is not, and both are said.
func TestHTTPS(t *testing.T) {
	t.Parallel()
	config := prepare(t, "0s", "server: {", "server: {tls: {cert: tls.crt, key: tls.key}, ")
	dir := filepath.Dir(config)
	trusted := issue(t, dir, 1)
	stderr := program.NewOutput()
	p := launch(t, config, "127.0.0.1:0", stderr)
	if !strings.HasPrefix(p.base, "https://") {
		t.Fatalf("usher serves at %s", p.base)
	}
	type told struct {
		proto, status int
		strict        string
	}
	ask := func(trusted *x509.CertPool, h2 bool) (told, error) {
		protocols := new(http.Protocols)
		protocols.SetHTTP1(!h2)
		protocols.SetHTTP2(h2)
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}, Protocols: protocols}
		defer transport.CloseIdleConnections()
		response, err := (&http.Client{Transport: transport}).Do(p.question(t))
		if err != nil {
			return told{}, err
		}
		return told{response.ProtoMajor, response.StatusCode, response.Header.Get("Strict-Transport-Security")}, response.Body.Close()
	}
	for _, h2 := range []bool{false, true} {
		got, err := ask(trusted, h2)
		if err != nil {
			t.Fatal(err)
		}
		if (got.proto == 2) != h2 || got.status != http.StatusOK || got.strict == "" {
			t.Errorf("HTTP/2 %v: %+v", h2, got)
		}
	}
	plain, err := (&http.Client{}).Get(strings.Replace(p.base, "https", "http", 1) + "/health/live")
	if err != nil {
		t.Fatal(err)
	}
	if _ = plain.Body.Close(); plain.StatusCode != http.StatusBadRequest {
		t.Errorf("http at the port of https: %s", plain.Status)
	}

	hours := func() time.Duration { // that the certificate is good for, as operators see it
		return time.Until(time.Unix(int64(p.metric(t, "usher_certificate_expires_timestamp_seconds")), 0)).Round(time.Hour) / time.Hour
	}
	if n := hours(); n != 1 {
		t.Errorf("the certificate is shown as good for %d hours", n)
	}

	// Half of a renewal: the key of another certificate.
	before := trusted
	program.WriteFile(t, filepath.Join(dir, "tls.key"), "no key")
	program.Soon(t, program.Patience, "the bad certificate is in the log", func() bool {
		if _, err := ask(before, true); err != nil {
			t.Fatalf("a bad file ends what worked: %v", err)
		}
		return strings.Contains(stderr.String(), "the replaced certificate cannot be used")
	})
	if n := hours(); n != 1 {
		t.Errorf("beside a renewed one that is refused, the certificate is shown as good for %d hours", n)
	}
	issue(t, dir, -1)
	program.Soon(t, program.Patience, "one that has expired is refused", func() bool {
		if _, err := ask(before, true); err != nil {
			t.Fatalf("an expired file ends what worked: %v", err)
		}
		return strings.Contains(stderr.String(), "it has expired")
	})
	good := time.Now().Add(5 * time.Second).Truncate(time.Second)
	issueBetween(t, dir, good, good.Add(3*time.Hour))
	program.Soon(t, program.Patience, "one that is not valid yet is refused, and used when it is", func() bool {
		if _, err := ask(before, true); err != nil && time.Now().Before(good) {
			t.Fatalf("a file for later ends what worked: %v", err)
		}
		return hours() == 3 && strings.Contains(stderr.String(), "it is not valid yet")
	})
	trusted = issue(t, dir, 2)
	program.Soon(t, program.Patience, "the new certificate is used", func() bool {
		_, err := ask(trusted, true)
		return err == nil
	})
	if _, err := ask(before, true); err == nil {
		t.Error("the old certificate is shown still")
	}
	program.Soon(t, program.Patience, "operators see that it was renewed", func() bool { return hours() == 2 })
	program.Soon(t, program.Patience, "the log says that the certificate was replaced", func() bool { return strings.Contains(stderr.String(), "a replaced certificate is used") })
}

// TestCertificatesOutOfTime: one that nobody accepts is served at the start, for who renews it may come later, and is
// told of, by a check, too; so is one that ends soon.
func TestCertificatesOutOfTime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, until time.Duration
		want        string
		fails       bool
	}{
		"expired":       {-48 * time.Hour, -time.Hour, "server.tls: nobody accepts the certificate: it has expired (", true},
		"not valid yet": {time.Hour, 48 * time.Hour, "server.tls: nobody accepts the certificate: it is not valid yet (", true},
		"ends soon":     {-30 * 24 * time.Hour, 48 * time.Hour, "server.tls: the certificate ends soon (", false},
		"of a day":      {-time.Hour, 23 * time.Hour, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := prepare(t, "0s", "server: {", "server: {tls: {cert: tls.crt, key: tls.key}, ")
			issueBetween(t, filepath.Dir(config), time.Now().Add(c.from), time.Now().Add(c.until))
			printed, err := program.Command(t, "check", "-c", config)
			stderr := program.NewOutput()
			launch(t, config, "127.0.0.1:0", stderr)
			program.Soon(t, program.Patience, "the log says it", func() bool { return strings.Contains(stderr.String(), c.want) })
			for what, said := range map[string]string{"check": printed, "serve": stderr.String()} {
				if told := strings.Contains(said, "server.tls"); told != (c.want != "") || !strings.Contains(said, c.want) {
					t.Errorf("%s says %s", what, said)
				}
			}
			if (err != nil) != c.fails {
				t.Errorf("check: %v", err)
			}
		})
	}
}

// TestHTTP2WithoutTLS: with server.h2c a balancer speaks HTTP/2 to usher, and
// without it nobody does.
func TestHTTP2WithoutTLS(t *testing.T) {
	t.Parallel()
	for _, taken := range []bool{true, false} {
		config := prepare(t, "0s")
		if taken {
			config = prepare(t, "0s", "server: {", "server: {h2c: true, ")
		}
		p := launch(t, config, "127.0.0.1:0", program.NewOutput())
		protocols := new(http.Protocols)
		protocols.SetUnencryptedHTTP2(true)
		transport := &http.Transport{Protocols: protocols}
		response, err := (&http.Client{Transport: transport}).Do(p.question(t))
		if err != nil {
			if taken {
				t.Error(err)
			}
			continue
		}
		_ = response.Body.Close()
		transport.CloseIdleConnections()
		if !taken || response.ProtoMajor != 2 || response.StatusCode != http.StatusOK {
			t.Errorf("h2c %v: %s %s", taken, response.Proto, response.Status)
		}
	}
}
