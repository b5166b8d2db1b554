package writing

import (
	"context"
	"time"

	"usher/datasource/sqlexec"
	"usher/plan"
	"usher/quota"
)

// What is written counts when it has been: who admits a request has asked before whether anything is left.

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
		rows += c.Affected
		for _, r := range c.Results {
			rows += r.Len()
			bytes += r.Size()
		}
	}
	account.Spend(time.Since(began), rows, bytes)
}
