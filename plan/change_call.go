package plan

import (
	"slices"
	"strings"

	"usher/catalog"
	"usher/fault"
	"usher/query"
)

// A change of rows of an API is one call for each row. What is read for it is read as any
// other question is, wherever it is; what no call can do is refused here.

// Call is the call by which a row of an API is written. The zero value is none.
type Call struct {
	method, path string
	body         query.Value
	row          string
	rowless      bool
	idempotency  string
}

// calling is what a change has by which calls are made.
type calling struct {
	call      Call
	there     Level
	was, is   []int // the cells that have what is written over, by set, of the rows that are chosen and of those that are there
	keyNames  []string
	overrides map[string]Override // of APIs, by source
}

// Call is how each row of the change is written, if it is an API's.
func (c Change) Call() Call { return c.body.call }

// Method is the HTTP method.
func (c Call) Method() string { return c.method }

// Path is a template of the path below the base URL.
func (c Call) Path() string { return c.path }

// Body is a template of what the call carries; nil: the row, or of a delete nothing.
func (c Call) Body() query.Value { return c.body }

// Row is a JSON pointer to the row in the reply.
func (c Call) Row() string { return c.row }

// Rowless tells that the reply says nothing of the row.
func (c Call) Rowless() bool { return c.rowless }

// IdempotencyKey is the header by which the API tells a repeated call, or empty.
func (c Call) IdempotencyKey() string { return c.idempotency }

// Asked is the question of a level of the change: what a source is asked for it.
func (c Change) Asked(l Level) Query {
	return Query{&body{root: l, shape: query.Many, strategy: c.body.strategy, identity: c.body.identity, overrides: c.body.overrides}}
}

// There are the tenant's rows with given keys, whatever else is asked of them: nobody reads any, and whether there
// is one tells a row that was not written from one that was written wrong.
func (c Change) There() Level { return c.body.there.in(c.texts()) }

// Was is the cell of the chosen rows that has what the i-th set of the update writes over; -1: the API does not
// show it.
func (c Change) Was(i int) int { return c.body.was[i] }

// Is is the same of the rows that are there.
func (c Change) Is(i int) int { return c.body.is[i] }

// over are cells of a level that have what is written over.
func (cb *changeBuilder) over(lb *levelBuilder) []int {
	var out []int
	for _, s := range cb.c.update.sets {
		cell := -1
		if s.column.Stored != "" {
			cell = lb.cell(lb.read(0, cb.vis.Dataset.Column(s.column.Name)))
		}
		out = append(out, cell)
	}
	return out
}

// Reply is the table as replies to the calls have it: with what was given, where the API makes a key, which it
// may leave out.
func (c Change) Reply() Ref {
	r := c.body.table
	if !slices.ContainsFunc(c.body.inserts, func(into Insert) bool { return slices.ContainsFunc(into.keys, into.lacks) }) {
		return r
	}
	r.columns = slices.Clone(r.columns)
	for _, into := range c.body.inserts {
		for _, f := range into.columns {
			if f.Stored != "" && !slices.ContainsFunc(r.columns, func(has Field) bool { return has.Name == f.Name }) {
				f.Null = true
				r.columns = append(r.columns, f)
			}
		}
	}
	return r
}

// lacks tells a column of the key that some of the rows are not given.
func (i Insert) lacks(key Field) bool {
	at := slices.IndexFunc(i.columns, func(f Field) bool { return f.Name == key.Name })
	return key.Stored != "" && (at < 0 || i.values[at].has(Given.Null))
}

// Override is the principal's own part of the API's account.
func (c Change) Override() Override { return c.body.overrides[c.body.target.Source] }

// called tells a change of rows of an API.
func (cb *changeBuilder) called() bool { return cb.c.call.method != "" }

// calls takes the call of a binding that writes a row in the way that is asked.
func (cb *changeBuilder) calls(w *catalog.APIWrites) error {
	var call *catalog.WriteCall
	if w != nil {
		switch kind := cb.c.kind; {
		case kind.Inserts():
			call = w.Insert
		case kind.Updates() || cb.vis.Dataset.Deleted != nil:
			call = w.Update
		default:
			call = w.Delete
		}
	}
	if call == nil {
		return fault.New(fault.NotImplemented, "the API of %s has no call for it: nobody %ss rows there", cb.vis.Dataset.Name, cb.c.kind)
	}
	cb.c.call = Call{method: call.Method, path: call.Path, body: call.Body, row: w.Row, rowless: w.Rowless, idempotency: w.IdempotencyKey}
	cb.c.overrides = cb.overrides()
	return nil
}

// callable refuses what a call cannot do, or not without a moment in which others may have
// done something else.
func (cb *changeBuilder) callable() error {
	if !cb.called() {
		return nil
	}
	d := cb.vis.Dataset
	if _, ok := cb.args.get("onConflict"); ok {
		return fault.New(fault.NotImplemented, "rows of %s are in an API, and no call inserts or updates", d.Name).
			WithHint("look which rows are there, then insert and update")
	}
	if slices.ContainsFunc(cb.c.update.sets, func(s Set) bool { return s.add }) {
		return fault.New(fault.NotImplemented, "rows of %s are in an API, and no call adds to what is there", d.Name).
			WithHint("set the value")
	}
	if len(cb.c.before)+len(cb.c.after)+len(cb.c.dependents) > 0 {
		return fault.New(fault.NotImplemented, "rows of %s are in an API, and each call writes one row", d.Name).
			WithHint("write what belongs to them by mutations of their own")
	}
	return cb.keysGiven()
}

// KeyName is the i-th column of the key of the dataset.
func (c Change) KeyName(i int) string { return c.body.keyNames[i] }

// keysGiven refuses a row without a key that a call has to name, or that no reply will say.
func (cb *changeBuilder) keysGiven() error {
	if !cb.c.call.namesRow() {
		return nil
	}
	for _, into := range cb.c.inserts {
		for _, key := range into.keys {
			if into.lacks(key) {
				return cb.noKey(key)
			}
		}
	}
	return nil
}

func (cb *changeBuilder) noKey(key Field) error {
	return fault.New(fault.BadUserInput, "%s is missing: the API of %s makes none", key.Name, cb.vis.Dataset.Name)
}

// namesRow tells that whoever makes the call has to know the key of its row.
func (c Call) namesRow() bool { return c.rowless || c.names("{key.") }

// names tells whether a template of the call holds a text.
func (c Call) names(text string) bool {
	var inside func(query.Value) bool
	inside = func(v query.Value) bool {
		switch v := v.(type) {
		case query.Text:
			return strings.Contains(string(v), text)
		case query.List:
			return slices.ContainsFunc(v, inside)
		case query.Object:
			return slices.ContainsFunc(v, func(m query.Member) bool { return inside(m.Value) })
		}
		return false
	}
	return strings.Contains(c.path, text) || inside(c.body)
}
