package catalog

import "testing"

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
	}
}
