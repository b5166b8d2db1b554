// Package fault owns the errors a caller may see: a code, a message that is
// safe to send, and a cause that is only logged. It refuses nothing and knows
// no other package; every stage of a request fails with one of its errors.
package fault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// Code says what kind of failure happened. It is sent as extensions.code.
type Code string

// The codes, in the order of docs/errors.md.
const (
	Unauthenticated Code = "UNAUTHENTICATED"
	Forbidden       Code = "FORBIDDEN"
	NotFound        Code = "NOT_FOUND"
	BadUserInput    Code = "BAD_USER_INPUT"
	ParseFailed     Code = "GRAPHQL_PARSE_FAILED"
	ValidationError Code = "GRAPHQL_VALIDATION_FAILED"
	// PersistedQueryNotFound has the name, and the status, that clients know.
	PersistedQueryNotFound Code = "PERSISTED_QUERY_NOT_FOUND"
	Conflict               Code = "CONFLICT"
	TooComplex             Code = "TOO_COMPLEX"
	TooManyRequests        Code = "TOO_MANY_REQUESTS"
	Timeout                Code = "TIMEOUT"
	Unavailable            Code = "UNAVAILABLE"
	NotImplemented         Code = "NOT_IMPLEMENTED"
	Internal               Code = "INTERNAL"
)

// Row says how a code is answered and logged.
type Row struct {
	Code      Code
	Status    int        // HTTP status when the whole request fails with it and no GraphQL answer tells
	Level     slog.Level // log level of the cause
	Retryable bool       // may the same read succeed later?
	Meaning   string     // one sentence for the reader of docs/errors.md
}

var table = []Row{
	{Unauthenticated, http.StatusUnauthorized, slog.LevelInfo, false, "No token, or one that is not accepted. Get a new token."},
	{Forbidden, http.StatusForbidden, slog.LevelInfo, false, "The token is accepted, but what it grants cannot answer this request."},
	{NotFound, http.StatusNotFound, slog.LevelDebug, false, "What was named does not exist for this principal."},
	{BadUserInput, http.StatusBadRequest, slog.LevelDebug, false, "An argument has a value that cannot be used."},
	{ParseFailed, http.StatusBadRequest, slog.LevelDebug, false, "The document is not GraphQL."},
	{ValidationError, http.StatusBadRequest, slog.LevelDebug, false, "The document does not fit the schema this principal sees."},
	{PersistedQueryNotFound, http.StatusOK, slog.LevelDebug, false, "No text is kept for the hash of a persisted query."},
	{Conflict, http.StatusConflict, slog.LevelDebug, false, "The change collides with what is stored."},
	{TooComplex, http.StatusBadRequest, slog.LevelInfo, false, "The request asks for more than the limits allow, and would again."},
	{TooManyRequests, http.StatusTooManyRequests, slog.LevelInfo, true, "There are too many requests at this moment: of this token, of this tenant, or for this name."},
	{Timeout, http.StatusGatewayTimeout, slog.LevelWarn, true, "The data did not arrive before the deadline."},
	{Unavailable, http.StatusServiceUnavailable, slog.LevelWarn, true, "A source of the data does not answer, or is not as the catalog says."},
	{NotImplemented, http.StatusNotImplemented, slog.LevelInfo, false, "The source cannot answer this question."},
	{Internal, http.StatusInternalServerError, slog.LevelError, false, "Something failed inside usher; the log has it under the request id."},
}

// Table lists every code with how it is answered, in a stable order.
func Table() []Row { return append([]Row(nil), table...) }

// Lookup returns the row of a code; an unknown code is Internal.
func Lookup(code Code) Row {
	for _, row := range table {
		if row.Code == code {
			return row
		}
	}
	return table[len(table)-1]
}

// Error is a failure with a message for the caller and a cause for the log.
type Error struct {
	Code       Code
	Message    string        // sent to the caller: no driver text, SQL, host or other tenant's value
	Hint       string        // optional: what to do next
	RetryAfter time.Duration // optional: sent as Retry-After when the whole request fails
	At         string        // optional: which field and argument of the question is meant, such as orders.items.limit
	Line       int64         // optional: which line of an import is meant, from 1
	Also       []*Error      // optional: what else is wrong with the same question
	Unknown    bool          // of a change: nobody knows whether it was made
	Applied    bool          // of a change: it was made, and this is about its answer
	Written    *int          // of a change by calls, which nothing undoes: how many rows were written before it failed
	cause      error
}

// longest is how many characters of one text a message holds: an error is no echo of what was sent.
const longest = 10_000

// New makes an error with a formatted message for the caller.
func New(code Code, format string, args ...any) *Error {
	for i, arg := range args {
		if text, ok := arg.(string); ok && len(text) > longest {
			args = slices.Clone(args) // they may be the caller's own
			args[i] = cut(text, longest)
		}
	}
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Differs is the error where a source's table is another than the one that the catalog was made of.
func Differs() *Error {
	return New(Unavailable, "the source's table differs from the catalog").
		WithHint("Tell an administrator: `usher check` says in what. Where the configuration fits the table as it is now, it is enough that usher reads it anew (SIGHUP).")
}

// Broken makes the error of what only a mistake of usher's own leads to: callers are told that there is
// one, and the log what it is.
func Broken(format string, args ...any) *Error {
	return New(Internal, "internal error").Because(fmt.Errorf(format, args...))
}

// Quote is what somebody wrote, for a message: quoted, and no longer than people read.
func Quote(text string) string {
	return strconv.Quote(cut(text, 60))
}

// cut is a text of so many characters at most, and a sign where there were more.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text[:min(len(text), most*utf8.UTFMax)])[:most]) + "…"
}

// Because returns a copy of the error that carries the cause for the log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// WithHint returns a copy of the error that tells the caller what to do next.
func (e *Error) WithHint(format string, args ...any) *Error {
	c := *e
	c.Hint = fmt.Sprintf(format, args...)
	return &c
}

// Error is the text for logs: message and cause.
func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.cause)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// From finds the *Error in err's chain. Anything else becomes Internal (or
// Timeout when the deadline passed), with err as its cause: what usher does
// not know about its own failure, the caller shall not learn.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return New(Timeout, "the data did not arrive in time").Because(err)
	}
	if errors.Is(err, context.Canceled) {
		return New(Timeout, "the request was canceled").Because(err)
	}
	return New(Internal, "internal error").Because(err)
}
