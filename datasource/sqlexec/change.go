package sqlexec

import (
	"context"

	"usher/fault"
	"usher/held"
	"usher/plan"
	"usher/query"
	"usher/sqlgen"
	"usher/value"
)

// Changed is what has become of a change.
type Changed struct {
	Affected int
	Results  []*value.Result // of its answers; nil where there is no row for one
	Err      error           // of its answers, where they could not be read once it was made
}

// Apply makes a change in a session whose transaction its caller begins, and commits
// only if there is no error. What must be there is asked for and kept as it is,
// then rows are written, one statement for each table; what was written is read again, and
// then answered.
func Apply(ctx context.Context, s Session, d sqlgen.ChangeDialect, c plan.Change) (Changed, error) {
	if !c.Valid() {
		return Changed{}, fault.New(fault.Internal, "internal error").Because(sqlgen.ErrNotPlanned)
	}
	a := &applying{session: s, d: d, c: c, charge: charge{share: held.From(ctx)}}
	out, err := a.apply(ctx)
	if err != nil {
		return Changed{}, err
	}
	return out, a.charge.settle(present(out.Results)...)
}

func present(results []*value.Result) []*value.Result {
	var out []*value.Result
	for _, r := range results {
		if r != nil {
			out = append(out, r)
		}
	}
	return out
}

// applying is a change being made.
type applying struct {
	session Session
	d       sqlgen.ChangeDialect
	c       plan.Change
	charge  charge
	keys    [][]value.Value // of the rows, by cell of the key
	count   int
}

func (a *applying) apply(ctx context.Context) (Changed, error) {
	if err := a.references(ctx); err != nil {
		return Changed{}, err
	}
	if a.c.Kind().Inserts() {
		if err := a.insert(ctx); err != nil {
			return Changed{}, err
		}
		if err := a.check(ctx, nil); err != nil {
			return Changed{}, err
		}
		return a.answered(ctx)
	}
	if err := a.choose(ctx); err != nil || a.count == 0 {
		return Changed{Results: make([]*value.Result, a.c.Answers())}, err
	}
	by, err := a.held(ctx)
	if err != nil {
		return Changed{}, err
	}
	if a.c.Kind().Updates() {
		if err := a.write(ctx); err != nil {
			return Changed{}, err
		}
		if err := a.check(ctx, by); err != nil {
			return Changed{}, err
		}
		return a.answered(ctx)
	}
	if err := a.kept(ctx); err != nil {
		return Changed{}, err
	}
	out, err := a.answered(ctx) // of what is there no more afterwards
	if err == nil {
		err = a.write(ctx)
	}
	return out, err
}

// named runs a statement about rows that are named by keys, and returns which of them it
// has rows for.
func (a *applying) named(ctx context.Context, statement sqlgen.Statement, keys [][]value.Value, count int, cell func(n int, row value.Rows) error) ([]bool, error) {
	args := make([]string, 0, len(keys)+statement.Args.Len())
	for _, list := range keys {
		args = append(args, a.d.KeyList(list))
	}
	args = append(args, statement.Args.Bind(nil)...)
	if err := fits(statement.Args.Len(), 0); err != nil {
		return nil, err
	}
	rows, err := a.session.Query(ctx, statement.Text, args)
	if err != nil {
		return nil, err
	}
	there := make([]bool, count)
	for rows.Next() {
		n := int(rows.Cell(0).Int) - 1
		if n < 0 || n >= count || there[n] {
			_ = rows.Close()
			return nil, fault.New(fault.Internal, "the key of %s names several rows", a.c.Dataset())
		}
		there[n] = true
		if cell != nil {
			if err := cell(n, rows); err != nil {
				_ = rows.Close()
				return nil, err
			}
		}
	}
	return there, ended(rows)
}

