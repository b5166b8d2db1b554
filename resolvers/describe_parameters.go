package resolvers

import (
	"maps"
	"slices"
	"strings"

	"usher/catalog"
	"usher/graph"
	"usher/query"
)

// describeParameters tells which parameters decide on the rows of a dataset:
// those its own filter, the filters of the principal's roles and those of the
// visible measures name.
func describeParameters(cat *catalog.Catalog, view *catalog.View, vis *catalog.Visible) []graph.DatasetParameter {
	named := make(map[string]bool)
	collect(named, vis.Dataset.Filter)
	for _, right := range slices.Concat(vis.Rights(), vis.OwnRights()) {
		collect(named, right.Filter)
	}
	for _, m := range vis.Dataset.Measures {
		if m := view.Measure(vis, m.Name); m != nil {
			collectMeasure(named, m.Expr)
		}
	}
	out := []graph.DatasetParameter{}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if p := cat.Parameters[name]; p != nil {
			out = append(out, graph.DatasetParameter{Name: name, Type: p.Type.GraphQL(), Required: p.Required})
		}
	}
	return out
}

func collectMeasure(named map[string]bool, e *catalog.Expr) {
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
