package catalog

import (
	"slices"
	"testing"

	"usher/value"
)

// What only a silent source could say is left out, under whatever names; the rest
// compiles.
func TestCompileReached(t *testing.T) {
	t.Parallel()
	for _, naming := range []string{"", CamelNames} {
		spec := Spec{
			Naming:     naming,
			Sources:    map[string]SourceSpec{"shop": {Kind: "postgres", Host: "h", Database: "d", User: "u"}, "atlas": {Kind: "duckdb", Path: "a"}},
			Strategies: map[string]StrategySpec{"all": {Kind: "shared", Source: "shop"}},
			Datasets: map[string]DatasetSpec{
				"all_events": {Tenant: TenancySpec{Column: "t"}},
				"land": {
					Common: true, Source: "atlas", Columns: Ordered[ColumnSpec]{{Name: "c", Value: ColumnSpec{Type: "String"}}},
					Relations: Ordered[RelationSpec]{{Name: "seen", Value: RelationSpec{To: "all_events", Many: true, On: map[string]string{"c": "c"}}}},
				},
			},
			Roles: map[string]RoleSpec{"r": {Datasets: map[string]RightSpec{"all_events": {Columns: []string{"x"}}, "land": {}}}},
		}
		name := "all_events"
		if naming == CamelNames {
			name = "allEvents"
		}
		cat, problems := CompileReached(spec, Introspected{}, []string{"shop"}, nil)
		if cat == nil {
			t.Fatalf("%q: %v", naming, problems)
		}
		if cat.Dataset(name) != nil || cat.Dataset("land") == nil || cat.Dataset("land").Relation("seen") != nil || cat.Roles["r"].Datasets[name] != nil {
			t.Errorf("%q: it is not left out", naming)
		}
		if u := cat.Unreached; !u.Incomplete() || u.Reached("shop") || !u.Reached("atlas") || !u.Concerns(name) || !u.Concerns("seen") || u.Concerns("land") {
			t.Errorf("%q: %+v", naming, u)
		}
		// A mistake elsewhere is one still.
		land := spec.Datasets["land"]
		land.Columns = Ordered[ColumnSpec]{{Name: "c"}}
		land.Relations = nil
		spec.Datasets["land"] = land
		if cat, _ := CompileReached(spec, Introspected{}, []string{"shop"}, nil); cat != nil {
			t.Errorf("%q: a dataset of another source is left out", naming)
		}
		if why := cat.Unreached.Waits()[name]; why.String() == "" || len(cat.Unreached.Waits()) != 1 {
			t.Errorf("%q: what it waits for is %v", naming, cat.Unreached.Waits())
		}
	}
}

// A dataset of which the file says all is there without its source: each thing that it leaves to that is named.
func TestNothingIsLeftToTheSource(t *testing.T) {
	t.Parallel()
	whole := func() Ordered[ColumnSpec] {
		return Ordered[ColumnSpec]{
			{Name: "id", Value: ColumnSpec{Type: "BigInt!"}},
			{Name: "t", Value: ColumnSpec{Type: "String!"}},
			{Name: "tags", Value: ColumnSpec{Type: "[String]"}},
			{Name: "state", Value: ColumnSpec{Type: "Enum!", Name: "State", Labels: []string{"open", "paid"}}},
			{Name: "total", Value: ColumnSpec{Type: "Decimal", Scale: new(2)}},
			{Name: "seen", Value: ColumnSpec{Type: "Timestamp"}},
		}
	}
	for _, c := range []struct {
		column int
		left   ColumnSpec
		want   string // empty: it is there
	}{
		{0, ColumnSpec{Type: "BigInt!"}, ""},
		{3, ColumnSpec{Type: "Enum!", Name: "State"}, "datasets.sales.columns.state.labels: are missing, and no database that was asked says them"},
		{4, ColumnSpec{Type: "Decimal"}, ""},
		{5, ColumnSpec{}, "datasets.sales.columns.seen.type: is missing, and no database that was asked says it"},
	} {
		columns := whole()
		columns[c.column].Value = c.left
		spec := Spec{
			Sources:    map[string]SourceSpec{"shop": {Kind: "postgres", Host: "h", Database: "d", User: "u"}},
			Strategies: map[string]StrategySpec{"all": {Kind: "shared", Source: "shop"}},
			Datasets: map[string]DatasetSpec{
				"sales": {Tenant: TenancySpec{Column: "t"}, Key: Names{"id"}, Columns: columns},
			},
		}
		cat, problems := CompileReached(spec, Introspected{}, []string{"shop"}, nil)
		if cat == nil {
			t.Fatal(problems)
		}
		why, waits := cat.Unreached.Waits()["sales"]
		if got := why.String(); waits != (c.want != "") || (cat.Dataset("sales") == nil) != waits || waits && got != c.want {
			t.Errorf("%+v: %q, want %q", c.left, got, c.want)
		}
		if d := cat.Dataset("sales"); d != nil && (d.Column("state").Type.EnumName != "State" || len(d.Column("state").Type.Labels) != 2) {
			t.Errorf("the enum is %+v", d.Column("state").Type)
		}
	}
}

