package resolvers

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"usher/catalog"
	"usher/fault"
	"usher/graph"
	"usher/plan"
	"usher/principal"
	"usher/traffic"
)

// House is what there is to be told of the gateway itself.
type House struct {
	Version     string
	Started     time.Time
	MinPassword int
	Issuers     []graph.ConsoleIssuer
	Samples     func() []byte // tokens of a demo, as its page has them; nil: this is none
	Traffic     *traffic.Hour
	Sources     *traffic.Sources
	Loaded      func() Loaded
	// Reload serves what the file says now, or tells what is wrong with it. An error: nobody waits any more. nil: there is no file.
	Reload func(ctx context.Context) (problems []string, err error)
	// Findings look into the sources, as a check of the configuration does.
	Findings func(ctx context.Context) (problems, notes []string, err error)
}

// console is what a page has to know. Nobody without a token is told more than how
// to get one.
func (r *Resolver) console(ctx context.Context) *graph.Console {
	out := &graph.Console{
		Passwords: r.Control != nil, MinPassword: r.House.MinPassword, Issuers: always(r.House.Issuers), SampleTokens: r.House.samples(), Pages: []graph.ConsolePage{},
	}
	who, err := principal.From(ctx)
	if err != nil {
		return out
	}
	out.Version, out.Pages = optional(r.House.Version), r.pages(who)
	return out
}

func (h House) samples() []graph.SampleToken {
	out := []graph.SampleToken{}
	if h.Samples == nil {
		return out
	}
	var file struct {
		Tokens []struct{ Name, Tenant, Strategy, Token string }
	}
	if json.Unmarshal(h.Samples(), &file) != nil { // the demo says so itself
		return out
	}
	for _, t := range file.Tokens {
		out = append(out, graph.SampleToken{Name: t.Name, Tenant: optional(t.Tenant), Strategy: t.Strategy, Token: t.Token})
	}
	return out
}

// pages are those that a token can fill: of one that is for dashboards or saved queries
// only, no others.
func (r *Resolver) pages(who principal.Principal) []graph.ConsolePage {
	has := func(s principal.Scope) bool { return slices.Contains(who.Scopes, s) }
	free := !who.Grant.SavedOnly && who.Grant.Dashboards == nil
	reads := has(principal.ReadData) && free
	administers := r.Control != nil && free && has(principal.Administer) && who.Acting == nil && who.Kind != principal.EmbedToken
	mints := r.Control != nil && free && has(principal.CreateTokens) && who.Acting == nil && who.Kind != principal.EmbedToken
	out := []graph.ConsolePage{}
	for _, p := range []struct {
		page graph.ConsolePage
		may  bool
	}{
		{graph.ConsolePageHome, administers},
		{graph.ConsolePageCatalog, reads},
		{graph.ConsolePageExplore, reads},
		{graph.ConsolePageQuery, reads},
		{graph.ConsolePageDashboards, r.Control != nil && free && who.Kind != principal.EmbedToken && (reads || administers)},
		{graph.ConsolePageTenants, administers},
		{graph.ConsolePageUsers, administers},
		{graph.ConsolePageRoles, administers},
		{graph.ConsolePageTokens, administers || mints},
		{graph.ConsolePageKeys, administers},
		{graph.ConsolePageAudit, administers},
	} {
		if p.may {
			out = append(out, p.page)
		}
	}
	return out
}

