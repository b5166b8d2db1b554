package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"

	"usher/catalog"
	"usher/datasource/pgwire"
	"usher/datasource/trouble"
	"usher/pglink"
)

// A pooler (PgBouncer and the like) passes the statements of many clients on to
// few connections of the server. Settings that a client sends when it connects
// are lost on the way, a session's state is met by whoever comes next, and what
// one client has prepared is there under its name for the others. So a pooler
// is served only where the source says of which kind it is, and nothing that a
// session keeps is relied on behind one: every transaction begins with a
// preamble, which sets what answers depend on for as long as that transaction
// lasts, and says where it runs. It travels with the first statement, so it
// costs no round trip, and leaves nothing behind for others.
//
//   - Behind `pooler: transaction` statements have no name: they are parsed,
//     bound and run between two Syncs, which no pooler tears apart.
//   - Behind `pooler: session` they are prepared once, as without a pooler, and
//     the preamble shows that it is still the same connection of the server. A
//     pooler that changes it all the same is noticed before a row is read.

// settings are what answers depend on, in the words the server reads them back.
func settings() []catalog.Setting {
	return []catalog.Setting{
		{Name: "client_encoding", Value: "UTF8"},
		{Name: "DateStyle", Value: "ISO, MDY"},
		{Name: "TimeZone", Value: "UTC"},
		{Name: "IntervalStyle", Value: "postgres"},
		{Name: "extra_float_digits", Value: "1"},
		{Name: "array_nulls", Value: "on"},
		{Name: "bytea_output", Value: "hex"},
		{Name: "quote_all_identifiers", Value: "off"},
		{Name: "standard_conforming_strings", Value: "on"},
		{Name: "jit", Value: "off"},
	}
}

// sessionSettings are those of a connection that is usher's alone.
func sessionSettings() []catalog.Setting {
	return append(settings(),
		catalog.Setting{Name: "search_path", Value: ""},
		catalog.Setting{Name: "default_transaction_read_only", Value: "on"})
}

// pooledSettings are those of a transaction. Others may have left temporary
// objects behind, which come first unless they are named last.
func pooledSettings() []catalog.Setting {
	return append(settings(),
		catalog.Setting{Name: "search_path", Value: "pg_catalog, pg_temp"},
		catalog.Setting{Name: "transaction_read_only", Value: "on"})
}

// pooling is how a connection takes account of a pooler.
type pooling struct {
	kind     catalog.Pooler
	settings []catalog.Setting // that hold in every transaction
	seed     string            // of the names of prepared statements
	preamble string            // empty without a pooler
	name     string            // of the preamble as a prepared statement; empty: it has none
}

func newPooling(kind catalog.Pooler) pooling { return poolingFor(kind, false) }

// poolingFor is newPooling for connections that are written by, or not.
func poolingFor(kind catalog.Pooler, writes bool) pooling {
	p := pooling{kind: kind, settings: pooledSettings()}
	if kind == catalog.NoPooler {
		p.settings = sessionSettings()
	}
	if writes {
		p.settings[len(p.settings)-1].Value = "off" // read only
	}
	for _, s := range p.settings {
		p.seed += s.Name + "\x00" + s.Value + "\x00"
	}
	if kind == catalog.NoPooler {
		return p
	}
	// It is read before any setting of ours holds, so its names say where they
	// belong. A role that others have left is put aside. The last columns say
	// where it runs.
	const set = "pg_catalog.set_config("
	p.preamble = "SELECT " + set + "'role', 'none', true), " + set + "'statement_timeout', $1::pg_catalog.text, true), "
	for _, s := range p.settings {
		p.preamble += set + pq.QuoteLiteral(s.Name) + ", " + pq.QuoteLiteral(s.Value) + ", true), "
	}
	p.preamble += "CASE WHEN $2::pg_catalog.text <> '' THEN " + set + "'plan_cache_mode', $2::pg_catalog.text, true) ELSE '' END, pg_catalog.pg_backend_pid()::pg_catalog.text, current_user::pg_catalog.text, pg_catalog.current_database()::pg_catalog.text"
	if kind == catalog.SessionPooler {
		p.name = p.statementName(p.preamble)
	}
	return p
}

