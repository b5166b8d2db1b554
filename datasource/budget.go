package datasource

import (
	"context"
	"time"

	"usher/datasource/sqlexec"
	"usher/plan"
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
		p.account.Spend(time.Since(p.since), rowsOf(r), r.Size())
	}
	began := time.Now()
	err := portion(r)
	p.since = time.Now()
	p.away += p.since.Sub(began)
	return err
}

// countEvery is how many rows of an import are counted together.
const countEvery = 1000

// arriving counts the rows of an import, and for how long they were waited for: that is no
// time of the database.
type arriving struct {
	sqlexec.Incoming
	account *quota.Account
	rows    int
	since   time.Time // of a transaction; zero: there is none
	away    time.Duration
}

// arrivingOf counts rows where somebody counts them.
func arrivingOf(ctx context.Context, rows sqlexec.Incoming) (sqlexec.Incoming, *arriving) {
	account := quota.From(ctx)
	if account == nil {
		return rows, nil
	}
	a := &arriving{Incoming: rows, account: account}
	return a, a
}

// Next implements sqlexec.Incoming.
func (a *arriving) Next() (int64, []plan.Given, error) {
	began := time.Now()
	line, row, err := a.Incoming.Next()
	a.away += time.Since(began)
	if err == nil {
		if a.rows++; a.rows >= countEvery {
			a.count()
		}
	}
	return line, row, err
}

// begins and ends are those of a transaction.
func (a *arriving) begins() {
	if a != nil {
		a.since, a.away = time.Now(), 0
	}
}

func (a *arriving) ends() {
	if a != nil {
		a.count()
		a.since = time.Time{}
	}
}

func (a *arriving) count() {
	var took time.Duration
	if now := time.Now(); !a.since.IsZero() {
		took, a.since = max(now.Sub(a.since)-a.away, 0), now
	}
	a.account.Spend(took, a.rows, 0)
	a.rows, a.away = 0, 0
}

// spentOn counts what a transaction has changed and read.
func spentOn(ctx context.Context, began time.Time, changed []sqlexec.Changed) {
	account := quota.From(ctx)
	if account == nil {
		return
	}
	rows, bytes := 0, 0
	for _, c := range changed {
		rows += c.Affected + rowsOf(c.Results...)
		bytes += int(sizeOf(c.Results...))
	}
	account.Spend(time.Since(began), rows, bytes)
}
