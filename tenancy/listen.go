package tenancy

import (
	"context"
	"database/sql/driver"
	"errors"
	"os"
	"time"

	"github.com/lib/pq"
)

const (
	listenRetry = 5 * time.Second  // after a connection was lost
	listenCheck = 30 * time.Second // how often an idle one is asked whether it lives
)

// channel is what changes are announced on.
func (s *Store) channel() string { return "usher_" + s.schema }

// listen hastens the watch when PostgreSQL announces a change. Nothing depends
// on it: the watch asks anyway.
func (s *Store) listen(ctx context.Context, hasten chan<- struct{}) {
	for ctx.Err() == nil {
		if err := s.listenOnce(ctx, hasten); err != nil && ctx.Err() == nil {
			s.opts.Log.DebugContext(ctx, "changes of the control store are not announced for now", "error", redacted(err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(listenRetry):
		}
	}
}

// listenOnce has a connection of its own. The driver's listener would take a
// connection string, and with it the process's environment.
func (s *Store) listenOnce(ctx context.Context, hasten chan<- struct{}) error {
	conn, l, err := s.dsn.connect(ctx)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	defer func() { _ = conn.Close() }()
	pq.SetNotificationHandler(conn, func(*pq.Notification) {
		select {
		case hasten <- struct{}{}:
		default: // one is waiting already
		}
	})
	statements, ok := conn.(driver.ExecerContext)
	if !ok {
		return errors.New("the driver's connection runs no statements")
	}
	if _, err := statements.ExecContext(ctx, "LISTEN "+s.channel(), nil); err != nil {
		return err
	}
	for {
		if err := l.await(time.Now().Add(listenCheck)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		// The answer to any statement brings the announcements with it.
		if _, err := statements.ExecContext(ctx, "SELECT 1", nil); err != nil {
			return err
		}
	}
}
