package resolvers

import (
	"usher/catalog"
	"usher/graph"
	"usher/principal"
)

// viewerTokens are the kinds of tokens as the schema has them.
var viewerTokens = map[principal.Kind]graph.ViewerTokenKind{
	principal.JWT:        graph.ViewerTokenKindJwt,
	principal.EmbedToken: graph.ViewerTokenKindEmbed,
	principal.ServiceKey: graph.ViewerTokenKindServiceKey,
	principal.Session:    graph.ViewerTokenKindSession,
}

// describeViewer tells who asks. What their data is filtered by stays out: it
// is theirs who issued the token.
func describeViewer(who principal.Principal) *graph.Viewer {
	v := &graph.Viewer{
		Subject:    who.Subject,
		Tenant:     optional(who.Tenant),
		AllTenants: who.AllTenants,
		Roles:      append([]string{}, who.Roles...),
		TokenKind:  viewerTokens[who.Kind],
		Scopes:     scopesOut(who.Scopes),
		Strategy:   optional(who.Grant.Strategy),
		Timezone:   who.Grant.Timezone,
	}
	if v.Timezone == "" {
		v.Timezone = "UTC"
	}
	if who.Acting != nil {
		v.Acting = &graph.Acting{Subject: who.Acting.Subject, Reason: who.Acting.Reason}
	}
	if !who.Expires.IsZero() {
		at := who.Expires.UTC()
		v.ExpiresAt = &at
	}
	return v
}

// describeDataset tells what a view shows of a dataset; nil when nothing, be
// it forbidden or unknown.
func describeDataset(cat *catalog.Catalog, view *catalog.View, name string) *graph.Dataset {
	vis := view.Dataset(name)
	if vis == nil {
		return nil
	}
	d := vis.Dataset
	limit, maxLimit := vis.Limits()
	out := &graph.Dataset{
		Name:        d.Name,
		Type:        d.Type,
		Label:       optional(d.Label),
		Description: optional(d.Description),
		Common:      d.Common,
		Columns:     []graph.DatasetColumn{},
		Relations:   []graph.DatasetRelation{},
		Measures:    []graph.DatasetMeasure{},
		Parameters:  describeParameters(cat, view, vis),
		Key:         []string{},
		Aggregate:   vis.Aggregate,
		Limit:       limit,
		MaxLimit:    maxLimit,
	}
	for _, c := range vis.Columns() {
		out.Columns = append(out.Columns, graph.DatasetColumn{
			Name:        c.Name,
			Type:        c.Type.GraphQL(),
			Nullable:    c.Nullable || c.Odd,
			Label:       optional(c.Label),
			Description: optional(c.Description),
		})
	}
	for _, r := range d.Relations {
		if rel, to := view.Relation(vis, r.Name); rel != nil {
			out.Relations = append(out.Relations, graph.DatasetRelation{
				Name:        rel.Name,
				To:          to.Dataset.Name,
				Many:        rel.Many,
				Description: optional(rel.Description),
			})
		}
	}
	for _, m := range d.Measures {
		if m := view.Measure(vis, m.Name); m != nil {
			out.Measures = append(out.Measures, graph.DatasetMeasure{
				Name:        m.Name,
				Type:        m.Type.GraphQL(),
				Label:       optional(m.Label),
				Description: optional(m.Description),
			})
		}
	}
	for _, c := range vis.Key() {
		out.Key = append(out.Key, c.Name)
	}
	return out
}

// limits are how many rows come without asking, and may be asked for: the most
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
