package pglink

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lib/pq"
)

// Place is a database as libpq's means name one: what usher takes of it.
type Place struct {
	Host     string // or the folder of a socket
	Port     int
	Database string
	User     string
	Password string
	SSLMode  string // empty: nothing was said, or what trusts whoever answers
	RootCert string
}

// LibpqNames are the variables of libpq by which a database is named without a DSN.
var LibpqNames = []string{"PGSERVICE", "PGHOST", "PGHOSTADDR", "PGDATABASE", "PGUSER"}

// Resolve reads a DSN as libpq does: a URL or keywords, over a service's file,
// over the variables of the process. No error repeats it, since it may hold a
// password. What usher cannot do as it asks is refused, and never left out.
func Resolve(dsn string) (Place, error) {
	is, err := pq.NewConfig(dsn)
	switch {
	case err != nil && (dsn == "" || strings.HasPrefix(err.Error(), "pq: definition of service") || strings.HasPrefix(err.Error(), "pq: service file")):
		return Place{}, fmt.Errorf("the database cannot be found: %w", err)
	case err != nil:
		return Place{}, errors.New("it is neither postgres://user:password@host/database nor 'host=… dbname=… user=…', or says what usher does not take")
	case len(is.Multi) > 0:
		return Place{}, errors.New("it names several hosts: name the one that takes writes")
	case is.SSLCert != "" || is.SSLKey != "":
		return Place{}, errors.New("usher signs in with a password, not with a client's certificate: leave out sslcert and sslkey")
	case is.Options != "" || len(is.Runtime) > 0:
		return Place{}, errors.New("it has settings of a session, which belong into the configuration: leave them out; --schema says which schemas to look into")
	}
	p := Place{Host: is.Host, Port: int(is.Port), Database: is.Database, User: is.User, Password: is.Password}
	if is.Hostaddr.IsValid() && (is.Host == "" || is.Host == "localhost") {
		p.Host = is.Hostaddr.String()
	}
	if p.Database == "" {
		p.Database = is.User
	}
	if mode := string(is.SSLMode); slices.Contains([]string{"disable", "require", "verify-ca", "verify-full"}, mode) {
		p.SSLMode = mode
	}
	if is.SSLRootCert != "system" {
		p.RootCert = is.SSLRootCert
	}
	if is.SSLRootCert != "" && p.SSLMode == "" { // who names an authority wants to know who answers; for system libpq has it so, too
		p.SSLMode = "verify-full"
	}
	return p, nil
}
