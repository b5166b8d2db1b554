package duckdb_test

import (
	"testing"

	"usher/catalog"
	"usher/datasource/duckdb"
	"usher/datasource/sqlexec"
)

// BenchmarkSession says what a session costs that looks at its file first, one that
// does not, and one of a file that is written.
func BenchmarkSession(b *testing.B) {
	spec := catalog.DuckDBSpec{Path: file(b, "CREATE TABLE t (n INTEGER)")}
	plain, err := duckdb.Open(spec, duckdb.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = plain.Close() }()
	watched, err := duckdb.OpenSource(spec, duckdb.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = watched.Close() }()
	nothing := func(sqlexec.Session) error { return nil }
	b.Run("plain", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := plain.Session(b.Context(), false, nothing); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("watched", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := watched.Look(); err != nil {
				b.Fatal(err)
			}
			if err := watched.Session(b.Context(), false, nothing); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("written", func(b *testing.B) { // which has a transaction
		written, err := duckdb.OpenSource(catalog.DuckDBSpec{Path: file(b, "CREATE TABLE t (n INTEGER)")}, duckdb.Options{Writes: true})
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = written.Close() }()
		b.ReportAllocs()
		for b.Loop() {
			if err := written.Session(b.Context(), false, nothing); err != nil {
				b.Fatal(err)
			}
		}
	})
}