// references asks for the rows that will be led to, and keeps them as they are.
func (a *applying) references(ctx context.Context) error {
	for i := range a.c.References() {
		r := a.c.Reference(i)
		keys := make([][]value.Value, r.Level().Links())
		for link := range keys {
			for n := range r.Tuples() {
				keys[link] = append(keys[link], r.Value(link, n))
			}
		}
		ask := func(l plan.Level, lock sqlgen.Lock) error {
			statement, err := sqlgen.Named(l, lock, a.d)
			if err != nil {
				return err
			}
			there, err := a.named(ctx, statement, keys, r.Tuples(), nil)
			if err != nil {
				return err
			}
			for n, ok := range there {
				if !ok {
					return r.Refusal(n)
				}
			}
			return nil
		}
		lock := sqlgen.NoLock
		if only, apart := r.Lock(); apart {
			if err := ask(only, sqlgen.ToRefer); err != nil {
				return err
			}
		} else if r.Locks() {
			lock = sqlgen.ToRefer
		}
		if err := ask(r.Level(), lock); err != nil {
			return err
		}
	}
	return nil
}

// insert makes rows and takes their keys.
func (a *applying) insert(ctx context.Context) error {
	a.count = a.c.Given()
	a.keys = make([][]value.Value, a.c.Keys())
	for k := range a.keys {
		a.keys[k] = make([]value.Value, a.count)
	}
	upsert, upserts := a.c.Upsert()
	for i := range a.c.Inserts() {
		into := a.c.Insert(i)
		if upserts && !a.d.Returns() {
			if err := a.merge(ctx, into, upsert); err != nil {
				return err
			}
			continue
		}
		statement, err := sqlgen.Insert(into, upsert, a.d)
		if err != nil {
			return err
		}
		if err := fits(statement.Args.Len(), 0); err != nil {
			return err
		}
		rows, err := a.session.Query(ctx, statement.Text, statement.Args.Bind(nil))
		if err != nil {
			return err
		}
		n := 0
		for ; n < into.Rows() && rows.Next(); n++ {
			for k := range a.keys {
				a.keys[k][into.Row(n)] = value.Bound(into.Key(k).Type, rows.Cell(k))
			}
		}
		more := rows.Next()
		if err := ended(rows); err != nil {
			return err
		}
		if upserts && n < into.Rows() { // one that is there and not shown, or not to be changed
			return a.unchanged()
		}
		if more || n < into.Rows() { // a trigger, or a rule of the table's own
			return a.refused()
		}
	}
	return nil
}

// merge makes rows, or changes those that are there already, in several statements.
func (a *applying) merge(ctx context.Context, into plan.Insert, upsert plan.Upsert) error {
	m, err := sqlgen.Merge(into, upsert, a.d)
	if err != nil {
		return err
	}
	if err := fits(max(m.There.Args.Len(), m.Change.Args.Len(), m.Rest.Args.Len()), 0); err != nil {
		return err
	}
	found, err := a.session.Query(ctx, m.There.Text, m.There.Args.Bind(nil))
	if err != nil {
		return err
	}
	there, count := make([]bool, into.Rows()), 0
	for ; found.Next(); count++ {
		n := int(found.Cell(0).Int) - 1
		if n < 0 || n >= len(there) || there[n] {
			_ = found.Close()
			return fault.New(fault.Internal, "the key of %s names several rows", a.c.Dataset())
		}
		there[n] = true
		for k := range a.keys {
			a.keys[k][into.Row(n)] = value.Bound(into.Key(k).Type, found.Cell(k+1))
		}
	}
	if err := ended(found); err != nil {
		return err
	}
	if count > 0 {
		done, err := a.affected(ctx, m.Change)
		if err != nil {
			return err
		}
		if done != count {
			return a.unchanged()
		}
	}
	if count == len(there) {
		return nil
	}
	made, err := a.session.Query(ctx, m.Rest.Text, m.Rest.Args.Bind(nil))
	if err != nil {
		return err
	}
	whole := true
	for n := range there {
		if there[n] {
			continue
		}
		if whole = whole && made.Next(); !whole {
			break
		}
		for k := range a.keys {
			a.keys[k][into.Row(n)] = value.Bound(into.Key(k).Type, made.Cell(k))
		}
	}
	whole = whole && !made.Next()
	if err := ended(made); err != nil {
		return err
	}
	if !whole {
		return a.refused()
	}
	return nil
}

// unchanged is the error where a row is there that is not shown, or not to be changed.
func (a *applying) unchanged() error {
	return fault.New(fault.Conflict, "a row of %s with the key of one of these is there, and cannot be changed", a.c.Dataset())
}

// refused is the error where the source has written other rows than it was given.
func (a *applying) refused() error {
	return fault.New(fault.Forbidden, "the source does not write these rows of %s", a.c.Dataset())
}

