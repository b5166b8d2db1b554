package resolvers

import (
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"usher/audit"
	"usher/catalog"
	"usher/fault"
	"usher/graph"
	"usher/principal"
	"usher/query"
	"usher/tenancy"
)

// named makes a map of a list, in which no name may stand twice.
func named[In, V any](what string, list []In, pair func(In) (string, V)) (map[string]V, error) {
	if len(list) == 0 {
		return nil, nil
	}
	out := make(map[string]V, len(list))
	for _, in := range list {
		name, v := pair(in)
		if _, twice := out[name]; twice {
			return nil, fault.New(fault.BadUserInput, "%s %s is given twice", what, fault.Quote(name))
		}
		out[name] = v
	}
	return out, nil
}

func texts(what string, list []graph.NamedText) (map[string]string, error) {
	return named(what, list, func(t graph.NamedText) (string, string) { return t.Name, t.Value })
}

func accountsBySource(list []graph.AccountInput) (map[string]principal.Account, error) {
	var problem error
	for _, in := range list {
		if in.Port != nil && (*in.Port < 1 || *in.Port > 65535) {
			return nil, fault.New(fault.BadUserInput, "the account of source %s: port is a number from 1 to 65535", in.Source)
		}
	}
	out, err := named("the account of source", list, func(in graph.AccountInput) (string, principal.Account) {
		headers, err := texts("header", in.Headers)
		if err != nil {
			problem = err
		}
		properties, err := texts("property", in.Properties)
		if err != nil {
			problem = err
		}
		return in.Source, principal.Account{
			Host: given(in.Host), Port: given(in.Port), Database: given(in.Database), Schema: given(in.Schema),
			User: given(in.User), Password: given(in.Password),
			BaseURL: given(in.BaseURL), Headers: headers, Properties: properties,
		}
	})
	if problem != nil {
		return nil, problem
	}
	return out, err
}

func filters(list []graph.TokenFilter) []principal.Filter {
	return each(list, func(f graph.TokenFilter) principal.Filter {
		filter := principal.Filter{Dataset: f.Dataset}
		if f.Where != nil {
			filter.Where = f.Where.Written
		}
		if f.Having != nil {
			filter.Having = f.Having.Written
		}
		return filter
	})
}

func newTenant(in graph.NewTenant) (tenancy.NewTenant, error) {
	accounts, err := accountsBySource(in.Accounts)
	if err != nil {
		return tenancy.NewTenant{}, err
	}
	bindings, err := bindingsOf(in.Bindings)
	if err != nil {
		return tenancy.NewTenant{}, err
	}
	weight, err := weightOf(in.Weight)
	if err != nil {
		return tenancy.NewTenant{}, err
	}
	limits, err := limitsOf(in.Limits)
	if err != nil {
		return tenancy.NewTenant{}, err
	}
	strategies, err := strategiesOf(in.Strategies)
	return tenancy.NewTenant{
		ID: in.ID, Key: given(in.Key), Name: given(in.Name), Strategy: given(in.Strategy), Cell: given(in.Cell), Accounts: accounts,
		Strategies: strategies, Bindings: bindings, ExternalIDs: in.ExternalIds, AllowHosts: restrictedHosts(in.AllowHosts),
		Share: principal.Share{Weight: weight, Limits: limits},
	}, err
}

func strategiesOf(list []graph.DatasetStrategyInput) (map[string]string, error) {
	return named("the strategy of dataset", list, func(in graph.DatasetStrategyInput) (string, string) { return in.Dataset, in.Strategy })
}

func bindingsOf(list []graph.DatasetBindingInput) (map[string]string, error) {
	return named("the binding of dataset", list, func(in graph.DatasetBindingInput) (string, string) { return in.Dataset, in.Binding })
}

// restrictedHosts are nil for all that the sources allow.
func restrictedHosts(list []string) []string {
	if slices.Equal(list, []string{catalog.AllDestinations}) {
		return nil
	}
	return list
}

