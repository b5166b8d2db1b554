package resolvers

import (
	"context"
	"math"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"usher/fault"
	"usher/graph"
	"usher/principal"
	"usher/tenancy"
)

// control is the control store and who asks it.
func (r *Resolver) control(ctx context.Context) (*tenancy.Store, principal.Principal, error) {
	who, err := principal.From(ctx)
	if err == nil && r.Control == nil {
		err = noControl
	}
	return r.Control, who, err
}

var noControl = fault.New(fault.NotImplemented, "usher runs without a control store").
	WithHint("Configure one, as docs/tokens.md says.")

// listing is control for a list, of which a part is asked for.
func (r *Resolver) listing(ctx context.Context, after *string, limit int) (*tenancy.Store, principal.Principal, tenancy.Page, error) {
	store, who, err := r.control(ctx)
	if err == nil && limit < 1 {
		err = fault.New(fault.BadUserInput, "a page has 1 to 500 rows")
	}
	return store, who, tenancy.Page{After: given(after), Limit: limit}, err
}

// changeTenant returns the tenant as it is after the change.
func (r *Resolver) changeTenant(ctx context.Context, id string, change func(*tenancy.Store, principal.Principal) error) (*graph.AdminTenant, error) {
	store, who, err := r.control(ctx)
	if err != nil {
		return nil, err
	}
	if err := change(store, who); err != nil {
		return nil, err
	}
	changed, err := store.GetTenant(ctx, who, id)
	return one(changed, err, describeTenant)
}

// changeUser returns the user as they are after the change.
func (r *Resolver) changeUser(
	ctx context.Context, tenant *string, username string, change func(store *tenancy.Store, who principal.Principal, tenant string) error,
) (*graph.AdminUser, error) {
	store, who, err := r.control(ctx)
	if err != nil {
		return nil, err
	}
	of := ofViewer(who, tenant)
	if err := change(store, who, of); err != nil {
		return nil, err
	}
	changed, err := store.GetUser(ctx, who, of, username)
	return one(changed, err, describeUser)
}

func findRole(ctx context.Context, store *tenancy.Store, who principal.Principal, tenant, name string) (*graph.AdminRole, error) {
	roles, err := store.Roles(ctx, who, tenant)
	if err != nil {
		return nil, err
	}
	for _, role := range roles {
		if role.Name == name {
			return one(role, nil, describeRole(store, who))
		}
	}
	return nil, fault.New(fault.NotFound, "there is no role %s", name)
}

// one describes what was found or made.
func one[From, To any](got From, err error, describe func(From) To) (*To, error) {
	if err != nil {
		return nil, err
	}
	described := describe(got)
	return &described, nil
}

// itself is what needs no description.
func itself[T any](got T, err error) (*T, error) {
	return one(got, err, func(got T) T { return got })
}

// done is true for what did not fail.
func done(err error) (*bool, error) { return itself(true, err) }

// ofViewer is the tenant that is named, else the viewer's own: none for a
// viewer with the right to all.
func ofViewer(who principal.Principal, tenant *string) string {
	if tenant != nil {
		return *tenant
	}
	return who.Tenant
}

// oneTenant is ofViewer where only a tenant will do.
func oneTenant(who principal.Principal, tenant *string) (string, error) {
	if id := ofViewer(who, tenant); id != "" {
		return id, nil
	}
	return "", fault.New(fault.BadUserInput, "say which tenant")
}

// missing is nil for an error that says that there is none of that name.
func missing[T any](got *T, err error) (*T, error) {
	if err != nil && fault.From(err).Code == fault.NotFound {
		return nil, nil
	}
	return got, err
}

// restriction is a list that restricts where it is given. A null there would
// read as "not restricted", so it has to be left out instead.
func restriction(name string, list graphql.Omittable[[]string]) ([]string, error) {
	got, set := list.ValueOK()
	if set && got == nil {
		return nil, nullRefused(name)
	}
	return got, nil
}

// timeGiven is a time that is given. The first there is would read as none.
func timeGiven(name string, at *time.Time) (time.Time, error) {
	if at != nil && at.IsZero() {
		return time.Time{}, fault.New(fault.BadUserInput, "%s is before all time", name).WithHint("Leave it out, if that is what you mean.")
	}
	return given(at), nil
}

func nullRefused(name string) error {
	return fault.New(fault.BadUserInput, "%s is null", name).WithHint("Leave it out, if that is what you mean.")
}

// given is the zero value for null.
func given[T any](v *T) T {
	if v == nil {
		var none T
		return none
	}
	return *v
}

// always is never null in a list that may not be.
func always[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func each[From, To any](list []From, as func(From) To) []To {
	out := make([]To, len(list))
	for i, v := range list {
		out[i] = as(v)
	}
	return out
}

// instant is null for no time.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// positive is null for what is not bounded.
func positive(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

func bounded(n int64) int { return int(max(math.MinInt32, min(n, math.MaxInt32))) }

// Scopes have colons in tokens, which GraphQL has not in names.
var scopes = map[graph.Scope]principal.Scope{
	graph.ScopeCreateTokens: principal.CreateTokens,
	graph.ScopeReadData:     principal.ReadData,
	graph.ScopeWriteData:    principal.WriteData,
	graph.ScopeExportData:   principal.ExportData,
	graph.ScopeAdminister:   principal.Administer,
	graph.ScopeExplain:      principal.Explain,
}

func scopesIn(list []graph.Scope) []principal.Scope {
	return each(list, func(s graph.Scope) principal.Scope { return scopes[s] })
}

func scopesOut(list []principal.Scope) []graph.Scope {
	out := []graph.Scope{}
	for _, scope := range list {
		for _, name := range graph.AllScope {
			if scopes[name] == scope {
				out = append(out, name)
			}
		}
	}
	return out
}
