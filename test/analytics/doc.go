// Package analytics holds the questions of analysts with known answers: each
// is asked through GraphQL and answered a second time without usher, by SQL
// written by hand or by a computation in Go, over the same rows in DuckDB and
// in PostgreSQL.
package analytics
