package resolvers

import (
	"context"

	"usher/datasource"
	"usher/datasource/trouble"
	"usher/fault"
	"usher/graph"
	"usher/plan"
	"usher/principal"
	"usher/tenancy"
)

// testAccount tries the accounts of a tenant, registered in the store or in the
// configuration.
func (r *Resolver) testAccount(ctx context.Context, store *tenancy.Store, who principal.Principal, tenant string) ([]graph.AccountTest, error) {
	if tenant == "" {
		return nil, fault.New(fault.BadUserInput, "whose accounts are to be tried?").WithHint("Name the tenant.")
	}
	cat, _, err := graph.ViewFrom(ctx)
	if err != nil {
		return nil, err
	}
	record, found, err := store.TestAccount(ctx, who, tenant)
	if err != nil {
		return nil, err
	}
	if t, ofFile := cat.Tenants[tenant]; ofFile {
		record, found = principal.Principal{Tenant: t.ID, TenantKey: t.Key, Routing: t.Routing()}, true
	}
	if !found {
		return nil, fault.New(fault.NotFound, "there is no tenant %s", tenant)
	}
	trials, err := plan.Trials(cat, record)
	if err != nil {
		return nil, err
	}
	tried := r.Data.Sources.Try(ctx, trials)
	if err := ctx.Err(); err != nil {
		return nil, fault.From(err)
	}
	return each(tried, func(t datasource.Tried) graph.AccountTest { return describeTried(t, who.AllTenants) }), nil
}

// describeTried says what is wrong with an account to whose it is. What is wrong
// with a source that is everybody's is the operator's to know.
func describeTried(t datasource.Tried, operator bool) graph.AccountTest {
	out := graph.AccountTest{Source: t.Source, Datasets: t.Datasets, Ok: len(t.Findings) == 0, Problems: []graph.AccountProblem{}}
	if !t.Own && !operator && !out.Ok {
		out.Problems = append(out.Problems, graph.AccountProblem{
			Kind: graph.AccountProblemKindOther, Message: "the source, which tenants share, cannot be used as it is; tell whoever runs the gateway",
		})
		return out
	}
	for _, f := range t.Findings {
		out.Problems = append(out.Problems, graph.AccountProblem{
			Kind: problemKind(f.Kind), Dataset: optional(f.Dataset), Column: optional(f.Column), Message: f.Message,
		})
	}
	return out
}

func problemKind(kind trouble.Kind) graph.AccountProblemKind {
	if spelled := graph.AccountProblemKind(kind); spelled.IsValid() {
		return spelled
	}
	return graph.AccountProblemKindOther
}
