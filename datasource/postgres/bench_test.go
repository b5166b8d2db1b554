package postgres_test

import (
	"fmt"
	"strconv"
	"testing"

	"usher/catalog"
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

// BenchmarkPooler is a session of one statement behind a pooler: as it would be
// without, prepared, and parsed each time.
func BenchmarkPooler(b *testing.B) {
	db := pgtest.Start(b).Database(b)
	direct := specOf(db)
	kept, each := specOf(db.Bouncer(b, "session")), specOf(db.Bouncer(b, "transaction"))
	kept.Pooler, each.Pooler = catalog.SessionPooler, catalog.TransactionPooler
	for name, spec := range map[string]catalog.PostgresSpec{"none": direct, "session": kept, "transaction": each} {
		source, err := postgres.Open(spec, postgres.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ask(b.Context(), source, false, 1, "SELECT count(*) FROM generate_series(1, $1::bigint)", "20"); err != nil {
					b.Fatal(err)
				}
			}
		})
		_ = source.Close()
	}
}
