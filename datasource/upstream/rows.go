package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"usher/datasource/trouble"
	"usher/datasource/upstream/decode"
	"usher/fault"
	"usher/held"
	"usher/value"
)

// rows are the rows of all pages; it asks for a page when the one before was
// read. It is a value.Rows.
type rows struct {
	source  *Source
	ctx     context.Context //nolint:containedctx // value.Rows has no context of its own; this one ends with Fetch
	dataset string
	path    string // with placeholders
	pages   *pages
	decoder *decode.Decoder
	page    decode.Page
	ask     asker

	body   io.ReadCloser // of the page that is being read
	header http.Header   // of its reply
	url    *url.URL      // it came from
	asOf   time.Time
	bytes  int64 // still allowed
	read   int   // rows of all pages
	blank  int   // pages without rows
	inPage int   // rows of this page
	kept   int
	limit  int // rows that are enough, or 0
	done   bool
	err    error

	held *held.Part // of the request's share: the reply that is being read
}

// Next implements value.Rows.
func (r *rows) Next() bool {
	for !r.done {
		kept, err := r.advance()
		if err != nil {
			r.err = r.failure(err)
			_ = r.Close()
			return false
		}
		if kept {
			r.kept++
			r.done = r.kept == r.limit
			return true
		}
	}
	_ = r.Close()
	return false
}

// Cell implements value.Rows.
func (r *rows) Cell(i int) value.Cell { return r.decoder.Cell(i) }

// Err implements value.Rows.
func (r *rows) Err() error { return r.err }

// Close implements value.Rows.
func (r *rows) Close() error {
	r.done = true
	return r.closeBody()
}

func (r *rows) closeBody() error {
	if r.body == nil {
		return nil
	}
	err := r.body.Close()
	r.body = nil
	r.held.Release()
	return err
}

// advance opens a page, or reads a row, or finishes a page. It tells whether
// there is now a row to give out.
func (r *rows) advance() (kept bool, err error) {
	if r.body == nil {
		return false, r.open()
	}
	more, err := r.page.Row()
	if err != nil {
		return false, err
	}
	if !more {
		return false, r.finish()
	}
	r.inPage++
	r.read++
	if err := r.countRows(); err != nil {
		return false, err
	}
	return r.page.Read()
}

func (r *rows) countRows() error {
	most := r.source.spec.API.MaxRows
	if r.read+r.blank <= most {
		return nil
	}
	return fault.New(fault.TooComplex, "the API of %s has more than the %d rows that may be fetched for one question", r.dataset, most).
		WithHint("Narrow it with a filter that the API can apply itself.")
}

func (r *rows) open() error {
	c, err := r.pages.next()
	if err != nil {
		return err
	}
	answer, err := r.ask(r.ctx, c)
	if err != nil {
		return err
	}
	r.body, r.header, r.url = answer.body(), answer.header, c.url
	if err := r.held.Take(int64(cap(answer.head))); err != nil {
		return err
	}
	if !answer.asOf.IsZero() && (r.asOf.IsZero() || answer.asOf.Before(r.asOf)) {
		r.asOf = answer.asOf
	}
	r.inPage = 0
	return r.page.Open(capped{from: r.body, left: &r.bytes})
}

// finish decides on the next page. Pages without rows count as one row each,
// so that they come to an end too.
func (r *rows) finish() error {
	if r.inPage == 0 {
		r.blank++
	}
	if err := r.countRows(); err != nil {
		return err
	}
	more, err := r.pages.more(r.inPage, r.page.Last(), r.url, r.header)
	r.done = !more
	if err != nil {
		return err
	}
	if most := r.pages.spec.Max; more && most > 0 && r.pages.number == most {
		return fault.New(fault.TooComplex, "the API of %s has more than the %d pages that may be fetched for one question", r.dataset, most).
			WithHint("Narrow it with a filter that the API can apply itself.")
	}
	return r.closeBody()
}

// AsOf is when the oldest page was current, if one of them no longer is.
func (r *rows) AsOf() time.Time { return r.asOf }

// failure is the error for the caller: no value, URL or text of the API is in
// it. Its cause, for the log, says more, but holds no values either.
func (r *rows) failure(err error) error {
	if known := (*fault.Error)(nil); errors.As(err, &known) {
		return known
	}
	cause := fmt.Errorf("source %q, dataset %q: %w", r.source.spec.Name, r.dataset, err)
	var wrong *decode.WrongValue
	switch {
	case errors.Is(err, errTooLarge):
		return fault.New(fault.TooComplex, "the API of %s sends more than the %d bytes that may be fetched for one question", r.dataset, r.source.spec.API.MaxBytes).
			WithHint("Narrow it with a filter that the API can apply itself.").Because(cause)
	case errors.Is(err, errPaused):
		return paused(r.dataset).Because(cause)
	case errors.Is(err, errInLine) && errors.Is(err, context.DeadlineExceeded):
		return crowded(r.dataset).Because(cause)
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(r.ctx.Err(), context.DeadlineExceeded):
		return fault.New(fault.Timeout, "the API of %s did not answer in time", r.dataset).Because(cause)
	case r.ctx.Err() != nil:
		return fault.New(fault.Timeout, "the request was canceled").Because(cause)
	case errors.Is(err, decode.ErrForeignRow):
		r.source.foreign.Add(1)
		r.source.meter.foreign.Inc()
		return fault.New(fault.Unavailable, "the API of %s sent rows that were not asked for", r.dataset).
			Because(trouble.With(trouble.Answer, fmt.Errorf("%w (row %d)", cause, r.read)))
	case errors.As(err, &wrong):
		return fault.New(fault.Unavailable, "the API of %s sent row %d with a wrong value: %s: %v", r.dataset, r.read, wrong.Column, wrong.Reason).Because(trouble.With(trouble.Answer, cause))
	}
	kind := troubleOf(err)
	f := unavailable(kind, r.dataset).Because(trouble.With(kind, cause))
	if status := (*statusError)(nil); errors.As(err, &status) {
		f.RetryAfter = status.after
	}
	if token := (*tokenError)(nil); errors.As(err, &token) {
		f.RetryAfter = token.after
	}
	return f
}

// paused is the failure of a question that was not asked, because the API
// failed too often.
func paused(dataset string) *fault.Error {
	f := fault.New(fault.Unavailable, "the API of %s has failed several times in a row and is left alone for a moment", dataset).
		WithHint("Try again in a few seconds.")
	f.RetryAfter = pauseFor
	return f
}

// crowded is the failure of a question whose time was over before it was its
// tenant's turn.
func crowded(dataset string) *fault.Error {
	f := fault.New(fault.Unavailable, "the API of %s has too much to do", dataset).WithHint("Try again in a moment.")
	f.RetryAfter = time.Second
	return f
}
