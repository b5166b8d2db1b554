package postgres

import (
	"bytes"
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
)

// How a transaction begins that writes. What may be deferred is checked at once: whoever
// reads what was written reads what will be there, and COMMIT has nothing left to
// refuse.
const (
	beginWriting  = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
	beginSnapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE"
	allImmediate  = "SET CONSTRAINTS ALL IMMEDIATE"
)

// ErrUnknown is the cause of an error of a transaction of which nobody can tell whether
// it was committed.
var ErrUnknown = errors.New("the connection was lost after COMMIT was sent")

// Transaction is how one begins that writes.
type Transaction struct {
	// Snapshot has all its statements see the same data.
	Snapshot bool
	// Keep are tables that nobody alters before it ends, from before its snapshot on: what
	// its statements read of them in the server's catalogs is what they are. Without a
	// snapshot there is no need: whatever follows a statement that writes to a table sees it.
	Keep []Name
}

// Name is a table's.
type Name struct{ Schema, Table string }

func (n Name) sql() string {
	if n.Schema == "" {
		return pq.QuoteIdentifier(n.Table)
	}
	return pq.QuoteIdentifier(n.Schema) + "." + pq.QuoteIdentifier(n.Table)
}

// begins are the statements that come before the first one that reads anything.
func (t Transaction) begins(role string, limit time.Duration) []string {
	if !t.Snapshot {
		return []string{beginWriting}
	}
	out := []string{beginSnapshot}
	if len(t.Keep) == 0 {
		return out
	}
	if role != "" {
		out = append(out, "SET LOCAL ROLE "+pq.QuoteIdentifier(role))
	}
	names := make([]string, len(t.Keep))
	for i, n := range t.Keep {
		names[i] = n.sql()
	}
	return append(out, "SET LOCAL statement_timeout = "+milliseconds(limit), "LOCK TABLE "+strings.Join(names, ", ")+" IN ROW EXCLUSIVE MODE")
}

// Write calls fn with a session in one transaction that may write, and commits it if fn
// returns no error. The connections have to be those of an account that was opened for
// writing. The transaction begins in the message of the first statement, or, where a session has to be
// set up, before it. Fn is called once, unless the connection turned out to be dead by then.
func (db *DB) Write(ctx context.Context, t Transaction, fn func(sqlexec.Session) error) error {
	return db.writeBy(ctx, t, func(c *conn) (bool, error) { return c.write(ctx, fn) })
}

func (db *DB) writeBy(ctx context.Context, t Transaction, fn func(*conn) (dead bool, err error)) error {
	for try := 1; ; try++ {
		h := db.hosts[0]
		if db.cluster != nil {
			at, err := db.cluster.Primary(ctx)
			if err != nil {
				return failingOver(ctx, err)
			}
			h = db.hosts[at]
		}
		taken, err := h.account.Take(ctx)
		if err != nil {
			return translate(ctx, err)
		}
		dead, err := h.write(taken.(*conn), t, fn)
		if !dead || try >= lostTries {
			return err
		}
	}
}

func (h *host) write(c *conn, t Transaction, fn func(*conn) (bool, error)) (dead bool, err error) {
	whole := false
	defer func() {
		c.begins = nil
		h.account.Return(c, whole && c.usable())
	}()
	defer func() {
		if p := recover(); p != nil {
			dead, err = false, panicked(p)
		}
	}()
	c.begins = t.begins(c.setup.role, c.limit)
	dead, err = fn(c)
	whole = true
	return dead, err
}

// write reports as dead that the connection was lost before anything was asked.
func (c *conn) write(ctx context.Context, fn func(sqlexec.Session) error) (dead bool, err error) {
	s := &session{conn: c, snapshot: true}
	err = s.begin(ctx)
	if err == nil && c.pooling.pooled() { // it began in one message otherwise
		err = c.exec(ctx, allImmediate)
	}
	if err != nil {
		err = translate(ctx, err)
		return c.lost(err), err
	}
	s.asked = c.opening == nil
	err = fn(s)
	s.closeRows()
	if err == nil && ctx.Err() != nil {
		err = fault.From(ctx.Err())
	}
	switch {
	case c.broken:
		if err == nil {
			err = fault.New(fault.Unavailable, "the source does not answer")
		}
		return false, err
	case c.opening != nil: // nothing was asked, and nothing has begun
		c.opening = nil
		return false, err
	case err != nil:
		if rolled := c.exec(ctx, "ROLLBACK"); rolled != nil {
			c.broken = true
		}
		if c.mode != asEver {
			c.mode = unknownMode // what was set is taken back
		}
		return false, err
	}
	return false, c.commit(ctx)
}

