package database

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"time"

	"usher/pglink"
)

// silence is a server's that takes what is sent and says nothing. The first whose time is over
// finds it out. From then on others are told at once, and only now and then one is let
// through to try; whatever the server answers ends it.
type silence struct {
	patience time.Duration // how long one who tries may take
	next     atomic.Int64  // when somebody may try, in Unix nanoseconds; 0: the server answers
}

// errSilent is told instead of asking.
var errSilent = errors.New("the server has not answered others before, and is being tried")

// tried is how long nobody tries after somebody has in vain.
const tried = 250 * time.Millisecond

type trying struct{}

// try is the context of one who asks a silent server, as whoever finds out that it answers again has to.
func try(ctx context.Context) context.Context { return context.WithValue(ctx, trying{}, true) }

// admit refuses while the server is silent, but for one who tries.
func (s *silence) admit(ctx context.Context) (context.Context, error) {
	next := s.next.Load()
	if next == 0 || ctx.Value(trying{}) != nil {
		return ctx, nil
	}
	now := time.Now()
	if now.UnixNano() < next || !s.next.CompareAndSwap(next, now.Add(s.patience).UnixNano()) {
		return ctx, errSilent
	}
	return try(ctx), nil
}

// heard notes what became of asking.
func (s *silence) heard(ctx context.Context, err error) {
	_, answered := pglink.KindOf(err)
	switch {
	case err == nil || answered:
		if s.next.Load() != 0 {
			s.next.Store(0)
		}
	case ctx.Err() == nil && (errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)):
		s.next.Store(time.Now().Add(tried).UnixNano())
	}
}
