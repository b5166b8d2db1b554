package pglink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Cluster knows which of several servers is the primary of the others, and how
// far these are behind it. It asks them at most once a second, and only while
// somebody asks it: without questions nothing is sent. What the configuration
// says of a server decides nothing but whether reads may go there at all.
//
// Questions that are under way count as asking: a server that stops answering takes
// the questions it was sent with it, and nobody else would notice. One whose answer is
// overdue is asked nothing new, and one that was silent twice in a row while another
// answers is Silent: what was asked of it may be asked of another.
//
// The primary is the server that is not in recovery. A promotion begins a new
// timeline, so of two that say so the one with the later timeline is right, and
// the other is an old primary that was never told; the latest that was ever seen
// counts, so an old one is not taken for the primary while the new one is silent
// either. Two of one timeline are refused both: nobody can tell them apart.
//
// How old a standby's rows are is measured by this machine's clock alone: it has
// replayed the position at which the primary was at a known moment, so it has all
// that was committed before. A standby that has replayed no position that is
// known is not fresh, and neither is one that receives nothing from the primary
// that there is.
type Cluster struct {
	opts  ClusterOptions
	probe func(ctx context.Context, server int) (Status, error)
	now   atomic.Pointer[topology] // nil: nobody has asked yet
	turns atomic.Uint64            // of replicas

	overdue []atomic.Int64 // by server: when it was asked what it has not answered yet; 0: it has

	mu      sync.Mutex
	missed  []int         // by server: rounds in a row that it was silent in
	asking  chan struct{} // closed when the round that is under way has ended; nil: none is
	closed  bool
	newest  int64    // the latest timeline of a primary
	samples []sample // where the primary was, oldest first
}

// ClusterOptions are what holds for the servers of one cluster.
type ClusterOptions struct {
	Replicas []bool        // by server: reads may go there while it is a standby
	MaxLag   time.Duration // how old the rows of a standby may be
	Changed  func(primary int, err error)

	// Busy tells whether questions are under way; nil: none ever are.
	Busy func() bool
	// Silent is told of each server after each round; nil: nobody is.
	Silent func(server int, silent bool)
}

// Status is what a server says of itself.
type Status struct {
	Standby   bool
	Receiving bool  // a standby: from another server, at this moment
	Timeline  int64 // a primary's own; the one that a standby receives, 0 where that is not told
	Position  int64 // in the log: a primary's end, as far as a standby has replayed
}

// StatusQuery asks for a Status: one row of texts, for ReadStatus. A primary's end is where
// the next record is inserted, for a commit that is not waited for is not written yet; where
// a page of the log has nothing but its header (24 bytes, or 40 in a segment's first one), a
// standby that has everything stands before it.
const StatusQuery = `SELECT r::text,
	CASE WHEN r THEN (SELECT received_tli FROM pg_catalog.pg_stat_wal_receiver)::text
		ELSE ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))::pg_catalog.bit(32)::pg_catalog.int4::text END,
	(at - CASE WHEN NOT r AND at % 8192 IN (24, 40) THEN at % 8192 ELSE 0 END)::text,
	(r AND EXISTS (SELECT FROM pg_catalog.pg_stat_wal_receiver WHERE pid IS NOT NULL))::text
FROM (SELECT r, pg_catalog.pg_wal_lsn_diff(CASE WHEN r THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_insert_lsn() END, '0/0')::pg_catalog.int8 AS at
	FROM (SELECT pg_catalog.pg_is_in_recovery() AS r) s) s`

// ReadStatus reads the answer to StatusQuery. Of a standby that does not say how
// far it is, the position is none that a primary has.
func ReadStatus(row []string) (s Status, err error) {
	if len(row) != 4 {
		return s, ErrProtocol
	}
	s.Standby, s.Receiving = row[0] == "true", row[3] == "true"
	for i, into := range []*int64{&s.Timeline, &s.Position} {
		if text := row[1+i]; text != "" {
			if _, err := fmt.Sscan(text, into); err != nil {
				return s, ErrProtocol
			}
		}
	}
	return s, nil
}

// The reasons why there is no server to ask.
var (
	ErrNoPrimary = errors.New("none of the servers says that it is the primary")
	ErrSplit     = errors.New("several servers say that they are the primary, of one timeline: end all but one of them")
	errStopped   = errors.New("the servers are no longer asked")
)

// NoPrimaryError is ErrNoPrimary where servers could not be asked. It says why, as it may be logged, and is not
// its cause: what is to be done about a server that is not the one that is meant is not asked of it.
type NoPrimaryError struct{ Cause error }

// Error implements error.
func (e NoPrimaryError) Error() string {
	return ErrNoPrimary.Error() + ": " + Redacted(e.Cause).Error()
}

// Is tells that it is an ErrNoPrimary.
func (NoPrimaryError) Is(target error) bool { return target == ErrNoPrimary }