// commit ends the transaction, which counts only if the server says COMMIT: of one that
// has failed it says ROLLBACK. What was sent in part was perhaps sent as a whole.
func (c *conn) commit(ctx context.Context) error {
	stop := c.link.Watch(ctx, pglink.Grace)
	c.link.Allow()
	sent, err := c.committed()
	if stop() {
		c.broken = true
	}
	var reported *pq.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &reported) && !c.broken && !Lost(err): // it said no
		return translate(ctx, err)
	case !sent:
		return err
	}
	c.broken = true
	return unknown(err)
}

// unknown is the error where nobody knows whether a transaction was committed.
func unknown(cause error) error {
	f := fault.New(fault.Unavailable, "the connection to the source was lost while it committed: nobody knows whether the change was made").
		WithHint("look whether it was before you make it again").Because(errors.Join(ErrUnknown, redacted(cause)))
	f.Unknown = true
	return f
}

func (c *conn) committed() (sent bool, err error) {
	c.wire.Parse("", "COMMIT")
	c.wire.Execute("", nil)
	c.wire.Sync()
	if err := c.wire.Send(); err != nil {
		return true, c.failed(err)
	}
	return c.committing()
}

// committing reads the answer to COMMIT.
func (c *conn) committing() (sent bool, err error) {
	for {
		typ, body, err := c.wire.Message()
		if err != nil {
			return true, c.failed(err)
		}
		switch typ {
		case '1', '2': // parsed, bound
		case 'C':
			tag := string(bytes.TrimSuffix(body, []byte{0}))
			if err := c.wire.Ready(); err != nil {
				c.broken = true // what was said holds all the same
			}
			if tag != "COMMIT" {
				return false, fault.New(fault.Internal, "the source did not commit the change").Because(fmt.Errorf("COMMIT was answered with %q", strings.ToValidUTF8(tag, "?")))
			}
			return true, nil
		case 'E':
			return true, c.failed(c.wire.Failed(body))
		default:
			return true, c.failed(fmt.Errorf("%w: a message %q in answer to COMMIT", errProtocol, typ))
		}
	}
}

// Violation is what a server says of rows that it does not write. It holds names and no
// value: what the server says in words is not among it.
type Violation struct {
	Code                      string // its SQLSTATE
	Schema, Table, Constraint string
	Columns                   []string
	Domain                    string // of which a condition is not met
	Label                     bool   // a text is no label of the enum that it is written to
	Raised                    string // by code of the owner's own: what it says, which is nobody's but the owner's to show

	values string // of the columns of a key, as the server lists them; nobody is told
	cause  error
}

// Says tells whether the server says that a column of a key has a value; told is false where it does not
// say what the columns have.
func (v *Violation) Says(column, value string) (same, told bool) {
	i := slices.Index(v.Columns, column)
	if i < 0 || v.values == "" {
		return false, false
	}
	if each := strings.Split(v.values, ", "); len(each) == len(v.Columns) {
		return each[i] == value, true
	}
	switch i { // a text has a comma in it, and nobody may give one that reads like another column's value
	case 0:
		return strings.HasPrefix(v.values, value+", "), true
	case len(v.Columns) - 1:
		return strings.HasSuffix(v.values, ", "+value), true
	}
	return false, false
}

// Raises is the code of what a trigger or a function of the owner's refuses.
const Raises = "P0001"

// NeverNull is the code where a column has no value that has to have one, and TooMuch that where a value is larger
// than what the server keeps of one in an index, or of all in a row.
const (
	NeverNull = "23502"
	TooMuch   = "54000"
)

