package postgres

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"usher/datasource/pgwire"
	"usher/datasource/pool"
	"usher/datasource/sqlexec"
	"usher/pglink"
	"usher/value"
)

// packets send short statements of several callers over one connection, in one
// write. When as many packets are under way as there may be, those that come wait in
// line, and whoever takes the next connection takes the first of them along. One Sync
// ends a packet, so that the server sends and the gateway reads once; and each caller reads
// the answer to its statement itself, one after the other: the connection is handed on when
// the server has said that an answer is over, and in no other case. So nobody reads what is
// another's.
//
// Only what is known to be short is sent with others: it is prepared there, took
// less than brief before, and has not failed there the last time. An error is only its
// statement's: the server passes over those behind it, which ask alone, as they do when a
// connection is lost. Nobody waits for others when nothing moves for as long as brief, but asks
// alone, and what was sent for it is read over; nor does who reads wait for much longer than
// that. While others wait behind a statement it is not canceled.
type packets struct {
	account *pool.Account
	most    int           // packets under way
	brief   time.Duration // how long one waits while nothing moves

	mu     sync.Mutex
	flying int
	line   []*rider
	done   uint64 // answers, so that those in line see that it moves
	shared uint64 // statements that went with others
}

const (
	// brief is more than a short statement takes. With 2 ms those were asked twice that waited for a
	// processor and not for others: a twelfth fewer were answered where all are busy.
	brief = 8 * time.Millisecond
	// late is for how many times that the first in a packet waits, whose answer the server keeps until it
	// has those behind it: for longer than a machine stands still whose processors are rationed.
	late      = 32
	maxRiders = 8
	// maxRows bounds the rows of a packet, as far as those are known that its statements had before. A row takes a server
	// 3 to 6 µs, so this is half of what a system lets a process run before all others have had their
	// turn: a server that was at work for longer waits, and everybody whose answer is in its packet.
	maxRows = 160
	// maxPacket is how many bytes are sent before the first answer is read: no more than
	// a server takes that nobody reads from.
	maxPacket = 8 << 10
)

// newPackets returns nil where each statement goes alone: half of the connections are left to
// what is not short, and with fewer than two for packets processors would stand idle.
func newPackets(account *pool.Account, conns int, c *connector) *packets {
	if conns < 4 || c.pooling.pooled() || c.opts.Writes || c.opts.Traces || !c.opts.Session.Empty() {
		return nil
	}
	return &packets{account: account, most: conns / 2, brief: brief}
}

// Packets is how many short statements may wait for each other; 0: none goes with others.
func (db *DB) Packets() int {
	if db.packets == nil {
		return 0
	}
	return db.packets.most * maxRiders
}

// packet is what was sent, or is about to be, over one connection.
type packet struct {
	conn   *conn
	sent   bool
	shared bool          // it has several statements
	each   time.Duration // each one's part of the time that the server took for all
	riders []*rider      // whose answers are to come, in their order: the first reads
	done   uint64        // answers
}

// rider is a statement and who waits for its answer.
type rider struct {
	text      string
	args      []string
	statement *prepared
	packet    *packet       // nil: in line
	others    time.Duration // of the time that it took: what was theirs; below zero: what it took of theirs
	left      bool          // nobody waits
	granted   bool          // it has been its turn
	turn      chan *packet
}

// Together runs a short statement that has one plan for all arguments, perhaps in one
// packet with those of others, and has its rows read. It may do nothing: then the
// statement is to be asked in a session.
func (db *DB) Together(ctx context.Context, text string, args []string, read func(value.Rows) error) (ride sqlexec.Ride, err error) {
	if db.packets == nil || ctx.Err() != nil || pgwire.Bindable(args) != nil {
		return ride, nil //nolint:nilerr // what cannot be bound is refused in a session
	}
	k, w := db.packets, &rider{text: text, args: args}
	p := k.board(w)
	if p == nil {
		began := time.Now()
		p = k.wait(ctx, w)
		ride.Waited = time.Since(began)
	}
	if p == nil {
		return ride, nil
	}
	if p.conn == nil {
		taken, err := k.account.Take(ctx)
		if err != nil {
			k.cancel(p)
			ride.Asked = true
			return ride, translate(ctx, err)
		}
		p.conn = taken.(*conn)
	}
	ride.Asked, err = k.fly(ctx, p, w, read)
	ride.Shared = ride.Asked && p.shared
	ride.Waited += w.others
	return ride, err
}

