package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/lib/pq"

	"usher/datasource/pool"
	"usher/datasource/trouble"
	"usher/fault"
	"usher/pglink"
	"usher/sqlgen"
)

var errProtocol = pglink.ErrProtocol

// ErrDrift is the cause of an error of a statement that names what the database
// does not have, or has as another type.
var ErrDrift = errors.New("the tables are not what they were")

// translate makes a *fault.Error of what the server, the driver or the network
// returned. ctx is the context it happened in.
func translate(ctx context.Context, err error) error {
	if known := (*fault.Error)(nil); errors.As(err, &known) {
		return known
	}
	cause := trouble.With(troubleOf(err), causeOf(err))
	if ended := ctx.Err(); ended != nil {
		return fault.From(ended).Because(errors.Join(ended, cause))
	}
	if alone := (*pool.PausedError)(nil); errors.As(err, &alone) {
		return paused(alone)
	}
	if untold := unproved(err, cause); untold != nil {
		return untold
	}
	if violated := violationOf(err); violated != nil {
		violated.cause = cause
		cause = violated
	}
	if sealBroken(err) {
		return fault.New(fault.Internal, "the change was not made").Because(fmt.Errorf("%w: %w", ErrSealBroken, cause))
	}
	if kind, reported := pglink.KindOf(err); reported {
		f := ofKind(kind)
		if failed := (*pq.Error)(nil); errors.As(err, &failed) && labelLost(failed) {
			kind, f = pglink.Differs, LostLabel()
		}
		if failed := (*pq.Error)(nil); errors.As(err, &failed) && (movesAway(failed) || ownCode(failed) && slices.Contains(ofCode, kind)) {
			return ownFailed(failed, cause)
		}
		if kind == pglink.Differs {
			cause = fmt.Errorf("%w: %w", ErrDrift, cause)
		}
		return f.Because(cause)
	}
	var network net.Error
	switch {
	case errors.Is(err, pool.ErrBusy):
		return fault.New(fault.Unavailable, "too many requests wait for the sources").Because(cause)
	case errors.Is(err, pool.ErrClosed):
		return fault.New(fault.Unavailable, "the source is closed").Because(cause)
	case errors.Is(err, pglink.ErrTooLarge):
		return fault.New(fault.TooComplex, "the answer of the source is too large").
			WithHint("Ask for fewer rows or fields.").Because(cause)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return fault.New(fault.Timeout, "the source did not answer in time").Because(cause)
	default:
		return unavailable(trouble.Of(cause)).Because(cause)
	}
}

// ownFailed is the error where code of the database's owner failed. Which right that lacked is for the log alone.
func ownFailed(failed *pq.Error, cause error) error {
	f := fault.New(fault.Unavailable, "a trigger or a function of the database's own failed")
	if failed.Code == "42501" && !raised(failed) {
		return f.WithHint("Tell an administrator: the log says where, and what it lacks a right to. Such code has the rights of the source's account, unless it is SECURITY DEFINER.").
			Because(fmt.Errorf("%s: %w: such code has the rights of the source's account, unless it is SECURITY DEFINER: %s", failedAt(failed), cause, lacked(failed)))
	}
	return f.WithHint("Tell an administrator: the log says at what. Code that names tables without their schema finds them by the source's search_path.").
		Because(fmt.Errorf("%s: %w", failedAt(failed), cause))
}

// grantable is what is granted on a thing, by the words with which the server names it.
var grantable = map[string]string{
	"table ":    "SELECT, INSERT, UPDATE or DELETE ON ",
	"view ":     "SELECT, INSERT, UPDATE or DELETE ON ",
	"sequence ": "USAGE ON SEQUENCE ",
	"schema ":   "USAGE ON SCHEMA ",
	"function ": "EXECUTE ON FUNCTION ",
}

// lacked says what gives the account the right that it lacked, as far as the server names the thing.
func lacked(failed *pq.Error) string {
	if failed.Routine == "ExecWithCheckOptions" {
		return "no policy of row-level security lets it write such a row"
	}
	_, thing, _ := strings.Cut(failed.Message, "permission denied for ")
	for words, right := range grantable {
		if name, ok := strings.CutPrefix(thing, words); ok {
			return "GRANT " + right + sqlgen.Identifier(pglink.Said(name)) + " TO it, whichever the code needs"
		}
	}
	return "GRANT it what the code needs"
}

// movesAway tells that a trigger has made a row one of another partition, which PostgreSQL does not do. It has no
// code of its own for that.
func movesAway(failed *pq.Error) bool {
	return failed.Code == "0A000" && strings.HasPrefix(failed.Routine, "ExecBR")
}

// failedAt says in which function of the owner's code something failed, and at which line, as the server names
// them. Statements and messages may hold values.
func failedAt(failed *pq.Error) string {
	if movesAway(failed) {
		return "it moves a row to another partition"
	}
	for line := range strings.SplitSeq(failed.Where, "\n") {
		if strings.HasPrefix(line, "PL/") || strings.HasPrefix(line, "SQL function ") {
			return pglink.Said(line) + ": " + failed.Code.Name()
		}
	}
	return failed.Code.Name()
}

// keyGone tells that a condition failed which sqlgen's Alone has written: of the key, or of the kind of the table.
func keyGone(failed *pq.Error) bool {
	return strings.Contains(failed.Message, sqlgen.SharedKey) || otherKind(failed)
}

func otherKind(failed *pq.Error) bool { return strings.Contains(failed.Message, sqlgen.OtherKind) }

