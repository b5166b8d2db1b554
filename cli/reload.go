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

// watch reloads whenever the file holds something else, until ctx ends. It compares what
// the file holds, so that it does not matter how it was written or put in place. What was refused may be served
// later, as when a database is there that was not: it is tried again until then.
func (r *reloader) watch(ctx context.Context, name string, log *slog.Logger) {
	held, _ := readAgain(name)
	var due time.Time // to try again; zero: there is nothing to be tried
	var pause time.Duration
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookAtFile):
		}
		now, err := readAgain(name)
		switch {
		case err != nil: // a file that is being put in place is there in a moment
			continue
		case !bytes.Equal(now, held):
			held, pause = now, firstRetry
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
