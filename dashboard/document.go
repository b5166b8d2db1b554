// Package dashboard owns the document of a dashboard: what it may say, and which
// values its parameters have. It refuses members that it does not know, nulls,
// and what is longer than anybody writes. What the queries of the tiles mean is
// for others to judge: it knows neither schemas nor stores.
package dashboard

import (
	"encoding/json"
	"slices"

	"usher/fault"
	"usher/query"
)

// Document is a dashboard, read.
type Document struct {
	Title       string
	Description string
	Refresh     int // seconds between refreshes; 0: only when the page comes back into view
	Parameters  []Parameter
	Tiles       []Tile

	written query.Object
}

// Parameter is what a viewer may choose, for all tiles with a variable of its name.
type Parameter struct {
	Name    string
	Type    string        // of GraphQL, such as [Timestamp!]
	Control string        // what people choose it with; empty: nothing
	Default query.Value   // nil: none
	Options []query.Value // nil: any value of its type

	written query.Object
}

// Tile is a part of the page: the answer to a query as a chart, or a text.
type Tile struct {
	ID        string
	Query     string       // empty: of a text
	Variables query.Object // for those that no parameter gives a value
	Chart     Chart

	written query.Object
}

// Chart is what the paths of a chart lead to; as it was written it has more.
type Chart struct {
	Kind                           string
	Rows, X, Series, Size, Compare string
	Y, Columns, Formats            []string
}

// Value is the document as it was written.
func (d Document) Value() query.Value { return d.written }

// JSON is the document as it is kept.
func (d Document) JSON() []byte { return query.AppendJSON(nil, d.written) }

// View is what somebody sees of a document.
type View struct {
	Tile      func(Tile) bool                   // what it asks for
	Parameter func(Parameter) bool              // what it is for
	Value     func(Parameter, query.Value) bool // what a default or an option of it names
}

// Page is what is drawn, without what is asked: of tiles that are not shown, how
// large they are and what people call them, and none of the names in their charts;
// of parameters, what is for whoever looks.
// The time zone is that of whoever looks, whose days are asked for; empty: UTC's.
func (d Document) Page(timezone string, seen View) json.RawMessage {
	page := query.Object{{Name: "title", Value: query.Text(d.Title)}}
	for _, name := range []string{"description", "refresh"} {
		if v, ok := d.written.Get(name); ok {
			page = append(page, query.Member{Name: name, Value: v})
		}
	}
	if timezone != "" {
		page = append(page, query.Member{Name: "timezone", Value: query.Text(timezone)})
	}
	parameters, tiles := make(query.List, 0, len(d.Parameters)), make(query.List, len(d.Tiles))
	for _, p := range d.Parameters {
		if seen.Parameter(p) {
			parameters = append(parameters, p.seen(seen))
		}
	}
	for i, t := range d.Tiles {
		var tile query.Object
		for _, m := range t.written {
			switch {
			case m.Name == "query", m.Name == "variables":
			case m.Name == "chart" && !seen.Tile(t):
				tile = append(tile, query.Member{Name: m.Name, Value: query.Object{{Name: "kind", Value: query.Text(t.Chart.Kind)}}})
			default:
				tile = append(tile, m)
			}
		}
		tiles[i] = tile
	}
	page = append(page, query.Member{Name: "parameters", Value: parameters}, query.Member{Name: "tiles", Value: tiles})
	return query.AppendJSON(nil, page)
}

// seen is a parameter as it was written, with those values alone that somebody sees.
func (p Parameter) seen(by View) query.Object {
	var out query.Object
	for _, m := range p.written {
		switch m.Name {
		case "default":
			if !by.Value(p, p.Default) {
				continue
			}
		case "options":
			written, _ := m.Value.(query.List)
			options := make(query.List, 0, len(written))
			for i, option := range written {
				if by.Value(p, p.Options[i]) {
					options = append(options, option)
				}
			}
			m.Value = options
		}
		out = append(out, m)
	}
	return out
}