func tokenRequest(in graph.NewToken) (r tenancy.TokenRequest, err error) {
	r = tenancy.TokenRequest{
		Tenant: given(in.Tenant), Subject: in.Subject, Name: given(in.Name), Email: given(in.Email), Roles: in.Roles,
		Strategy: given(in.Strategy), Filters: filters(in.Filters), Cleared: in.Cleared, SavedOnly: in.SavedOnly, Write: in.Write, Timezone: given(in.Timezone),
	}
	if r.Inactivity, r.Rate, err = bounds(in.InactivitySeconds, in.Rate); err != nil {
		return r, err
	}
	if r.Limits, err = limitsOf(in.Limits); err != nil {
		return r, err
	}
	if r.ExpiresAt, err = timeGiven("expiresAt", in.ExpiresAt); err != nil {
		return r, err
	}
	if r.Datasets, err = restriction("datasets", in.Datasets); err != nil {
		return r, err
	}
	if r.Dashboards, err = restriction("dashboards", in.Dashboards); err != nil {
		return r, err
	}
	if r.Parameters, err = named("parameter", in.Parameters, func(p graph.TokenParameter) (string, query.Value) {
		return p.Name, p.Value.Written
	}); err != nil {
		return r, err
	}
	if r.Metadata, err = named("metadata", in.Metadata, func(m graph.TokenMetadata) (string, query.Value) {
		return m.Name, m.Value.Written
	}); err != nil {
		return r, err
	}
	if r.Strategies, err = strategiesOf(in.Strategies); err != nil {
		return r, err
	}
	r.Accounts, err = accountsBySource(in.Accounts)
	return r, err
}

// bounds are how much a token is used. None is 0 within, which nobody says: who names
// a bound means one.
func bounds(inactivitySeconds, rate *int) (time.Duration, int, error) {
	switch {
	case inactivitySeconds != nil && *inactivitySeconds < 1:
		return 0, 0, fault.New(fault.BadUserInput, "inactivitySeconds is at least 120").WithHint("Leave it out, if it shall not end unused.")
	case rate != nil && *rate < 1:
		return 0, 0, fault.New(fault.BadUserInput, "rate is at least 1 request a minute").WithHint("Leave it out, if it shall not be limited.")
	}
	return time.Duration(given(inactivitySeconds)) * time.Second, given(rate), nil
}

func narrowing(in graph.TokenNarrowing) (n tenancy.Narrowing, err error) {
	n = tenancy.Narrowing{
		Name: given(in.Name), Filters: filters(in.Filters), SavedOnly: in.SavedOnly, Write: in.Write,
	}
	if n.Inactivity, n.Rate, err = bounds(in.InactivitySeconds, in.Rate); err != nil {
		return n, err
	}
	if n.Limits, err = limitsOf(in.Limits); err != nil {
		return n, err
	}
	if n.ExpiresAt, err = timeGiven("expiresAt", in.ExpiresAt); err != nil {
		return n, err
	}
	if n.Roles, err = restriction("roles", in.Roles); err != nil {
		return n, err
	}
	if n.Datasets, err = restriction("datasets", in.Datasets); err != nil {
		return n, err
	}
	n.Dashboards, err = restriction("dashboards", in.Dashboards)
	return n, err
}

