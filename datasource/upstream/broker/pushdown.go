package broker

import (
	"usher/catalog"
	"usher/plan"
)

// maxFilters bounds the text of all filters. They stand in the body, some of
// them twice, and web frameworks often refuse one beyond 100 KB.
const maxFilters = 32 << 10

// Everything is what a plugin with pushdown may be asked to do: all that Ask can
// write.
func Everything(spec *catalog.Plugin, ref plan.Ref) catalog.Pushdown {
	can := catalog.Pushdown{Filters: make(map[string][]string, ref.Fields()), Bytes: maxFilters}
	for i := range ref.Fields() {
		can.Filters[ref.Field(i).Name] = []string{"in", "gt", "gte", "lt", "lte"}
	}
	if spec.OrderLimit {
		can.Limit, can.Order = "limit", "order"
	}
	return can
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