// Shows tells whether somebody sees all that the values of the parameters name.
func (d Document) Shows(seen View) bool {
	for _, p := range d.Parameters {
		if p.Default != nil && !seen.Value(p, p.Default) || slices.ContainsFunc(p.Options, func(v query.Value) bool { return !seen.Value(p, v) }) {
			return false
		}
	}
	return true
}

// Kept tells whether the value of a variable is the document's own, and not of whoever looks.
func (d Document) Kept(variable string, given query.Object) bool {
	p, _ := d.Parameter(variable)
	_, chosen := given.Get(variable)
	return !chosen || p.Options != nil
}

// Defaults are the values that somebody starts with who opens the dashboard.
func (d Document) Defaults() query.Object {
	var values query.Object
	for _, p := range d.Parameters {
		if p.Default != nil {
			values = append(values, query.Member{Name: p.Name, Value: p.Default})
		}
	}
	return values
}

// Meaning is what a value of a parameter says, whatever form it is written in: values
// that say the same have the same text. It is empty for what is no value of it to whoever
// looks.
type Meaning func(p Parameter, v query.Value) string

// Values are those of the parameters: the given one or else the default. Where there
// are options it is one of these, as the document has it, and never what was given.
func (d Document) Values(given query.Object, meaning Meaning) (query.Object, error) {
	for _, m := range given {
		if _, null := m.Value.(query.Null); null {
			return nil, fault.New(fault.BadUserInput, "the parameter %s is null", m.Name).WithHint("Leave it out, if that is what you mean.")
		}
		if _, ok := d.Parameter(m.Name); !ok {
			return nil, fault.New(fault.BadUserInput, "the dashboard has no parameter %s", m.Name)
		}
	}
	var values query.Object
	for _, p := range d.Parameters {
		v, ok := given.Get(p.Name)
		switch {
		case !ok:
			v = p.Default
		case p.Options != nil:
			if v, ok = p.option(v, meaning); !ok {
				return nil, fault.New(fault.BadUserInput, "the parameter %s takes its options alone", p.Name).WithHint("Give it one of the values that the dashboard has for it, or leave it out.")
			}
		}
		if v != nil {
			values = append(values, query.Member{Name: p.Name, Value: v})
		}
	}
	return values, nil
}

// option is the one that says the same as a value. The default is one, too: to leave the
// value out says it.
func (p Parameter) option(given query.Value, meaning Meaning) (query.Value, bool) {
	said := meaning(p, given)
	if said == "" {
		return nil, false
	}
	for _, option := range p.Options {
		if meaning(p, option) == said {
			return option, true
		}
	}
	return p.Default, p.Default != nil && meaning(p, p.Default) == said
}

// Parameter is the one of a name.
func (d Document) Parameter(name string) (Parameter, bool) {
	for _, p := range d.Parameters {
		if p.Name == name {
			return p, true
		}
	}
	return Parameter{}, false
}

// With are the values of a tile's variables, where its parameters have those.
func (t Tile) With(parameters query.Object) query.Object {
	all := parameters
	for _, m := range t.Variables {
		if _, ok := parameters.Get(m.Name); !ok {
			all = append(all[:len(all):len(all)], m)
		}
	}
	return all
}

// Some are the tiles of these ids, in the document's order; nil means all.
func (d Document) Some(ids []string) ([]Tile, error) {
	if ids == nil {
		return d.Tiles, nil
	}
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		if wanted[id] {
			return nil, fault.New(fault.BadUserInput, "the tile %s is asked for twice", id)
		}
		wanted[id] = true
	}
	var some []Tile
	for _, t := range d.Tiles {
		if wanted[t.ID] {
			some = append(some, t)
			delete(wanted, t.ID)
		}
	}
	for id := range wanted {
		return nil, fault.New(fault.BadUserInput, "the dashboard has no tile %s", id)
	}
	return some, nil
}
