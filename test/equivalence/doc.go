// Package equivalence holds the property tests of the two promises that no
// single case can show: the same question gets the same bytes from every kind
// of source, and nothing of another tenant changes an answer. Operations are
// drawn at random from the schema that a tenant sees; the same world of rows
// is put into a shared and a tenant's own database of each engine and behind
// an API. It refuses to pass without having asked for every operator,
// function, unit and kind of relation.
package equivalence
