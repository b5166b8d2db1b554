package equivalence

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"

	"usher/value"
)

// tenants are whose rows the world holds. Their ids overlap on purpose.
var tenants = []string{"acme", "bistro", "cantina"}

// column is a column of a table, in the words of the catalog.
type column struct {
	name  string
	typ   value.Type
	never bool // never null
}

// cell is a value in the text that a GraphQL literal of its type has.
type cell struct {
	null  bool
	text  string
	items []cell // of a list
}

// table is a dataset and its rows. Rows of a tenant's dataset begin with the
// tenant; one of a NULL tenant is nobody's. Where rows are a tenant's through a
// relation, no source has that column, and what it says follows from the rest.
type table struct {
	name    string
	common  bool
	key     []string
	through string   // the relation through which rows are a tenant's
	lasting []string // columns that say whose a row is, or that other rows' owners follow from
	columns []column
	rows    [][]cell
}

// stored are the columns that sources have.
func (t *table) stored() []column {
	if t.through != "" {
		return t.columns[1:]
	}
	return t.columns
}

func (t *table) index(column string) int {
	for i, c := range t.columns {
		if c.name == column {
			return i
		}
	}
	panic("no column " + column)
}

// of lists the rows of a tenant; all rows, of a common table.
func (t *table) of(tenant string) [][]cell {
	if t.common {
		return t.rows
	}
	var out [][]cell
	for _, r := range t.rows {
		if !r[0].null && r[0].text == tenant {
			out = append(out, r)
		}
	}
	return out
}

// world is the rows of everybody.
type world struct{ tables []*table }

func (w *world) table(name string) *table {
	i := slices.IndexFunc(w.tables, func(t *table) bool { return t.name == name })
	return w.tables[i]
}

var (
	heat   = value.Type{Scalar: value.Enum, EnumName: "Heat", Labels: []string{"MILD", "MEDIUM", "HOT"}}
	status = value.Type{Scalar: value.Enum, EnumName: "Status", Labels: []string{"OPEN", "PAID", "SENT", "LOST"}}
	kind   = value.Type{Scalar: value.Enum, EnumName: "EventKind", Labels: []string{"VIEW", "click", "Buy"}}
)

func list(t value.Type) value.Type {
	t.List = true
	return t
}

// tenantColumn is called the same in every table.
const tenantColumn = "distributor_id"

