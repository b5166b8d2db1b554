package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"usher/catalog"
	"usher/fault"
)

// opening is the statement every transaction of an account starts with: it
// sets settings and, last of all, the role. Names and values are arguments.
type opening struct {
	text string // empty: there is none
	args []driver.NamedValue
	role string
}

func newOpening(s catalog.Session) opening {
	if s.Empty() {
		return opening{}
	}
	o := opening{role: s.Role}
	var calls []string
	set := func(name, v string) {
		n := len(o.args)
		calls = append(calls, "set_config($"+strconv.Itoa(n+1)+"::text, $"+strconv.Itoa(n+2)+"::text, true)")
		o.args = append(o.args, driver.NamedValue{Ordinal: n + 1, Value: name}, driver.NamedValue{Ordinal: n + 2, Value: v})
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
	if c.opening.text == "" {
		return nil
	}
	if err := c.runOpening(ctx); err != nil {
		c.broken = true
		if ctx.Err() != nil {
			return err
		}
		return fault.New(fault.Unavailable, "the source does not accept the session").Because(redacted(err))
	}
	return nil
}

func (c *conn) runOpening(ctx context.Context) error {
	stop := c.link.watch(ctx, grace)
	defer stop()
	c.link.allow()
	statement, err := c.prepared(ctx, c.opening.text)
	if err != nil {
		return err
	}
	rows, err := statement.QueryContext(ctx, c.opening.args)
	if err != nil {
		return c.failed(err)
	}
	found := make([]driver.Value, len(rows.Columns()))
	err = rows.Next(found)
	if err := errors.Join(err, rows.Close()); err != nil {
		return c.failed(err)
	}
	if role := found[len(found)-1]; c.opening.role != "" && role != c.opening.role {
		return fmt.Errorf("the transaction is in the role %q, not in %q", role, c.opening.role)
	}
	return nil
}
