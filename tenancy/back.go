package tenancy

import (
	"context"
	"fmt"
	"strings"
	"time"

	"usher/fault"
	"usher/tenancy/database"
)

// standing is where the store stands.
type standing struct {
	N      int64 `db:"n"`      // the generation
	Rights int64 `db:"people"` // that of users and roles

	Trail string `db:"trail"` // the last generations with their marks

	database.Origin
}

func (s *Store) stands(ctx context.Context) (now standing, err error) {
	asked := s.opts.Machine()
	if err = s.db.Try(ctx, &now, "SELECT n, people, trail, "+s.db.OriginColumns()+" FROM store.generation WHERE id = 1"); err == nil {
		s.clock.set(now.Clock, asked, s.opts.Machine())
		s.tellClock(ctx)
	}
	if database.Missing(err) {
		s.astray.Store(true) // it is being put back
	}
	return now, err
}

// before tells whether the store has gone back since it stood elsewhere, or is another one. It may
// have been restored to the very generation it had, or have gone on from an earlier one beyond that.
func (now standing) before(seen standing) bool {
	return seen.N != 0 && (now.N < seen.N || now.Table != seen.Table || now.N == seen.N && now.Row != seen.Row || now.strays(seen))
}

// strays tells whether the generation that was seen has another mark now. It may have none: trails end, and a program
// before this one makes no marks.
func (now standing) strays(seen standing) bool {
	was, is := seen.mark(seen.N), now.mark(seen.N)
	return was != "" && is != "" && was != is
}

// mark is that of a generation; empty: it has none.
func (now standing) mark(generation int64) string {
	_, after, _ := strings.Cut(" "+now.Trail, fmt.Sprintf(" %d:", generation))
	mark, _, whole := strings.Cut(after, " ")
	if !whole { // the trail was cut there
		return ""
	}
	return mark
}

// forget leaves nothing in memory of what was read, so that it is read anew. Revocations
// hold until those of the store have been read.
func (s *Store) forget(back bool) {
	if back {
		s.astray.Store(true)
	}
	s.rights.Add(1)
	s.tenants.forgetAll()
	if s.opts.Places != nil {
		s.opts.Places.Forget()
	}
}

func (s *Store) tellBack(ctx context.Context, now standing) {
	s.opts.Log.WarnContext(ctx, "the control store has gone back, or is another one: it was restored, or a standby that lacked its last changes was promoted; "+
		"tokens, keys, users and tenants made since are gone, and what was revoked or suspended since is valid again: compare it with what you know, and run usher audit verify",
		"from", s.seen.N, "to", now.N)
}

// readAnew is what whoever depends on the store is told while it has gone back.
func readAnew(poll time.Duration) *fault.Error {
	away := fault.New(fault.Unavailable, "the control store has gone back, and is read anew").WithHint("Try again in a moment.")
	away.RetryAfter = poll
	return away
}

// A store may be put back table by table, the generation before what it is about. So it
// is read anew a few times more.
const (
	settlingFor   = time.Minute
	settlingEvery = 3 * time.Second
)

// settling is how a store that has gone back is read anew, on the process's own clock.
type settling struct {
	until, next time.Duration
}

func (s *settling) again(now time.Duration) bool { return now < s.until && now >= s.next }

// read notes that the store was read anew.
func (s *settling) read(now time.Duration, back bool) {
	if back {
		s.until = now + settlingFor
	}
	s.next = now + settlingEvery
}
