package datasource

import (
	"context"
	"time"

	"usher/quota"
	"usher/value"
)

// Budgets are asked before a source is, and count what it did: the account of a request
// is in its context (quota.From), and nil where nobody is limited.

// budgeted refuses who has used up what there is for a minute.
type budgeted struct{ next }

func (b *budgeted) ask(ctx context.Context, q *Question) (Answered, error) {
	if err := quota.From(ctx).Admit(ctx); err != nil {
		return Answered{}, err
	}
	return b.next.ask(ctx, q)
}

// portions counts the portions of an export while they are handed on: whoever reads them
// takes as long as they like, and that is no time of the database.
type portions struct {
	account *quota.Account
	since   time.Time     // the database works
	away    time.Duration // it waited for who reads
}

func (p *portions) hand(r *value.Result, portion func(*value.Result) error) error {
	if p.account != nil {
		p.account.Spend(time.Since(p.since), r.Len(), r.Size())
	}
	began := time.Now()
	err := portion(r)
	p.since = time.Now()
	p.away += p.since.Sub(began)
	return err
}
