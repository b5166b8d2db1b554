package query

// Import is rows of one dataset that come as a file: which columns they have, nothing resolved.
type Import struct {
	Dataset string
	Columns []string // in the order in which each row has their values
	Texts   bool     // values are texts, which the types of their columns read
}