// choose finds the rows to be changed, and keeps them as they are.
func (a *applying) choose(ctx context.Context) error {
	l := a.c.Chosen()
	statement, err := sqlgen.Chosen(l, a.d)
	if err != nil {
		return err
	}
	if err := fits(statement.Args.Len(), 0); err != nil {
		return err
	}
	rows, err := a.session.Query(ctx, statement.Text, statement.Args.Bind(nil))
	if err != nil {
		return err
	}
	a.keys = make([][]value.Value, a.c.Keys())
	stale := false
	for rows.Next() {
		for k := range a.keys {
			a.keys[k] = append(a.keys[k], value.Bound(l.Column(k).Type(), rows.Cell(k)))
		}
		a.count++
		stale = stale || a.c.Versioned() && !rows.Cell(a.c.Keys()).Bool
	}
	if err := ended(rows); err != nil {
		return err
	}
	switch {
	case a.count > plan.MaxChanged:
		return fault.New(fault.TooComplex, "more than %d rows of %s would be changed at once", plan.MaxChanged, a.c.Dataset()).
			WithHint("change fewer rows at a time: write a limit, or a narrower condition")
	case a.c.Kind().One() && a.count > 1:
		return fault.New(fault.Internal, "the key of %s names several rows", a.c.Dataset())
	case stale:
		return fault.New(fault.Conflict, "the row of %s has changed meanwhile", a.c.Dataset()).WithHint("read it again, and change what is there now")
	case a.count == 0 || sqlgen.Lockable(l):
		return nil
	}
	lock, err := sqlgen.Named(a.c.Locked(), sqlgen.ToChange, a.d)
	if err != nil {
		return err
	}
	return a.all(ctx, lock)
}

// all runs a statement that has to have a row for each key.
func (a *applying) all(ctx context.Context, statement sqlgen.Statement) error {
	there, err := a.named(ctx, statement, a.keys, a.count, nil)
	if err != nil {
		return err
	}
	for _, ok := range there {
		if !ok {
			return a.refused()
		}
	}
	return nil
}

// held finds for each grant which rows it lets be changed; nil where one lets all.
func (a *applying) held(ctx context.Context) ([][]bool, error) {
	by := make([][]bool, a.c.Helds())
	for i := range by {
		statement, err := sqlgen.Named(a.c.Held(i), sqlgen.NoLock, a.d)
		if err != nil {
			return nil, err
		}
		if by[i], err = a.named(ctx, statement, a.keys, a.count, nil); err != nil {
			return nil, err
		}
	}
	return by, nil
}

// write changes or removes the chosen rows.
func (a *applying) write(ctx context.Context) error {
	var statement sqlgen.Statement
	var err error
	if a.c.Update().Sets() > 0 {
		statement, err = sqlgen.Update(a.c.Update(), a.d)
	} else {
		statement, err = sqlgen.Delete(a.c.Remove(), a.d)
	}
	if err != nil {
		return err
	}
	if !a.d.Returns() {
		return a.counted(ctx, statement)
	}
	return a.all(ctx, statement)
}

// counted runs a statement that has to be about as many rows as there are keys: no key
// names two of them, so that fewer are another number.
func (a *applying) counted(ctx context.Context, statement sqlgen.Statement) error {
	done, err := a.affected(ctx, statement, a.keys...)
	if err == nil && done != a.count {
		err = a.refused()
	}
	return err
}

// affected runs a statement that returns how many rows it is about.
func (a *applying) affected(ctx context.Context, statement sqlgen.Statement, keys ...[]value.Value) (int, error) {
	if err := fits(statement.Args.Len(), 0); err != nil {
		return 0, err
	}
	args := make([]string, 0, len(keys)+statement.Args.Len())
	for _, list := range keys {
		args = append(args, a.d.KeyList(list))
	}
	rows, err := a.session.Query(ctx, statement.Text, append(args, statement.Args.Bind(nil)...))
	if err != nil {
		return 0, err
	}
	n := 0
	if rows.Next() {
		n = int(rows.Cell(0).Int)
	}
	return n, ended(rows)
}

