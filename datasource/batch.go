package datasource

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"usher/catalog"
	"usher/plan"
	"usher/quota"
	"usher/value"
)

// Bounds of a call for rows by their keys: what a URL can hold, and how many of
// them are under way for one fetch.
const (
	batchKeys   = 100
	batchBytes  = 1200
	batchesOnce = 4
)

// part is the fetch of those rows that have certain keys.
type part struct {
	fetch  plan.Fetch
	column string
	keys   []value.Value
}

// parts splits a fetch by keys, for an API that is asked for them in its URL.
// Without keys, or where they all fit, it is one part.
func (s *Sources) parts(f plan.Fetch, column string, keys []value.Value) []part {
	ref := f.Query().Root().Ref(0)
	whole := []part{{f.Narrowed(column, keys), column, keys}}
	spec := s.accounts.cat.Sources[ref.Target().Source]
	if ref.Target().Kind != catalog.API || spec == nil || !slices.Contains(spec.API.Pushdown.Filters[column], "in") {
		return whole
	}
	i := fieldOf(ref, column)
	if i < 0 || slices.ContainsFunc(keys, func(k value.Value) bool { return !sameTexts(k.Type(), ref.Field(i).Type) }) {
		return whole
	}
	var out []part
	for rest := keys; len(rest) > 0; {
		n, size := 0, 0
		for n < min(len(rest), batchKeys) && (n == 0 || size < batchBytes) {
			size += len(ref.Field(i).Stored) + len(rest[n].Text()) + 2
			n++
		}
		out = append(out, part{f.Narrowed(column, rest[:n]), column, rest[:n]})
		rest = rest[n:]
	}
	if len(out) < 2 {
		return whole
	}
	return out
}

func fieldOf(ref plan.Ref, column string) int {
	for i := range ref.Fields() {
		if ref.Field(i).Name == column {
			return i
		}
	}
	return -1
}

// sameTexts tells the types whose equal values have equal texts.
func sameTexts(a, b value.Type) bool {
	whole := func(t value.Type) bool { return t.Scalar == value.Int || t.Scalar == value.BigInt }
	switch {
	case a.List || b.List:
		return false
	case whole(a) && whole(b), a.Text() && b.Text():
		return true
	}
	return a.Scalar == b.Scalar && (a.Scalar == value.UUID || a.Scalar == value.Enum)
}

// together fetches the parts, some at a time, and returns their rows as one. A
// row comes once, whatever the API makes of its keys: each part keeps the rows
// of its own keys and no others.
func (c *combination) together(ctx context.Context, source Source, parts []part) (value.Rows, error) {
	buffers := make([]*value.Buffer, len(parts))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(batchesOnce)
	for i, p := range parts {
		group.Go(func() error {
			return source.Fetch(ctx, p.fetch.Query(), func(rows value.Rows) (err error) {
				buffers[i], err = c.gather(ctx, p, rows)
				c.note(rows)
				return err
			})
		})
	}
	return value.RowsOf(buffers...), group.Wait()
}

// gather copies the rows of a part.
func (c *combination) gather(ctx context.Context, p part, rows value.Rows) (*value.Buffer, error) {
	ref := p.fetch.Query().Root().Ref(0)
	mine := make(map[string]bool, len(p.keys))
	for _, k := range p.keys {
		if !k.Null() {
			mine[k.Text()] = true
		}
	}
	by := fieldOf(ref, p.column)
	buffer := value.NewBuffer(ref.Fields())
	read := &counted{Rows: rows, cells: ref.Fields(), part: c.part, spent: quota.From(ctx)}
	for read.Next() {
		if key := read.Cell(by); key.Null() || !mine[value.WireText(key)] {
			continue
		}
		for i := range ref.Fields() {
			buffer.Append(read.Cell(i))
		}
	}
	return buffer, read.Err()
}

// note remembers how old rows are that stand in for newer ones.
func (c *combination) note(rows value.Rows) {
	aged, ok := rows.(interface{ AsOf() time.Time })
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := aged.AsOf(); !at.IsZero() && (c.asOf.IsZero() || at.Before(c.asOf)) {
		c.asOf = at
	}
}