// telling is that of errors of servers, in their order, which says most: that none is there says less than what one of
// them is against. Nil: there is none.
func telling(errs []error) (most error) {
	for _, err := range errs {
		var network *net.OpError
		switch dials := errors.As(err, &network) && network.Op == "dial"; {
		case err != nil && !dials && !errors.Is(err, context.DeadlineExceeded):
			return err
		case most == nil:
			most = err
		}
	}
	return most
}

const (
	roundEvery    = time.Second            // while somebody asks
	roundPatience = time.Second            // with a silent server
	roundOverdue  = 250 * time.Millisecond // after which an answer is not expected any more
	roundLeast    = 100 * time.Millisecond // between rounds, however many find a server gone
	roundValid    = 5 * time.Second        // after which an answer of nobody is better than an old one
)

type sample struct {
	at       time.Time // before the primary was asked
	position int64
}

// topology is what a round has found. It is read-only.
type topology struct {
	at      time.Time
	suspect *atomic.Bool // somebody has found a server gone since
	primary int          // -1: there is none
	err     error        // why
	asOf    []time.Time  // by server: how old a standby's rows are at most; zero: it is not known
	found   []Status
	up      []bool
	shaky   bool // a server was silent for the first time
}

// NewCluster makes a cluster of servers that probe asks.
func NewCluster(opts ClusterOptions, probe func(ctx context.Context, server int) (Status, error)) *Cluster {
	n := len(opts.Replicas)
	return &Cluster{opts: opts, probe: probe, overdue: make([]atomic.Int64, n), missed: make([]int, n)}
}

// Close ends the asking.
func (c *Cluster) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
}

// Primary is the server to write to, and to read from what must be fresh.
func (c *Cluster) Primary(ctx context.Context) (int, error) {
	t, err := c.topology(ctx)
	if err != nil {
		return 0, err
	}
	return t.primary, t.err
}

// Read is a server to read from that is not among those tried, a set of bits: a
// standby that is fresh and has all that was committed before a moment of our clock, they take
// turns, or else the primary.
func (c *Cluster) Read(ctx context.Context, tried uint64, since time.Time) (int, error) {
	t, err := c.topology(ctx)
	if err != nil {
		return 0, err
	}
	now, turn := time.Now(), c.turns.Add(1)
	for i := range uint64(len(t.asOf)) {
		n := int((turn + i) % uint64(len(t.asOf)))
		if tried&(1<<n) == 0 && c.fresh(t, n, now) && !t.asOf[n].Before(since) {
			return n, nil
		}
	}
	switch {
	case t.err != nil:
		return 0, t.err
	case tried&(1<<t.primary) != 0:
		return 0, ErrNoPrimary
	}
	return t.primary, nil
}

func (c *Cluster) fresh(t *topology, n int, now time.Time) bool {
	return c.opts.Replicas[n] && !t.asOf[n].IsZero() && now.Sub(t.asOf[n]) <= c.opts.MaxLag && !c.late(n, now)
}

// late tells whether a server has not answered for longer than it usually takes.
func (c *Cluster) late(n int, now time.Time) bool {
	asked := c.overdue[n].Load()
	return asked != 0 && now.UnixNano()-asked > int64(roundOverdue)
}

// Is tells whether a server may still be held for the primary, without waiting.
func (c *Cluster) Is(primary int) bool {
	t := c.now.Load()
	c.hasten(t)
	return t != nil && t.err == nil && t.primary == primary
}

// Replicas is how many servers reads may go to while they are standbys.
func (c *Cluster) Replicas() int {
	n := 0
	for _, replica := range c.opts.Replicas {
		if replica {
			n++
		}
	}
	return n
}

// Counts are how many servers there are of each state.
func (c *Cluster) Counts() map[string]int {
	out := map[string]int{"primary": 0, "fresh": 0, "behind": 0, "down": 0}
	t := c.now.Load()
	if t == nil {
		return out
	}
	now := time.Now()
	for n, up := range t.up {
		switch {
		case !up:
			out["down"]++
		case n == t.primary:
			out["primary"]++
		case !t.asOf[n].IsZero() && now.Sub(t.asOf[n]) <= c.opts.MaxLag:
			out["fresh"]++
		default:
			out["behind"]++
		}
	}
	return out
}

// Suspect says that a server was found gone: who asks next waits for another
// round.
func (c *Cluster) Suspect() {
	if t := c.now.Load(); t != nil {
		t.suspect.Store(true)
	}
}

