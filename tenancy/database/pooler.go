package database

import (
	"context"
	"crypto/rand"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"usher/pglink"

	"github.com/lib/pq"
)

// The store keeps a session's state: it listens, and the driver prepares a
// statement in one message and runs it in another. Behind a connection pooler
// the second may find what somebody else has prepared, so the store talks to
// PostgreSQL itself or not at all.
var errPooler = errors.New("a connection pooler seems to stand before the control store's PostgreSQL, which has to be reached directly: " +
	"name its own host and port")

// connectionSetting is one that each connection sends along when it is made, with a
// value of its own. Who finds it later is in the very session that was begun
// with it; poolers drop or refuse what they do not know.
const connectionSetting = "usher.connection"

// marked returns the configuration of one connection, and the value that it
// sends along.
func (s *server) marked() (pq.Config, string) {
	config, value := s.config, rand.Text()
	config.Runtime = maps.Clone(config.Runtime)
	config.Runtime[connectionSetting] = value
	return config, value
}

// refused explains a login that was refused for the settings that came along.
func refused(err error) error {
	if pglink.RefusesParameters(err) {
		return fmt.Errorf("%w (%w)", errPooler, pglink.Redacted(err))
	}
	return err
}

// arrived checks that the value is there, and bounds statements: by the timeout
// or, if it is shorter, by what the database's owner has set. It tells whether the
// server is a standby. It is one message without arguments.
func (c *connector) arrived(ctx context.Context, conn driver.QueryerContext, value string) (standby bool, err error) {
	found, bound := "coalesce(current_setting("+pq.QuoteLiteral(connectionSetting)+", true), '')", strconv.FormatInt(c.spec.Timeout.Milliseconds(), 10)
	rows, err := conn.QueryContext(ctx, "SELECT "+found+"::text, pg_is_in_recovery(), CASE "+found+" WHEN "+pq.QuoteLiteral(value)+
		" THEN (SELECT set_config(name, CASE WHEN reset_val::int8 BETWEEN 1 AND "+bound+" THEN reset_val ELSE "+pq.QuoteLiteral(bound)+" END, false)"+
		" FROM pg_settings WHERE name = 'statement_timeout') END", nil)
	if err != nil {
		return false, err
	}
	cells := make([]driver.Value, 3)
	err = rows.Next(cells)
	if closing := rows.Close(); err == nil {
		err = closing
	}
	if err == nil && cells[0] != value {
		err = errPooler
	}
	return cells[1] == true, err
}
