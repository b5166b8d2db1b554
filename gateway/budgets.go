package gateway

import (
	"context"
	"time"

	"usher/admit"
	"usher/catalog"
	"usher/principal"
	"usher/quota"
)

// begins gives requests their tenant's share: they are counted in the budgets of tenants and
// tokens, and wait as the tenant weighs. Who may ask for all tenants is none of them, and
// bounded by the token.
func begins(cat *catalog.Catalog, keeper *quota.Keeper) func(context.Context, principal.Principal) (context.Context, error) {
	return func(ctx context.Context, p principal.Principal) (context.Context, error) {
		var room [3]quota.Holder
		holders := tokens(room[:0], p, cat.Budgets.Token)
		if !p.AllTenants {
			share := cat.Share(p.Tenant, p.Routing.Share)
			ctx = admit.Weighing(ctx, share.Weight)
			holders = append(holders, quota.Holder{Of: quota.Tenant, Name: [3]string{p.Tenant}, Limits: limits(share.Limits)})
		}
		return keeper.Begin(ctx, holders...)
	}
}

// tokens are the token, and those that it is narrowed from. Each has no more than what every
// token has.
func tokens(holders []quota.Holder, p principal.Principal, every principal.Budget) []quota.Holder {
	own := every
	for _, a := range p.Allowances {
		if a.Token == "" {
			own = a.Limits.Within(every)
		}
	}
	holders = append(holders, quota.Holder{Of: quota.Token, Name: tokenOf(p), Limits: limits(own)})
	for _, a := range p.Allowances {
		if a.Token != "" {
			holders = append(holders, quota.Holder{Of: quota.Token, Name: [3]string{a.Token}, Limits: limits(a.Limits.Within(every))})
		}
	}
	return holders
}

func limits(b principal.Budget) quota.Limits {
	return quota.Limits{quota.Requests: b.Requests, quota.Database: int64(b.DatabaseTime / time.Millisecond), quota.Rows: b.Rows, quota.Bytes: b.Bytes}
}

// tokenOf is what counts as one token: tokens that are made anew all the time, of issuers and
// of people who log in, count as whose they are.
func tokenOf(p principal.Principal) [3]string {
	if (p.Kind == principal.EmbedToken || p.Kind == principal.ServiceKey) && p.TokenID != "" {
		return [3]string{p.TokenID}
	}
	return [3]string{p.Subject, p.Tenant, p.Issuer}
}
