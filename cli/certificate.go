package cli

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"usher/config"
	"usher/textfile"
)

// certificate is the pair of files by which usher shows who it is. Whoever renews
// them replaces the files; the pair that was read last goes on until both fit.
type certificate struct {
	files config.TLS
	log   *slog.Logger

	mu     sync.Mutex
	pair   *tls.Certificate
	looked time.Time // when the files were looked at
	seen   [2]time.Time
	due    time.Time // when a pair that was refused becomes good; zero: none does
}

// lookAgain is how often the files are looked at, while connections are opened.
const lookAgain = time.Second

// loadCertificate reads the files, or says why they cannot be used.
func loadCertificate(files config.TLS, log *slog.Logger) (*certificate, error) {
	c := &certificate{files: files, log: log}
	if err := c.read(c.changed()); err != nil {
		return nil, fmt.Errorf("server.tls: %w", err)
	}
	c.looked = time.Now()
	return c, nil
}

// changed is when the files were written; zero for one that is not there.
func (c *certificate) changed() (at [2]time.Time) {
	for i, name := range []string{string(c.files.Cert), string(c.files.Key)} {
		if info, err := os.Stat(name); err == nil {
			at[i] = info.ModTime()
		}
	}
	return at
}

// read reads the files as they were written at a time.
func (c *certificate) read(written [2]time.Time) error {
	c.seen, c.due = written, time.Time{}
	pair, err := textfile.KeyPair(string(c.files.Cert), string(c.files.Key))
	if err != nil {
		return err
	}
	now := time.Now()
	if err := outOfTime(pair.Leaf, now); err != nil && c.pair != nil && outOfTime(c.pair.Leaf, now) == nil {
		if now.Before(pair.Leaf.NotBefore) {
			c.due = pair.Leaf.NotBefore
		}
		return err
	}
	c.pair = &pair
	return nil
}

// outOfTime is why nobody accepts a certificate at a time; nil: it is good then.
func outOfTime(leaf *x509.Certificate, now time.Time) error {
	switch {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("it has expired (%s)", leaf.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("it is not valid yet (%s)", leaf.NotBefore.UTC().Format(time.RFC3339))
	}
	return nil
}

// endsSoon is how long before its end a certificate is told of, as the alert does; one of a short life in its last third.
const endsSoon = 7 * 24 * time.Hour

// outOfTime is why nobody who connects accepts the certificate now, or why that is near.
func (c *certificate) outOfTime() (problem, note error) {
	now, leaf := time.Now(), c.pair.Leaf
	if err := outOfTime(leaf, now); err != nil {
		return fmt.Errorf("server.tls: nobody accepts the certificate: %w", err), nil
	}
	if leaf.NotAfter.Sub(now) < min(endsSoon, leaf.NotAfter.Sub(leaf.NotBefore)/3) {
		return nil, fmt.Errorf("server.tls: the certificate ends soon (%s)", leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil, nil
}

// get is the certificate for a new connection.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.looked) >= lookAgain {
		c.looked = now
		if written := c.changed(); written != c.seen || !c.due.IsZero() && now.After(c.due) {
			if err := c.read(written); err != nil {
				c.log.Error("the replaced certificate cannot be used, the one before it goes on", "error", err, "until", c.pair.Leaf.NotAfter)
			} else {
				c.log.Info("a replaced certificate is used", "until", c.pair.Leaf.NotAfter)
			}
		}
	}
	return c.pair, nil
}

// config is how connections are secured.
func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}
}

// CertificateExpiry shows until when the certificate is good that usher shows who connects.
// Without TLS it shows nothing.
type CertificateExpiry struct{ of atomic.Pointer[certificate] }

var certificateExpires = prometheus.NewDesc("usher_certificate_expires_timestamp_seconds", "Until when the certificate is good that usher shows who connects: of a renewed one that was refused it is still the one before.", nil, nil)

// Describe implements prometheus.Collector.
func (*CertificateExpiry) Describe(out chan<- *prometheus.Desc) { out <- certificateExpires }

// Collect implements prometheus.Collector. It looks whether the files were replaced, as who connects does.
func (e *CertificateExpiry) Collect(out chan<- prometheus.Metric) {
	c := e.of.Load()
	if c == nil {
		return
	}
	if pair, err := c.get(nil); err == nil {
		out <- prometheus.MustNewConstMetric(certificateExpires, prometheus.GaugeValue, float64(pair.Leaf.NotAfter.Unix()))
	}
}

// strict has browsers come by https only, for a year after they did.
func strict(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		next.ServeHTTP(w, r)
	})
}
