package cli

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"

	"usher/catalog"
	"usher/cli/term"
	"usher/pglink"
	"usher/setup"
)

var errNoSource = errors.New("say what to look into: --dsn postgres://… or 'host=… dbname=…' or service=…, or PGHOST, PGDATABASE and the like, " +
	"--files a.parquet,b.csv, or --duckdb FILE")

// postgres is the database that --dsn, USHER_DSN or libpq's variables name. A
// URL that says all goes into a file of its own or stays in the environment.
// Anything else is written as the keys of a source, and the password into a
// file.
func (c initCommand) postgres(s *term.IO) (firstSource, error) {
	first := firstSource{Source: setup.Source{Name: sourceName, Schemas: c.Schema}}
	dsn, variable := c.DSN, false
	if dsn == "" {
		dsn, variable = s.Env("USHER_DSN")
	}
	if dsn == "" && !slices.ContainsFunc(pglink.LibpqNames, func(name string) bool { text, _ := s.Env(name); return text != "" }) {
		return first, errNoSource
	}
	if _, password := s.Env("PGPASSWORD"); saysAll(dsn, !password) {
		first.Spec = catalog.SourceSpec{Kind: string(catalog.Postgres), DSN: catalog.Secret(dsn)}
		first.Lines = []string{"kind: postgres", "dsn: {env: USHER_DSN}"}
		if !variable {
			first.secretFile, first.secret = filepath.Join(filepath.Dir(c.Out), "usher.dsn"), dsn
			first.Lines[1] = "dsn: {file: usher.dsn}"
		}
		if onThisMachine(dsn) {
			first.Spec.SSLMode = noTLS
			first.Lines = append(first.Lines, localLine)
		}
	} else if err := c.keys(dsn, &first); err != nil {
		return first, err
	}
	if first.Spec.Pooler = c.Pooler; c.Pooler != "" {
		first.Lines = append(first.Lines, "pooler: "+c.Pooler)
	}
	if len(c.Schema) > 0 {
		first.Spec.Schema = c.Schema[0]
		first.Lines = append(first.Lines, "schema: "+setup.Scalar(c.Schema[0]))
	}
	return first, nil
}

const (
	noTLS     = "disable"
	localLine = "sslmode: disable   # it is on this machine; elsewhere the default, verify-full, is right"
)

// saysAll tells whether a DSN is one that the configuration takes, and needs
// nothing of the environment.
func saysAll(dsn string, withoutPassword bool) bool {
	u, err := url.Parse(dsn)
	if err != nil || u.User == nil {
		return false
	}
	if _, given := u.User.Password(); !given && !withoutPassword {
		return false
	}
	_, problems := catalog.Sources(catalog.Spec{Sources: map[string]catalog.SourceSpec{
		sourceName: {Kind: string(catalog.Postgres), DSN: catalog.Secret(dsn)},
	}})
	return !catalog.Refused(problems)
}

// keys writes the keys of a source for what libpq would connect to.
func (c initCommand) keys(dsn string, first *firstSource) error {
	is, err := pglink.Resolve(dsn)
	if err != nil {
		return fmt.Errorf("--dsn: %w", err)
	}
	spec := catalog.SourceSpec{
		Kind: string(catalog.Postgres), Host: is.Host, Port: is.Port, Database: is.Database, User: is.User, Password: catalog.Secret(is.Password),
		SSLMode: is.SSLMode, RootCert: catalog.Path(is.RootCert),
	}
	lines := []string{
		"kind: postgres", "host: " + setup.Scalar(spec.Host), "port: " + strconv.Itoa(spec.Port),
		"database: " + setup.Scalar(spec.Database), "user: " + setup.Scalar(spec.User),
	}
	if is.Password != "" {
		first.secretFile, first.secret = filepath.Join(filepath.Dir(c.Out), "usher.password"), is.Password
		lines = append(lines, "password: {file: usher.password}")
	}
	switch {
	case is.SSLMode != "":
		lines = append(lines, "sslmode: "+is.SSLMode)
	case isLoopback(spec.Host):
		spec.SSLMode = noTLS
		lines = append(lines, localLine)
	}
	if is.RootCert != "" && is.SSLMode != noTLS {
		lines = append(lines, "root_cert: "+setup.Scalar(c.named(is.RootCert)))
	}
	first.Spec, first.Lines = spec, lines
	return nil
}

// onThisMachine tells whether the server is, and the DSN leaves TLS open.
func onThisMachine(dsn string) bool {
	u, err := url.Parse(dsn)
	return err == nil && !u.Query().Has("sslmode") && !u.Query().Has("sslrootcert") && isLoopback(u.Hostname())
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
