package gateway

import (
	"context"
	"time"

	"usher/catalog"
	"usher/principal"
	"usher/quota"
)

// begins counts requests in the budgets of a catalog, of its tenants and tokens; nil:
// it limits nobody. Who may ask for all tenants is none of them, and bounded by the token.
func begins(of catalog.Budgets, keeper *quota.Keeper) func(context.Context, principal.Principal) (context.Context, error) {
	if of == (catalog.Budgets{}) {
		return nil
	}
	tenant, token := limits(of.Tenant), limits(of.Token)
	return func(ctx context.Context, p principal.Principal) (context.Context, error) {
		asks := quota.Holder{Of: quota.Token, Name: tokenOf(p), Limits: token}
		if p.AllTenants {
			return keeper.Begin(ctx, asks)
		}
		return keeper.Begin(ctx, asks, quota.Holder{Of: quota.Tenant, Name: [3]string{p.Tenant}, Limits: tenant})
	}
}

func limits(b catalog.Budget) quota.Limits {
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
