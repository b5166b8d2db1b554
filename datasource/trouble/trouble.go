// Package trouble owns what can be wrong with an account of a source, told apart
// for those who can mend it. It tags causes of errors, which go to the log; what
// callers are told is in package fault. It repeats nothing of what a server said.
package trouble

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"syscall"

	"usher/datasource/address"
)

// Kind is what is wrong.
type Kind string

// The kinds, as the control plane spells them.
const (
	Unreachable Kind = "UNREACHABLE"     // the host has no such name, takes no connection, or is silent
	Address     Kind = "ADDRESS_REFUSED" // the host is where no account may lead
	TLS         Kind = "TLS"             // no secure connection can be made
	Login       Kind = "LOGIN_REFUSED"   // the server does not take user, password or credentials
	NoConnect   Kind = "CONNECT_REFUSED" // the account may not connect to the database
	NoDatabase  Kind = "NO_DATABASE"
	NoSchema    Kind = "NO_SCHEMA"
	NoTable     Kind = "NO_TABLE" // or path of an API
	NoColumn    Kind = "NO_COLUMN"
	WrongType   Kind = "WRONG_TYPE"
	NotReadable Kind = "NOT_READABLE" // the account may not read it
	Answer      Kind = "ANSWER"       // an API sends what nobody was promised
	Busy        Kind = "BUSY"
	Record      Kind = "RECORD" // what the tenant's record says leads nowhere
	Other       Kind = "OTHER"
)

// OfAccount tells what is wrong with the account as a whole: nothing can be read
// with it.
func (k Kind) OfAccount() bool {
	switch k {
	case Unreachable, Address, TLS, Login, NoConnect, NoDatabase, NoSchema, Busy:
		return true
	}
	return false
}

// tagged is an error of a kind. Its text is the error's.
type tagged struct {
	error
	kind Kind
}

func (t tagged) Unwrap() error { return t.error }

// With is the error with its kind.
func With(kind Kind, err error) error {
	if kind == "" || err == nil {
		return err
	}
	return tagged{err, kind}
}

// Of is the kind of an error: the one it was tagged with, or what the network
// says; empty: nobody knows.
func Of(err error) Kind {
	var t tagged
	if errors.As(err, &t) {
		return t.kind
	}
	return ofNetwork(err)
}

func ofNetwork(err error) Kind {
	var (
		name      *net.DNSError
		network   net.Error
		record    tls.RecordHeaderError
		cert      *tls.CertificateVerificationError
		alert     tls.AlertError
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
	)
	switch {
	case errors.Is(err, address.ErrClosed):
		return Address
	case errors.As(err, &record), errors.As(err, &cert), errors.As(err, &alert), errors.As(err, &authority), errors.As(err, &host):
		return TLS
	case errors.As(err, &name), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH),
		errors.As(err, &network) && network.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return Unreachable
	}
	return ""
}
