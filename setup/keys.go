package setup

import (
	"cmp"
	"slices"

	"usher/catalog"
	"usher/value"
)

// Keyless is a dataset whose table says of no columns that they tell its rows
// apart, and the columns that may, the likeliest first.
type Keyless struct {
	Dataset *catalog.Dataset
	Columns []*catalog.Column
}

// maxKeys is how many columns of a table are looked at.
const maxKeys = 8

// Keyless lists those of files and of DuckDB's tables, which are read fast.
func (d *Draft) Keyless() []Keyless {
	if d.source.Spec.Kind != string(catalog.DuckDB) {
		return nil
	}
	var out []Keyless
	for _, t := range d.tables {
		ds := d.datasetOf(t)
		if ds == nil || t.leftOut != "" || t.view || len(ds.Key) > 0 {
			continue
		}
		k := Keyless{Dataset: ds}
		for _, c := range ds.Columns {
			if c != ds.Tenant && keyType(c.Type) && t.closed(d.stored(t, ds, c)) == "" {
				k.Columns = append(k.Columns, c)
			}
		}
		rank := func(c *catalog.Column) int { return keyRank(d.column(ds, c), t.Name) }
		slices.SortStableFunc(k.Columns, func(a, b *catalog.Column) int { return cmp.Compare(rank(a), rank(b)) })
		if k.Columns = k.Columns[:min(len(k.Columns), maxKeys)]; len(k.Columns) > 0 {
			out = append(out, k)
		}
	}
	return out
}

// keyColumns are the columns of the dataset's key where it is not the primary one, or that is closed: those that the rows were found
// to differ in, or else the fewest that a constraint says so of.
func (t *table) keyColumns() []string {
	if t.key != "" {
		return []string{t.key}
	}
	if len(t.PrimaryKey) > 0 && !slices.ContainsFunc(t.PrimaryKey, func(name string) bool {
		c, _ := t.column(name)
		return t.closed(c) != ""
	}) {
		return nil
	}
	var out []string
	for _, set := range t.Unique {
		if (out == nil || len(set) < len(out)) && !slices.ContainsFunc(set, func(name string) bool {
			c, ok := t.column(name)
			return !ok || c.Nullable || !c.Supported || !c.Type.Groupable() || c.Form.Merges() || t.closed(c) != ""
		}) {
			out = set
		}
	}
	return out
}

func keyType(t value.Type) bool {
	switch t.Scalar {
	case value.Int, value.BigInt, value.String, value.ID, value.UUID:
		return !t.List
	}
	return false
}

// keyRank is low for names that keys have.
func keyRank(column, table string) int {
	parts := words(column)
	if len(parts) == 0 {
		return 4
	}
	switch last := parts[len(parts)-1]; {
	case plain(column) == "id":
		return 0
	case refersTo(column, table):
		return 1
	case slices.Contains([]string{"id", "uuid", "guid", "key"}, last):
		return 2
	case slices.Contains([]string{"code", "number", "no", "nr", "sku", "slug"}, last):
		return 3
	}
	return 4
}

// SetKeys makes columns the keys of datasets; of each so many rows were
// compared.
func (d *Draft) SetKeys(found []FoundKey) error {
	for _, f := range found {
		if t := d.tableOf(f.Dataset); t != nil {
			t.key, t.rows = f.Dataset.Bindings[d.source.Name].Columns[f.Column.Name].Name, f.Rows
		}
	}
	if len(found) == 0 {
		return nil
	}
	if err := d.compile(); err != nil {
		return err
	}
	return d.tenantless()
}

// ProposedKey is a key that was found by looking at the rows.
type ProposedKey struct {
	Table, Column string
	Rows          int64
}

// FoundKeys are the keys that no constraint declares.
func (d *Draft) FoundKeys() []ProposedKey {
	var out []ProposedKey
	for _, t := range d.tables {
		if t.key != "" && t.leftOut == "" {
			out = append(out, ProposedKey{d.called(t), t.key, t.rows})
		}
	}
	return out
}

// FoundKey is a column that is there and differs in all rows.
type FoundKey struct {
	Dataset *catalog.Dataset
	Column  *catalog.Column
	Rows    int64
}
