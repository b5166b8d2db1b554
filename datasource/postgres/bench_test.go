package postgres_test

import (
	"fmt"
	"strconv"
	"testing"

	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/pgtest"
)

// BenchmarkSession reads rows of five columns, as one statement and as the
// first of a snapshot.
func BenchmarkSession(b *testing.B) {
	db, err := postgres.Open(specOf(pgtest.Start(b).Database(b)), postgres.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	const text = `SELECT i::bigint, 'Customer 1234'::text, 'north'::text, 12.25::numeric, '2026-06-15 12:00:00+00'::text
		FROM generate_series(1, $1::bigint) AS i`
	for _, snapshot := range []bool{false, true} {
		for _, n := range []int{20, 1000} {
			b.Run(fmt.Sprintf("snapshot=%t/rows=%d", snapshot, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					got := 0
					err := db.Session(b.Context(), snapshot, func(s sqlexec.Session) error {
						rows, err := s.Query(b.Context(), text, []string{strconv.Itoa(n)})
						if err != nil {
							return err
						}
						for got = 0; rows.Next(); got++ {
							_ = rows.Cell(0)
						}
						return rows.Err()
					})
					if err != nil || got != n {
						b.Fatal(got, err)
					}
				}
			})
		}
	}
}