// statementName is the name under which a text is prepared: a digest of all that
// makes of it the statement that it is. Should a connection of the server be
// shared by a pooler that nobody noticed, whoever meets a statement of this name
// meets the very same one. That is the text, and the settings that it is read
// with: they decide what a literal means and where a name is looked up. The
// types of the arguments follow from the text, which casts each of them, and are
// sent as not known. Database and user need not be in it: a connection belongs
// to one of each, and they are compared before the first statement. A role or a
// schema changed later has the server look into the statement again.
func (p pooling) statementName(text string) string {
	digest := sha256.Sum256([]byte(p.seed + text))
	return "u_" + base64.RawURLEncoding.EncodeToString(digest[:]) // 45 bytes of the 63 that a name may have
}

// pooled tells whether there is a pooler that the source spoke of.
func (p pooling) pooled() bool { return p.kind != catalog.NoPooler }

// named tells whether statements may be prepared.
func (p pooling) named() bool { return p.kind != catalog.TransactionPooler }

var (
	errPooler = errors.New("a connection pooler seems to stand before PostgreSQL: say so in the source, with `pooler: transaction`, " +
		"or with `pooler: session` if each client has a connection of the server for itself")
	errNotKept = errors.New("the pooler has changed the server connection under a session: in the source, " +
		"`pooler: session` must become `pooler: transaction`")
	errNoTransaction = errors.New("the pooler lets no transaction begin: one that pools statements cannot be served, " +
		"it has to pool transactions or sessions")
)

// refused explains a login that was refused for the settings that came along.
func refused(err error) error {
	if pglink.RefusesParameters(err) {
		return fmt.Errorf("%w (%w)", errPooler, pglink.Redacted(err))
	}
	return err
}

// arrive finds out where a new connection has led.
func (c *connector) arrive(ctx context.Context, made *conn) error {
	made.limit = c.opts.Timeout + time.Second
	if !made.pooling.pooled() {
		if c.opts.Writes {
			if err := made.exec(ctx, "SELECT pg_catalog.set_config('search_path', '', false)"); err != nil {
				return err
			}
		}
		return c.identify(ctx, made, made.link.Backend())
	}
	if c.opts.Writes { // what the preamble sets cannot be set in a transaction that only reads
		made.begins = []string{beginWriting}
		defer func() { made.begins = nil }()
	}
	err := made.enter(ctx, made.limit)
	var reported *pq.Error
	if errors.As(err, &reported) && reported.Code == "08P01" && strings.Contains(reported.Message, "statement pooling") {
		return fmt.Errorf("%w (%w)", errNoTransaction, pglink.Redacted(err))
	}
	if err == nil {
		err = c.identify(ctx, made, 0)
	}
	if err == nil {
		err = made.exec(ctx, "COMMIT")
	}
	return err
}

// identity is what a new connection says of itself. Whoever owns the database
// may have bounded statements more narrowly than usher does: the bound that a
// session begins with is theirs, and stays. So is the path that it would have.
const identity = `SELECT current_database()::text, current_user::text, EXISTS(SELECT FROM pg_namespace WHERE nspname = $1::text),
	pg_backend_pid()::int8, s.bound, s.owners,
	CASE WHEN pg_backend_pid() = $2::int8 THEN set_config('statement_timeout', s.bound::text, false) END,
	CASE WHEN pg_backend_pid() = $2::int8 AND s.checks THEN set_config('client_connection_check_interval', '500', false) END`

const identityFrom = `
FROM (
	SELECT checks, path, owners, CASE WHEN owners BETWEEN 1 AND $3::int8 THEN owners ELSE $3::int8 END AS bound
	FROM (
		SELECT bool_or(name = 'client_connection_check_interval') AS checks,
			max(CASE name WHEN 'statement_timeout' THEN reset_val::int8 END) AS owners,
			max(CASE name WHEN 'search_path' THEN reset_val END) AS path
		FROM pg_settings WHERE name IN ('statement_timeout', 'client_connection_check_interval', 'search_path')
	) found
) s`

