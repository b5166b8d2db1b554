package analytics

import (
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"usher/pgtest"
	"usher/principal"
	"usher/test/inprocess"
)

// hoursConfig has one table of readings in both engines.
const hoursConfig = `
limits: {rows: 100000, max_rows: 100000}
sources:
  duckdb: {kind: duckdb, path: hours.duckdb}
  postgres: {kind: postgres, host: %s, port: %d, database: %s, user: %s, password: {env: PGPASSWORD}, sslmode: disable}
strategies:
  duckdb: {kind: shared, source: duckdb}
  postgres: {kind: shared, source: postgres}
default_strategy: duckdb
datasets:
  readings:
    tenant: meter
    key: id
    columns: {id: BigInt!, meter: String!, takenAt: {type: Timestamp!, column: taken_at}, sentAt: {type: Timestamp, column: sent_at}, amount: {type: Decimal!, precision: 12, scale: 3}}
`

// hoursFrom and hoursTo bound two years of readings, one each hour and, beside
// some of them, one more within the hour.
var (
	hoursFrom = time.Date(2024, 12, 31, 0, 0, 0, 0, time.UTC)
	hoursTo   = time.Date(2027, 1, 2, 0, 0, 0, 0, time.UTC)
)

// unsent is how many readings there are to one that was never sent.
const unsent = 7

// reading is one row; amounts are in thousandths.
type reading struct {
	id     int64
	at     time.Time
	amount int64
}

func readings() []reading {
	var out []reading
	add := func(at time.Time) {
		id := int64(len(out) + 1)
		out = append(out, reading{id, at, id*7919%1_000_003 - 250_000})
	}
	for at := hoursFrom; at.Before(hoursTo); at = at.Add(time.Hour) {
		add(at)
		if at.Hour()%5 == 0 {
			add(at.Add(43*time.Minute + 21*time.Second + 987654*time.Microsecond))
		}
	}
	return out
}

const readingsTable = `CREATE TABLE readings (
	id BIGINT NOT NULL, meter VARCHAR NOT NULL, taken_at TIMESTAMPTZ NOT NULL, sent_at TIMESTAMPTZ, amount DECIMAL(12,3) NOT NULL)`

