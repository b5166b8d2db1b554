package datasource

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"usher/admit"
	"usher/datasource/duckdb"
	"usher/datasource/receipt"
	"usher/datasource/sqlexec"
	"usher/held"
	"usher/plan"
	"usher/quota"
	"usher/sqlgen"
	"usher/value"
)

// fetchCaps bound what one reference may bring into the embedded engine.
var fetchCaps = duckdb.Caps{MaxRows: 2_000_000, MaxBytes: 1 << 30}

// maxKeys is how many keys are handed to another source; with more, its rows
// are fetched without them.
const maxKeys = 1000

// combined answers a query in the embedded engine: level by level, what the
// level needs is fetched from each source and the same level runs over it. The
// engine's slot is held while those of sources are waited for, one at a time;
// whoever has a source's slot waits for no other, so that nobody waits in a ring.
type combined struct{ sources *Sources }

func (e *combined) ask(ctx context.Context, q *Question) (Answered, error) {
	if !q.exports() { // which would have their turn for as long as their reader reads
		var turn *admit.Turn
		var err error
		if ctx, turn, err = e.sources.turns.Enter(ctx, q.tenant); err != nil {
			return Answered{}, err
		}
		defer turn.Leave()
	}
	query := q.query.Bind(q.binding)
	if !query.Valid() {
		return Answered{}, ErrNotPlanned
	}
	scratch, err := e.sources.engine.Scratch(ctx)
	if err != nil {
		return Answered{}, err
	}
	defer scratch.Close()
	c := &combination{sources: e.sources, query: query, scratch: scratch, part: held.From(ctx).Part()}
	defer c.part.Release() // of what the scratch holds
	began, account := time.Now(), quota.From(ctx)
	if account != nil {
		defer func() { // of the engine itself
			took := time.Since(began) - c.away
			if q.exports() {
				took -= q.stream.portions.away
			}
			account.Spend(max(took, 0), 0, 0)
		}()
	}
	if q.exports() {
		c.portion = held.From(ctx).Part()
		defer c.portion.Release()
		return Answered{}, scratch.Session(ctx, false, func(session sqlexec.Session) error {
			c.session = session
			run := sqlexec.Run{Session: session, Dialect: sqlgen.DuckDB, Before: c.bring, After: c.forget}
			return run.Export(ctx, query, 0, q.stream.hand)
		})
	}
	var result *value.Result
	err = scratch.Session(ctx, false, func(session sqlexec.Session) (err error) {
		c.session = session
		result, err = sqlexec.Run{Session: session, Dialect: sqlgen.DuckDB, Before: c.bring}.Query(ctx, query)
		return err
	})
	if err == nil {
		result.AsOf = c.asOf
	}
	return answeredWith(result), err
}

// combination is one query's way through the embedded engine.
type combination struct {
	sources *Sources
	query   plan.Query
	scratch *duckdb.Scratch
	session sqlexec.Session
	levels  int
	part    *held.Part

	away time.Duration // sources were waited for

	portion *held.Part // of an export: what the levels below the root hold, for one portion of its rows
	tables  []string   // theirs

	mu   sync.Mutex
	asOf time.Time
}

// bring fetches what a level reads and returns the level over what arrived.
func (c *combination) bring(ctx context.Context, l plan.Level, parents [][]value.Value) (plan.Level, error) {
	id := c.levels
	c.levels++
	if c.portion != nil && id > 0 {
		c.part = c.portion
	}
	if c.sources.groupsExactly(l.Ref(0).Target()) {
		if groups, ok := l.Partial(); ok {
			l = groups
		}
	}
	fetches := c.query.Fetches(l, id)
	for i, f := range fetches {
		parts, err := c.narrow(ctx, l, fetches, i, f, parents)
		if err != nil {
			return plan.Level{}, err
		}
		if err := c.load(ctx, parts); err != nil {
			return plan.Level{}, err
		}
	}
	here := l.OnScratch(id)
	if notes := receipt.From(ctx); notes != nil {
		statement, _ := sqlgen.Render(here, sqlgen.DuckDB)
		notes.Add(receipt.Step{SQL: statement.Text})
	}
	return here, nil
}

