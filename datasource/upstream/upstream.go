// Package upstream owns how rows are fetched from an HTTP API: which URL is
// asked on whose behalf and with which credentials, how its pages follow each
// other, what of a reply is a row, and what becomes of everybody's requests
// when the API fails. It believes no reply: every value is read as
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
	"time"

	"usher/admit"
	"usher/catalog"
	"usher/datasource/receipt"
	"usher/datasource/upstream/decode"
	"usher/fault"
	"usher/held"
	"usher/plan"
	"usher/trace"
	"usher/value"
)

// maxAccounts bounds the base URLs of one source whose state is kept.
const maxAccounts = 1000

// defaultCalls bounds the calls to one base URL that are under way together,
// unless the source says how many.
const defaultCalls = 16

// Options are what all sources use together.
type Options struct {
	Metrics *Metrics                                // nil: nobody looks at them
	Gate    func(slots int) *admit.Gate             // makes the bulkhead of a base URL; nil: one of default limits
	Spent   func(tenant string, took time.Duration) // counts how long APIs were at work for a tenant; nil: nobody does
}

// Source is one API.
type Source struct {
	spec     *catalog.Source
	request  requests
	client   *http.Client
	gate     func(slots int) *admit.Gate
	accounts recent[string, *account] // by base URL
	kept     *kept
	tokens   *tokens       // nil: the API takes none
	plugin   *pluginSource // nil: it is none
	meter    *meter
	spent    func(tenant string, took time.Duration)
	foreign  atomic.Int64
}

// Open prepares an API; nothing is sent yet.
func Open(spec *catalog.Source, opts Options) (*Source, error) {
	if spec.Kind != catalog.API {
		return nil, fmt.Errorf("source %q is no API", spec.Name)
	}
	request, err := newRequests(spec.API)
	if err != nil {
		return nil, fmt.Errorf("source %q: %w", spec.Name, err)
	}
	if opts.Metrics == nil {
		opts.Metrics = NewMetrics()
	}
	if opts.Gate == nil {
		opts.Gate = func(slots int) *admit.Gate { return admit.New(slots, admit.Limits{}, nil) }
	}
	if opts.Spent == nil {
		opts.Spent = func(string, time.Duration) {}
	}
	secured, err := tlsConfig(spec.API)
	if err != nil {
		return nil, fmt.Errorf("source %q: %w", spec.Name, err)
	}
	s := &Source{
		spec: spec, request: request, gate: opts.Gate, client: newClient(spec.API.AllowPrivate, concurrent(spec.API), secured),
		kept: newKept(spec.API.StaleIfError), meter: opts.Metrics.of(spec.Name), spent: opts.Spent,
	}
	s.accounts.limit = maxAccounts
	s.accounts.dropped = func(a *account) { a.retire() }
	if spec.API.OAuth2.TokenURL != "" {
		if s.tokens, err = newTokens(spec.API.OAuth2, s); err != nil {
			return nil, fmt.Errorf("source %q: oauth2: %w", spec.Name, err)
		}
	}
	if spec.API.Plugin != nil {
		if s.plugin, err = newPlugin(spec.API.Plugin); err != nil {
			return nil, fmt.Errorf("source %q: %w", spec.Name, err)
		}
	}
	return s, nil
}

// concurrent is how many calls to one base URL are under way together.
func concurrent(spec catalog.APISpec) int { return cmp.Or(spec.MaxConcurrent, defaultCalls) }

// account is what is known of one base URL.
func (s *Source) account(base string) *account {
	return s.accounts.getOr(base, func() *account {
		return s.newAccount(s.client, s.kept)
	})
}

func (s *Source) newAccount(client *http.Client, kept *kept) *account {
	return newAccount(client, s.gate(concurrent(s.spec.API)), fairTime(s.spec.Timeout), kept, s.meter, s.spent)
}

// Waiting is how many calls are in line, for all base URLs together.
func (s *Source) Waiting() int {
	n := 0
	s.accounts.each(func(a *account) { n += a.gate.Waiting() })
	if s.tokens != nil {
		n += s.tokens.account.gate.Waiting()
	}
	return n
}

// Forget forgets the replies that are kept for when the API fails, and shares
// no call under way any more: what they hold has changed.
func (s *Source) Forget() {
	s.accounts.each(func(a *account) { a.flights.close() })
	s.kept.forget()
}

