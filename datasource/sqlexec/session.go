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

// PlansByValues is a session of a database that may keep one plan of a statement
// for all arguments.
type PlansByValues interface {
	// QueryByValues is Query with a plan that is made for these arguments.
	QueryByValues(ctx context.Context, text string, args []string) (value.Rows, error)
}

// ask runs a statement of a level. One that finds rows by their parents is
// planned for its tenant.
func ask(ctx context.Context, s Session, steps bool, text string, args []string) (value.Rows, error) {
	if by, ok := s.(PlansByValues); ok && steps {
		return by.QueryByValues(ctx, text, args)
	}
	return s.Query(ctx, text, args)
}