// identify compares where we are with what was meant, and what was asked of the
// session with what holds. If the process that answers is the one that greeted,
// so that the session is ours alone, its statements get their bound, and the
// server looks now and then, where it can (from version 14), whether anybody
// still waits for one: a statement that was sent while the server was frozen
// would run on. Behind a pooler no process has greeted us, and nothing is set.
func (c *connector) identify(ctx context.Context, made *conn, greeted int64) error {
	text := identity
	for _, s := range made.pooling.settings {
		text += ", current_setting(" + pq.QuoteLiteral(s.Name) + ")"
	}
	columns := 8 + len(made.pooling.settings)
	if c.opts.Writes {
		text += ", s.path"
		columns++
	}
	found, err := made.row(ctx, text+identityFrom, []string{c.opts.Schema, strconv.FormatInt(greeted, 10), milliseconds(made.limit)})
	if err != nil {
		return err
	}
	if len(found) != columns {
		return pglink.ErrProtocol
	}
	database, user, backend := string(found[0].Text), string(found[1].Text), found[3].Int
	if database != c.config.Database || user != c.config.User {
		return fmt.Errorf("connected to database %q as %q, not to %q as %q", database, user, c.config.Database, c.config.User)
	}
	if c.opts.Schema != "" && !found[2].Bool {
		return trouble.With(trouble.NoSchema, fmt.Errorf("the database %q has no schema %q", database, c.opts.Schema))
	}
	if !made.pooling.pooled() && backend != greeted {
		return fmt.Errorf("%w (another process answers than the one that greeted)", errPooler)
	}
	for i, s := range made.pooling.settings {
		if is := string(found[8+i].Text); is != s.Value {
			return fmt.Errorf("%w (%s is %q where %q was asked for)", errPooler, s.Name, is, s.Value)
		}
	}
	made.limit, made.owners = time.Duration(found[4].Int)*time.Millisecond, time.Duration(found[5].Int)*time.Millisecond
	if c.opts.Writes {
		schemas := c.opts.SearchPath
		if schemas == nil {
			schemas = schemasIn(string(found[columns-1].Text))
		}
		made.path = pathOf(append([]string{c.opts.Schema}, schemas...))
	}
	made.place.backend = strconv.FormatInt(backend, 10)
	return nil
}

// place is where transactions have to run. Any process will do while the
// backend is empty.
type place struct{ backend, user, database string }

// preface writes the preamble, with a bound for the transaction's statements and
// how they are planned.
func (c *conn) preface(limit time.Duration, mode planMode) {
	if !c.pooling.named() {
		c.wire.Parse("", c.pooling.preamble)
	}
	c.wire.Execute(c.pooling.name, []string{milliseconds(limit), mode.setting()})
}

// prefaced reads what the preamble says. Whatever it fails with, the connection
// is of no further use.
func (c *conn) prefaced() error {
	err := c.wire.Completed(c.here)
	if missing(err) && c.pooling.named() {
		err = errNotKept
	}
	if err != nil {
		c.broken = true
	}
	return err
}

// missing tells whether a prepared statement is not there.
func missing(err error) bool {
	var reported *pq.Error
	return errors.As(err, &reported) && reported.Code == "26000"
}

// here compares where a transaction runs with where the connection led to.
func (c *conn) here(row []byte) error {
	backend, user, database, err := pgwire.LastThree(row)
	switch {
	case err != nil:
		return err
	case string(user) != c.place.user || string(database) != c.place.database:
		return fmt.Errorf("the pooler has led to database %q as %q, not to %q as %q", database, user, c.place.database, c.place.user)
	case c.pooling.named() && c.place.backend != "" && string(backend) != c.place.backend:
		return errNotKept
	}
	return nil
}

// enter begins a transaction behind a pooler: one way there and back.
func (c *conn) enter(ctx context.Context, limit time.Duration) error {
	stop := c.link.Watch(ctx, pglink.Grace)
	c.link.Allow()
	err := c.entered(limit)
	if stop() {
		c.broken = true
	}
	return err
}

func (c *conn) entered(limit time.Duration) error {
	for _, text := range c.beginTexts() {
		c.wire.Parse("", text)
		c.wire.Execute("", nil)
	}
	if c.pooling.named() && c.place.backend == "" { // the first; somebody before us may have left one
		c.wire.Forget(c.pooling.name)
		c.wire.Parse(c.pooling.name, c.pooling.preamble)
	}
	c.preface(limit, asEver)
	c.wire.Sync()
	err := c.wire.Send()
	for range c.beginTexts() {
		if err == nil {
			err = c.wire.Completed(nil)
		}
	}
	if err == nil {
		err = c.prefaced()
	}
	if err == nil {
		err = c.wire.Ready()
	}
	if err != nil {
		c.broken = true
	}
	return err
}
