package catalog

import (
	"maps"
	"slices"
	"strings"

	"usher/query"
)

// Parameters names, sorted, what decides on the rows of a dataset that a view
// shows: the parameters that its own filter, the filters of the principal's
// roles and those of the visible measures name.
func (v *View) Parameters(d *Visible) []string {
	named := make(map[string]bool)
	collect(named, d.Dataset.Filter)
	for _, right := range slices.Concat(d.rights, d.own) {
		collect(named, right.Filter)
	}
	for _, m := range d.Dataset.Measures {
		if m := v.Measure(d, m.Name); m != nil {
			collectMeasure(named, m.Expr)
		}
	}
	return slices.Sorted(maps.Keys(named))
}

// knows tells whether a view says of some dataset that a parameter decides on
// its rows.
func (v *View) knows(parameter string) bool {
	return slices.ContainsFunc(v.names, func(name string) bool { return slices.Contains(v.Parameters(v.datasets[name]), parameter) })
}

func collectMeasure(named map[string]bool, e *Expr) {
	collect(named, e.Filter)
	for _, arg := range e.Args {
		collectMeasure(named, arg)
	}
}

// collect notes every name that stands for a value in a filter. What is the
// principal's own, such as $tenant, is no parameter's name.
func collect(named map[string]bool, v query.Value) {
	switch v := v.(type) {
	case query.Text:
		if name, ok := strings.CutPrefix(string(v), "$"); ok {
			named[strings.TrimPrefix(name, "parameters.")] = true
		}
	case query.List:
		for _, item := range v {
			collect(named, item)
		}
	case query.Object:
		for _, m := range v {
			collect(named, m.Value)
		}
	}
}
