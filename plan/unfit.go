package plan

import (
	"errors"
	"fmt"

	"usher/catalog"
	"usher/fault"
)

// unfit says what of a principal does not fit the catalog: of its grant or, home,
// of its tenant's record. Who is answered decides what is said: whoever shows a
// token cannot mend it, and whoever makes it can.
type unfit struct {
	home bool
	text string
}

func (u unfit) Error() string { return u.text }

func grantFault(format string, args ...any) error { return unfit{text: fmt.Sprintf(format, args...)} }

func routingFault(format string, args ...any) error {
	return unfit{home: true, text: fmt.Sprintf(format, args...)}
}

// refused is what is said to whoever shows a token.
func refused(err error) error {
	var u unfit
	switch {
	case !errors.As(err, &u):
		return err
	case u.home:
		return fault.New(fault.Forbidden, "what the registry says of the tenant does not fit this gateway"). // and names sources and hosts
															Because(err).WithHint("ask whoever registers the tenants")
	}
	return fault.New(fault.Forbidden, "what the token grants does not fit this gateway: %s", u.text).
		WithHint("ask whoever issued the token")
}

// unusable is what is said to whoever makes a token, a user or, registering, a
// tenant's record.
func unusable(err error, registering bool) error {
	var u unfit
	switch {
	case !errors.As(err, &u):
		return err
	case u.home && !registering:
		return fault.New(fault.Forbidden, "what the registry says of the tenant does not fit this gateway: %s", u.text).
			WithHint("The tenant's record has to change first: usher tenant update, or `tenants` in the configuration.")
	case u.home:
		return fault.New(fault.BadUserInput, "the tenant's record does not fit this gateway: %s", u.text).
			WithHint("Change what the record says, or the configuration.")
	}
	return fault.New(fault.BadUserInput, "this cannot be granted: %s", u.text).
		WithHint("Change what is to be granted; names and values are those that the gateway's configuration has, as far as you see it.")
}

// notYet is what is said instead while what does not fit may be of a source that has not
// been reached. Who registers a tenant may know which.
func notYet(cat *catalog.Catalog, err error, registering bool) error {
	if !errors.As(err, &unfit{}) {
		return err
	}
	refusal := cat.Unreached.Awaits(err.Error())
	if registering {
		refusal = cat.Unreached.AwaitsOf(err.Error())
	}
	if refusal == nil {
		return err
	}
	return refusal.Because(errors.New(err.Error())) // it is no longer unfit
}
