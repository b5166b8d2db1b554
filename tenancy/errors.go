package tenancy

import (
	"errors"

	"usher/fault"
)

func forbidden(format string, args ...any) error { return fault.New(fault.Forbidden, format, args...) }

func unusable(format string, args ...any) error {
	return fault.New(fault.BadUserInput, format, args...)
}

// reason is what an error says, within another one.
func reason(err error) string {
	if known := (*fault.Error)(nil); errors.As(err, &known) {
		return known.Message
	}
	return err.Error()
}

func notFound(format string, args ...any) error { return fault.New(fault.NotFound, format, args...) }