func keyRequest(in graph.NewServiceKey) (tenancy.KeyRequest, error) {
	datasets, err := restriction("datasets", in.Datasets)
	if err != nil {
		return tenancy.KeyRequest{}, err
	}
	dashboards, err := restriction("dashboards", in.Dashboards)
	if err != nil {
		return tenancy.KeyRequest{}, err
	}
	_, rate, err := bounds(nil, in.Rate)
	if err != nil {
		return tenancy.KeyRequest{}, err
	}
	limits, err := limitsOf(in.Limits)
	if err != nil {
		return tenancy.KeyRequest{}, err
	}
	expires, err := timeGiven("expiresAt", in.ExpiresAt)
	return tenancy.KeyRequest{
		Rate: rate, Limits: limits,
		Dashboards: dashboards,
		Name:       in.Name, Tenant: given(in.Tenant), AllTenants: in.AllTenants, Scopes: scopesIn(in.Scopes), Roles: in.Roles, Datasets: datasets,
		MayGrant: tenancy.MayGrant{
			Strategies: in.MayGrant.Strategies, Accounts: in.MayGrant.Accounts,
			Parameters: in.MayGrant.Parameters, Clear: in.MayGrant.Clear, Metadata: in.MayGrant.Metadata,
		},
		ExpiresAt: expires,
	}, err
}

// revocation refuses nulls: what fits everything must not come of a variable
// that was forgotten.
func revocation(in graph.Revocation) (tenancy.Revocation, error) {
	r := tenancy.Revocation{KeepMinted: in.KeepMinted}
	for _, member := range []struct {
		name string
		in   graphql.Omittable[*string]
		out  *string
	}{
		{"token", in.Token, &r.TokenID},
		{"subject", in.Subject, &r.Subject},
		{"tenant", in.Tenant, &r.Tenant},
		{"issuer", in.Issuer, &r.Issuer},
	} {
		got, set := member.in.ValueOK()
		if !set {
			continue
		}
		if got == nil {
			return r, nullRefused(member.name)
		}
		if *got == "" {
			return r, fault.New(fault.BadUserInput, "%s is empty", member.name)
		}
		*member.out = *got
	}
	before, set := in.IssuedBefore.ValueOK()
	if set && before == nil {
		return r, nullRefused("issuedBefore")
	}
	var err error
	r.IssuedBefore, err = timeGiven("issuedBefore", before)
	return r, err
}

// newUser refuses a user of no tenant who is not said to be for all.
func newUser(who principal.Principal, in graph.NewUser) (tenancy.NewUser, error) {
	n := tenancy.NewUser{
		Username: in.Username, Password: in.Password, Name: given(in.Name), Email: given(in.Email),
		Roles: in.Roles, Scopes: scopesIn(in.Scopes),
	}
	if in.AllTenants {
		if in.Tenant != nil {
			return n, fault.New(fault.BadUserInput, "a user is of one tenant, or explicitly of all")
		}
		return n, nil
	}
	var err error
	n.Tenant, err = oneTenant(who, in.Tenant)
	return n, err
}

func newSavedQuery(in graph.SavedQueryInput) tenancy.NewSavedQuery {
	n := tenancy.NewSavedQuery{
		Name: in.Name, Document: in.Document, Description: given(in.Description), OfTenant: in.OfTenant, Shared: in.Shared,
	}
	if in.Variables != nil {
		n.Variables = query.AppendJSON(nil, in.Variables.Written)
	}
	if in.View != nil {
		n.Shown = query.AppendJSON(nil, in.View.Written)
	}
	return n
}

// replaced is the version that a change is of; 0: whichever there is.
func replaced(version *int) (int, error) {
	if version != nil && *version < 1 {
		return 0, fault.New(fault.BadUserInput, "the version is at least 1").WithHint("Leave it out for whichever there is.")
	}
	return given(version), nil
}

func auditFilter(in *graph.AuditFilter) tenancy.AuditFilter {
	if in == nil {
		return tenancy.AuditFilter{}
	}
	f := tenancy.AuditFilter{
		Tenant: given(in.Tenant), Subject: given(in.Subject), Operation: given(in.Operation), Outcome: given(in.Outcome),
		Search: given(in.Search), ActedOnly: in.Acted, From: given(in.From), To: given(in.To),
	}
	switch given(in.Kind) {
	case graph.AuditKindAdministration:
		f.Kind = audit.Administration
	case graph.AuditKindData:
		f.Kind = audit.DataAccess
	}
	return f
}
