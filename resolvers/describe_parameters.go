package resolvers

import (
	"usher/catalog"
	"usher/graph"
)

// describeParameters tells which parameters decide on the rows of a dataset.
func describeParameters(cat *catalog.Catalog, view *catalog.View, vis *catalog.Visible) []graph.DatasetParameter {
	out := []graph.DatasetParameter{}
	for _, name := range view.Parameters(vis) {
		if p := cat.Parameters[name]; p != nil {
			out = append(out, graph.DatasetParameter{Name: name, Type: p.Type.GraphQL(), Required: p.Required})
		}
	}
	return out
}
