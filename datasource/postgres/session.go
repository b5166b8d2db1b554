package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"

	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/pglink"
	"usher/value"
)

// session is a conn in the hands of one caller.
type session struct {
	conn     *conn
	snapshot bool
	asked    bool // there was a first statement
	lost     bool // with the first statement
	rows     *rows
}

// session reports as lost that the connection ended before it answered.
func (c *conn) session(ctx context.Context, snapshot bool, fn func(sqlexec.Session) error) (lost bool, err error) {
	snapshot = snapshot || c.setup.text != "" // what it opens with lasts as long as a transaction
	s := &session{conn: c, snapshot: snapshot}
	if snapshot {
		if err := s.begin(ctx); err != nil {
			err = translate(ctx, err)
			return c.lost(err), err
		}
	}
	err = fn(s)
	s.closeRows()
	switch {
	case c.broken:
		return s.lost && err != nil, err
	case ctx.Err() != nil:
		c.broken = true // the deadline of its link may be set already
	case snapshot:
		// A failed transaction is rolled back by this too. There is nothing
		// to lose: if it fails, the connection is dropped.
		if err := c.exec(ctx, "COMMIT"); err != nil {
			c.broken = true
		}
	}
	return false, err
}

// lost tells whether a session's error is that the server is no longer there.
func (c *conn) lost(err error) bool {
	return c.broken && fault.From(err).Code == fault.Unavailable
}

const beginText = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

// begin takes the snapshot at the first statement. The server gives up a
// second after the request has, or earlier where its owner says so.
func (s *session) begin(ctx context.Context) error {
	c := s.conn
	limit := c.limit
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, max(0, time.Until(deadline))+time.Second)
	}
	if err := c.begin(ctx, limit); err != nil {
		return err
	}
	return c.open(ctx)
}

func (c *conn) begin(ctx context.Context, limit time.Duration) error {
	if c.pooling.pooled() {
		return c.enter(ctx, limit)
	}
	if c.begins != nil && c.setup.text == "" {
		c.opening = append(slices.Clone(c.begins), allImmediate)
		if limit < c.limit-time.Second { // else the server gives up two seconds after the request has
			c.opening = append(c.opening, "SET LOCAL statement_timeout = "+milliseconds(limit))
		}
		return nil
	}
	text := strings.Join(c.beginTexts(), "; ")
	if c.begins != nil {
		text += "; " + allImmediate
	}
	if limit < c.limit {
		text += "; SET LOCAL statement_timeout = " + milliseconds(limit)
	}
	return c.exec(ctx, text)
}

// Query implements sqlexec.Session.
func (s *session) Query(ctx context.Context, text string, args []string) (value.Rows, error) {
	return s.ask(ctx, text, args, nil, asEver)
}

// QueryByValues implements sqlexec.Plans. Of a prepared statement the
// server keeps a plan for any arguments, from its sixth run on, if that seems as
// good; one without a name is parsed with each run, in the same message, and
// planned for its arguments. That holds behind every pooler.
func (s *session) QueryByValues(ctx context.Context, text string, args []string) (value.Rows, error) {
	return s.ask(ctx, text, args, &prepared{}, asEver)
}

// QueryWriting implements sqlexec.Writes.
func (s *session) QueryWriting(ctx context.Context, text string, args []string, once bool) (value.Rows, error) {
	s.conn.writing = true
	defer func() { s.conn.writing = false }()
	if once {
		return s.ask(ctx, text, args, &prepared{}, asEver)
	}
	return s.ask(ctx, text, args, nil, asEver)
}

// QueryWritingForAll implements sqlexec.Writes.
func (s *session) QueryWritingForAll(ctx context.Context, text string, args []string) (value.Rows, error) {
	s.conn.writing = true
	defer func() { s.conn.writing = false }()
	return s.QueryForAll(ctx, text, args)
}

// QueryForAll implements sqlexec.Plans. Where the server takes a plan for any
// arguments for the dearer one, it would plan a short list anew with every run. An
// account that has settings of its own plans as they say.
func (s *session) QueryForAll(ctx context.Context, text string, args []string) (value.Rows, error) {
	if !s.conn.pooling.named() || s.conn.setup.text != "" { // without a name it is planned with every run anyway
		return s.Query(ctx, text, args)
	}
	return s.ask(ctx, text, args, nil, generic)
}

