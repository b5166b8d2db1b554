package cli

import (
	"bytes"
	"context"
	"os"
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

// watch reloads whenever the file holds something else, until ctx ends. It compares what
// the file holds, so that it does not matter how it was written or put in place.
func (r *reloader) watch(ctx context.Context, name string) {
	held, _ := os.ReadFile(name)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookAtFile):
		}
		now, err := os.ReadFile(name)
		if err != nil || bytes.Equal(now, held) { // a file that is being put in place is there in a moment
			continue
		}
		held = now
		_ = r.reload(ctx) // it is in the log
	}
}
