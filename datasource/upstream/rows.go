package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"

	"usher/fault"
	"usher/value"
)

// rows are the rows of all pages; it asks for a page when the one before was
// read. It is a value.Rows.
type rows struct {
	source   *Source
	ctx      context.Context //nolint:containedctx // value.Rows has no context of its own; this one ends with Fetch
	dataset  string
	pages    *pages
	decoder  *decoder
	document *document

	body   io.ReadCloser // of the page that is being read
	bytes  int64         // still allowed
	read   int           // rows of all pages
	blank  int           // pages without rows
	inPage int           // rows of this page
	kept   int
	limit  int // rows that are enough, or 0
	done   bool
	err    error
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
func (r *rows) Cell(i int) value.Cell { return r.decoder.cells[i] }

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
	return err
}

// advance opens a page, or reads a row, or finishes a page. It tells whether
// there is now a row to give out.
func (r *rows) advance() (kept bool, err error) {
	if r.body == nil {
		return false, r.open()
	}
	ok, err := r.document.scan.item(r.inPage == 0, ']')
	if err != nil {
		return false, err
	}
	if !ok {
		return false, r.finish()
	}
	r.inPage++
	r.read++
	if err := r.countRows(); err != nil {
		return false, err
	}
	return r.decoder.row(&r.document.scan)
}

func (r *rows) countRows() error {
	most := r.source.spec.API.MaxRows
	if r.read+r.blank <= most {
		return nil
	}
	return fault.New(fault.LimitExceeded, "the API of %s has more than the %d rows that may be fetched for one question", r.dataset, most).
		WithHint("Narrow it with a filter that the API can apply itself.")
}

func (r *rows) open() (err error) {
	if r.body, err = r.source.get(r.ctx, r.pages.next(), r.pages.header); err != nil {
		return err
	}
	r.inPage = 0
	r.document.reset(capped{from: r.body, left: &r.bytes})
	_, err = r.document.seek()
	return err
}

// finish reads what follows the rows and decides on the next page. Pages
// without rows count as one row each, so that they come to an end too.
func (r *rows) finish() error {
	again, err := r.document.seek()
	if err == nil && again {
		err = errors.New("the reply has two arrays of rows")
	}
	if err != nil {
		return err
	}
	if r.inPage == 0 {
		r.blank++
	}
	if err := r.countRows(); err != nil {
		return err
	}
	more, err := r.pages.more(r.inPage, r.document.cursor)
	r.done = !more
	if err == nil {
		err = r.closeBody()
	}
	return err
}

// failure is the error for the caller: no value, URL or text of the API is in
// it. Its cause, for the log, says more, but holds no values either.
func (r *rows) failure(err error) error {
	if known := (*fault.Error)(nil); errors.As(err, &known) {
		return known
	}
	cause := fmt.Errorf("source %q, dataset %q: %w", r.source.spec.Name, r.dataset, err)
	var wrong *wrongValue
	switch {
	case errors.Is(err, errTooLarge):
		return fault.New(fault.LimitExceeded, "the API of %s sends more than the %d bytes that may be fetched for one question", r.dataset, r.source.spec.API.MaxBytes).
			WithHint("Narrow it with a filter that the API can apply itself.").Because(cause)
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(r.ctx.Err(), context.DeadlineExceeded):
		return fault.New(fault.Timeout, "the API of %s did not answer in time", r.dataset).Because(cause)
	case r.ctx.Err() != nil:
		return fault.New(fault.Timeout, "the request was canceled").Because(cause)
	case errors.Is(err, ErrForeignRow):
		r.source.foreign.Add(1)
		return fault.New(fault.Unavailable, "the API of %s sent rows that were not asked for", r.dataset).
			Because(fmt.Errorf("%w (row %d)", cause, r.read))
	case errors.As(err, &wrong):
		return fault.New(fault.Unavailable, "the API of %s sent row %d with a wrong value: %s: %v", r.dataset, r.read, wrong.column, wrong.reason).Because(cause)
	}
	return fault.New(fault.Unavailable, "the API of %s did not send rows that can be used", r.dataset).Because(cause)
}
