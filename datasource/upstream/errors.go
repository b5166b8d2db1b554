package upstream

import (
	"errors"
	"net/http"

	"usher/datasource/trouble"
	"usher/fault"
)

// troubleOf tells what is wrong with the account of an API, if it is the account.
func troubleOf(err error) trouble.Kind {
	if token := (*tokenError)(nil); errors.As(err, &token) && token.kind != "" {
		return token.kind
	}
	var status *statusError
	if !errors.As(err, &status) {
		return trouble.Of(err)
	}
	switch {
	case status.code == http.StatusUnauthorized, status.code == http.StatusForbidden:
		return trouble.Login
	case status.code == http.StatusNotFound, status.code == http.StatusGone:
		return trouble.NoTable
	case status.code == http.StatusTooManyRequests, status.code == http.StatusServiceUnavailable:
		return trouble.Busy
	case status.busy():
		return trouble.Unreachable
	}
	return trouble.Answer
}

// unavailable says as much of an API that cannot be used as anybody may know: what
// is wrong, never where.
func unavailable(kind trouble.Kind, dataset string) *fault.Error {
	const hint = "Tell an administrator, who can try the account with testAccount or `usher check --tenant`."
	switch kind { //nolint:exhaustive // the others say nothing to a caller
	case trouble.Login:
		return fault.New(fault.Unavailable, "the API of %s does not accept the account", dataset).WithHint(hint)
	case trouble.NoTable:
		return fault.New(fault.Unavailable, "the API of %s has nothing where its rows should be", dataset).WithHint(hint)
	case trouble.Address:
		return fault.New(fault.Unavailable, "the account of the API of %s leads to an address that is not allowed", dataset).WithHint(hint)
	case trouble.TLS:
		return fault.New(fault.Unavailable, "no secure connection to the API of %s can be made", dataset).WithHint(hint)
	case trouble.Busy:
		return fault.New(fault.Unavailable, "the API of %s has too much to do", dataset).WithHint("Try again in a moment.")
	case trouble.Unreachable:
		return fault.New(fault.Unavailable, "the API of %s does not answer", dataset)
	}
	return fault.New(fault.Unavailable, "the API of %s did not send rows that can be used", dataset)
}
