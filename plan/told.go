package plan

import "usher/catalog"

// An error names what its caller sees. Plans reach for more than that: rows that others refer to,
// the datasets of filters, parents up to the tenant column.

// nameOf is a dataset's name for whoever sees it.
func (b *builder) nameOf(d *catalog.Dataset) string {
	if b.view.Dataset(d.Name) == nil {
		return "another dataset"
	}
	return d.Name
}

// rowsNamed is nameOf for a text about the rows of a dataset.
func (b *builder) rowsNamed(d *catalog.Dataset) string {
	if b.view.Dataset(d.Name) == nil {
		return "rows"
	}
	return d.Name
}
