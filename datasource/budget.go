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
		p.account.Spend(time.Since(p.since), r.Len(), r.Size())
	}
	began := time.Now()
	err := portion(r)
	p.since = time.Now()
	p.away += p.since.Sub(began)
	return err
}

// countEvery is how many rows of an import are counted together.
const countEvery = 1000

// arriving counts the rows of an import, and for how long the database was at work with them:
// portion by portion, since one may take an hour.
type arriving struct {
	sqlexec.Incoming
	account *quota.Account
	rows    int
	spent   time.Duration // of a transaction, and counted
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
	line, row, err := a.Incoming.Next()
	if err == nil {
		if a.rows++; a.rows >= countEvery {
			a.account.Spend(0, a.rows, 0)
			a.rows = 0
		}
	}
	return line, row, err
}

// worked counts a portion.
func (a *arriving) worked(took time.Duration) {
	if a != nil {
		a.account.Spend(took, 0, 0)
		a.spent += took
	}
}

// ends counts what is left of a transaction that took so long.
func (a *arriving) ends(took time.Duration) {
	if a != nil {
		a.account.Spend(max(took-a.spent, 0), a.rows, 0)
		a.rows, a.spent = 0, 0
	}
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