// board returns the packet that the rider leads, or nil: it is in line.
func (k *packets) board(w *rider) *packet {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.flying < k.most && len(k.line) == 0 {
		k.flying++
		w.packet = &packet{riders: []*rider{w}}
		return w.packet
	}
	w.turn = make(chan *packet, 1)
	k.line = append(k.line, w)
	return nil
}

// wait returns the packet when it is the rider's turn: it sends the packet, or reads its
// answer. It returns nil to whoever has to ask alone.
func (k *packets) wait(ctx context.Context, w *rider) *packet {
	timer := time.NewTimer(k.brief)
	defer timer.Stop()
	at, seen := k.moved(w)
	for {
		select {
		case p := <-w.turn:
			return p
		case <-ctx.Done():
		case <-timer.C:
			if now, n := k.moved(w); now != at || n != seen {
				at, seen = now, n
				timer.Reset(k.brief)
				continue
			}
		}
		if k.leave(w) {
			return nil
		}
		return <-w.turn // which came just now
	}
}

// moved counts the answers that come before a rider's.
func (k *packets) moved(w *rider) (*packet, uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if w.packet == nil {
		return nil, k.done
	}
	return w.packet, w.packet.done
}

// leave tells whether it has not been the rider's turn yet.
func (k *packets) leave(w *rider) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if w.granted {
		return false
	}
	w.left = true
	if w.packet == nil {
		k.line = slices.DeleteFunc(k.line, func(other *rider) bool { return other == w })
	}
	return true
}

// serve has those in line begin packets. It is called with the lock.
func (k *packets) serve() {
	for k.flying < k.most && len(k.line) > 0 {
		k.flying++
		p := &packet{}
		n := min(maxRiders, len(k.line))
		p.riders = append(p.riders, k.line[:n]...)
		k.line = slices.Delete(k.line, 0, n)
		for _, w := range p.riders {
			w.packet = p
		}
		k.grant(p)
	}
}

// grant makes it the first rider's turn, who has not left. It is called with the lock.
func (k *packets) grant(p *packet) {
	w := p.riders[0]
	w.granted = true
	w.turn <- p
}

// back puts riders of a packet that was not sent to where they were in line. It is
// called with the lock.
func (k *packets) back(riders []*rider) {
	riders = slices.DeleteFunc(riders, func(w *rider) bool { return w.left })
	for _, w := range riders {
		w.packet = nil
	}
	k.line = append(riders, k.line...)
}

// cancel ends a packet that was not sent.
func (k *packets) cancel(p *packet) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.back(slices.Clone(p.riders[1:]))
	k.flying--
	k.serve()
}

// load decides who goes with the first: nobody, if its own statement is not as it must be
// for that.
func (k *packets) load(p *packet) {
	k.mu.Lock()
	defer k.mu.Unlock()
	first, c := p.riders[0], p.conn
	var alone []*rider
	size, rows := 0, 0
	// Its share of those who wait would not be answered sooner in another packet.
	share := (len(k.line) + len(p.riders) + k.most - 1) / k.most
	aboard := func(w *rider) bool {
		if w.statement = c.statements.get(w.text); !c.short(w.statement, k.brief) {
			return false
		}
		for _, arg := range w.args {
			size += 4 + len(arg)
		}
		size += 64
		rows += w.statement.rows
		return size <= maxPacket
	}
	others := p.riders[1:]
	p.riders, p.sent = []*rider{first}, true
	together := aboard(first)
	for _, w := range others {
		switch {
		case w.left:
		case together && aboard(w) && (rows <= maxRows || len(p.riders) < share):
			p.riders = append(p.riders, w)
		default:
			alone = append(alone, w)
		}
	}
	if n := len(p.riders); n > 1 {
		p.shared = true
		k.shared += uint64(n)
	}
	k.back(alone)
	k.serve()
}

// short tells whether others may wait behind a statement.
func (c *conn) short(p *prepared, brief time.Duration) bool {
	return p != nil && p.Parsed && p.Described && c.mode == generic && p.took > 0 && p.took < brief
}

