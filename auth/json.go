package auth

import (
	"errors"
	"fmt"

	"usher/query"
)

// parseJSON reads one JSON text, strictly.
func parseJSON(text []byte) (query.Value, error) {
	v, err := query.ReadJSON(text)
	var twice query.RepeatedName
	switch {
	case errors.As(err, &twice):
		return nil, fmt.Errorf("%w: %s", ErrDuplicateClaim, quote(twice.Name))
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrJSON, err)
	}
	return v, nil
}

// quote shows a part of a token in the log, escaped and bounded.
func quote(s string) string {
	const most = 64
	if len(s) > most {
		return fmt.Sprintf("%q…", s[:most])
	}
	return fmt.Sprintf("%q", s)
}
