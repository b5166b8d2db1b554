// Package requestid owns the name of one request: the value that joins what
// the caller got to what the log has. It is a leaf, so that the transports that
// make the id and the error presenter that sends it need not know each other.
package requestid

import (
	"context"
	"crypto/rand"
)

// Header is the HTTP header that carries the id, inbound and outbound.
const Header = "X-Request-Id"

// maxLength bounds an id that a caller brings.
const maxLength = 64

type key struct{}

// With returns a context that carries the id.
func With(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, key{}, id)
}

// From returns the context's id, or "" when the request was given none.
func From(ctx context.Context) string {
	id, _ := ctx.Value(key{}).(string)
	return id
}

// Make returns a new id that nobody can guess.
func Make() string { return rand.Text() }

// Accepts says whether an id that a caller brought may be used: it will stand
// in headers, logs and answers, so it holds 1 to 64 of A-Z a-z 0-9 . _ - only.
func Accepts(id string) bool {
	if id == "" || len(id) > maxLength {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}