// send sends a packet and reads up to the rows of its first statement.
func (c *conn) send(p *packet) error {
	first := p.riders[0]
	if !p.shared {
		var err error
		first.statement, err = c.query(first.text, first.args, true, generic)
		return err
	}
	for _, w := range p.riders {
		c.wire.Execute(w.statement.Name, w.args)
	}
	c.wire.Sync()
	c.wire.Due = len(p.riders)
	if err := c.wire.Send(); err != nil {
		return c.failed(err)
	}
	return c.started(first.statement)
}

func (c *conn) started(p *prepared) error {
	if err := c.wire.Started(&p.Statement); err != nil {
		return c.failed(err)
	}
	return nil
}

// fly has a rider send the packet, if that is not done, and read its own answer.
func (k *packets) fly(ctx context.Context, p *packet, w *rider, read func(value.Rows) error) (asked bool, err error) {
	c, leads, whole := p.conn, !p.sent, false
	defer func() {
		if v := recover(); v != nil {
			asked, err = true, panicked(v)
		}
		c.broken = c.broken || !whole
		k.pass(p)
	}()
	if leads {
		k.load(p)
	}
	began := time.Now()
	watch := c.link.Watch
	if p.shared {
		watch = c.link.Linger // a cancellation could hit others
		_ = c.link.SetReadDeadline(began.Add(late * k.brief))
	}
	stop := watch(ctx, pglink.Grace)
	c.link.Allow()
	if leads {
		n := time.Duration(len(p.riders))
		err = c.send(p)
		p.each = time.Since(began) / n
		w.others = p.each * (n - 1)
	} else {
		err = c.started(w.statement)
		w.others = -p.each
	}
	if err != nil {
		c.broken = stop() || c.broken
		whole = true
		if w.statement != nil {
			w.statement.took = 0
		}
		return c.failedTogether(ctx, w.text, err)
	}
	rows := newRows(ctx, c, w.statement.Types, stop)
	if err = rows.check(); err == nil {
		err = read(rows)
	}
	_ = rows.Close()
	w.statement.note(time.Since(began) - w.others)
	if whole = rows.ended; whole {
		w.statement.rows = rows.count
	}
	if rows.err != nil {
		w.statement.took = 0 // it goes alone the next time
		if c.broken && ctx.Err() == nil && errors.Is(c.why, os.ErrDeadlineExceeded) {
			return false, nil
		}
	}
	return true, err
}

// failedTogether tells what becomes of a statement that was not begun to be answered: the server has
// said why, or it is asked again in a session, for the connection is lost or knows another
// statement by its name.
func (c *conn) failedTogether(ctx context.Context, text string, err error) (asked bool, _ error) {
	switch {
	case stale(err):
		if old := c.statements.remove(text); old != nil {
			c.wire.Forget(old.Name)
		}
		return false, nil
	case c.broken && ctx.Err() == nil && (Lost(err) || errors.Is(err, os.ErrDeadlineExceeded)):
		return false, nil
	}
	return true, translate(ctx, err)
}

// note remembers how long a statement takes: about as long as it takes mostly, for a busy machine
// is slow with all of them.
func (p *prepared) note(took time.Duration) {
	switch {
	case p.took == 0:
		p.took = max(1, took)
	case took < p.took:
		p.took = max(1, (p.took+took)/2)
	default:
		p.took += (took - p.took) / 8
	}
}

// pass hands the connection on to the next rider who waits, or gives it back.
func (k *packets) pass(p *packet) {
	for k.next(p) {
		p.conn.skip()
	}
}

// next goes on to the answer of the next rider. It tells whether that one has left.
func (k *packets) next(p *packet) (skip bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.done++
	p.done++
	p.riders = p.riders[1:]
	if p.conn.broken || p.conn.wire.Due != len(p.riders) { // an error ends the answers behind it
		for _, w := range p.riders {
			if !w.left {
				w.granted = true
				w.turn <- nil
			}
		}
		p.riders = nil
	}
	switch {
	case len(p.riders) == 0:
		if p.shared {
			_ = p.conn.link.SetReadDeadline(time.Time{})
		}
		k.account.Return(p.conn, p.conn.usable())
		k.flying--
		k.serve()
		return false
	case p.riders[0].left:
		return true
	}
	k.grant(p)
	return false
}

// skip reads over an answer that nobody waits for.
func (c *conn) skip() {
	c.link.Allow()
	_ = c.link.SetDeadline(time.Now().Add(pglink.Grace))
	if err := c.wire.Pass(); err != nil {
		_ = c.failed(err)
	}
	_ = c.link.SetDeadline(time.Time{})
}
