package sqlexec

import (
	"context"
	"strings"
	"sync/atomic"

	"usher/fault"
	"usher/held"
	"usher/plan"
	"usher/sqlgen"
	"usher/value"
)

// Prepared is one statement, written and ready to run any number of times with
// one set of arguments after the other: a query with all its levels, or several
// queries that read the same rows.
type Prepared struct {
	text  string
	args  sqlgen.Args
	level plan.Level    // of a query of one level
	parts []sqlgen.Part // of a script
	rooms []room        // of the query of one level, or of each part
	tiles bool          // each part is a query of its own
	how   planned
}

// Prepare writes the statement of a query.
func Prepare(q plan.Query, d sqlgen.Dialect) (*Prepared, error) {
	if !q.Valid() {
		return nil, fault.Broken("%w", sqlgen.ErrNotPlanned)
	}
	if q.Statements() > 1 {
		s, err := sqlgen.Together(q.Root(), d)
		if err == nil {
			err = fits(s.Args.Len(), cells(s.Parts))
		}
		return script(s, false, plannedAs(q.Root())), err
	}
	s, err := sqlgen.Render(q.Root(), d)
	if err == nil {
		err = fits(s.Args.Len(), q.Root().Columns())
	}
	return &Prepared{text: s.Text, args: s.Args, level: q.Root(), rooms: make([]room, 1), how: plannedAs(q.Root())}, err
}

// PrepareSharedScan writes the statement of queries that read the same rows.
func PrepareSharedScan(q plan.SharedScan, d sqlgen.Dialect) (*Prepared, error) {
	s, err := sqlgen.SharedScan(q, d)
	if err == nil {
		err = fits(s.Args.Len(), cells(s.Parts))
	}
	return script(s, true, plannedAs(q.Base())), err
}

// maxCells is how many columns a statement may return: PostgreSQL takes 1664,
// of which some are usher's.
const maxCells = 1600

// fits refuses a statement that no engine takes, before a connection is taken
// for it.
func fits(args, cells int) error {
	switch {
	case args > sqlgen.MaxArgs:
		return fault.New(fault.TooComplex, "the conditions have more than %d different values", sqlgen.MaxArgs).
			WithHint("ask with fewer values")
	case cells > maxCells:
		return fault.New(fault.TooComplex, "one statement cannot return more than %d columns", maxCells).
			WithHint("select fewer fields, or ask for some of them in another field")
	}
	return nil
}

// cells is how many cells the rows of a script have.
func cells(parts []sqlgen.Part) int {
	n := 0
	for _, p := range parts {
		for _, cell := range p.Cells {
			n = max(n, cell+1)
		}
	}
	return n
}

func script(s sqlgen.Script, tiles bool, how planned) *Prepared {
	return &Prepared{text: s.Text, args: s.Args, parts: s.Parts, rooms: make([]room, len(s.Parts)), tiles: tiles, how: how}
}

// room is what the last result had: the next one has about as much.
type room struct{ rows, texts atomic.Int64 }

// mostRoom bounds the rows that room is made for before they come.
const mostRoom = 256

// reserve makes room for a result, and for so many rows at least.
func (r *room) reserve(b *value.Buffer, rows int) {
	b.Reserve(max(rows, int(min(r.rows.Load(), mostRoom))))
	texts := int(r.texts.Load())
	b.ReserveText(texts + texts/8) // or every other result would need a second piece
}

func (r *room) note(b *value.Buffer) {
	r.rows.Store(int64(b.Len()))
	r.texts.Store(int64(b.Bytes()))
}

// Text is the statement's text, with placeholders.
func (p *Prepared) Text() string { return p.text }

// Statement is a prepared statement with its arguments.
type Statement struct {
	*Prepared
	args []string
	key  Key
}

// Key is equal for statements that ask the same: text and arguments.
type Key struct{ text, args string }

// Size is about how many bytes the key takes in memory beside the statement.
func (k Key) Size() int { return len(k.text) + len(k.args) }

// Bind gives the statement its arguments, from the texts of all terms.
func (p *Prepared) Bind(texts []string) Statement {
	args := p.args.Bind(texts)
	return Statement{p, args, Key{p.text, joined(args)}}
}