// Error implements error.
func (v *Violation) Error() string {
	if v.Code == NeverNull {
		return fmt.Sprintf("SQLSTATE %s of %s.%s, column %q: %v", v.Code, v.Schema, v.Table, v.Columns, v.cause)
	}
	if v.Table == "" && v.Constraint == "" { // of a value, for one
		return fmt.Sprintf("SQLSTATE %s: %v", v.Code, v.cause)
	}
	return fmt.Sprintf("SQLSTATE %s of %s.%s, constraint %q: %v", v.Code, v.Schema, v.Table, v.Constraint, v.cause)
}

// Unwrap returns the cause.
func (v *Violation) Unwrap() error { return v.cause }

// Class is the class of the code: its first two characters.
func (v *Violation) Class() string { return v.Code[:2] }

// Passing tells that the transaction failed for others that ran beside it: it may be
// begun anew.
func (v *Violation) Passing() bool { return v.Code == "40001" || v.Code == "40P01" }

// Beside tells that it failed for others that ran beside it, or hold what it waited for, and for no row of its own.
func (v *Violation) Beside() bool { return v.Passing() || v.Code == "55P03" }

// ownCode tells that a statement failed in a trigger or a function of the database's owner.
// What was copied from a client has a place as well, and so has an argument.
// So has a JSON text, in lines that name no function.
func ownCode(reported *pq.Error) bool {
	if strings.HasPrefix(reported.Where, "COPY ") || ofArgument(reported) {
		return false
	}
	for line := range strings.SplitSeq(reported.Where, "\n") {
		if line != "" && !strings.HasPrefix(line, "JSON") && (!strings.Contains(line, "JSON") || strings.Contains(line, "PL/pgSQL")) {
			return true
		}
	}
	return false
}

// ofArgument tells that it is an argument of a statement that could not be read.
func ofArgument(reported *pq.Error) bool {
	return strings.HasPrefix(reported.Where, "unnamed portal ") || strings.HasPrefix(reported.Where, "portal ")
}

// noLabel tells that a text is no label of an enum.
func noLabel(reported *pq.Error) bool {
	return reported.Code == "22P02" && (reported.Routine == "enum_in" || reported.Routine == "enum_recv")
}

// labelLost tells that an enum has no label any more with which a column is compared. Arguments are enums where the catalog
// has labels, and these are all that anybody may name.
func labelLost(reported *pq.Error) bool { return noLabel(reported) && ofArgument(reported) }

// raised tells that such code refuses something on purpose.
func raised(reported *pq.Error) bool {
	first, _, _ := strings.Cut(reported.Where, "\n")
	return reported.Code == Raises || strings.HasSuffix(first, " at RAISE")
}

// violationOf reads what a server says of rows, and of transactions that collided.
func violationOf(err error) *Violation {
	var reported *pq.Error
	if !errors.As(err, &reported) || len(reported.Code) != 5 || keyGone(reported) || sealBroken(reported) {
		return nil
	}
	v := &Violation{Code: string(reported.Code), Schema: reported.Schema, Table: reported.Table, Constraint: reported.Constraint, Domain: reported.DataTypeName, Label: noLabel(reported)}
	if raised(reported) && v.Class() != "23" && v.Class() != "40" { // whatever code it was given
		v.Code, v.Raised = Raises, pglink.Said(reported.Message)
	}
	switch v.Class() {
	case "23", "40", "44":
	case "21", "22": // of a value that was given, unless code of the owner's has computed it
		if ownCode(reported) || labelLost(reported) {
			return nil
		}
	default:
		if (v.Code == "42501" || v.Code == TooMuch) && ownCode(reported) {
			return nil
		}
		if v.Code != TooMuch && v.Code != "42501" && v.Code != "55P03" && v.Code != "P0001" && v.Code != "428C9" {
			return nil
		}
	}
	if reported.Column != "" {
		v.Columns = []string{reported.Column}
	}
	// "Key (a, b)=(1, 2) already exists.": the names come first, whatever the language.
	if _, rest, ok := strings.Cut(reported.Detail, "("); ok {
		if names, _, ok := strings.Cut(rest, ")=("); ok && v.Columns == nil {
			for _, name := range strings.Split(names, ", ") {
				v.Columns = append(v.Columns, strings.Trim(name, `"`))
			}
			_, values, _ := strings.Cut(rest, ")=(")
			if end := strings.LastIndexByte(values, ')'); end >= 0 {
				v.values = values[:end]
			}
		}
	}
	return v
}