// Close forgets the accounts and closes the connections that are not in use.
func (s *Source) Close() error {
	s.accounts.clear()
	if s.tokens != nil {
		s.tokens.account.retire()
		s.tokens.account.client.CloseIdleConnections()
	}
	s.client.CloseIdleConnections()
	return nil
}

// Fetch streams the rows of a query for the columns of one reference, over all
// pages. They may be more than the query asks for: what the API was not asked
// to do, or did not do, is left to the caller. Each must not keep the rows
// after it returns.
func (s *Source) Fetch(ctx context.Context, q plan.Query, each func(value.Rows) error) error {
	ctx, span := trace.Ask(ctx, "source", trace.Source{Name: s.spec.Name, System: string(s.spec.Kind)})
	defer span.End()
	err := s.fetch(ctx, q, each)
	if err != nil && span.Recorded() {
		span.Failed(string(fault.From(err).Code))
	}
	return err
}

func (s *Source) fetch(ctx context.Context, q plan.Query, each func(value.Rows) error) error {
	if err := s.accept(q); err != nil {
		return fault.Broken("%w", err)
	}
	if s.plugin != nil {
		return s.fetchPlugin(ctx, q, each)
	}
	ref, override := q.Root().Ref(0), q.Override(s.spec.Name)
	request, err := s.request.over(override)
	if err != nil {
		return err
	}
	pushed := withoutReserved(q.Pushdown(s.spec.API.Pushdown), s.spec.API)
	first, err := request.first(ref.Path(), q.Identity(), override, pushed, s.spec.API)
	if err != nil {
		return err
	}
	ask, err := s.asker(request.base.String(), q.Identity(), override)
	if err != nil {
		return err
	}
	decoder, err := decode.NewDecoder(ref, q.Identity())
	if err != nil {
		return fault.From(err)
	}
	page, err := decode.New(ref, s.spec.API, decoder)
	if err != nil {
		return fault.From(err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.spec.Timeout)
	defer cancel()
	r := &rows{
		source: s, ctx: ctx, dataset: ref.Dataset(), path: ref.Path(), pages: first, decoder: decoder, page: page, ask: ask,
		done: pushed.Never, limit: pushed.Limit, bytes: s.spec.API.MaxBytes, held: held.From(ctx).Part(),
	}
	defer func() { _ = r.Close() }()
	defer s.took(ctx, r, pushed, time.Now())
	if err := each(r); err != nil {
		return err
	}
	return r.Err()
}

// took counts the rows of a question and notes how they were asked for.
func (s *Source) took(ctx context.Context, r *rows, pushed plan.Pushed, began time.Time) {
	s.meter.rows.Add(float64(r.kept))
	trace.Current(ctx).Rows(r.kept)
	notes := receipt.From(ctx)
	if notes == nil {
		return
	}
	step := receipt.Step{Source: s.spec.Name, Dataset: r.dataset, Rows: r.kept, Took: time.Since(began), AsOf: r.asOf}
	if r.pages != nil {
		c := &receipt.Call{Method: r.pages.call.method, Path: r.path, OrderBy: pushed.OrderBy, Limited: pushed.Limit > 0, Pages: r.pages.number}
		for _, condition := range pushed.Conditions {
			c.Filters = append(c.Filters, condition.Column+" "+condition.Operator)
		}
		step.Call = c
	}
	notes.Add(step)
}

// asker makes the calls of one principal to one base URL, when it is its
// tenant's turn.
func (s *Source) asker(base string, id plan.Identity, o plan.Override) (asker, error) {
	account, tenant := s.account(base), id.Tenant()
	if _, own := o.Header("Authorization"); s.tokens == nil || own {
		return func(ctx context.Context, c call) (reply, error) { return account.do(ctx, tenant, c) }, nil
	}
	client, err := s.tokens.client(id)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, c call) (reply, error) {
		return s.tokens.authorized(ctx, tenant, client, account, c)
	}, nil
}

// accept refuses every query but one for the columns of one reference of this
// source.
func (s *Source) accept(q plan.Query) error {
	if !q.Valid() {
		return errors.New("upstream: the query was not made by plan.Build")
	}
	if q.Open() {
		return errors.New("upstream: the query was prepared, and is nobody's")
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
	if ref.Grouped() && (s.spec.API.Plugin == nil || !s.spec.API.Plugin.Groups) {
		return fmt.Errorf("upstream: source %q is asked for groups", s.spec.Name)
	}
	return nil
}
