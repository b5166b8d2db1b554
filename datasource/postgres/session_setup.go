package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"usher/catalog"
	"usher/fault"
	"usher/pglink"
)

// sessionSetup is the statement every transaction of an account starts with: it
// sets settings and, last of all, the role. Names and values are arguments.
type sessionSetup struct {
	text string // empty: there is none
	args []string
	role string
}

func newSessionSetup(s catalog.Session) sessionSetup {
	if s.Empty() {
		return sessionSetup{}
	}
	o := sessionSetup{role: s.Role}
	var calls []string
	set := func(name, v string) {
		n := len(o.args)
		calls = append(calls, "set_config($"+strconv.Itoa(n+1)+"::text, $"+strconv.Itoa(n+2)+"::text, true)")
		o.args = append(o.args, name, v)
	}
	for _, setting := range s.Settings {
		set(setting.Name, setting.Value)
	}
	if s.Role != "" {
		set("role", s.Role)
	}
	o.text = "SELECT " + strings.Join(calls, ", ") + ", current_user::text"
	return o
}

// open starts the transaction that has just begun with what the account says.
// Nothing else is asked in a transaction that it failed in.
func (c *conn) open(ctx context.Context) error {
	if c.setup.text == "" {
		return nil
	}
	if err := c.runSetup(ctx); err != nil {
		c.broken = true
		if ctx.Err() != nil {
			return err
		}
		return fault.New(fault.Unavailable, "the source does not accept the session").Because(redacted(err))
	}
	return nil
}

func (c *conn) runSetup(ctx context.Context) error {
	stop := c.link.Watch(ctx, pglink.Grace)
	c.link.Allow()
	statement, err := c.query(c.setup.text, c.setup.args, false, asEver)
	if err != nil {
		stop()
		return err
	}
	found := newRows(ctx, c, statement.Types, stop)
	role := ""
	if found.Next() && len(statement.Types) > 0 {
		role = string(found.Cell(len(statement.Types) - 1).Text)
	}
	if err := errors.Join(found.Err(), found.Close()); err != nil {
		return err
	}
	if c.setup.role != "" && role != c.setup.role {
		return fmt.Errorf("the transaction is in the role %q, not in %q", role, c.setup.role)
	}
	return nil
}
