// Package sqlexec runs one plan as statements on one session.
package sqlexec

import (
	"context"

	"usher/value"
)

// Session runs statements in one read-only snapshot of one database.
type Session interface {
	// Query runs one statement. Placeholders are $1…; every argument is bound
	// as text, the statement casts it. One result is open at a time: the next
	// Query closes the rows of the one before.
	Query(ctx context.Context, text string, args []string) (value.Rows, error)
}
