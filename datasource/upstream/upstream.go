// Package upstream owns how rows are fetched from an HTTP API that answers in
// JSON: which URL is asked on whose behalf, how its pages follow each other,
// and what of a reply is a row. It believes no reply: every value is read as
// the type its column has, a row of another tenant from an API that keeps
// tenants apart fails the request, and rows, bytes, nesting and time are
// bounded. It refuses queries that package plan did not make, requests whose
// templates lack a value, redirects, and addresses that are not public unless
// the source allows private ones.
package upstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"usher/catalog"
	"usher/fault"
	"usher/plan"
	"usher/value"
)

// maxCalls bounds the calls to one source that are under way together.
const maxCalls = 16

// Source is one API.
type Source struct {
	spec    *catalog.Source
	request requests
	client  *http.Client
	calls   chan struct{}
	foreign atomic.Int64
}

// Open prepares an API; nothing is sent yet.
func Open(spec *catalog.Source) (*Source, error) {
	if spec.Kind != catalog.API {
		return nil, fmt.Errorf("source %q is no API", spec.Name)
	}
	request, err := newRequests(spec.API)
	if err != nil {
		return nil, fmt.Errorf("source %q: %w", spec.Name, err)
	}
	return &Source{spec: spec, request: request, client: newClient(spec.API.AllowPrivate), calls: make(chan struct{}, maxCalls)}, nil
}

// Close closes the connections that are not in use.
func (s *Source) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// ForeignRows is how many requests failed because the API returned a row of
// another tenant.
func (s *Source) ForeignRows() int64 { return s.foreign.Load() }

// ErrForeignRow is the cause of the failure when an API that keeps tenants
// apart returns a row of another one.
var ErrForeignRow = errors.New("the upstream sent a row of another tenant")

// Fetch streams the rows of a query for the columns of one reference, over all
// pages. They may be more than the query asks for: what the API was not asked
// to do, or did not do, is left to the caller. Each must not keep the rows
// after it returns.
func (s *Source) Fetch(ctx context.Context, q plan.Query, each func(value.Rows) error) error {
	if err := s.accept(q); err != nil {
		return fault.New(fault.Internal, "internal error").Because(err)
	}
	ref := q.Root().Ref(0)
	pushed := withoutReserved(q.Pushdown(s.spec.API.Pushdown), s.spec.API)
	first, err := s.request.first(ref.Path(), q.Identity(), pushed, s.spec.API)
	if err != nil {
		return err
	}
	decoder, err := newDecoder(ref, q.Identity())
	if err != nil {
		return fault.From(err)
	}
	document, err := newDocument(cmp.Or(ref.RowsPointer(), s.spec.API.Rows), s.spec.API.Pages)
	if err != nil {
		return fault.From(err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.spec.Timeout)
	defer cancel()
	r := &rows{
		source: s, ctx: ctx, dataset: ref.Dataset(), pages: first, decoder: decoder, document: document,
		done: pushed.Never, limit: pushed.Limit, bytes: s.spec.API.MaxBytes,
	}
	defer func() { _ = r.Close() }()
	if err := each(r); err != nil {
		return err
	}
	return r.Err()
}

// accept refuses every query but one for the columns of one reference of this
// source.
func (s *Source) accept(q plan.Query) error {
	if !q.Valid() {
		return errors.New("upstream: the query was not made by plan.Build")
	}
	l := q.Root()
	if l.Grouped() || l.Refs() != 1 || l.Children() != 0 || l.Ref(0).Target().Source != s.spec.Name {
		return fmt.Errorf("upstream: source %q is asked for more than the rows of one of its references", s.spec.Name)
	}
	ref := l.Ref(0)
	ok := l.Columns() == ref.Fields()
	for i := 0; ok && i < ref.Fields(); i++ {
		ok = l.Column(i).Op() == plan.Column && l.Column(i).Name() == ref.Field(i).Name
	}
	if !ok {
		return errors.New("upstream: the query's columns are not those of its reference")
	}
	return nil
}
