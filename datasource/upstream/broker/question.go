// Package broker owns usher's side of the plugin protocol: what a plugin that
// stands before somebody's data (a broker) is asked, what it says it has, and how it
// writes values. It sends nothing: calls, credentials and what becomes of failures are
// upstream's, as with any API. It refuses to ask where what a plugin must be told of
// whoever asks is missing, and sends no filter that some plugin could misread.
//
// A plugin is asked for rows, unless it says that its groups are exact
// (plan.Level.Partial): its sums, counts and cut times could be those of its own
// numbers, collations and time zones, not byte for byte those of the other
// sources. The groups then have all columns that any condition reads, the
// tenant's too, so that it is seen whose rows went into them.
package broker

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"usher/catalog"
	"usher/fault"
	"usher/plan"
	"usher/query"
	"usher/value"
)

// Question is the body of /query.
type Question struct {
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
		Column      string `json:"column_id"`
		Level       string `json:"level,omitempty"`
		Aggregation string `json:"aggregation,omitempty"`
	}
	// questionOptions ask for rows as they are, or for groups: with pushdown a
	// plugin groups by all columns without an aggregation.
	questionOptions struct {
		Pushdown bool `json:"pushdown"`
	}
	questionUser struct {
		ID       string                     `json:"id"`
		Name     string                     `json:"name,omitempty"`
		Email    string                     `json:"email,omitempty"`
		Metadata map[string]json.RawMessage `json:"metadata"`
	}
	questionOrder struct {
		Column string `json:"column_id"`
		Order  string `json:"order"`
	}
	questionLimit struct {
		By int `json:"by"`
	}
)

// metadata is what a plugin is told of whoever asks: the tenant, always, and
// what the source declares. What is declared and missing is a refusal: many
// plugins answer with everybody's rows when they are not told whose.
func metadata(spec *catalog.Plugin, id plan.Identity) (map[string]json.RawMessage, error) {
	null := json.RawMessage("null")
	out := map[string]json.RawMessage{"tenant": null, "tenant_key": null}
	if id.Tenant() != "" {
		out["tenant"], out["tenant_key"] = value.AppendQuoted(nil, []byte(id.Tenant())), value.AppendQuoted(nil, []byte(id.Key()))
	}
	for _, name := range spec.Metadata {
		v, _ := id.Metadata(name)
		if empty(v) {
			return nil, missing(fmt.Sprintf("metadata %q", name))
		}
		out[name] = query.AppendJSON(nil, v)
	}
	return out, nil
}

// empty tells a value that is none, or that holds nothing.
func empty(v query.Value) bool {
	switch v := v.(type) {
	case query.Text:
		return v == ""
	case query.List:
		return len(v) == 0
	case query.Object:
		return len(v) == 0
	case query.Bool, query.Number, query.Enum:
		return false
	}
	return true
}

func missing(what string) error {
	return fault.New(fault.Forbidden, "the token has no %s, which the plugin needs", what).
		WithHint("ask whoever issued the token")
}

// userOf is who asks, as a plugin is told. Like metadata, a name or an address
// that it shall be told has to be there.
func userOf(spec *catalog.Plugin, id plan.Identity) (out questionUser, err error) {
	out.ID = id.Subject()
	if spec.Name {
		if out.Name = id.Name(); out.Name == "" {
			return out, missing("name")
		}
	}
	if spec.Email {
		if out.Email = id.Email(); out.Email == "" {
			return out, missing("email address")
		}
	}
	out.Metadata, err = metadata(spec, id)
	return out, err
}

// Ask asks for the rows of a query's reference; cells are the fields of the
// reference that each column of the answer is read into.
func Ask(spec *catalog.Plugin, q plan.Query, pushed plan.Pushed, d *Dataset) (out Question, cells [][]int, err error) {
	ref, id := q.Root().Ref(0), q.Identity()
	out = Question{ID: ref.Path()}
	if out.User, err = userOf(spec, id); err != nil {
		return out, nil, err
	}
	var whole bool
	out.Filters, whole = filtersOf(pushed.Conditions, d)
	if spec.Version == "1.0.0" {
		for i := range out.Filters {
			out.Filters[i].ID = out.Filters[i].Column
			out.Filters[i].Expression = "? " + out.Filters[i].Expression + " ?"
		}
	} else {
		out.FiltersAll = out.Filters
	}
	if out.Filters == nil {
		out.Filters = []filter{}
	}
	columns := d.all()
	if spec.Pushdown {
		if columns = columnsOf(ref); len(columns) == 0 { // rows are counted by any column
			columns = d.all()[:min(1, len(d.columns))]
		}
		out.Columns, out.Options.Pushdown = columns, ref.Grouped()
	}
	cells = make([][]int, len(columns))
	for i := range ref.Fields() {
		for at, c := range columns {
			if c == columnOf(ref.Field(i)) {
				cells[at] = append(cells[at], i)
			}
		}
	}
	if whole && spec.OrderLimit && pushed.Limit > 0 && trusted(ref, pushed) {
		out.Limit = &questionLimit{pushed.Limit}
		if pushed.OrderBy != "" {
			order := "asc"
			if pushed.Descending {
				order = "desc"
			}
			out.Order = []questionOrder{{pushed.OrderBy, order}}
		}
	}
	return out, cells, nil
}

// Pushed is what the plugin was left to do itself, without values.
func (q Question) Pushed() (out plan.Pushed) {
	for _, f := range q.Filters {
		out.Conditions = append(out.Conditions, plan.Condition{Column: f.Column, Operator: strings.Trim(f.Expression, "? ")})
	}
	if q.Limit != nil {
		out.Limit = q.Limit.By
	}
	if len(q.Order) > 0 {
		out.OrderBy = q.Order[0].Column
	}
	return out
}

// Stored lists the plugin's columns that a reference reads, each once.
func Stored(ref plan.Ref) []string {
	var out []string
	for i := range ref.Fields() {
		if id := ref.Field(i).Stored; id != "" && id != plan.AnyColumn && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// columnsOf are the columns of the answer that a reference reads, each once.
func columnsOf(ref plan.Ref) []questionColumn {
	var out []questionColumn
	for i := range ref.Fields() {
		if c := columnOf(ref.Field(i)); c.Column != "" && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// columnOf is what a field is read from; nothing, where the plugin does not
// have it.
func columnOf(f plan.Field) questionColumn {
	return questionColumn{Column: f.Stored, Level: string(f.Cut), Aggregation: string(f.Func)}
}
