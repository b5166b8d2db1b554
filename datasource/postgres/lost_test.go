package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"usher/datasource/pool"
	"usher/fault"
)

// What a lost connection looks like, alone, joined with its consequences, and as
// the fault that is made of it.
func TestLost(t *testing.T) {
	t.Parallel()
	coded := func(code string) error { return &pq.Error{Code: pqerror.Code(code), Message: "m"} }
	for _, c := range []struct {
		err         error
		lost, ended bool
	}{
		{coded("57P01"), true, true},
		{coded("57P02"), true, false},
		{coded("57P03"), true, true},
		{coded("08006"), true, false},
		{io.EOF, true, false},
		{io.ErrUnexpectedEOF, true, false},
		{syscall.ECONNRESET, true, false},
		{syscall.EPIPE, true, false},
		{coded("57014"), false, false},
		{coded("42P01"), false, false},
		{coded("53300"), false, false},
		{errProtocol, false, false},
		{context.DeadlineExceeded, false, false},
		{syscall.ECONNREFUSED, false, false},
		{nil, false, false},
	} {
		for _, err := range []error{c.err, errors.Join(c.err, errors.New("closing failed")), errors.Join(errors.New("first"), fmt.Errorf("read: %w", c.err))} {
			if c.err == nil {
				err = nil
			}
			if Lost(err) != c.lost || Ended(err) != c.ended {
				t.Errorf("%v: lost %t, ended %t", err, Lost(err), Ended(err))
			}
			if err == nil {
				continue
			}
			if f := translate(t.Context(), err); Lost(f) != c.lost || Ended(f) != c.ended {
				t.Errorf("%v as a fault: lost %t, ended %t", f, Lost(f), Ended(f))
			}
			// What is left alone for a while was not lost just now.
			alone := translate(t.Context(), &pool.PausedError{Cause: err, Left: time.Second})
			if f := fault.From(alone); Lost(alone) || f.Code != fault.Unavailable || f.RetryAfter != time.Second {
				t.Errorf("paused: %v, lost %t", f, Lost(alone))
			}
		}
	}
	if both := errors.Join(coded("57P01"), io.EOF); !Ended(both) || !Ended(translate(t.Context(), both)) {
		t.Error("the end hides why")
	}
}
