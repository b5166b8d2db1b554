package tenancy

import (
	"context"
	"sync/atomic"
	"time"
)

// clock tells the time of the control store's server, and goes on from what that has said by the machine's monotonic clock. What
// ends, is counted or was revoked is judged by it at every gateway, so that one whose own clock is set back or forward
// lets nobody in longer, fills no budget and locks nobody out. A store in a file is one gateway's, whose clock it is.
type clock struct {
	read    atomic.Pointer[reading]
	differs atomic.Bool // the machine's clock, by more than differsBy
}

// reading is what the server has said, and when.
type reading struct{ server, machine time.Time }

// differsBy is how far the machine's clock may be from the server's before somebody should know.
const differsBy = 5 * time.Second

// slowReading is how long a statement may take whose time is trusted while there is another one: it was told somewhere between.
const slowReading = 250 * time.Millisecond

// now is the time of the server, or where it has said nothing yet, or has none, the machine's.
func (c *clock) now(machine time.Time) time.Time {
	r := c.read.Load()
	if r == nil {
		return machine
	}
	return r.server.Add(machine.Sub(r.machine))
}

// set takes what the server has said between two moments of the machine; 0: it has no clock of its own.
func (c *clock) set(micros int64, asked, told time.Time) {
	took := told.Sub(asked)
	if micros == 0 || took > slowReading && c.read.Load() != nil {
		return
	}
	c.read.Store(&reading{moment(micros).Add(took / 2), told})
}

// tellClock says when the machine's clock begins to differ from the server's, and when it no longer does.
func (s *Store) tellClock(ctx context.Context) {
	by := s.machineBy()
	switch differs := by.Abs() > differsBy; {
	case differs == s.clock.differs.Swap(differs):
	case differs:
		s.opts.Log.WarnContext(ctx, "the clock of this machine differs from the control store's, by which tokens, sessions, revocations and budgets are judged; set it by NTP", "by", by.Round(time.Millisecond).String())
	default:
		s.opts.Log.InfoContext(ctx, "the clock of this machine is that of the control store again")
	}
}

// machineBy is how far the machine's clock is ahead of the server's.
func (s *Store) machineBy() time.Duration {
	// Without the monotonic part: what was set since the last reading is seen.
	machine := s.opts.Machine()
	return machine.Round(0).Sub(s.clock.now(machine).Round(0))
}
