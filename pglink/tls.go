package pglink

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"usher/textfile"
)

// tlsConfig is nil for an unencrypted connection. The driver's own TLS is not
// used: it reads certificates of the process's home folder.
func tlsConfig(account Account) (*tls.Config, error) {
	if account.SSLMode == "disable" {
		return nil, nil
	}
	roots, err := rootCerts(account.RootCert)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: account.Host, RootCAs: roots}
	switch account.SSLMode {
	case "verify-full":
	case "verify-ca":
		config.InsecureSkipVerify = true // instead of it verifyChain, which leaves out the name
		config.VerifyConnection = func(state tls.ConnectionState) error { return verifyChain(state, roots) }
	case "require":
		config.InsecureSkipVerify = true // what the mode means
	default:
		return nil, fmt.Errorf("sslmode %q: want disable, require, verify-ca or verify-full", account.SSLMode)
	}
	return config, nil
}

// rootCerts are the certificates of a file, or nil for the system's.
func rootCerts(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	pem, err := textfile.Read(path, textfile.Most)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", path)
	}
	return pool, nil
}

func verifyChain(state tls.ConnectionState, roots *x509.CertPool) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the server sent no certificate")
	}
	intermediates := x509.NewCertPool()
	for _, cert := range state.PeerCertificates[1:] {
		intermediates.AddCert(cert)
	}
	_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates})
	return err
}
