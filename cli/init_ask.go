package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"usher/answer"
	"usher/catalog"
	"usher/datasource"
	"usher/plan"
	"usher/principal"
	"usher/query"
	"usher/setup"
)

// foundKeys are the tenants that the data names.
type foundKeys struct {
	sample string   // of a row that the sample query can show; empty: there is no row
	from   string   // the dataset of that row
	all    []string // one more than are registered, if there are so many; nil where every key is an id
	failed error    // why all may lack some
}

// maxSampleTime bounds the search for a row to show: most of a database may be
// empty.
const maxSampleTime = 20 * time.Second

// tenantKeys asks the data who the tenants are, by the way every question
// takes, as somebody who may see all of them.
func tenantKeys(ctx context.Context, draft *setup.Draft) (_ foundKeys, err error) {
	sources, err := datasource.New(draft.Catalog, datasource.Options{})
	if err != nil {
		return foundKeys{}, err
	}
	defer func() { err = errors.Join(err, sources.Close()) }()
	a := keyReader{catalog: draft.Catalog, sources: sources}
	var keys foundKeys
	// A table that cannot be read, or is too large to be looked through, is no
	// reason to write nothing.
	sampling, cancel := context.WithTimeout(ctx, maxSampleTime)
	defer cancel()
	for _, d := range sampleOrder(draft.Catalog) {
		if sampling.Err() != nil {
			break
		}
		found, err := a.keys(sampling, d, query.Many, 1)
		keys.failed = errors.Join(keys.failed, err)
		if len(found) > 0 {
			keys.sample, keys.from = found[0], d.Name
			break
		}
	}
	for _, d := range draft.AsksKeys() {
		found, err := a.keys(ctx, d, query.Groups, setup.MaxTenants+1)
		if err != nil {
			keys.failed = errors.Join(keys.failed, err)
			continue
		}
		keys.all = append(keys.all, found...)
	}
	if keys.sample != "" && draft.AsksKeys() != nil {
		keys.all = append(keys.all, keys.sample)
	}
	slices.Sort(keys.all)
	keys.all = slices.Compact(keys.all)
	return keys, nil
}

// sampleOrder lists the tenants' datasets, those first that are good to show:
// the list of tenants itself last, and before it those without a key, which
// take a walk through all rows to find a first one.
func sampleOrder(cat *catalog.Catalog) []*catalog.Dataset {
	var out []*catalog.Dataset
	for _, d := range cat.Datasets {
		if d.Tenant != nil {
			out = append(out, d)
		}
	}
	rank := func(d *catalog.Dataset) int {
		switch {
		case len(d.Key) == 0:
			return 1
		case len(d.Key) == 1 && d.Key[0] == d.Tenant:
			return 2
		}
		return -len(d.Relations)
	}
	slices.SortStableFunc(out, func(a, b *catalog.Dataset) int { return rank(a) - rank(b) })
	return out
}

// keyReader asks datasets for the tenants of their rows.
type keyReader struct {
	catalog *catalog.Catalog
	sources *datasource.Sources
}

// keys are the tenant keys of a dataset's rows: of the first rows, or each
// once.
func (a keyReader) keys(ctx context.Context, d *catalog.Dataset, shape query.Shape, limit int) (_ []string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", d.Name, err)
		}
	}()
	column := query.Field{Key: "key", Name: d.Tenant.Name}
	asked := query.Request{Dataset: d.Name, Shape: shape, Field: query.Field{
		Key: "rows", Name: d.Name,
		Args: query.Object{
			{Name: "where", Value: query.Object{{Name: d.Tenant.Name, Value: query.Object{{Name: "isNull", Value: query.Bool(false)}}}}},
			{Name: "limit", Value: query.Number(strconv.Itoa(limit))},
		},
		Fields: []query.Field{column},
	}}
	if shape == query.Groups {
		asked.Field.Fields = []query.Field{{Key: "group", Name: "key", Fields: []query.Field{column}}}
	}
	type row struct {
		Key   json.RawMessage `json:"key"`
		Group *row            `json:"group"`
	}
	var rows []row
	if err := a.ask(ctx, asked, &rows); err != nil {
		return nil, err
	}
	var out []string
	for _, r := range rows {
		if r.Group != nil {
			r = *r.Group
		}
		out = append(out, keyText(r.Key))
	}
	return out, nil
}