// Key is equal for statements that ask the same.
func (p Statement) Key() Key { return p.key }

// Size is about how many bytes it takes in memory, with what the statement's
// parts remember of it.
func (p *Prepared) Size() int {
	n := len(p.text) + p.args.Size() + 512
	for _, part := range p.parts {
		n += 512 + 8*len(part.Cells)
	}
	return n
}

// joined is one text for arguments, another one for others: no argument holds a
// NUL, package value refuses it.
func joined(args []string) string { return strings.Join(args, "\x00") }

// Run runs the statement and returns a result for each query.
func (p Statement) Run(ctx context.Context, s Session) ([]*value.Result, error) {
	rows, err := ask(ctx, s, p.how, p.text, p.args)
	if err != nil {
		return nil, err
	}
	return p.read(ctx, rows)
}

// Short tells a statement that has few rows to look at, whoever asks: it may go in one packet with
// others.
func (p *Prepared) Short() bool { return p != nil && p.how == forAll && !p.tiles }

// RunTogether is Run where the statement may go in one packet with those of others.
func (p Statement) RunTogether(ctx context.Context, db Together) (results []*value.Result, ride Ride, err error) {
	if !p.Short() {
		return nil, Ride{}, nil
	}
	ride, err = db.Together(ctx, p.text, p.args, func(rows value.Rows) (err error) {
		results, err = p.read(ctx, rows)
		return err
	})
	if err != nil {
		results = nil
	}
	return results, ride, err
}

// read reads all rows, into memory alone: others may wait behind them.
func (p Statement) read(ctx context.Context, rows value.Rows) ([]*value.Result, error) {
	c := charge{share: held.From(ctx)}
	if p.parts == nil {
		buffer := value.NewBuffer(max(p.level.Columns(), 1))
		p.rooms[0].reserve(buffer, expected(p.level, nil))
		if err := fill(buffer, rows, &c); err != nil {
			return nil, err
		}
		p.rooms[0].note(buffer)
		results := []*value.Result{{Rows: buffer}}
		return results, c.settle(results...)
	}
	results := make([]*value.Result, len(p.parts))
	for i, part := range p.parts {
		results[i] = &value.Result{Rows: value.NewBuffer(First(part.Level) + len(part.Cells))}
		p.rooms[i].reserve(results[i].Rows, 0)
	}
	if err := p.distribute(rows, results, &c); err != nil {
		return nil, err
	}
	for i, r := range results {
		p.rooms[i].note(r.Rows)
	}
	if !p.tiles {
		for i := range results {
			p.assemble(results, i)
		}
		results = results[:1]
	}
	return results, c.settle(results...)
}

// distribute gives each part its rows. The parent's number stays their first
// cell where they have a parent.
func (p *Prepared) distribute(rows value.Rows, results []*value.Result, c *charge) error {
	size := allowance{}
	for rows.Next() {
		at := rows.Cell(0).Int
		part, buffer := &p.parts[at], results[at].Rows
		before, room := buffer.Bytes(), buffer.Size()
		if part.Parent >= 0 {
			buffer.Append(rows.Cell(1))
		}
		for _, cell := range part.Cells {
			buffer.Append(rows.Cell(cell))
		}
		if size.exceeded(1, buffer.Bytes()-before) {
			_ = rows.Close()
			return errTooLarge
		}
		if more := buffer.Size() - room; more > 0 {
			if err := c.add(more); err != nil {
				_ = rows.Close()
				return err
			}
		}
	}
	return ended(rows)
}

// assemble hangs a part's rows in its parent's. They come in the order of
// their parents: count them, then sum up.
func (p *Prepared) assemble(results []*value.Result, i int) {
	parent := p.parts[i].Parent
	switch {
	case parent >= 0:
	case i > 0: // the count of a connection
		results[0].Total = results[i]
		return
	default:
		return
	}
	start := make([]int, results[parent].Rows.Len()+1)
	for r := range results[i].Rows.Len() {
		start[results[i].Rows.Row(r).Cell(0).Int]++
	}
	for r := range len(start) - 1 {
		start[r+1] += start[r]
	}
	results[parent].Children = append(results[parent].Children, value.Child{Result: results[i], Start: start})
}
