package datasource

import (
	"context"
	"fmt"

	"usher/catalog"
	"usher/datasource/grants"
	"usher/plan"
)

// Lacking asks what is lacked of the accounts that trials of a tenant lead to, where these are not those of which
// grants.Lacking knows: the tenant's own, and those that a source names for each tenant or cell.
func (s *Sources) Lacking(ctx context.Context, trials []plan.Trial) (lacks grants.Lacks, err error) {
	asked := make(map[plan.Target]bool)
	for _, t := range trials {
		q, err := t.Query()
		if err != nil {
			return lacks, err
		}
		at := q.Root().Ref(0).Target()
		if at.Kind != catalog.Postgres || at.Tenant == "" && !at.Account().Own || asked[at] {
			continue
		}
		asked[at] = true
		needs := grants.OfTenant(s.accounts.cat, at, trials)
		if len(needs) == 0 {
			continue
		}
		if err := s.lacking(ctx, at, needs, &lacks); err != nil {
			return lacks, fmt.Errorf("source %s: what the account that writes may do could not be asked: %w", at.Source, err)
		}
	}
	return lacks, nil
}

func (s *Sources) lacking(ctx context.Context, at plan.Target, needs grants.Needs, into *grants.Lacks) error {
	source, release, err := s.accounts.get(ctx, at)
	if err != nil {
		return err
	}
	defer release()
	db, ok := source.(*database)
	if !ok || db.writes == nil {
		return nil
	}
	return db.writes.Lacking(ctx, needs, into)
}
