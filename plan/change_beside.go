package plan

import (
	"fmt"
	"strings"

	"usher/catalog"
	"usher/value"
)

// beside are the keys of rows that are inserted together, where they may lead to each other. In which
// order they are there depends on the engine and on which columns each of them has: none of
// them leads to another.
func (cb *changeBuilder) beside(rel *catalog.Relation, on []catalog.Pair, rows int, of func(row int, col *catalog.Column) (Given, bool)) (map[string]bool, error) {
	if _, upserts := cb.args.get("onConflict"); rel.To != cb.vis.Dataset || !cb.c.kind.Inserts() || upserts && cb.inside == nil {
		return nil, nil // of an upsert the row may be there already
	}
	if err := cb.look(); err != nil {
		return nil, err
	}
	keys := make(map[string]bool, rows)
	for row := range rows {
		tuple := make([]value.Value, 0, len(on))
		for _, pair := range on {
			given, ok := of(row, pair.To)
			if pair.To == cb.vis.Dataset.Tenant {
				given.value, ok = cb.stampOf(), true
			}
			if !ok || given.Null() || given.list || given.from != nil {
				break
			}
			tuple = append(tuple, given.value)
		}
		if len(tuple) == len(on) {
			keys[besideKey(tuple)] = true
		}
	}
	return keys, nil
}

// besideKey is the same for values of the same texts, whichever whole number one column and the
// other have.
func besideKey(tuple []value.Value) string {
	var key strings.Builder
	for _, v := range tuple {
		_, _ = fmt.Fprintf(&key, "%d:%s", len(v.Text()), v.Text())
	}
	return key.String()
}

// visiblePair names the columns of a relation that the principal sees.
func (cb *changeBuilder) visiblePair(rel *catalog.Relation) string {
	var names []string
	for _, pair := range rel.On {
		if pair.From != cb.vis.Dataset.Owner() && cb.vis.Column(pair.From.Name) != nil {
			names = append(names, pair.From.Name)
		}
	}
	return strings.Join(names, ", ")
}
