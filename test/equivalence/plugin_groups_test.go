package equivalence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"usher/catalog"
	"usher/plugin"
)

// TestGroupsArePushedDown: a plugin that says that its groups are exact is asked
// for groups, and their answer is that of rows.
func TestGroupsArePushedDown(t *testing.T) {
	w := newWorld()
	grouping, groupingURL := startBroker(t, w, false, true)
	sources := duckdbSources(t, w)
	sources["grouping"] = grouping.source(groupingURL)
	spec := w.spec(sources, map[string]catalog.StrategySpec{
		"grouping": {Kind: "api", Source: "grouping"}, "shared": {Kind: "shared", Source: "shared"},
	}, "shared")
	spec.DefaultStrategy = "shared"
	bindBroker(spec, "grouping", grouping)
	g := newGateway(t, spec)
	for query, pushed := range map[string]int64{
		`{ ordersAggregate { count } }`: 1,
		`{ ordersAggregate(orderBy: [{key: {day: {direction: ASC, by: MONTH}}}]) { key { day(by: MONTH) } count amount { sum min max } } }`: 1,
		`{ ordersAggregate(where: {day: {gte: "2026-02-03"}}) { key { day(by: YEAR) } count } }`:                                            1,
		`{ ordersConnection(first: 2) { totalCount } }`:                                                                                     1,
		`{ ordersAggregate { amount { avg } } }`:                                                                                            0,
		`{ orders(limit: 3) { id } }`:                                                                                                       0,
	} {
		grouping.grouped.Store(0)
		want := way{gateway: g, strategy: "shared"}.ask(t.Context(), tenants[0], operation{Query: query})
		got := way{gateway: g, strategy: "grouping"}.ask(t.Context(), tenants[0], operation{Query: query})
		if !bytes.Equal(want, got) || bytes.Contains(got, []byte(`"errors"`)) {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
		if n := grouping.grouped.Load(); n != pushed {
			t.Errorf("%s: %d questions for groups, want %d", query, n, pushed)
		}
	}
}

// groups answers with the groups of everybody's rows, whatever the filters are:
// a group for each combination of the columns without an aggregation.
func (b *broker) groups(t *table, columns []plugin.Column, rows *plugin.Rows) error {
	type group struct {
		first   []cell
		keys    []json.RawMessage
		members [][]cell
	}
	b.grouped.Add(1)
	made := make(map[string]*group)
	var order []*group
	for _, row := range t.rows {
		var keys []json.RawMessage
		for _, c := range columns {
			if c.Aggregation == "" {
				keys = append(keys, b.cut(t, row, c))
			}
		}
		name := fmt.Sprintf("%s", keys)
		if made[name] == nil {
			made[name] = &group{first: row, keys: keys}
			order = append(order, made[name])
		}
		made[name].members = append(made[name].members, row)
	}
	for _, g := range order {
		cells := make([]any, len(columns))
		key := 0
		for i, c := range columns {
			if c.Aggregation == "" {
				cells[i] = g.keys[key]
				key++
				continue
			}
			var err error
			if cells[i], err = b.aggregate(t, g.members, c); err != nil {
				return err
			}
		}
		if err := rows.Write(cells...); err != nil {
			return err
		}
	}
	return nil
}

// cut is a cell as it is sent, a time cut to the begin of a unit in UTC.
func (b *broker) cut(t *table, row []cell, c plugin.Column) json.RawMessage {
	at := b.rows[&row[0]][t.index(c.ID)]
	known, ok := at.known.(time.Time)
	if c.Level == "" || !ok {
		return at.sent
	}
	y, m, d := known.UTC().Date()
	switch c.Level {
	case plugin.Year:
		m, d = 1, 1
	case plugin.Quarter:
		m, d = (m-1)/3*3+1, 1
	case plugin.Month:
		d = 1
	}
	begin := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	for level, unit := range map[plugin.Level]time.Duration{plugin.Hour: time.Hour, plugin.Minute: time.Minute, plugin.Second: time.Second} {
		if c.Level == level {
			begin = known.UTC().Truncate(unit)
		}
	}
	raw, err := json.Marshal(begin.Format("2006-01-02T15:04:05Z"))
	if err != nil {
		panic(err)
	}
	return raw
}

// aggregate computes with fractions, and writes numbers as text as drivers of
// databases do.
func (b *broker) aggregate(t *table, members [][]cell, c plugin.Column) (any, error) {
	var best *shown
	var number *big.Rat
	sum, count, scale := new(big.Rat), 0, 0
	for _, row := range members {
		if c.ID == "*" {
			count++
			continue
		}
		at := b.rows[&row[0]][t.index(c.ID)]
		if at.known == nil {
			continue
		}
		count++
		if when, ok := at.known.(time.Time); ok {
			if best == nil || (c.Aggregation == plugin.Max) == when.After(best.known.(time.Time)) {
				best = &at
			}
			continue
		}
		text := strings.Trim(string(at.sent), `"`)
		x, ok := new(big.Rat).SetString(text)
		if !ok {
			if c.Aggregation == plugin.Count {
				continue
			}
			return nil, plugin.Errorf(http.StatusBadRequest, "%s is no number", c.ID)
		}
		_, fraction, _ := strings.Cut(text, ".")
		scale = max(scale, len(fraction))
		sum.Add(sum, x)
		if number == nil || (c.Aggregation == plugin.Max) == (x.Cmp(number) > 0) {
			number, best = x, &at
		}
	}
	switch {
	case c.Aggregation == plugin.Count:
		return count, nil
	case count == 0:
		return nil, nil
	case c.Aggregation == plugin.Sum:
		return sum.FloatString(scale), nil
	case c.Aggregation == plugin.Min, c.Aggregation == plugin.Max:
		return best.sent, nil
	}
	return nil, plugin.Errorf(http.StatusBadRequest, "aggregation %s", c.Aggregation)
}
