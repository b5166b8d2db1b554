package pglink

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lib/pq"
)

// Kind is what an error of a server means for whoever asked.
type Kind int

// The kinds of errors.
const (
	Failed     Kind = iota // in a way that means nothing to the caller
	Canceled               // the statement took too long, or nobody waited for it
	Inexact                // a number is out of its type's range
	Differs                // a name, a type or a key is not what the statement holds it for
	Forbidden              // the account may not do that
	Duplicate              // there is such a row already
	Busy                   // others are in the way
	Gone                   // the server is not there, or is about to leave
	Refused                // the server does not let the account in
	NoDatabase             // the server has no such database
	Barred                 // the account may not connect to the database
	Overloaded             // the server lacks memory or connections
	NoRoom                 // the server's disk is full
	Encoding               // a text is none in the database's encoding, or in UTF-8
	TooComplex             // the statement is more than the server can do
	Unfilled               // a materialized view has no rows yet, not even none
	Amiss                  // what the server's owner has made does not work: a view, a function, a disk
	ReadOnly               // the server changes nothing, as a standby, or not where it is only asked
)

// KindOf is the kind of the server's error in err; false: there is none, the
// driver or the network failed.
func KindOf(err error) (Kind, bool) {
	var reported *pq.Error
	if !errors.As(err, &reported) {
		return Failed, false
	}
	return kindOf(reported), true
}

func kindOf(reported *pq.Error) Kind {
	code := string(reported.Code)
	switch code {
	case "55000": // of many things; texts are in the server's language, and what of it reports is not
		switch {
		case reported.Fatal(): // the database takes no connections
			return Gone
		case reported.Routine == "ExecOpenScanRelation":
			return Unfilled
		}
	case "0A000":
		if reported.Routine == "call_bool_check_hook" { // a standby lets transaction_read_only not be off
			return ReadOnly
		}
		return Differs
	case "25006":
		return ReadOnly
	case "25P03": // the session was ended: it had begun something and asked nothing
		return Gone
	case "25P04": // as was that of a transaction that took too long
		return Canceled
	case "53400": // a limit of what one statement may take, as of temporary files
		return TooComplex
	case "57P04":
		return NoDatabase
	case "57014":
		return Canceled
	case "22003":
		return Inexact
	case "53100":
		return NoRoom
	case "22021", "22P05":
		return Encoding
	case "42P01", "42703", "42704", "42804", "42809", "42846", "42883", "42P10", "3F000", "428C9":
		return Differs
	case "42501":
		if reported.Fatal() {
			return Barred
		}
		return Forbidden
	case "23505":
		return Duplicate
	case "40001", "40P01", "55P03", "55006":
		return Busy
	}
	switch class(code) {
	case "08", "57":
		return Gone
	case "28":
		return Refused
	case "3D":
		return NoDatabase
	case "53":
		return Overloaded
	case "54":
		return TooComplex
	case "21", "22", "2F", "38", "39", "3B", "44", "55", "58", "F0", "HV", "P0", "XX":
		return Amiss
	}
	return Failed
}

// Away tells whether a server is there and takes no connections to the database now,
// as while it is moved (55000), or writes nothing, as a standby. Of rows that
// are only read this may mean other things.
func Away(err error) bool {
	var reported *pq.Error
	return errors.As(err, &reported) && (reported.Code == "55000" || kindOf(reported) == ReadOnly)
}

// class is an SQLSTATE's, of any text: it is the server's.
func class(code string) string { return code[:min(2, len(code))] }

// Redacted is an error as it may be logged. Of what a server reports it is the
// message only where that speaks of names; other messages quote values. All of
// it is cut, and holds nothing but graphic characters.
func Redacted(err error) error {
	var reported *pq.Error
	if !errors.As(err, &reported) {
		if err == nil || err.Error() == Said(err.Error()) {
			return err
		}
		return said{err}
	}
	code := string(reported.Code)
	if !sqlState(code) {
		return errors.New("postgres: an error without an SQLSTATE")
	}
	switch class(code) {
	case "55":
		if kindOf(reported) != Unfilled {
			break
		}
		fallthrough
	case "08", "28", "3D", "3F", "42", "53", "57":
		return fmt.Errorf("postgres: %s (%s)", Said(reported.Message), code)
	}
	return fmt.Errorf("postgres: SQLSTATE %s", code)
}

// said is an error whose text is as it may be logged.
type said struct{ error }

func (s said) Error() string { return Said(s.error.Error()) }

func (s said) Unwrap() error { return s.error }

// RefusesParameters tells whether a login was refused for the settings that came
// along. PostgreSQL knows them all; poolers do not.
func RefusesParameters(err error) bool {
	var reported *pq.Error
	return errors.As(err, &reported) && reported.Code == "08P01" && strings.Contains(reported.Message, "startup parameter")
}
