package upstream

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"usher/catalog"
	"usher/textfile"
)

// tlsConfig is how an API's server is known, and usher to it (mutual TLS).
// The client's certificate is read for each new connection, so that one that
// is replaced on disk is used without a restart.
func tlsConfig(spec catalog.APISpec) (*tls.Config, error) {
	config, err := authorities(spec, x509.NewCertPool)
	if err != nil {
		return nil, err
	}
	if spec.ClientCert == "" {
		return config, nil
	}
	read := func() (*tls.Certificate, error) {
		cert, err := textfile.KeyPair(spec.ClientCert, spec.ClientKey)
		if err != nil {
			return nil, fmt.Errorf("client_cert and client_key: %w", err)
		}
		return &cert, nil
	}
	if _, err := read(); err != nil {
		return nil, err
	}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return read() }
	return config, nil
}

// grantingTLS is how the server is known that grants an API's access tokens.
// It may be another's: the system's authorities count beside the API's, and the
// client's certificate is not for it.
func grantingTLS(spec catalog.APISpec) (*tls.Config, error) {
	return authorities(spec, func() *x509.CertPool {
		if pool, err := x509.SystemCertPool(); err == nil {
			return pool
		}
		return x509.NewCertPool()
	})
}

// authorities adds an API's own authorities to others; without any, the
// system's are those of the process.
func authorities(spec catalog.APISpec, others func() *x509.CertPool) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if spec.RootCert == "" {
		return config, nil
	}
	text, err := textfile.Read(spec.RootCert, textfile.Most)
	if err != nil {
		return nil, fmt.Errorf("root_cert: %w", err)
	}
	config.RootCAs = others()
	if !config.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("root_cert: %s holds no certificate in PEM", spec.RootCert)
	}
	return config, nil
}