// health is how the gateway is, for who administers: all of it to whoever does so for
// all tenants, and to others what is theirs.
func (r *Resolver) health(ctx context.Context) (*graph.Health, error) {
	store, who, err := r.control(ctx)
	if err == nil {
		err = store.Administers(who, who.Tenant)
	}
	if err != nil {
		return nil, err
	}
	cat, view, err := graph.ViewFrom(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	h := &graph.Health{Version: r.House.Version, StartedAt: r.House.Started, Minutes: []graph.HealthMinute{}, Sources: []graph.SourceHealth{}, Unfit: []string{}}
	if hour := r.House.Traffic; hour != nil {
		counted := hour.All
		if !who.AllTenants {
			counted = func(now time.Time) []traffic.Minute { return hour.Of(who.Tenant, now) }
		}
		for _, m := range counted(now) {
			h.Requests, h.Errors = h.Requests+m.Requests, h.Errors+m.Errors
			h.Minutes = append(h.Minutes, graph.HealthMinute{At: m.At, Requests: m.Requests, Errors: m.Errors})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cat.Sources)) {
		if s, shown := r.sourceHealth(cat, view, who, name, now); shown {
			h.Sources = append(h.Sources, s)
		}
	}
	if who.AllTenants {
		h.Unfit = slices.AppendSeq(h.Unfit, maps.Keys(cat.Unreached.Unfit()))
		slices.Sort(h.Unfit)
	}
	return h, nil
}

// sourceHealth is how a source is. Whoever administers one tenant is told of those of
// the datasets that they see, and not of when others' questions were answered.
func (r *Resolver) sourceHealth(cat *catalog.Catalog, view *catalog.View, who principal.Principal, name string, now time.Time) (graph.SourceHealth, bool) {
	out := graph.SourceHealth{Name: name, Status: graph.SourceStatusUp}
	var seen traffic.Seen
	if r.House.Sources != nil {
		seen = r.House.Sources.Of(name)
	}
	switch {
	case !cat.Unreached.Reached(name):
		out.Status = graph.SourceStatusUnreached
	case seen.Failing(now):
		out.Status = graph.SourceStatusFailing
	}
	if !who.AllTenants {
		for _, dataset := range view.Names() {
			if view.Dataset(dataset).Dataset.Bindings[name] != nil {
				return out, true
			}
		}
		return out, false
	}
	out.Kind = optional(string(cat.Sources[name].Kind))
	out.AnsweredAt, out.FailedAt, out.Code = instant(seen.Answered), instant(seen.Failed), optional(seen.Code)
	return out, true
}

// findings are what a check of the configuration says now.
func (r *Resolver) findings(ctx context.Context) (*graph.Findings, error) {
	store, who, err := r.control(ctx)
	if err == nil {
		err = store.Administers(who, "")
	}
	if err != nil {
		return nil, err
	}
	if r.House.Findings == nil {
		return nil, fault.New(fault.NotImplemented, "there is no file to be checked")
	}
	problems, notes, err := r.House.Findings(ctx)
	if err != nil {
		return nil, err
	}
	return &graph.Findings{Problems: always(problems), Notes: always(notes)}, nil
}

// configuredRoles are the roles of the configuration, each as it would be seen alone.
// An administrator of one tenant is told of those that they hold: others they do not
// give to anybody, and what these show is none of theirs.
func (r *Resolver) configuredRoles(ctx context.Context) ([]graph.ConfiguredRole, error) {
	store, who, err := r.control(ctx)
	if err == nil {
		err = store.Administers(who, who.Tenant)
	}
	if err != nil {
		return nil, err
	}
	cat, _, err := graph.ViewFrom(ctx)
	if err != nil {
		return nil, err
	}
	out := []graph.ConfiguredRole{}
	for _, name := range slices.Sorted(maps.Keys(cat.Roles)) {
		if !who.AllTenants && !slices.Contains(who.Roles, name) {
			continue
		}
		view, err := cat.View(holding(who, name))
		if err != nil {
			return nil, fault.From(err)
		}
		role := graph.ConfiguredRole{Name: name, Grants: []graph.RoleGrant{}}
		for _, dataset := range view.Names() {
			role.Grants = append(role.Grants, describeGrant(view.Dataset(dataset)))
		}
		out = append(out, role)
	}
	return out, nil
}

// roleBounds are what the catalog judges roles of tenants by, of the datasets that the viewer sees.
func (r *Resolver) roleBounds(ctx context.Context) ([]graph.RoleBounds, error) {
	store, who, err := r.control(ctx)
	if err == nil {
		err = store.Administers(who, who.Tenant)
	}
	if err != nil {
		return nil, err
	}
	_, view, err := graph.ViewFrom(ctx)
	if err != nil {
		return nil, err
	}
	out := []graph.RoleBounds{}
	for _, name := range view.Names() {
		vis := view.Dataset(name)
		d := vis.Dataset
		bounds := graph.RoleBounds{Dataset: name, MaxLimit: d.MaxLimit, Changes: []graph.RoleChange{}, Given: []string{}, IncludeDeleted: d.Deleted != nil}
		if w := d.Writes; w != nil {
			bounds.Changes = changes(w.Insert, w.Update, w.Delete)
			for _, c := range vis.Columns() {
				if insert, update := w.Gives(c, true); insert || update {
					bounds.Given = append(bounds.Given, c.Name)
				}
			}
		}
		out = append(out, bounds)
	}
	return out, nil
}

func changes(insert, update, remove bool) []graph.RoleChange {
	out := []graph.RoleChange{}
	for _, change := range []struct {
		name graph.RoleChange
		is   bool
	}{{graph.RoleChangeInsert, insert}, {graph.RoleChangeUpdate, update}, {graph.RoleChangeDelete, remove}} {
		if change.is {
			out = append(out, change.name)
		}
	}
	return out
}

// holding is somebody who holds one role alone, and is restricted as before.
func holding(who principal.Principal, role string) principal.Principal {
	who.Scopes = []principal.Scope{principal.ReadData, principal.WriteData}
	who.Roles = []string{role}
	who.Roles = append(who.Roles, slices.Sorted(maps.Keys(who.RoleSpecs))...)
	return who
}

func describeGrant(vis *catalog.Visible) graph.RoleGrant {
	_, most := vis.Limits()
	out := graph.RoleGrant{Dataset: vis.Dataset.Name, Columns: []string{}, Aggregate: vis.Aggregate, MaxLimit: most, Changes: []graph.RoleChange{}}
	for _, c := range vis.Columns() {
		out.Columns = append(out.Columns, c.Name)
	}
	if w := vis.Writing(); w != nil {
		out.Changes = changes(w.Insert != nil, w.Update != nil, w.Delete != nil)
	}
	return out
}

// askedAlone is the source that answers a plan by itself, of everybody: of a
// tenant's own account nobody else is to be told.
func askedAlone(q plan.Query) string {
	target, single := q.Single()
	if !single {
		target = q.Root().Ref(0).Target()
		for i := range q.Root().Refs() {
			if q.Root().Ref(i).Target() != target {
				return ""
			}
		}
		if q.Root().Children() > 0 {
			return ""
		}
	}
	if target.Tenant != "" {
		return ""
	}
	return target.Source
}

// saw notes whether a source has answered. What was refused before it was asked, or
// what nobody waited for, says nothing of it.
func (d *Datasets) saw(ctx context.Context, source string, err error) {
	if source == "" || d.Seen == nil || ctx.Err() != nil {
		return
	}
	switch code := fault.From(err); {
	case err == nil:
		d.Seen.Answered(source, time.Now())
	case code.Code == fault.Unavailable, code.Code == fault.Timeout:
		d.Seen.Failed(source, string(code.Code), time.Now())
	}
}