// unproved is the error of a condition that sqlgen's Alone has written; nil: it is another one.
func unproved(err, cause error) error {
	var failed *pq.Error
	switch {
	case !errors.As(err, &failed) || !keyGone(failed):
		return nil
	case otherKind(failed):
		return fault.New(fault.Unavailable, "whose rows these are cannot be told: the table by which they are a tenant's was replaced by another one").
			WithHint("Tell an administrator: usher has to read its configuration anew, and the tables with it (SIGHUP).").
			Because(fmt.Errorf("%w: a table by which rows of others are a tenant's has become partitioned, or is no longer: %w", ErrDrift, cause))
	}
	return fault.New(fault.Unavailable, "whose rows these are cannot be told: the key is gone by which they lead to one row").
		WithHint("Tell an administrator, who can see with `usher check` which key it is.").
		Because(fmt.Errorf("%w: a table has lost the unique key by which rows of others are a tenant's: %w", ErrDrift, cause))
}

// unavailable says as much of a source that cannot be asked as anybody may know:
// what is wrong, never where.
func unavailable(kind trouble.Kind) *fault.Error {
	switch kind {
	case trouble.Address:
		return fault.New(fault.Unavailable, "the source's account leads to an address that is not allowed").WithHint(hintAccount)
	case trouble.TLS:
		return fault.New(fault.Unavailable, "no secure connection to the source can be made").WithHint(hintAccount)
	case trouble.NoSchema:
		return fault.New(fault.Unavailable, "the source has no such schema as the account names").WithHint(hintAccount)
	}
	return fault.New(fault.Unavailable, "the source does not answer")
}

// hintAccount is for callers, who can do nothing themselves.
const hintAccount = "Tell an administrator, who can try the account with testAccount or `usher check --tenant`."

// troubleOf tells what is wrong with the account, if it is the account.
func troubleOf(err error) trouble.Kind {
	kind, reported := pglink.KindOf(err)
	switch {
	case errors.Is(err, pglink.ErrNoTLS):
		return trouble.TLS
	case !reported:
		return trouble.Of(err)
	}
	switch kind {
	case pglink.Refused:
		return trouble.Login
	case pglink.NoDatabase:
		return trouble.NoDatabase
	case pglink.Barred:
		return trouble.NoConnect
	case pglink.Forbidden:
		return trouble.NotReadable
	case pglink.Gone:
		return trouble.Unreachable
	case pglink.Busy, pglink.Overloaded:
		return trouble.Busy
	}
	return ""
}

// ofCode are the kinds of errors that tell of what a function computes, where one failed.
var ofCode = []pglink.Kind{pglink.Differs, pglink.Forbidden, pglink.Failed, pglink.Amiss, pglink.Inexact, pglink.Encoding, pglink.Duplicate, pglink.ReadOnly}

// LostLabel is the error where an enum has no label that the catalog says it has.
func LostLabel() *fault.Error {
	return fault.New(fault.Unavailable, "the source's table differs from the catalog: an enum has no such label any more").
		WithHint("Tell an administrator: `usher check` says where the configuration names the label. Where it names none, it is enough that usher reads it anew (SIGHUP).")
}

func ofKind(kind pglink.Kind) *fault.Error {
	switch kind {
	case pglink.Canceled:
		return fault.New(fault.Timeout, "the source did not answer in time")
	case pglink.Inexact:
		return fault.New(fault.TooComplex, "a number is too large to be exact")
	case pglink.Encoding:
		return fault.New(fault.NotImplemented, "a text of the question or of the rows cannot be put into the other's encoding").
			WithHint("The database is not in UTF-8: it lacks a character that the question has, or holds bytes that are no text. Whoever owns it can convert it.")
	case pglink.Differs:
		return fault.Differs()
	case pglink.Forbidden:
		return fault.New(fault.Unavailable, "the source's account may not read the table").WithHint(hintAccount)
	case pglink.Busy:
		return fault.New(fault.Unavailable, "the source is busy")
	case pglink.Gone:
		return fault.New(fault.Unavailable, "the source does not answer")
	case pglink.Refused:
		return fault.New(fault.Unavailable, "the source does not accept the account").WithHint(hintAccount)
	case pglink.Barred:
		return fault.New(fault.Unavailable, "the source's account may not connect to the database").WithHint(hintAccount)
	case pglink.NoDatabase:
		return fault.New(fault.Unavailable, "the source has no such database as the account names").WithHint(hintAccount)
	case pglink.Overloaded:
		return fault.New(fault.Unavailable, "the source is overloaded")
	case pglink.NoRoom:
		return fault.New(fault.Unavailable, "the source's server has no room left on its disk").
			WithHint("Tell an administrator: the log says for what there was none.")
	case pglink.Unfilled:
		return fault.New(fault.Unavailable, "a materialized view that is read has not been filled yet").
			WithHint("Tell an administrator: the log says which. REFRESH MATERIALIZED VIEW fills it, and then it is read.")
	case pglink.Amiss:
		return fault.New(fault.Unavailable, "something of the database's own failed").
			WithHint("Tell an administrator: the log says with which code. It may be a view, a function, a value that is none, or the server's disk.")
	case pglink.ReadOnly:
		return fault.New(fault.Unavailable, "the source's server changes nothing now").
			WithHint("Tell an administrator: it may be a standby, or made read-only. What is only read fails so where a view or a policy of the database's own changes something, as nextval() does.")
	case pglink.TooComplex:
		return fault.New(fault.TooComplex, "the question is too complex for the source")
	default:
		return fault.New(fault.Internal, "the source failed")
	}
}

// panicked is the error of a session that panicked. Where it did is for the log.
func panicked(p any) error {
	return fault.New(fault.Internal, "the source failed").Because(fmt.Errorf("panic: %s\n%s", pglink.Said(fmt.Sprint(p)), debug.Stack()))
}

func redacted(err error) error { return pglink.Redacted(err) }