// ask runs a statement: as it is prepared, or as anew says.
func (s *session) ask(ctx context.Context, text string, args []string, anew *prepared, mode planMode) (value.Rows, error) {
	s.closeRows()
	if err := ctx.Err(); err != nil {
		return nil, fault.From(err)
	}
	if s.conn.broken {
		return nil, fault.New(fault.Unavailable, "the connection to the source is lost").Because(causeOf(cmp.Or(s.conn.why, errLost)))
	}
	first := !s.asked
	s.asked = true
	found, err := s.query(ctx, text, args, anew, mode)
	if stale(err) && !s.conn.broken {
		found, err = s.again(ctx, text, args, mode, first, err)
	}
	if err != nil {
		err = translate(ctx, err)
		s.lost = first && s.conn.lost(err)
		return nil, err
	}
	s.rows = found
	return found, nil
}

// query runs a statement as it is prepared, or as anew says.
func (s *session) query(ctx context.Context, text string, args []string, anew *prepared, mode planMode) (*rows, error) {
	stop := s.conn.link.Watch(ctx, pglink.Grace)
	s.conn.link.Allow()
	if told := s.conn.told(ctx, text); told != text {
		text, anew = told, &prepared{}
	}
	statement, err := anew, error(nil)
	if anew != nil {
		err = s.conn.run(text, anew, args, !s.snapshot, mode)
	} else {
		statement, err = s.conn.query(text, args, !s.snapshot, mode)
	}
	if err != nil {
		if stop() {
			s.conn.broken = true
		}
		return nil, err
	}
	found := newRows(ctx, s.conn, statement.Types, stop)
	if s.conn.sealing != nil {
		found.end = s.conn.sealed
	}
	if err := found.check(); err != nil {
		_ = found.Close()
		return nil, err
	}
	return found, nil
}

// What a server says of a prepared statement that is not as it should be.
const (
	isThere = "42P05" // already, though it was to be made
	isGone  = "26000"
	changed = "0A000" // among others
)

// stale tells whether what is known of a prepared statement is not so any
// more: it does not fit its table, is gone, or is there already.
func stale(err error) bool {
	if err == nil {
		return false // as mostly; below is an allocation
	}
	var reported *pq.Error
	if !errors.As(err, &reported) {
		return false
	}
	return reported.Code == isGone || reported.Code == isThere ||
		reported.Code == changed && reported.Message == "cached plan must not change result type"
}

// ErrStale is the cause of an error of a stale statement that could not be run once more. Its transaction is
// undone, and may be begun anew.
var ErrStale = errors.New("a prepared statement is not what the server knows by its name")

// again runs a stale statement once more, and only once: prepared anew, or, if
// it is there already, as it is, for its name says that it is the same. In a
// transaction that other statements have seen it cannot, for the failure has ended that; nor along with a
// COMMIT. So that whoever begins anew meets no other one, the connection then forgets all that it has prepared.
func (s *session) again(ctx context.Context, text string, args []string, mode planMode, first bool, cause error) (*rows, error) {
	if old := s.conn.statements.remove(text); old != nil {
		s.conn.wire.Forget(old.Name)
	}
	reported, anew := new(pq.Error), s.conn.fresh(text)
	_ = errors.As(cause, &reported) // stale has seen it
	anew.Parsed = reported.Code == isThere
	if s.snapshot && !first || s.conn.sealing != nil {
		s.conn.wire.Forget(anew.Name)
		s.conn.forgetAll()
		f := fault.New(fault.Unavailable, "the source's table has just changed").WithHint("try again")
		if reported.Code != changed {
			f = fault.New(fault.Unavailable, "the source does not answer").WithHint("try again")
		}
		f.RetryAfter = time.Second
		return nil, f.Because(fmt.Errorf("%w: %w", ErrStale, redacted(cause)))
	}
	if s.snapshot {
		if err := s.conn.exec(ctx, "ROLLBACK"); err != nil {
			return nil, err
		}
		if err := s.begin(ctx); err != nil {
			return nil, err
		}
	}
	return s.query(ctx, text, args, anew, mode)
}

func (s *session) closeRows() {
	if s.rows != nil {
		_ = s.rows.Close()
	}
}