// ask answers a question by the way that every question takes, as somebody who
// may see all tenants.
func (a keyReader) ask(ctx context.Context, asked query.Request, rows any) error {
	planned, err := plan.Build(asked, a.catalog, principal.Principal{Subject: "usher init", AllTenants: true}, time.Now())
	if err != nil {
		return err
	}
	result, err := a.sources.Answer(ctx, planned)
	if err != nil {
		return err
	}
	written, err := answer.Encode(planned, result, answer.Writing{Key: "rows", NumbersAsText: true})
	if err != nil {
		return err
	}
	return json.Unmarshal(written.JSON(), rows)
}

// What is compared for keys at most: rows of one table, and time for all.
const (
	maxKeyRows = 10_000_000
	maxKeyTime = time.Minute
)

// findKeys asks which columns tell the rows of files apart, where no
// constraint says so. What takes too long, or cannot be read, has no key.
func findKeys(ctx context.Context, draft *setup.Draft) (err error) {
	keyless := draft.Keyless()
	if len(keyless) == 0 {
		return nil
	}
	sources, err := datasource.New(draft.Catalog, datasource.Options{})
	if err != nil {
		return err
	}
	a := keyReader{catalog: draft.Catalog, sources: sources}
	bounded, cancel := context.WithTimeout(ctx, maxKeyTime)
	defer cancel()
	var found []setup.FoundKey
	for _, k := range keyless {
		if column, rows, ok := a.unique(bounded, k); ok {
			found = append(found, setup.FoundKey{Dataset: k.Dataset, Column: column, Rows: rows})
		}
	}
	if err := errors.Join(sources.Close(), ctx.Err()); err != nil {
		return err
	}
	return draft.SetKeys(found)
}

// unique is the first column that is there and differs in all rows.
func (a keyReader) unique(ctx context.Context, k setup.Keyless) (_ *catalog.Column, rows int64, ok bool) {
	count := query.Field{Key: "count", Name: "count"}
	counted := a.counts(ctx, k.Dataset, []query.Field{count})
	if rows = counted["count"]; rows == 0 || rows > maxKeyRows {
		return nil, 0, false
	}
	fields := []query.Field{count}
	for _, c := range k.Columns {
		fields = append(fields, query.Field{Key: c.Name, Name: c.Name, Fields: []query.Field{{Key: "differ", Name: "countDistinct"}}})
	}
	counted = a.counts(ctx, k.Dataset, fields)
	for _, c := range k.Columns {
		if rows = counted["count"]; rows > 0 && counted[c.Name] == rows { // what is null is not counted
			return c, rows, true
		}
	}
	return nil, 0, false
}

// counts are the numbers in the answer to one question, by field.
func (a keyReader) counts(ctx context.Context, d *catalog.Dataset, fields []query.Field) map[string]int64 {
	var groups []map[string]json.RawMessage
	asked := query.Request{Dataset: d.Name, Shape: query.Groups, Field: query.Field{Key: "rows", Name: d.Name, Fields: fields}}
	if err := a.ask(ctx, asked, &groups); err != nil || len(groups) != 1 {
		return nil
	}
	out := make(map[string]int64)
	for name, raw := range groups[0] {
		var differ struct{ Differ json.RawMessage }
		if json.Unmarshal(raw, &differ) == nil && differ.Differ != nil {
			raw = differ.Differ
		}
		if n, err := strconv.ParseInt(keyText(raw), 10, 64); err == nil {
			out[name] = n
		}
	}
	return out
}

// keyText is a key as tokens carry it: text, or the digits of a number.
func keyText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}
