package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"usher/datasource/trouble"
	"usher/fault"
	"usher/plan"
)

// What became of a row, as far as anybody knows.

// look is what to do after a call of which nobody knows what became of it.
func (w *Writer) look() string {
	if w.under != nil {
		return "send the same again with the same idempotency key: what was written is not written twice"
	}
	return "look whether it is there before you try again"
}

// ErrUnsaid is the cause of the failure of a call that the API has taken, and answered with something that shows
// another row than the one that was meant, or none.
var ErrUnsaid = errors.New("the reply does not say what became of the row")

func (w *Writer) unsure(err error) error {
	f := fault.From((&rows{source: w.source, ctx: context.Background(), dataset: w.change.Dataset(), read: 1}).failure(err))
	return w.unknown("the API of %s did not say of the row that it "+w.did()+" it", errors.Join(ErrUnsaid, f))
}

// unknown is a failure of which nobody knows what became of the row. The message names the dataset.
func (w *Writer) unknown(message string, cause error) error {
	out := fault.New(fault.Unavailable, message, w.change.Dataset()).WithHint("%s", w.look()).Because(cause)
	out.Unknown = true
	return out
}

// did is what the call does to a row.
func (w *Writer) did() string {
	if d := w.change.Kind(); !d.Inserts() && !d.Updates() {
		return "deleted"
	}
	return "wrote"
}

// Absent is the failure of a row that the API said it has written, and does not have.
func (w *Writer) Absent() error {
	return w.unknown("the API of %s said that it wrote the row, and it is not there", nil)
}

// Unread is the failure of rows that the API said it has written or deleted, where it cannot be read whether it has.
func (w *Writer) Unread(cause error) error {
	return w.unknown("the API of %s took the calls and cannot be read now, so nobody knows whether it "+w.did()+" the rows", cause)
}

// Twice is the failure of a row that has the key of one before it, as the API says.
func (w *Writer) Twice() error {
	return w.unknown("the API of %s says that two rows are one", nil)
}

// Kept is the failure of a row that the API said it has deleted, and still has.
func (w *Writer) Kept() error {
	return fault.New(fault.Unavailable, "the API of %s took the call that deletes the row, and it is still there", w.change.Dataset())
}

// Ignored is the failure of a row that the API said it has written, and in which a column is as it was.
func (w *Writer) Ignored(set plan.Set) error {
	if set.Place() == "" { // whoever asks has not given it, and may not know of it
		return fault.New(fault.Unavailable, "the API of %s took the call, and the row is not as it was to be", w.change.Dataset())
	}
	f := fault.New(fault.Unavailable, "the API of %s took the call, and %s of the row is as it was", w.change.Dataset(), set.Column().Name)
	f.At = w.change.Key() + "." + set.Place()
	return f
}

// Unfound is the failure of a change under a key that finds no row: it may be the one by which there is none any more.
func (w *Writer) Unfound() error {
	out := fault.New(fault.Unavailable, "no row of %s is found, and nobody knows whether the same mutation "+w.did()+" it before", w.change.Dataset()).
		WithHint("look whether it is as it should be")
	out.Unknown = true
	return out
}

// failed is the failure of a call, or says that the row is gone. Nothing that the API says
// is repeated.
func (w *Writer) failed(ctx context.Context, err error, sent bool) (gone bool, _ error) {
	name := w.change.Dataset()
	var status *statusError
	if errors.As(err, &status) {
		return w.answered(status, err)
	}
	f := fault.From((&rows{source: w.source, ctx: ctx, dataset: name}).failure(err))
	if token := (*tokenError)(nil); !sent || errors.As(err, &token) || errors.Is(err, errPaused) || notAdmitted(err) {
		return false, f
	}
	return false, w.unknown("the API of %s did not answer, and nobody knows whether it "+w.did()+" the row", f)
}

// mostPause is how long a call that is not taken now is waited with.
const mostPause = time.Minute

// Later tells failures of calls of which nothing was done and which will be taken after a while: there
// are too many of them, or the API is left alone.
func Later(err error) (wait time.Duration, ok bool) {
	f := fault.From(err)
	var status *statusError
	wait = f.RetryAfter
	if errors.As(err, &status) && status.code == http.StatusTooManyRequests {
		wait = max(wait, time.Second)
	}
	return wait, !f.Unknown && (f.Code == fault.Unavailable || f.Code == fault.TooManyRequests) && wait > 0 && wait <= mostPause
}

// answered is what a status means to whoever writes.
func (w *Writer) answered(status *statusError, err error) (gone bool, _ error) {
	name := w.change.Dataset()
	cause := trouble.With(troubleOf(err), fmt.Errorf("source %q, dataset %q: %w", w.source.spec.Name, name, err))
	switch status.code {
	case http.StatusNotFound, http.StatusGone:
		return true, nil
	case http.StatusConflict, http.StatusPreconditionFailed:
		return false, fault.New(fault.Conflict, "the change of %s collides with a row that is there", name).Because(cause)
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
		return false, fault.New(fault.BadUserInput, "the API does not take this row of %s", name).Because(cause)
	case http.StatusForbidden:
		return false, fault.New(fault.Forbidden, "the API does not let %s be written so", name).Because(cause)
	}
	if !status.refuses() {
		return false, w.unknown("the API of %s failed, and nobody knows whether it "+w.did()+" the row", cause)
	}
	f := unavailable(troubleOf(err), name).Because(cause)
	f.RetryAfter = status.after
	return false, f
}
