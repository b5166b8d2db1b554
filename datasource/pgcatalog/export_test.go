package pgcatalog

// The types that have a row in docs/types.md.
var Builtin, Extended = builtin, extended
