// Package held owns how many bytes of rows and of answers made of them the
// gateway holds, for all requests together. A request has a share, which its
// context carries: whatever reads rows or writes an answer takes of it before
// it goes on, and what is left goes back when the answer has been sent. It
// refuses what does not fit: a request that needs too much for one, and for a
// moment everybody when all is in use. It knows nothing of rows.
package held

import (
	"cmp"
	"context"
	"runtime/debug"
	"sync/atomic"
	"time"

	"usher/fault"
)

// Budget is what all requests together may hold. Make it with New.
type Budget struct {
	limit int64
	used  atomic.Int64
	rest  rest
}

// New makes a budget of so many bytes; 0 means Default.
func New(limit int64) *Budget {
	return &Budget{limit: cmp.Or(limit, Default()), rest: rest{free: debug.FreeOSMemory}}
}

// Used is how many bytes are held now.
func (b *Budget) Used() int64 { return b.used.Load() }

// Limit is how many bytes may be held.
func (b *Budget) Limit() int64 { return b.limit }

// Share is what one request holds. A nil share counts nothing: it is that of
// work that no request waits for.
type Share struct {
	of      *Budget
	held    atomic.Int64
	refused atomic.Pointer[fault.Error]
}

type key struct{}

// Begin returns a context that carries a share of its own. The caller ends it.
func (b *Budget) Begin(ctx context.Context) (context.Context, *Share) {
	s := &Share{of: b}
	return context.WithValue(ctx, key{}, s), s
}

// From is the share of a context, or nil.
func From(ctx context.Context) *Share {
	s, _ := ctx.Value(key{}).(*Share)
	return s
}

// retryAfter is when there may be room again.
const retryAfter = time.Second

// Take adds to the share, or refuses and adds nothing.
func (s *Share) Take(n int64) error {
	if s == nil {
		return nil
	}
	if n <= 0 {
		s.Give(-n)
		return nil
	}
	mine, all := s.held.Add(n), s.of.used.Add(n)
	switch {
	case mine > s.of.limit/2:
		s.Give(n)
		return fault.New(fault.TooComplex, "the question needs more than the %d bytes that one may hold", s.of.limit/2).
			WithHint("Narrow it with a filter, or ask for fewer rows or fields.")
	case all > s.of.limit:
		s.Give(n)
		f := fault.New(fault.Unavailable, "there is no memory left for the answer at this moment").
			WithHint("Try again in a moment.")
		f.RetryAfter = retryAfter
		s.refused.CompareAndSwap(nil, f)
		return f
	}
	s.of.rest.held(all)
	return nil
}

// Give gives back what was taken before.
func (s *Share) Give(n int64) {
	if s == nil {
		return
	}
	s.held.Add(-n)
	s.of.used.Add(-n)
}

// Refused is why the budget refused something to the share for a moment, or
// nil. An answer that lacks what was refused is none.
func (s *Share) Refused() error {
	if f := s.refused.Load(); f != nil {
		return f
	}
	return nil
}

// End gives the whole share back.
func (s *Share) End() {
	s.of.rest.left(s.of.used.Add(-s.held.Swap(0)), &s.of.used)
}

// Part is what belongs together within a share and is given back together. It
// may be used by several at a time.
type Part struct {
	share *Share
	taken atomic.Int64
}

// Part is a new part of the share.
func (s *Share) Part() *Part { return &Part{share: s} }

// Take is Share.Take.
func (p *Part) Take(n int64) error {
	if err := p.share.Take(n); err != nil {
		return err
	}
	p.taken.Add(n)
	return nil
}

// Release gives the part back.
func (p *Part) Release() { p.share.Give(p.taken.Swap(0)) }