// openHours puts the readings into both engines.
func openHours(t *testing.T, rows []reading) *inprocess.Gateway {
	t.Helper()
	var csv strings.Builder
	for _, r := range rows {
		at := r.at.Format("2006-01-02 15:04:05.999999Z07:00")
		sent := at
		if r.id%unsent == 0 {
			sent = ""
		}
		fmt.Fprintf(&csv, "%d,m,%s,%s,%s\n", r.id, at, sent, big.NewRat(r.amount, 1000).FloatString(3))
	}
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/readings.csv", []byte(csv.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	duckDB, pg := openDuckDB(t, dir+"/hours.duckdb"), pgtest.Start(t).Database(t)
	pg.Exec(t, readingsTable)
	for _, statement := range []string{readingsTable, "COPY readings FROM '" + dir + "/readings.csv' (FORMAT csv, HEADER false)"} {
		if _, err := duckDB.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := copyTable(t.Context(), duckDB, pg.Open(t), "readings"); err != nil {
		t.Fatal(err)
	}
	if err := duckDB.Close(); err != nil {
		t.Fatal(err)
	}
	return inprocess.New(t, inprocess.Setup{
		File: dir + "/usher.yml",
		Text: fmt.Sprintf(hoursConfig, pg.Host, pg.Port, pg.Name, pg.User),
		Env:  map[string]string{"PGPASSWORD": pg.Password},
		Now:  hoursTo,
	})
}

// bucket is a bucket of the answer.
type bucket struct {
	start time.Time
	text  string
	count int64
	sum   *big.Rat // nil: no rows
}

// quarter is what every zone's distance from UTC is a multiple of, nowadays.
const quarter = 15 * time.Minute

// bucketStart is where the bucket of an instant starts, by the clock of the
// zone. Below a day it is as long ago as that clock shows; from a day on it is
// the midnight before the calendar's unit: its first instant where the clocks
// skip midnight, the later one where they show it twice.
func bucketStart(at time.Time, unit string, zone *time.Location) time.Time {
	l := at.In(zone)
	y, m, d := l.Date()
	switch unit {
	case "HOUR":
		return l.Add(-time.Duration(l.Minute())*time.Minute - time.Duration(l.Second())*time.Second - time.Duration(l.Nanosecond()))
	case "DAY":
	case "WEEK":
		d -= (int(l.Weekday()) + 6) % 7
	case "MONTH":
		d = 1
	case "QUARTER":
		m, d = (m-1)/3*3+1, 1
	case "YEAR":
		m, d = 1, 1
	}
	day := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	start := day.Add(-15 * time.Hour).In(zone)
	for start.Day() != day.Day() {
		start = start.Add(quarter)
	}
	for _, later := range []time.Duration{30 * time.Minute, time.Hour} {
		if again := start.Add(later); again.Hour() == 0 && again.Minute() == 0 {
			return again
		}
	}
	return start
}

// TestHours groups two years of hours by every unit in zones that change their
// clocks, and computes the same groups in Go.
func TestHours(t *testing.T) {
	t.Parallel()
	rows := readings()
	g := openHours(t, rows)
	t.Run("days with a change", func(t *testing.T) { clockChanges(t, g) })
	t.Run("no time", func(t *testing.T) { timeless(t, g, len(rows)) })
	f := func(zone, from, to string, units ...string) {
		t.Helper()
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		r := span{date(t, from), date(t, to)}
		for _, unit := range units {
			for _, fill := range []bool{false, true} {
				want := grouped(rows, r, unit, location, fill)
				for _, engine := range []string{"duckdb", "postgres"} {
					t.Run(fmt.Sprintf("%s/%s/%s/%s/fill=%t", zone, from, unit, engine, fill), func(t *testing.T) {
						compareBuckets(t, askBuckets(t, g, engine, r, unit, zone, fill), want)
					})
				}
			}
		}
	}

	units := []string{"HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"}
	const from, to = "2024-12-31", "2027-01-02"
	f("UTC", from, to, units...)
	f("America/New_York", from, to, units...)
	f("Europe/Berlin", from, to, units...)
	f("Australia/Lord_Howe", from, to, units...) // half an hour of summer time
	f("Asia/Kathmandu", from, to, units...)      // 5:45
	f("America/Santiago", from, to, "HOUR", "DAY", "MONTH")
	f("America/Havana", from, to, "HOUR", "DAY", "MONTH")
	// The first day begins at one o'clock, or at midnight twice.
	f("America/Santiago", "2025-09-07", "2025-10-01", "HOUR", "DAY")
	f("Africa/Cairo", "2026-04-24", "2026-06-01", "HOUR", "DAY")
	f("America/Havana", "2026-03-08", "2026-04-08", "HOUR", "DAY")
	f("America/Havana", "2026-11-01", "2026-12-01", "HOUR", "DAY", "MONTH")
}

// span is a range of time, its end not included.
type span struct{ from, to time.Time }

func date(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.Add(12 * time.Hour) // noon, so that no zone's day is another one
}

// clockChanges counts the hours of days on which clocks change.
func clockChanges(t *testing.T, g *inprocess.Gateway) {
	t.Helper()
	f := func(zone, day string, want ...int) {
		t.Helper()
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		from := bucketStart(date(t, day), "DAY", location)
		to := bucketStart(date(t, day).AddDate(0, 0, 1), "DAY", location)
		for _, engine := range []string{"duckdb", "postgres"} {
			for i, fill := range []bool{false, true} {
				if got := len(askBuckets(t, g, engine, span{from, to}, "HOUR", zone, fill)); got != want[i] {
					t.Errorf("%s: %s in %s has %d hours, with fill=%t, want %d", engine, day, zone, got, fill, want[i])
				}
			}
		}
	}

	f("America/New_York", "2025-03-09", 23, 23)
	f("America/New_York", "2025-11-02", 25, 25)
	f("America/New_York", "2025-11-03", 24, 24)
	f("Europe/Berlin", "2026-03-29", 23, 23)
	f("Europe/Berlin", "2026-10-25", 25, 25)
	// Half an hour more is one more bucket; half an hour less leaves 24, one of them short.
	f("Australia/Lord_Howe", "2025-04-06", 25, 25)
	f("Australia/Lord_Howe", "2025-10-05", 24, 24)
}

// timeless wants rows without a time to be one group more, with or without the
// gaps filled.
func timeless(t *testing.T, g *inprocess.Gateway, rows int) {
	t.Helper()
	for _, engine := range []string{"duckdb", "postgres"} {
		for _, fill := range []bool{false, true} {
			raw := g.Ask(t, asMeter(engine), fmt.Sprintf(`{ readingsAggregate(fill: %t) { key { sentAt(by: QUARTER) } count } }`, fill), "")
			var got, none int
			for _, row := range flat(t, raw) {
				n, err := strconv.Atoi(row[1])
				if err != nil {
					t.Fatal(err)
				}
				got += n
				if row[0] == missing {
					none += n
				}
			}
			if got != rows || none != rows/unsent {
				t.Errorf("%s, fill=%t: %d rows, %d of them without a time, want %d and %d", engine, fill, got, none, rows, rows/unsent)
			}
		}
	}
}

func asMeter(engine string) principal.Principal {
	return principal.Principal{Subject: "ana", Tenant: "m", TenantKey: "m", Scopes: []principal.Scope{principal.ReadData}, Grant: principal.Grant{Strategy: engine}}
}

// grouped is the computation without usher. Filled, it has the buckets of
// every quarter of an hour in the range, rows or not.
func grouped(rows []reading, r span, unit string, zone *time.Location, fill bool) []bucket {
	var out []bucket
	at := make(map[int64]int)
	known := make(map[int64]time.Time) // by quarter of an hour, in which no bucket starts but at its beginning
	of := func(instant time.Time) *bucket {
		cut := instant.Truncate(quarter)
		start, ok := known[cut.Unix()]
		if !ok {
			start = bucketStart(cut, unit, zone)
			known[cut.Unix()] = start
		}
		i, ok := at[start.Unix()]
		if !ok {
			i = len(out)
			at[start.Unix()] = i
			out = append(out, bucket{start: start, text: start.Format(time.RFC3339)})
		}
		return &out[i]
	}
	for _, row := range rows {
		if row.at.Before(r.from) || !row.at.Before(r.to) {
			continue
		}
		b := of(row.at)
		b.count++
		if b.sum == nil {
			b.sum = new(big.Rat)
		}
		b.sum.Add(b.sum, big.NewRat(row.amount, 1000))
	}
	if fill {
		for instant := r.from; instant.Before(r.to); instant = instant.Add(quarter) {
			of(instant)
		}
		slices.SortFunc(out, func(a, b bucket) int { return a.start.Compare(b.start) })
	}
	return out
}

func askBuckets(t *testing.T, g *inprocess.Gateway, engine string, r span, unit, zone string, fill bool) []bucket {
	t.Helper()
	text := fmt.Sprintf(`{ readingsAggregate(where: {takenAt: {gte: %q, lt: %q}}, timezone: %q, fill: %t, orderBy: [{key: {takenAt: {by: %s}}}]) {
		key { takenAt(by: %s) } count amount { sum } } }`,
		r.from.Format(time.RFC3339), r.to.Format(time.RFC3339), zone, fill, unit, unit)
	raw := g.Ask(t, asMeter(engine), text, "")
	var answer struct {
		Errors json.RawMessage
		Data   struct {
			ReadingsAggregate []struct {
				Key    struct{ TakenAt string }
				Count  int64
				Amount struct{ Sum json.Number }
			}
		}
	}
	if err := json.Unmarshal(raw, &answer); err != nil || answer.Errors != nil {
		t.Fatalf("%v %s", err, raw[:min(len(raw), 500)])
	}
	out := make([]bucket, len(answer.Data.ReadingsAggregate))
	for i, row := range answer.Data.ReadingsAggregate {
		start, err := time.Parse(time.RFC3339, row.Key.TakenAt)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = bucket{start: start, text: row.Key.TakenAt, count: row.Count}
		if row.Amount.Sum != "" {
			out[i].sum, _ = new(big.Rat).SetString(string(row.Amount.Sum))
		}
	}
	return out
}

// compareBuckets wants the same buckets in the same order: instants strictly
// increasing, each written with its zone's offset, sums kept to the digit.
func compareBuckets(t *testing.T, got, want []bucket) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d buckets, want %d", len(got), len(want))
	}
	if g, w := total(got), total(want); g.Cmp(w) != 0 {
		t.Errorf("the sums come to %s, want %s", g.FloatString(3), w.FloatString(3))
	}
	for i := 1; i < len(got); i++ {
		if !got[i].start.After(got[i-1].start) {
			t.Errorf("bucket %s follows %s", got[i].text, got[i-1].text)
		}
	}
	for i := range min(len(got), len(want)) {
		if !got[i].same(want[i]) {
			t.Fatalf("bucket %d is %s with %d rows, want %s with %d", i, got[i].text, got[i].count, want[i].text, want[i].count)
		}
	}
}

func (b bucket) same(o bucket) bool {
	if b.text != o.text || b.count != o.count || (b.sum == nil) != (o.sum == nil) {
		return false
	}
	return b.sum == nil || b.sum.Cmp(o.sum) == 0
}

func total(buckets []bucket) *big.Rat {
	sum := new(big.Rat)
	for _, b := range buckets {
		if b.sum != nil {
			sum.Add(sum, b.sum)
		}
	}
	return sum
}