// emptyWorld declares the tables: every scalar, keys of one column, of two and
// none, and columns for every kind of relation.
func emptyWorld() *world {
	of := value.Of
	tenant := column{tenantColumn, of(value.String), false}
	return &world{[]*table{
		{name: "categories", common: true, key: []string{"id"}, columns: []column{
			{"id", of(value.Int), true},
			{"parent_id", of(value.Int), false},
			{"name", of(value.String), true},
		}},
		{name: "products", common: true, key: []string{"id"}, columns: []column{
			{"id", of(value.BigInt), true},
			{"category_id", of(value.Int), false},
			{"name", of(value.String), false},
			{"cost", value.DecimalOf(10, 4), false},
			{"heat", heat, false},
			{"organic", of(value.Boolean), false},
			{"tags", list(of(value.String)), false},
			{"since", of(value.Date), false},
			{"facts", of(value.JSON), false},
		}},
		{name: "stores", key: []string{"region", "number"}, columns: []column{
			tenant,
			{"region", of(value.String), true},
			{"number", of(value.Int), true},
			{"name", of(value.String), false},
			{"opened", of(value.Date), false},
			{"opens", of(value.Time), false},
			{"area", of(value.Float), false},
			{"code", of(value.ID), false},
			{"seats", of(value.Int), false},
			{"about", of(value.JSON), false},
		}},
		{name: "orders", key: []string{"id"}, columns: []column{
			tenant,
			{"id", of(value.BigInt), true},
			{"parent_id", of(value.BigInt), false},
			{"store_region", of(value.String), false},
			{"store_number", of(value.Int), false},
			{"product_id", of(value.BigInt), false},
			{"status", status, false},
			{"amount", value.DecimalOf(12, 2), false},
			{"serial", of(value.BigInt), false},
			{"weight", of(value.Float), false},
			{"note", of(value.String), false},
			{"labels", list(of(value.String)), false},
			{"marks", list(of(value.Int)), false},
			{"extra", of(value.JSON), false},
			{"seal", of(value.Bytes), false},
			{"took", of(value.Interval), false},
			{"ordered_at", of(value.Timestamp), false},
			{"due", of(value.LocalTimestamp), false},
			{"day", of(value.Date), false},
			{"clock", of(value.Time), false},
			{"gift", of(value.Boolean), false},
			{"ref", of(value.UUID), false},
			{"pieces", of(value.Int), true},
		}},
		{name: "items", key: []string{"order_id", "line"}, columns: []column{
			tenant,
			{"order_id", of(value.BigInt), true},
			{"line", of(value.Int), true},
			{"product_id", of(value.BigInt), false},
			{"quantity", of(value.Int), true},
			{"price", value.DecimalOf(18, 6), true},
			{"rebate", of(value.Float), false},
			{"packed_at", of(value.LocalTimestamp), false},
			{"heat", heat, false},
		}},
		{name: "events", columns: []column{
			tenant,
			{"order_id", of(value.BigInt), false},
			{"kind", kind, false},
			{"at", of(value.Timestamp), false},
			{"value", of(value.Float), false},
			{"body", of(value.String), false},
			{"points", value.DecimalOf(6, 1), false},
		}},
		{name: "trips", key: []string{"id"}, lasting: []string{"id"}, columns: []column{
			tenant,
			{"id", of(value.BigInt), true},
			{"note", of(value.String), false},
			{"day", of(value.Date), false},
		}},
		{name: "stops", key: []string{"trip_id", "no"}, through: "trip", lasting: []string{"trip_id", "no"}, columns: []column{
			tenant,
			{"trip_id", of(value.BigInt), true},
			{"no", of(value.Int), true},
			{"order_id", of(value.BigInt), false},
			{"waited", value.DecimalOf(8, 2), false},
			{"at", of(value.Timestamp), false},
		}},
		{name: "scans", through: "stop", lasting: []string{"trip_id", "stop_no"}, columns: []column{
			tenant,
			{"trip_id", of(value.BigInt), false},
			{"stop_no", of(value.Int), false},
			{"product_id", of(value.BigInt), false},
			{"code", of(value.String), false},
			{"weight", of(value.Float), false},
		}},
	}}
}