// topology is what is known now. Old news, and news that somebody has found to be
// wrong, is waited for.
func (c *Cluster) topology(ctx context.Context) (*topology, error) {
	for {
		t := c.now.Load()
		if t != nil && time.Since(t.at) < roundValid && !t.suspect.Load() {
			c.hasten(t)
			return t, nil
		}
		round := c.round(t)
		if round == nil {
			return nil, errStopped
		}
		select {
		case <-round:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// hasten begins a round when the last one is over for long enough.
func (c *Cluster) hasten(t *topology) {
	if t == nil || time.Since(t.at) >= roundEvery || t.suspect.Load() {
		c.round(t)
	}
}

// round begins a round, unless one is under way or something newer is known. It
// returns what is closed at its end.
func (c *Cluster) round(known *topology) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil
	case c.asking != nil:
		return c.asking
	}
	done := make(chan struct{})
	c.asking = done
	if c.now.Load() != known {
		c.asking = nil
		close(done)
		return done
	}
	wait := time.Duration(0)
	if known != nil {
		wait = max(0, roundLeast-time.Since(known.at))
	}
	go func() {
		if wait > 0 {
			<-time.After(wait)
		}
		c.ask(done)
	}()
	return done
}

// ask asks all servers at once.
func (c *Cluster) ask(done chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), roundPatience)
	defer cancel()
	n := len(c.opts.Replicas)
	type answer struct {
		server int
		asked  time.Time
		status Status
		err    error
		silent bool // it has not even refused
	}
	answers := make(chan answer, n)
	for i := range n {
		go func() {
			asked := time.Now()
			c.overdue[i].Store(asked.UnixNano())
			status, err := c.probe(ctx, i)
			silent := err != nil && ctx.Err() != nil
			if !silent {
				c.overdue[i].Store(0)
			}
			answers <- answer{i, asked, status, err, silent}
		}()
	}
	t := &topology{primary: -1, suspect: new(atomic.Bool), asOf: make([]time.Time, n), found: make([]Status, n), up: make([]bool, n)}
	asked, silent, errs := make([]time.Time, n), make([]bool, n), make([]error, n)
	for range n {
		a := <-answers
		silent[a.server], errs[a.server] = a.silent, a.err
		t.found[a.server], t.up[a.server], asked[a.server] = a.status, a.err == nil, a.asked
	}
	c.mu.Lock()
	c.judge(t, asked)
	if why := telling(errs); why != nil && errors.Is(t.err, ErrNoPrimary) {
		t.err = NoPrimaryError{why}
	}
	c.listen(t, silent)
	t.at = time.Now()
	before := c.now.Load()
	c.now.Store(t)
	c.asking = nil
	c.mu.Unlock()
	close(done)
	if tell := c.opts.Silent; tell != nil {
		for n := range silent {
			tell(n, silent[n])
		}
	}
	c.goOn(t)
	if tell := c.opts.Changed; tell != nil && (before == nil || before.primary != t.primary || errors.Is(t.err, ErrSplit) != errors.Is(before.err, ErrSplit)) {
		tell(t.primary, t.err)
	}
}

// listen keeps of those that were silent the ones that are so again, while another
// answers: it may as well be this machine that has heard nothing.
func (c *Cluster) listen(t *topology, silent []bool) {
	others := slices.Contains(t.up, true)
	for n := range silent {
		if !silent[n] {
			c.missed[n] = 0
			continue
		}
		c.missed[n]++
		t.shaky = t.shaky || c.missed[n] == 1
		silent[n] = others && c.missed[n] > 1
	}
}

// goOn begins the next round while questions are under way: soon, where a server was
// silent for the first time.
func (c *Cluster) goOn(t *topology) {
	if c.opts.Busy == nil {
		return
	}
	wait := roundEvery
	if t.shaky {
		wait = roundLeast
	}
	time.AfterFunc(wait, func() {
		if c.now.Load() == t && c.opts.Busy() {
			c.round(t)
		}
	})
}

// judge says which server is the primary, and how old the rows of the others are.
func (c *Cluster) judge(t *topology, asked []time.Time) {
	latest := c.newest
	for n, s := range t.found {
		if t.up[n] && !s.Standby {
			latest = max(latest, s.Timeline)
		}
	}
	if latest != c.newest {
		c.newest, c.samples = latest, nil // positions of other timelines are not comparable
	}
	t.err = ErrNoPrimary
	for n, s := range t.found {
		switch {
		case !t.up[n] || s.Standby || s.Timeline != latest:
		case t.primary >= 0 || errors.Is(t.err, ErrSplit):
			t.primary, t.err = -1, ErrSplit
		default:
			t.primary, t.err = n, nil
		}
	}
	if t.primary >= 0 {
		c.sample(sample{asked[t.primary], t.found[t.primary].Position})
	}
	for n, s := range t.found {
		switch {
		case !t.up[n] || !s.Standby || errors.Is(t.err, ErrSplit):
		case t.primary >= 0 && (!s.Receiving || s.Timeline != 0 && s.Timeline != latest):
		default:
			t.asOf[n] = c.replayed(s.Position)
		}
	}
}

// sample remembers where the primary was, for as long as it may matter.
func (c *Cluster) sample(s sample) {
	keep := 0
	for keep < len(c.samples) && time.Since(c.samples[keep].at) > c.opts.MaxLag+roundValid {
		keep++
	}
	c.samples = append(c.samples[keep:], s)
}

// replayed is the latest moment of which a position has everything.
func (c *Cluster) replayed(position int64) time.Time {
	for i := len(c.samples) - 1; i >= 0; i-- {
		if c.samples[i].position <= position {
			return c.samples[i].at
		}
	}
	return time.Time{}
}
