// Package types holds the types of columns that people's databases have, on
// both engines: each is read, filtered, grouped and ordered through GraphQL, and
// what must come of it is written beside it.
package types
