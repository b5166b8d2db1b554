package database

import (
	"context"
	"errors"
	"os"
	"time"
)

const (
	listenRetry = 5 * time.Second  // after a connection was lost
	listenCheck = 30 * time.Second // how often an idle one is asked whether it lives
)

// channel is what changes are announced on.
func (d *DB) channel() string { return "usher_" + d.schema }

// Listen tells a channel of each announcement, until the context ends. It may miss some,
// and in a file nothing is announced: whoever depends on them asks now and then, too.
func (d *DB) Listen(ctx context.Context, heard chan<- struct{}) {
	if d.dsn == nil {
		return
	}
	for ctx.Err() == nil {
		if err := d.listenOnce(ctx, heard); err != nil && ctx.Err() == nil {
			d.log.DebugContext(ctx, "changes of the control store are not announced for now", "error", Redacted(err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(listenRetry):
		}
	}
}

// listenOnce has a connection of its own. The driver's listener would take a
// connection string, and with it the process's environment.
func (d *DB) listenOnce(ctx context.Context, heard chan<- struct{}) error {
	conn, l, _, err := d.dsn.connect(ctx)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	defer func() { _ = conn.Close() }()
	conn.OnNotification(func() {
		select {
		case heard <- struct{}{}:
		default: // one is waiting already
		}
	})
	if _, err := conn.ExecContext(ctx, "LISTEN "+d.channel(), nil); err != nil {
		return err
	}
	for {
		if err := l.Await(time.Now().Add(listenCheck)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		// The answer to any statement brings the announcements with it.
		if _, err := conn.ExecContext(ctx, "SELECT 1", nil); err != nil {
			return err
		}
	}
}
