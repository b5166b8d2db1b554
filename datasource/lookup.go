package datasource

import (
	"context"
	"errors"
	"strconv"

	"usher/datasource/drift"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/held"
	"usher/plan"
	"usher/value"
)

// lookedUp answers a query from one database but for columns that it looks up by
// key in others, where that will do. What will not is for the next.
type lookedUp struct {
	next
	sources *Sources
}

func (l *lookedUp) ask(ctx context.Context, q *Question) (Answered, error) {
	ctx = postgres.OneHost(ctx) // an answer is of one moment, as far as it can be
	if q.lookups != nil {
		answered, err := l.sources.lookUp(ctx, q.lookups, q.binding)
		if !errors.Is(err, errAmbiguous) {
			l.sources.metrics.lookedUp.Inc()
			return answered, err
		}
	}
	l.sources.metrics.combined.Inc()
	return l.next.ask(ctx, q)
}

// lookups are a query in two parts: what one database answers, and what is put
// beside it.
type lookups struct {
	main *Question
	list []plan.Lookup
}

func prepareLookups(q plan.Query) (*lookups, error) {
	main, list, ok := q.Lookups()
	if !ok {
		return nil, nil
	}
	target, _ := main.Single()
	statement, err := sqlexec.Prepare(main, dialects[target.Kind])
	return &lookups{&Question{target: target, prepared: statement, reads: drift.Reads(main.Root())}, list}, err
}

// size is about how many bytes they take in memory beside the query that they are parts of.
func (l *lookups) size() int {
	n := l.main.Size()
	for _, lookup := range l.list {
		n += lookup.Fetch().Query().Size()
	}
	return n
}

// errAmbiguous says that a key has several rows: the join is for the engine.
var errAmbiguous = errors.New("a key has several rows")

// lookUp answers the query, or with errAmbiguous.
func (s *Sources) lookUp(ctx context.Context, l *lookups, to plan.Binding) (Answered, error) {
	answered, err := s.accounts.ask(ctx, l.main.Bind(to))
	if err != nil {
		return Answered{}, err
	}
	root := answered.Results[0]
	share := held.From(ctx)
	defer share.Give(answered.Held) // what is returned is another
	part := share.Part()
	defer part.Release()
	levels := levelsOf(root, nil)
	replaced := make(map[*value.Result]*value.Buffer)
	for _, lookup := range l.list {
		level := levels[lookup.Level()]
		rows := replaced[level]
		if rows == nil {
			rows = level.Rows
		}
		found, err := s.rowsByKey(ctx, lookup.Bind(to), rows, level != levels[0], part)
		if err != nil {
			return Answered{}, err
		}
		replaced[level] = beside(rows, lookup, found, level != levels[0])
		if err := part.Take(int64(replaced[level].Size())); err != nil {
			return Answered{}, err
		}
	}
	part.Release()
	answered = answeredWith(rebuilt(root, replaced))
	return answered, share.Take(answered.Held)
}

// levelsOf lists the results of a tree, each before those nested in it.
func levelsOf(r *value.Result, all []*value.Result) []*value.Result {
	all = append(all, r)
	for _, child := range r.Children {
		all = levelsOf(child.Result, all)
	}
	return all
}

// shift is where a level's own cells begin: behind the parent's number.
func shift(nested bool) int {
	if nested {
		return 1
	}
	return 0
}

// byKey are the rows that were found, by the text of their key.
type byKey struct {
	rows *value.Buffer
	at   map[string]int
	part *held.Part
	size int // of the rows, as it was taken
}

// rowsByKey fetches the rows that a level's rows name.
func (s *Sources) rowsByKey(ctx context.Context, l plan.Lookup, rows *value.Buffer, nested bool, part *held.Part) (byKey, error) {
	found := byKey{at: make(map[string]int), part: part}
	var keys []value.Value
	seen := make(map[string]bool)
	for i := range rows.Len() {
		cell := rows.Row(i).Cell(shift(nested) + l.KeyCell())
		if text, ok := keyText(cell); ok && !seen[text] {
			seen[text] = true
			keys = append(keys, value.Bound(l.KeyType(), cell))
		}
	}
	ref := l.Fetch().Query().Root().Ref(0)
	found.rows = value.NewBuffer(ref.Fields())
	if len(keys) == 0 {
		return found, nil
	}
	source, release, err := s.accounts.get(ctx, ref.Target())
	if err != nil {
		return found, err
	}
	defer release()
	for len(keys) > 0 {
		batch := keys[:min(len(keys), maxKeys)]
		keys = keys[len(batch):]
		if err := source.Fetch(ctx, l.Fetch().Narrowed(l.Key(), batch).Query(), func(rows value.Rows) error { return found.add(rows, l.KeyColumn()) }); err != nil {
			return found, err
		}
	}
	return found, nil
}

func (b *byKey) add(rows value.Rows, key int) error {
	for rows.Next() {
		text, ok := keyText(rows.Cell(key))
		if _, twice := b.at[text]; twice {
			return errAmbiguous
		}
		if !ok {
			continue
		}
		b.at[text] = b.rows.Len()
		for i := range b.rows.Width() {
			b.rows.Append(rows.Cell(i))
		}
		if now := b.rows.Size() + keySize*len(b.at); now >= b.size+takeEvery {
			if err := b.part.Take(int64(now - b.size)); err != nil {
				return err
			}
			b.size = now
		}
	}
	return nil
}

// keySize is about what a key takes besides its row.
const keySize = 64

// keyText is the one text of a key, unless it is null.
func keyText(c value.Cell) (string, bool) {
	switch c.Kind { //nolint:exhaustive // package plan lets whole numbers and text be looked up
	case value.KindInt:
		return strconv.FormatInt(c.Int, 10), true
	case value.KindText:
		return string(c.Text), true
	}
	return "", false
}

// beside is the rows with what was looked up in its cells.
func beside(rows *value.Buffer, l plan.Lookup, found byKey, nested bool) *value.Buffer {
	column := make([]int, rows.Width()) // 1 + the column of the found rows
	for i := range l.Cells() {
		column[shift(nested)+l.Cell(i).Cell] = l.Cell(i).Column + 1
	}
	out := value.NewBuffer(rows.Width())
	out.Reserve(rows.Len())
	for i := range rows.Len() {
		row := rows.Row(i)
		text, ok := keyText(row.Cell(shift(nested) + l.KeyCell()))
		at, there := found.at[text]
		for c, from := range column {
			switch {
			case from == 0:
				out.Append(row.Cell(c))
			case ok && there:
				out.Append(found.rows.Row(at).Cell(from - 1))
			default:
				out.Append(value.Cell{})
			}
		}
	}
	return out
}

// rebuilt is a result with some of its rows replaced: results may be shared, so
// they are not changed.
func rebuilt(r *value.Result, replaced map[*value.Result]*value.Buffer) *value.Result {
	out := *r
	if rows := replaced[r]; rows != nil {
		out.Rows = rows
	}
	out.Children = make([]value.Child, len(r.Children))
	for i, child := range r.Children {
		out.Children[i] = value.Child{Result: rebuilt(child.Result, replaced), Start: child.Start}
	}
	return &out
}
