package postgres

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/lib/pq"

	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/sqlgen"
	"usher/value"
)

// A change that is one statement goes out with its BEGIN and its COMMIT in one message, where the statement is
// sealed (sqlgen.Sealed): it fails unless all it wrote is right, and the server passes over a COMMIT behind what has
// failed. What it says of the table holds for a connection whose server process has read the statement, and as long as
// it has not read it anew: so the first time the table is looked at in the transaction, before COMMIT is sent.

// Sealed is a change that is one sealed statement.
type Sealed struct {
	Text string
	Args []string // but the last
	// Prove refuses a table that is not what was judged; it is asked in the transaction.
	Prove func(context.Context, sqlexec.Session) error
	// Read reads the row, and tells when the server has read the statement; 0: there is no row. What was
	// committed is so though it fails.
	Read func(value.Rows) (read int64, err error)
}

// ErrSealBroken is the error where a sealed statement has failed by itself: nothing is committed, and why is for the
// statements to say that the change is made of otherwise.
var ErrSealBroken = errors.New("what was written is not right, or the table has become another")

// Seals tells whether changes may go out with their COMMIT: a connection is a session of the server's, and
// transactions have no settings of their own.
func (db *DB) Seals() bool { return db.seals }

// WriteSealed makes a change and commits it.
func (db *DB) WriteSealed(ctx context.Context, s Sealed) error {
	return db.writeBy(ctx, Transaction{}, func(c *conn) (bool, error) {
		kept := c.told(ctx, s.Text) == s.Text
		if p := c.statements.get(s.Text); kept && p != nil && p.proved != 0 {
			err := c.writeSealed(ctx, s, p.proved)
			if errors.Is(err, ErrSealBroken) { // the table may have become another
				p.proved = 0
			}
			return false, err
		}
		return c.write(ctx, func(session sqlexec.Session) error {
			read, err := s.run(ctx, session, 0)
			if err == nil {
				err = s.Prove(ctx, session)
			}
			if p := c.statements.get(s.Text); kept && p != nil && err == nil {
				p.proved = read
			}
			return err
		})
	})
}

// run runs the statement as one that was read then.
func (s Sealed) run(ctx context.Context, session sqlexec.Session, then int64) (read int64, err error) {
	w := session.(sqlexec.Writes) // of this package
	rows, err := w.QueryWritingForAll(ctx, s.Text, append(slices.Clip(s.Args), strconv.FormatInt(then, 10)))
	if err != nil {
		return 0, err
	}
	read, err = s.Read(rows)
	return read, errors.Join(err, rows.Close())
}

// sealing is how far a message is that has COMMIT in it.
type sealing struct {
	executed  bool // the statement was: COMMIT is next
	refused   bool // the server has said that the statement failed
	committed bool
}

// writeSealed sends all of a transaction at once.
func (c *conn) writeSealed(ctx context.Context, s Sealed, read int64) error {
	session := &session{conn: c, snapshot: true}
	if err := session.begin(ctx); err != nil {
		return translate(ctx, err)
	}
	at := &sealing{}
	c.sealing = at
	_, err := s.run(ctx, session, read)
	c.sealing = nil
	switch {
	case at.committed: // whatever became of the answer
		return nil
	case c.opening != nil: // nothing was sent
		c.opening = nil
		return err
	case err == nil:
		c.broken = true
		return fault.New(fault.Internal, "the source did not commit the change")
	case c.broken && !at.refused:
		return unknown(err)
	case !c.broken:
		if rolled := c.exec(ctx, "ROLLBACK"); rolled != nil {
			c.broken = true
		}
	}
	return err
}

// sealed reads what comes behind the rows of a statement that COMMIT went along with.
func (c *conn) sealed() error {
	c.sealing.executed = true
	_, err := c.committing()
	c.sealing.committed = err == nil
	return err
}

// sealBroken tells the failure of a sealed statement by itself.
func sealBroken(err error) bool {
	var reported *pq.Error
	return errors.As(err, &reported) && reported.Code == "22P02" && strings.Contains(reported.Message, sqlgen.SealBroken)
}