// kept refuses to delete rows that others refer to.
func (a *applying) kept(ctx context.Context) error {
	for i := range a.c.Keepers() {
		k := a.c.Keeper(i)
		statement, err := sqlgen.Named(k.Level(), sqlgen.NoLock, a.d)
		if err != nil {
			return err
		}
		args := make([]string, 0, k.Level().Links()+statement.Args.Len())
		for link := range k.Level().Links() {
			args = append(args, a.d.KeyList(a.keys[k.Level().Link(link).Cell()]))
		}
		rows, err := a.session.Query(ctx, statement.Text, append(args, statement.Args.Bind(nil)...))
		if err != nil {
			return err
		}
		found := rows.Next()
		if err := ended(rows); err != nil {
			return err
		}
		if found {
			return k.Refusal()
		}
	}
	return nil
}

// check reads what was written. A row has to be right in one of the ways, and of several
// grants in that of one that let it be changed.
func (a *applying) check(ctx context.Context, by [][]bool) error {
	right := make([]bool, a.count)
	var first error
	for i := range a.c.Checks() {
		check := a.c.Check(i)
		statement, err := sqlgen.Named(check.Level(), sqlgen.NoLock, a.d)
		if err != nil {
			return err
		}
		refers := make([]error, a.count)
		there, err := a.named(ctx, statement, a.keys, a.count, func(n int, row value.Rows) error {
			for cell := range check.Level().Columns() {
				if !row.Cell(cell + 1).Bool {
					refers[n] = check.Refusal(cell)
					break
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		for n := range right {
			switch {
			case !there[n] || len(by) > 0 && !by[i][n]:
			case refers[n] != nil:
				return refers[n]
			default:
				right[n] = true
			}
		}
		if first == nil {
			first = check.Outside()
		}
	}
	for _, ok := range right {
		if !ok {
			return first
		}
	}
	return nil
}

// answered reads the rows as they are asked for.
func (a *applying) answered(ctx context.Context) (Changed, error) {
	out := Changed{Affected: a.count}
	for i := range a.c.Answers() {
		r, err := a.answer(ctx, a.c.Answer(i))
		if err != nil {
			return out, err
		}
		out.Results = append(out.Results, r)
	}
	return out, nil
}

func (a *applying) answer(ctx context.Context, q plan.Query) (*value.Result, error) {
	return Run{Session: a.session, Dialect: a.d, Before: AsPlanned}.keyed(ctx, q, a.keys, a.count, &a.charge)
}

// Keyed answers a query for the rows that have keys, in the order of the keys where the query
// has none of its own.
func (r Run) Keyed(ctx context.Context, q plan.Query, keys [][]value.Value, count int) (*value.Result, error) {
	if !q.Valid() {
		return nil, fault.New(fault.Internal, "internal error").Because(sqlgen.ErrNotPlanned)
	}
	c := charge{share: held.From(ctx)}
	result, err := r.keyed(ctx, q, keys, count, &c)
	if err != nil {
		return nil, err
	}
	return result, c.settle(result)
}

func (r Run) keyed(ctx context.Context, q plan.Query, keys [][]value.Value, count int, c *charge) (*value.Result, error) {
	l := q.Root()
	here, err := r.Before(ctx, l, keys)
	if err != nil {
		return nil, err
	}
	statement, err := sqlgen.Keyed(here, r.Dialect)
	if err != nil {
		return nil, err
	}
	args := make([]string, 0, len(keys)+statement.Args.Len())
	for _, list := range keys {
		args = append(args, r.Dialect.KeyList(list))
	}
	rows, err := r.Session.Query(ctx, statement.Text, append(args, statement.Args.Bind(nil)...))
	if err != nil {
		return nil, err
	}
	numbered, err := read(rows, First(l)+max(l.Columns(), 1), min(count, 1024), c)
	if err != nil {
		return nil, err
	}
	result := &value.Result{Rows: value.NewBuffer(max(l.Columns(), 1))}
	for i := range l.Children() {
		child, err := r.child(ctx, l, l.Child(i), numbered, c)
		if err != nil {
			return nil, err
		}
		result.Children = append(result.Children, child)
	}
	for i := range numbered.Len() { // the numbers of the keys were for the order
		for n := range result.Rows.Width() {
			result.Rows.Append(numbered.Row(i).Cell(n + 1))
		}
	}
	if q.Shape() == query.ByKey && result.Rows.Len() > 1 {
		return nil, fault.New(fault.Internal, "the key of %s names several rows", l.Ref(0).Dataset())
	}
	return result, nil
}