// narrow asks for those rows only that the rows already here lead to: a semi-join.
func (c *combination) narrow(ctx context.Context, l plan.Level, fetches []plan.Fetch, i int, f plan.Fetch, parents [][]value.Value) ([]part, error) {
	all := []part{{fetch: f}}
	if l.Links() > 0 && i == l.Link(0).Own().Ref() && len(parents[0]) <= maxKeys {
		return c.sources.parts(f, l.Link(0).Own().Name(), distinct(parents[0])), nil
	}
	from, column, ok := f.Join()
	if !ok {
		return all, nil
	}
	statement := sqlgen.Keys(fetches[from].Table(), column, maxKeys+1, sqlgen.DuckDB)
	rows, err := c.session.Query(ctx, statement.Text, statement.Args.Bind(nil))
	if err != nil {
		return nil, err
	}
	var keys []value.Value
	for rows.Next() {
		keys = append(keys, value.Bound(column.Type(), rows.Cell(0)))
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if err := rows.Close(); err != nil {
		return nil, err
	}
	if len(keys) > maxKeys {
		return all, nil
	}
	// In one order, so that equal questions make equal calls.
	slices.SortFunc(keys, func(a, b value.Value) int { return strings.Compare(a.Text(), b.Text()) })
	return c.sources.parts(f, l.Ref(i).On(0).To.Name(), keys), nil
}

// groupsExactly tells whether a source says of the groups it makes that they are
// exact: see plan.Level.Partial.
func (s *Sources) groupsExactly(t plan.Target) bool {
	spec := s.accounts.cat.Sources[t.Source]
	return spec != nil && spec.API.Plugin != nil && spec.API.Plugin.Groups
}

// distinct are the keys that rows can have: null is none.
func distinct(values []value.Value) []value.Value {
	seen := make(map[string]bool, len(values))
	var out []value.Value
	for _, v := range values {
		if !v.Null() && !seen[v.Text()] {
			seen[v.Text()] = true
			out = append(out, v)
		}
	}
	return out
}

// forget drops what was brought for one portion of an export.
func (c *combination) forget(ctx context.Context) error {
	for _, table := range c.tables {
		if err := c.scratch.Drop(ctx, table); err != nil {
			return err
		}
	}
	c.tables = c.tables[:0]
	c.portion.Release()
	return nil
}

// load runs one fetch, in one or several parts, and makes a table of its rows.
func (c *combination) load(ctx context.Context, parts []part) error {
	began := time.Now()
	defer func() { c.away += time.Since(began) }()
	turn := admit.Away(ctx)
	defer turn.Back()
	f := parts[0].fetch
	ref := f.Query().Root().Ref(0)
	source, release, err := c.sources.accounts.get(ctx, ref.Target())
	if err != nil {
		return err
	}
	defer release()
	if c.part == c.portion {
		c.tables = append(c.tables, f.Table())
	}
	columns := scratchColumns(ref)
	if len(parts) > 1 {
		rows, err := c.together(ctx, source, parts)
		if err != nil {
			return err
		}
		turn.Back()
		defer admit.Away(ctx)
		_, err = c.scratch.Load(ctx, f.Table(), columns, rows, fetchCaps)
		return err
	}
	return source.Fetch(ctx, f.Query(), func(rows value.Rows) error {
		turn.Back()
		defer admit.Away(ctx)
		_, err := c.scratch.Load(ctx, f.Table(), columns, &counted{Rows: rows, cells: len(columns), part: c.part, spent: quota.From(ctx)}, fetchCaps)
		c.note(rows)
		return err
	})
}

// scratchColumns are the columns of a table for rows of a reference.
func scratchColumns(ref plan.Ref) []duckdb.ScratchColumn {
	columns := make([]duckdb.ScratchColumn, ref.Fields())
	for i := range columns {
		columns[i] = duckdb.ScratchColumn{Name: ref.Field(i).Name, Type: ref.Field(i).Type}
	}
	return columns
}
