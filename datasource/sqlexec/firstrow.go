package sqlexec

import (
	"context"

	"usher/value"
)

// FirstRow runs a statement and reads its first row, if there is one.
func FirstRow(ctx context.Context, s Session, text string, args []string, read func(value.Rows)) (bool, error) {
	rows, err := s.Query(ctx, text, args)
	if err != nil {
		return false, err
	}
	found := rows.Next()
	if found && read != nil {
		read(rows)
	}
	err = rows.Err()
	if closed := rows.Close(); err == nil {
		err = closed
	}
	return found && err == nil, err
}