// Values that engines are known to disagree on, unless they are made to agree.
var interesting = map[value.Scalar][]string{
	value.Int:    {"0", "1", "-1", "7", "2147483647", "-2147483648"},
	value.BigInt: {"0", "-1", "9007199254740993", "9007199254740992", "9223372036854775807", "-9223372036854775808", "1000000007"},
	value.Float: {
		"0", "0.1", "0.30000000000000004", "-2.5", "1e-7", "123456789.125", "1e15", "3.3333333333333335", "-0.001", "2.5",
	},
	value.String: {
		"", " ", "a", "A", "b", "B", "Ä", "ä", "é", "É", "e", "z", "Z", "_", "%", "100%", "a_b", "a%b", `\`, `a\b`, `C:\temp\x`,
		"O'Brien", `say "hi"`, "burrito", "Burrito", "BURRITO", "burrito grande", "ñandú", "Ñandú", "🌯", "🌯 combo", "ß", "Straße",
		"line\nbreak", "tab\tbed", "$1", "{a}", "null", "NULL", "10", "9", "-", " padded ", "résumé", "e\u0301",
	},
	value.ID:   {"a-1", "A-1", "b-2", "10", "9", "007"},
	value.UUID: {"00000000-0000-0000-0000-000000000000", "123e4567-e89b-12d3-a456-426614174000", "ffffffff-ffff-4fff-bfff-ffffffffffff", "9f000000-0000-4000-8000-000000000001"},
	value.Date: {"2024-02-29", "2025-12-31", "2026-01-01", "2026-03-29", "2026-10-25", "1999-12-31", "2026-11-21", "2026-11-16", "0001-01-01", "9999-12-31"},
	value.Time: {"00:00:00", "23:59:59.999999", "12:30:00", "09:05:07.5", "09:05:07"},
	value.Timestamp: {
		"2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00.25Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z",
		"2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "2025-12-31T23:59:59.999999Z", "2026-01-01T00:00:00Z", "2024-02-29T12:00:00Z",
		"2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", "1969-12-31T23:59:59.5Z", "2026-04-04T15:15:00Z", "2026-08-15T18:29:59Z",
	},
	value.LocalTimestamp: {"2026-03-29T02:30:00", "2026-10-25T02:30:00.5", "2024-02-29T00:00:00", "2025-12-31T23:59:59.999999", "1970-01-01T00:00:00"},
	value.Interval:       {"PT0S", "P1M", "P30D", "P1Y2M3DT4H5M6.5S", "PT36H", "P1DT12H", "-P1D", "PT-0.5S", "P1Y", "P12M", "PT1M30S"},
	value.JSON: {
		`{}`, `[]`, `null`, `1`, `"text"`, `{"b":2,"a":1}`, `{"a":1,"b":[1,2,{"c":"é"}]}`, `{"n":12345678901234567890,"x":1.50}`, `[true,false,null]`,
		`{"a":{"b":null}}`, `"quo\"te"`, `{"a":"burrito","b":[1.5,"x"],"c":true,"d":null}`, `{"a":"É","n":7}`, `{"a":1}`, `[1,[2]]`,
	},
	value.Boolean: {"true", "false"},
}

// rng is the one source of the world's values: the same in every run.
type rng struct{ *rand.Rand }

func (r rng) oneOf(texts []string) cell { return cell{text: texts[r.IntN(len(texts))]} }

// maybe is null for one in n.
func (r rng) maybe(n int, c cell) cell {
	if r.IntN(n) == 0 {
		return cell{null: true}
	}
	return c
}

func number(n int) cell { return cell{text: strconv.Itoa(n)} }

// some is any value of a type, often one that is there already.
func (r rng) some(t value.Type) cell {
	if t.List {
		n := r.IntN(4)
		items := make([]cell, n)
		for i := range items {
			items[i] = r.maybe(8, r.some(t.Elem()))
		}
		return cell{items: items}
	}
	few := r.IntN(2) == 0
	switch t.Scalar {
	case value.Enum:
		return r.oneOf(t.Labels)
	case value.Decimal:
		whole := r.IntN(1000)
		if few {
			whole = r.IntN(3)
		}
		sign := ""
		if r.IntN(4) == 0 && whole > 0 {
			sign = "-"
		}
		scale := 1
		for range t.Scale {
			scale *= 10
		}
		return cell{text: fmt.Sprintf("%s%d.%0*d", sign, whole, t.Scale, r.IntN(scale))}
	case value.Int:
		if few {
			return number(r.IntN(10))
		}
	case value.BigInt:
		if few {
			return number(r.IntN(10))
		}
	case value.Float:
		if few {
			return cell{text: strconv.FormatFloat(float64(r.IntN(2000)-1000)/7, 'g', -1, 64)}
		}
	case value.Timestamp:
		if few {
			return cell{text: fmt.Sprintf("2026-%02d-%02dT%02d:%02d:00Z", 1+r.IntN(12), 1+r.IntN(28), r.IntN(24), 15*r.IntN(4))}
		}
	case value.Bytes:
		return cell{text: base64.StdEncoding.EncodeToString([]byte(interesting[value.String][r.IntN(20)]))}
	default:
	}
	return r.oneOf(interesting[t.Scalar])
}

// newWorld makes the rows. Tenants' keys overlap, and references lead to rows
// that exist for the tenant itself, for another tenant only, for both, or for
// nobody.
func newWorld() *world {
	r := rng{rand.New(rand.NewPCG(7, 26))}
	w := emptyWorld()
	for id := range 9 {
		w.table("categories").rows = append(w.table("categories").rows, []cell{
			number(id), r.maybe(4, number(r.IntN(12))), r.some(value.Of(value.String)),
		})
	}
	for id := range 40 {
		w.fill(r, "products", map[string]cell{"id": number(id), "category_id": r.maybe(5, number(r.IntN(12)))})
	}
	for n, tenant := range tenants {
		w.fillTenant(r, tenant, 20*n)
	}
	w.fillNobody(r)
	w.fillTrips(r)
	return w
}

// fill appends a row with the values given and others for the rest.
func (w *world) fill(r rng, name string, given map[string]cell) {
	t := w.table(name)
	row := make([]cell, len(t.columns))
	for i, c := range t.columns {
		if v, ok := given[c.name]; ok {
			row[i] = v
			continue
		}
		row[i] = r.some(c.typ)
		if !c.never {
			row[i] = r.maybe(7, row[i])
		}
	}
	t.rows = append(t.rows, row)
}

var regions = []string{"north", "North", "Ñorth", "s_uth", "", "east%"}

// fillTenant makes a tenant's rows; ids begin at first, so that the tenants
// share some and not others.
func (w *world) fillTenant(r rng, tenant string, first int) {
	own := cell{text: tenant}
	for n := range 12 {
		if (n+first)%5 == 4 { // a gap of this tenant's: the others may have the row
			continue
		}
		w.fill(r, "stores", map[string]cell{tenantColumn: own, "region": {text: regions[(n+first/20)%len(regions)]}, "number": number(n % 4)})
	}
	w.dropDuplicates("stores", "region", "number")
	for n := range 150 {
		region, no := r.oneOf(regions), number(r.IntN(5))
		if r.IntN(6) == 0 {
			region = cell{null: true}
		}
		w.fill(r, "orders", map[string]cell{
			tenantColumn: own, "id": number(first + n), "parent_id": r.maybe(3, number(r.IntN(200))),
			"store_region": region, "store_number": no, "product_id": r.maybe(6, number(r.IntN(50))),
		})
	}
	for n := range 150 {
		for line := range r.IntN(4) {
			w.fill(r, "items", map[string]cell{
				tenantColumn: own, "order_id": number(first + n + r.IntN(2)*500), "line": number(line), "product_id": r.maybe(6, number(r.IntN(50))),
				"quantity": number(r.IntN(20)),
			})
		}
	}
	w.dropDuplicates("items", "order_id", "line")
	for range 120 {
		w.fill(r, "events", map[string]cell{tenantColumn: own, "order_id": r.maybe(6, number(r.IntN(220)))})
	}
	events := w.table("events")
	events.rows = append(events.rows, events.rows[len(events.rows)-5:]...) // rows that nothing tells apart
}

// fillTrips makes rows that are a tenant's by those they lead to. Whose they are
// follows from keys that are one among those of all tenants; some lead to
// nobody's rows, and some to none.
func (w *world) fillTrips(r rng) {
	for id := range 90 {
		owner := cell{text: tenants[id%len(tenants)]}
		if id%10 == 9 {
			owner = cell{null: true}
		}
		w.fill(r, "trips", map[string]cell{tenantColumn: owner, "id": number(id)})
		for no := range r.IntN(4) {
			w.fill(r, "stops", map[string]cell{tenantColumn: owner, "trip_id": number(id), "no": number(no), "order_id": r.maybe(5, number(r.IntN(200)))})
		}
		if id%7 == 0 { // of a trip that is not there
			w.fill(r, "stops", map[string]cell{tenantColumn: {null: true}, "trip_id": number(1000 + id), "no": number(0)})
		}
	}
	stops := w.table("stops")
	for range 300 {
		stop := stops.rows[r.IntN(len(stops.rows))]
		w.fill(r, "scans", map[string]cell{tenantColumn: stop[0], "trip_id": stop[1], "stop_no": stop[2], "product_id": r.maybe(6, number(r.IntN(50)))})
	}
	for n := range 8 {
		w.fill(r, "scans", map[string]cell{tenantColumn: {null: true}, "trip_id": number(n), "stop_no": {null: true}})
		w.fill(r, "scans", map[string]cell{tenantColumn: {null: true}, "trip_id": {null: true}, "stop_no": number(0)})
	}
}

// fillNobody adds rows without a tenant, which nobody but an administrator of
// all tenants may see.
func (w *world) fillNobody(r rng) {
	for n := range 10 {
		w.fill(r, "orders", map[string]cell{tenantColumn: {null: true}, "id": number(1000 + n), "parent_id": number(n)})
		w.fill(r, "events", map[string]cell{tenantColumn: {null: true}, "order_id": number(n)})
	}
}

// dropDuplicates keeps one row for each key.
func (w *world) dropDuplicates(name string, key ...string) {
	t := w.table(name)
	seen := make(map[string]bool)
	t.rows = slices.DeleteFunc(t.rows, func(row []cell) bool {
		id := row[0].text
		for _, k := range key {
			id += "\x00" + row[t.index(k)].text
		}
		again := seen[id]
		seen[id] = true
		return again
	})
}
