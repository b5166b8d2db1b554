package plan

import "usher/catalog"

// An error names what its caller sees. Plans reach for more than that: rows that others refer to,
// the datasets of filters, parents up to the tenant column.

// nameOf is a dataset's name for whoever sees it.
func (b *builder) nameOf(d *catalog.Dataset) string {
	if b.sees(d) {
		return d.Name
	}
	return "another dataset"
}

// rowsNamed is nameOf for a text about the rows of a dataset.
func (b *builder) rowsNamed(d *catalog.Dataset) string {
	if b.sees(d) {
		return d.Name
	}
	return "rows"
}

// sees tells whether the principal sees a dataset. What is made without a view is told to nobody.
func (b *builder) sees(d *catalog.Dataset) bool { return b.view == nil || b.view.Dataset(d.Name) != nil }
