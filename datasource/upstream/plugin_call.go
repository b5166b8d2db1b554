package upstream

import (
	"net/http"
	"regexp"

	"usher/fault"
	"usher/plan"
)

// question is the body of /query.
type question struct {
	ID         string           `json:"id"`
	Columns    []questionColumn `json:"columns,omitempty"`
	Filters    []filter         `json:"filters"`
	FiltersAll []filter         `json:"filters_all,omitempty"`
	Options    questionOptions  `json:"options"`
	User       questionUser     `json:"user"`
	Order      []questionOrder  `json:"order,omitempty"`
	Limit      *questionLimit   `json:"limit,omitempty"`
}

type (
	questionColumn struct {
		Column string `json:"column_id"`
	}
	// questionOptions ask for rows as they are. With pushdown a plugin groups by
	// the columns: equal rows would become one, by its own idea of equal.
	questionOptions struct {
		Pushdown bool `json:"pushdown"`
	}
	questionUser struct {
		ID       string         `json:"id"`
		Metadata map[string]any `json:"metadata"`
	}
	questionOrder struct {
		Column string `json:"column_id"`
		Order  string `json:"order"`
	}
	questionLimit struct {
		By int `json:"by"`
	}
)

const propertyPrefix = "X-Property-"

// propertyName is what can stand in a header's name.
var propertyName = regexp.MustCompile("^[A-Za-z0-9_.-]+$")

// header is what the headers of one principal's calls say of its account.
func (p *pluginSource) header(request requests, id plan.Identity, own plan.Override) (http.Header, error) {
	h, err := request.header(id, own)
	if err != nil {
		return nil, err
	}
	for _, n := range p.properties {
		if _, replaced := property(own, n.name); replaced {
			continue
		}
		text, err := n.value.fill(id, inHeader)
		if err != nil {
			return nil, err
		}
		h.Set(propertyPrefix+n.name, text)
	}
	for name, text := range own.Properties() {
		if _, err := inHeader(text); err != nil || !propertyName.MatchString(name) {
			return nil, fault.New(fault.Forbidden, "the account has a property that cannot be sent to the plugin")
		}
		h.Set(propertyPrefix+name, text)
	}
	return h, nil
}

// property is an account's value for a property; names ignore case, as those
// of headers do.
func property(own plan.Override, name string) (string, bool) {
	for given, text := range own.Properties() {
		if http.CanonicalHeaderKey(given) == http.CanonicalHeaderKey(name) {
			return text, true
		}
	}
	return "", false
}

// metadata is what a plugin is told of whoever asks: the tenant, always, and
// what the source declares. What is declared and missing is a refusal: many
// plugins answer with everybody's rows when they are not told whose.
func (p *pluginSource) metadata(id plan.Identity) (map[string]any, error) {
	out := map[string]any{"tenant": nil, "tenant_key": nil}
	if id.Tenant() != "" {
		out["tenant"], out["tenant_key"] = id.Tenant(), id.Key()
	}
	for _, name := range p.spec.Metadata {
		text, ok := id.Metadata(name)
		if !ok || text == "" {
			return nil, fault.New(fault.Forbidden, "the token has no metadata %q, which the plugin needs", name).
				WithHint("ask whoever issued the token")
		}
		out[name] = text
	}
	return out, nil
}

// question asks for the rows of a reference; columns are what these have.
func (p *pluginSource) question(q plan.Query, pushed plan.Pushed, d *pluginDataset) (out question, columns []string, err error) {
	ref, id := q.Root().Ref(0), q.Identity()
	metadata, err := p.metadata(id)
	if err != nil {
		return out, nil, err
	}
	out = question{ID: ref.Path(), User: questionUser{ID: id.Subject(), Metadata: metadata}}
	var whole bool
	out.Filters, whole = filtersOf(pushed.Conditions, d)
	if p.spec.Version == "1.0.0" {
		for i := range out.Filters {
			out.Filters[i].ID = out.Filters[i].Column
		}
	} else {
		out.FiltersAll = out.Filters
	}
	if out.Filters == nil {
		out.Filters = []filter{}
	}
	columns = d.ids()
	if p.spec.Pushdown {
		if columns = stored(ref); len(columns) == 0 { // rows are counted by any column
			columns = d.ids()[:min(1, len(d.columns))]
		}
		for _, c := range columns {
			out.Columns = append(out.Columns, questionColumn{c})
		}
	}
	if whole && p.spec.OrderLimit && pushed.Limit > 0 && trusted(ref, pushed) {
		out.Limit = &questionLimit{pushed.Limit}
		if pushed.OrderBy != "" {
			order := "asc"
			if pushed.Descending {
				order = "desc"
			}
			out.Order = []questionOrder{{pushed.OrderBy, order}}
		}
	}
	return out, columns, nil
}

// pushed is what the plugin was left to do itself, without values.
func (q question) pushed() (out plan.Pushed) {
	for _, f := range q.Filters {
		out.Conditions = append(out.Conditions, plan.Condition{Column: f.Column, Operator: f.Expression})
	}
	if q.Limit != nil {
		out.Limit = q.Limit.By
	}
	if len(q.Order) > 0 {
		out.OrderBy = q.Order[0].Column
	}
	return out
}

// ids lists all columns, in the order a plugin without pushdown sends them.
func (d *pluginDataset) ids() []string {
	out := make([]string, len(d.columns))
	for i, c := range d.columns {
		out[i] = c.id
	}
	return out
}

// trusted tells whether a limit may be handed over. A plugin that takes the
// limit and not the filters would cut off the wrong rows and nothing would
// show it, so there is none where there are filters; the tenant's is no
// exception but where every row is checked and a wrong one fails the request.
// Nulls come first here and last there, so a column that may hold some orders
// nothing either.
func trusted(ref plan.Ref, pushed plan.Pushed) bool {
	for _, c := range pushed.Conditions {
		if ref.ScopeKind() != plan.ByUpstream || !isTenant(ref, c.Column) {
			return false
		}
	}
	if pushed.OrderBy == "" {
		return true
	}
	for i := range ref.Fields() {
		if f := ref.Field(i); f.Stored == pushed.OrderBy {
			return !f.Null
		}
	}
	return false
}

func isTenant(ref plan.Ref, column string) bool {
	for i := range ref.Fields() {
		if f := ref.Field(i); f.Stored == column && f.Name == ref.TenantColumn() {
			return true
		}
	}
	return false
}
