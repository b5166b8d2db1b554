package plan

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"usher/value"
)

// TestAroundHoldsWhereMovedDoes: no row that the moved condition keeps is lost
// by the wider one that an index can follow.
func TestAroundHoldsWhereMovedDoes(t *testing.T) {
	t.Parallel()
	var zones []*time.Location
	for _, name := range []string{"UTC", "Europe/Madrid", "Pacific/Apia", "America/New_York", "Australia/Lord_Howe"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		zones = append(zones, zone)
	}
	column := Expr{op: Column, name: "at", typ: value.Of(value.Timestamp)}
	tightened := 0
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		unit := rapid.SampledFrom([]Unit{Second, Minute, Hour, Day, Week, Month, Quarter, Year}).Draw(t, "unit")
		s := shift{column: "at", n: rapid.IntRange(1, 40).Draw(t, "n"), unit: unit, zone: zone.String()}
		at := time.Unix(rapid.Int64Range(1_000_000_000, 2_000_000_000).Draw(t, "at"), 0).UTC()
		later := step(at.In(zone), unit, s.n)
		bound := later.Add(time.Duration(rapid.Int64Range(-200_000, 200_000).Draw(t, "away")) * time.Second).UTC()
		op := rapid.SampledFrom([]Op{Gt, Gte, Lt, Lte, Eq}).Draw(t, "op")
		if op == Eq {
			bound = later.UTC()
		}
		holds := map[Op]bool{
			Gt: later.After(bound), Gte: !later.Before(bound), Lt: later.Before(bound), Lte: !later.After(bound), Eq: later.Equal(bound),
		}
		if !holds[op] {
			return
		}
		wide := s.around(predicate(op, column, literal(value.TimestampOf(bound))))
		for _, e := range wide.conjuncts() {
			edge, err := instant(e.args[1].typ.Scalar, e.args[1].lits[0].Text())
			if err != nil {
				t.Fatal(err)
			}
			if e.op == Gte && at.Before(edge) || e.op == Lte && at.After(edge) {
				t.Fatalf("%s moved by %d %s in %s is %s, which is %v %s; but it is not within %s", at, s.n, unit, zone, later.UTC(), op, bound, edge)
			}
			tightened++
		}
	})
	if tightened == 0 {
		t.Error("nothing was ever narrowed")
	}
}