// What leads to a dataset that waits says so, and not that its own file lacks a relation.
func TestWhatLeadsToOneThatWaitsSaysSo(t *testing.T) {
	t.Parallel()
	spec := Spec{
		Sources:    map[string]SourceSpec{"shop": {Kind: "postgres", Host: "h", Database: "d", User: "u"}},
		Strategies: map[string]StrategySpec{"all": {Kind: "shared", Source: "shop"}},
		Datasets: map[string]DatasetSpec{
			"bookings": {Tenant: TenancySpec{Column: "t"}, Key: Names{"id"}, Columns: Ordered[ColumnSpec]{
				{Name: "id", Value: ColumnSpec{Type: "Int!"}}, {Name: "t", Value: ColumnSpec{Type: "String!"}}, {Name: "seen", Value: ColumnSpec{}},
			}},
			"seats": {
				Tenant: TenancySpec{Through: "booking"}, Key: Names{"id"},
				Columns:   Ordered[ColumnSpec]{{Name: "id", Value: ColumnSpec{Type: "Int!"}}, {Name: "booking_id", Value: ColumnSpec{Type: "Int!"}}},
				Relations: Ordered[RelationSpec]{{Name: "booking", Value: RelationSpec{To: "bookings", On: map[string]string{"booking_id": "id"}}}},
			},
		},
	}
	cat, problems := CompileReached(spec, Introspected{}, []string{"shop"}, nil)
	if cat == nil {
		t.Fatal(problems)
	}
	const want = "datasets.seats.relations.booking: it leads to bookings, which waits for a source"
	if got := cat.Unreached.Waits()["seats"].String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// What a source was seen to hold otherwise is refused, however many others are silent: they cannot mend it. Where
// misfits are left out, as those of sources that came late are, that dataset alone is.
func TestASilentSourceExcusesNoOther(t *testing.T) {
	t.Parallel()
	text := value.Of(value.String)
	fits := Table{Schema: "public", Name: "orders", Columns: []TableColumn{{Name: "id", Type: value.Of(value.Int), Supported: true}, {Name: "t", Type: text, Supported: true}, {Name: "name", Type: text, Supported: true}}}
	spec := Spec{
		Sources: map[string]SourceSpec{
			"shop": {Kind: "postgres", Host: "h", Database: "d", User: "u"}, "gone": {Kind: "postgres", Host: "g", Database: "d", User: "u"},
		},
		Strategies:      map[string]StrategySpec{"shared": {Kind: "shared", Source: "shop"}, "other": {Kind: "shared", Source: "gone"}},
		DefaultStrategy: "shared",
		Datasets: map[string]DatasetSpec{"orders": {Tenant: TenancySpec{Column: "t"}, Columns: Ordered[ColumnSpec]{
			{Name: "id", Value: ColumnSpec{Type: "Int!"}}, {Name: "t", Value: ColumnSpec{Type: "String!"}}, {Name: "name", Value: ColumnSpec{Type: "String!"}},
		}}},
	}
	if cat, problems := CompileReached(spec, Introspected{"shop": {"public.orders": fits}}, []string{"gone"}, nil); cat == nil || cat.Dataset("orders") == nil {
		t.Fatalf("what fits is not served: %v", problems)
	}
	for what, shop := range map[string]map[string]Table{
		"another column": {"public.orders": {Schema: "public", Name: "orders", Columns: append(slices.Clone(fits.Columns[:2]), TableColumn{Name: "title", Type: text, Supported: true})}},
		"another type":   {"public.orders": {Schema: "public", Name: "orders", Columns: append(slices.Clone(fits.Columns[:2]), TableColumn{Name: "name", Type: value.Of(value.Boolean), Supported: true})}},
	} {
		if cat, problems := CompileReached(spec, Introspected{"shop": shop}, []string{"gone"}, nil); cat != nil || !Refused(problems) {
			t.Errorf("%s: it is served, without %v", what, cat.Unreached.Waits())
		}
		cat, problems := CompileReached(spec, Introspected{"shop": shop}, []string{"gone"}, []string{"gone", "shop"})
		if cat == nil {
			t.Errorf("%s: nothing is served: %v", what, problems)
		} else if u := cat.Unreached; len(u.Unfit()) != 1 || len(u.Waits()) != 0 || u.Unfit()["orders"].String() == "" {
			t.Errorf("%s: it does not fit: %v; it waits: %v", what, u.Unfit(), u.Waits())
		}
	}
}
