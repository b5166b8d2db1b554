// Package pglink owns the links to PostgreSQL servers, the control store's and
// the sources': dialing, TLS, deadlines, signing in, and what may be repeated of
// what a server says. A server is not trusted: it may be a tenant's. The package
// takes an account's address as it is given; who may name which is judged above,
// and it knows neither plans nor the catalog.
package pglink

import (
	"syscall"
	"time"
)

// Account is what a link needs to know of an account.
type Account struct {
	Host     string // one name or address
	Port     int
	SSLMode  string // disable, require, verify-ca or verify-full
	RootCert string // PEM file; empty: the system's

	// Patience is how long the answer to one thing that the driver asks may
	// take; 0: as long as its context.
	Patience time.Duration
}

// Control may refuse the address that is about to be dialed, as
// net.Dialer.Control; nil refuses none.
type Control func(network, address string, c syscall.RawConn) error
