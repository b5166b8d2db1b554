package writing

import (
	"errors"
	"testing"

	"usher/fault"
)

// Whoever has sent a key knows what to do where nobody knows whether the mutation was made.
func TestSentAgain(t *testing.T) {
	t.Parallel()
	lost := fault.New(fault.Unavailable, "the connection was lost").WithHint("look").Because(errors.New("reset"))
	if got := sentAgain(&ChangeError{1, lost}); got.Error() != lost.Error() || fault.From(got).Hint != "look" {
		t.Errorf("what was not made: %v, %s", got, fault.From(got).Hint)
	}
	lost.Unknown = true
	for _, err := range []error{&ChangeError{1, lost}, lost} {
		got := sentAgain(err)
		var of, at *ChangeError
		f := fault.From(got)
		if !f.Unknown || f.Hint != "send the same again with the same idempotency key: what was made is not made twice" || errors.As(got, &of) != errors.As(err, &at) || of != nil && of.Change != 1 {
			t.Errorf("%v: %v, %q", err, got, f.Hint)
		}
	}
}
