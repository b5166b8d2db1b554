package cli

import (
	"bytes"
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"usher/gateway"
)

// reloader has the configuration read again and served.
type reloader struct {
	g     *gateway.Gateway
	ready chan struct{} // closed when g is there
}

// serves says who serves configurations.
func (r *reloader) serves(g *gateway.Gateway) {
	r.g = g
	close(r.ready)
}

// reload serves what the file says now, or leaves what is served as it is.
func (r *reloader) reload(ctx context.Context) error {
	select {
	case <-r.ready: // one that comes while usher starts waits for that
	case <-ctx.Done():
		return ctx.Err()
	}
	return r.g.Reread(ctx)
}

// lookAtFile is how often a watched file is looked at.
const lookAtFile = time.Second

// How soon a watched file that was refused is tried again as it is: twice as late after each time, with jitter, so that
// many gateways do not ask a server that has just come back all at once.
const (
	firstRetry = 2 * time.Second
	lastRetry  = time.Minute
)

// look is what a file held when it was looked at.
type look struct {
	text []byte
	err  error
}

func lookAt(name string) look {
	text, err := readAgain(name)
	return look{text, err}
}

// as tells whether two looks have seen the same.
func (l look) as(other look) bool {
	return (l.err == nil) == (other.err == nil) && bytes.Equal(l.text, other.text)
}

// watch reloads whenever the file holds something else than at the start, until ctx ends. It compares what
// the file holds, so that it does not matter how it was written or put in place, and waits until two looks have seen the
// same: the beginning of a file that is being written may be a configuration that grants more. What was refused may be served
// later, as when a database is there that was not: it is tried again until then.
func (r *reloader) watch(ctx context.Context, name string, start look, log *slog.Logger) {
	held, last := start, start
	var due time.Time // to try again; zero: there is nothing to be tried
	var pause time.Duration
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookAtFile):
		}
		before := last
		if last = lookAt(name); !last.as(before) {
			continue
		}
		var err error
		switch {
		case !last.as(held): // that there is no file is refused, too
			held, pause = last, firstRetry
			if err = r.reload(ctx); err != nil { // it is in the log
				log.InfoContext(ctx, "the configuration is tried again by itself until it is served", "no_later_than", lastRetry.String())
			}
		case due.IsZero() || time.Now().Before(due):
			continue
		default:
			pause = min(2*pause, lastRetry)
			err = r.g.Retry(ctx)
		}
		if due = (time.Time{}); err != nil {
			due = time.Now().Add(pause/2 + rand.N(pause/2)) //nolint:gosec // spreads load, keeps no secret
		}
	}
}
