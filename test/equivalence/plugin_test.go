package equivalence

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"usher/catalog"
	"usher/plugin"
	"usher/value"
)

// broker serves the world's rows as a plugin. One that keeps tenants apart
// does all that usher may ask for rows; the others send everybody's rows, with all
// their columns or in groups, and do not look at what else is asked.
type broker struct {
	world *world
	apart bool
	group bool

	grouped atomic.Int64 // questions for groups
	rows    map[*cell][]shown
}

// shown is a cell as a filter sees it and as it is sent.
type shown struct {
	known any
	sent  json.RawMessage
}

const (
	brokerSecret = "the secret of all brokers"
	brokered     = "world." // what a broker's datasets are called begins so
)

func startBroker(t *testing.T, w *world, apart, group bool) (*broker, string) {
	t.Helper()
	b := &broker{world: w, apart: apart, group: group, rows: make(map[*cell][]shown)}
	for _, t := range w.tables {
		for _, row := range t.rows {
			fields := make([]shown, len(row))
			for i, c := range row {
				fields[i] = b.show(t.columns[i].typ, c)
			}
			b.rows[&row[0]] = fields
		}
	}
	h, err := plugin.Handler(b, plugin.Options{Secret: brokerSecret})
	if err != nil {
		t.Fatal(err)
	}
	return b, serve(t, h)
}

// source is how the plugin is described to usher.
func (b *broker) source(base string) catalog.SourceSpec {
	s := catalog.SourceSpec{
		Kind: "api", Protocol: "plugin", BaseURL: base, AllowPrivate: true, Secret: brokerSecret, Isolation: "gateway",
		Plugin: catalog.PluginSpec{ProtocolVersion: "1.0.0"},
	}
	if b.group {
		s.Plugin = catalog.PluginSpec{ProtocolVersion: "2.0.0", Pushdown: true, ExactGroups: true}
	}
	if b.apart {
		s.Isolation = "upstream"
		s.Plugin = catalog.PluginSpec{ProtocolVersion: "3.0.0", Pushdown: true, SupportsOrderLimit: true}
	}
	return s
}

// show writes a cell. The plugin with everybody's rows writes every time as
// the protocol has it, the other as people write them.
func (b *broker) show(t value.Type, c cell) shown {
	out := shown{known: sent(literalOf(t, c))}
	text := out.known
	if at, layout := c.text, layoutOf(t); layout != "" && !c.null {
		if known, err := time.Parse(layout, strings.TrimSuffix(at, "Z")); err == nil {
			out.known = known
			if !b.apart {
				text = known.Format("2006-01-02T15:04:05.999999Z")
			}
		}
	}
	raw, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	out.sent = raw
	return out
}

// layoutOf is the layout of a type that is a datetime to plugins, or empty.
func layoutOf(t value.Type) string {
	switch {
	case t.List:
	case t.Scalar == value.Date:
		return time.DateOnly
	case t.Scalar == value.Timestamp || t.Scalar == value.LocalTimestamp:
		return "2006-01-02T15:04:05"
	}
	return ""
}

// hides tells whether a column is one that the plugin does not have.
func (b *broker) hides(t *table, column string) bool {
	return column == tenantColumn && (t.through != "" || b.apart && slices.Contains(withoutTenant, t.name))
}

// Datasets implements plugin.Plugin. The columns have an order of their own.
func (b *broker) Datasets(context.Context, plugin.Caller) ([]plugin.Dataset, error) {
	var out []plugin.Dataset
	for _, t := range b.world.tables {
		out = append(out, b.dataset(t))
	}
	return out, nil
}

func (b *broker) dataset(t *table) plugin.Dataset {
	d := plugin.Dataset{ID: brokered + t.name}
	for _, c := range t.columns {
		if b.hides(t, c.name) {
			continue
		}
		typ := plugin.Hierarchy
		if layoutOf(c.typ) != "" {
			typ = plugin.Datetime
		} else if c.typ.Numeric() {
			typ = plugin.Numeric
		}
		d.Columns = append(d.Columns, plugin.DatasetColumn{ID: c.name, Type: typ})
	}
	slices.Reverse(d.Columns)
	return d
}

// Query implements plugin.Plugin.
func (b *broker) Query(_ context.Context, q plugin.Query, rows *plugin.Rows) error {
	t := b.world.table(strings.TrimPrefix(q.Dataset, brokered))
	if q.Pushdown && b.group {
		return b.groups(t, q.Columns, rows)
	}
	columns, err := q.Of(b.dataset(t))
	if err != nil || q.Pushdown {
		return plugin.Errorf(http.StatusBadRequest, "columns %v, pushdown %t", err, q.Pushdown)
	}
	chosen := t.rows
	if b.apart {
		chosen = t.of(q.Caller.User.Text("tenant"))
		chosen = slices.DeleteFunc(slices.Clone(chosen), func(row []cell) bool { return !b.passes(t, row, q.Filters) })
		for _, o := range q.Order {
			order := o.Column
			if o.Descending {
				order = "-" + order
			}
			t.sort(chosen, order)
		}
		if q.Limit > 0 {
			chosen = chosen[:min(q.Limit, len(chosen))]
		}
	}
	for _, row := range chosen {
		cells := make([]any, len(columns))
		for i, c := range columns {
			cells[i] = b.rows[&row[0]][t.index(c.ID)].sent
		}
		if err := rows.Write(cells...); err != nil {
			return err
		}
	}
	return nil
}

func (b *broker) passes(t *table, row []cell, filters []plugin.Filter) bool {
	for _, f := range filters {
		if !f.Match(b.rows[&row[0]][t.index(f.Column)].known) {
			return false
		}
	}
	return true
}

// bindBroker says what a plugin calls the datasets.
func bindBroker(spec catalog.Spec, source string, b *broker) {
	for name, d := range spec.Datasets {
		if d.Common {
			continue
		}
		bind := catalog.BindingSpec{Dataset: brokered + name}
		if b.apart && slices.Contains(withoutTenant, name) {
			bind.Columns = map[string]*string{tenantColumn: nil}
		}
		if d.Bind == nil {
			d.Bind = make(map[string]catalog.BindingSpec)
		}
		d.Bind[source] = bind
		spec.Datasets[name] = d
	}
}
