package tenancy

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
	conn, l, _, err := s.dsn.connect(ctx)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	defer func() { _ = conn.Close() }()
	conn.OnNotification(func() {
		select {
		case hasten <- struct{}{}:
		default: // one is waiting already
		}
	})
	if _, err := conn.ExecContext(ctx, "LISTEN "+s.channel(), nil); err != nil {
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
