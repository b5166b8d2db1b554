package sqlexec

import (
	"context"
	"errors"
	"fmt"
	"strings"

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
	Also     []Count         // what was written of other datasets, and of rows nested in these
}

// Tables is what is known of the tables that are written. What is known was read before they
// were: what they are is read again, when they have been written to.
type Tables interface {
	// Told is an expression that tells what a table is; empty: it cannot become another.
	Told(table plan.Ref) string
	// Same refuses a table of which that told something else than is known.
	Same(table plan.Ref, told int64) error
}

// Apply makes a change in a session whose transaction its caller begins, and commits
// only if there is no error. What must be there is asked for and kept as it is,
// then rows are written, one statement for each table; what was written is read again, and
// then answered.
func Apply(ctx context.Context, s Session, d sqlgen.ChangeDialect, c plan.Change, t Tables) (Changed, error) {
	if !c.Valid() {
		return Changed{}, fault.New(fault.Internal, "internal error").Because(sqlgen.ErrNotPlanned)
	}
	a := &applying{session: s, d: d, c: c, tables: t, charge: charge{share: held.From(ctx)}}
	out, err := a.apply(ctx)
	if err != nil {
		return Changed{}, err
	}
	a.belonging(&out)
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
	tables  Tables
	charge  charge
	keys    [][]value.Value // of the rows, by cell of the key
	count   int

	by    [][]bool // which checks are of a grant that lets a row be changed that was there; nil: all
	seeks bool     // which row is the first that the source refuses

	made          map[string]bool // keys of rows that were inserted, where others were there already
	written       int
	inside        *applying // whose rows these are nested in
	before, after []*applying
	went          []*applying // of rows that referred to those that were deleted
}

func (a *applying) apply(ctx context.Context) (Changed, error) {
	if a.c.Kind().Inserts() {
		if sqlgen.AtOnce(a.c, a.d) {
			if err := a.references(ctx); err != nil {
				return Changed{}, err
			}
			return a.whole(ctx)
		}
		if err := a.inserts(ctx); err != nil {
			return Changed{}, err
		}
		if upsert, ok := a.c.Upsert(); ok && upsert.Finds() {
			if err := a.find(ctx, upsert); err != nil {
				return Changed{}, err
			}
			out, err := a.answered(ctx)
			out.Affected = a.written
			return out, err
		}
		if err := a.checks(ctx); err != nil {
			return Changed{}, err
		}
		return a.answered(ctx)
	}
	if err := a.references(ctx); err != nil {
		return Changed{}, err
	}
	if sqlgen.AtOnce(a.c, a.d) {
		return a.whole(ctx)
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
	out, err := a.answered(ctx) // of what is there no more afterwards
	if err == nil {
		err = a.remove(ctx)
	}
	return out, err
}

// named runs a statement about rows that are named by keys, and returns which of them it
// has rows for.
func (a *applying) named(ctx context.Context, statement sqlgen.Statement, keys [][]value.Value, count int, cell func(n int, row value.Rows) error) ([]bool, error) {
	return a.rowsOf(ctx, statement, keys, count, false, cell)
}

// rowsOf is named for a statement that may write.
func (a *applying) rowsOf(ctx context.Context, statement sqlgen.Statement, keys [][]value.Value, count int, writes bool, cell func(n int, row value.Rows) error) ([]bool, error) {
	args := make([]string, 0, len(keys)+statement.Args.Len())
	for _, list := range keys {
		args = append(args, a.d.KeyList(list))
	}
	args = append(args, statement.Args.Bind(nil)...)
	if err := fits(statement.Args.Len(), 0); err != nil {
		return nil, err
	}
	run := ask
	if writes {
		run = writing
	}
	rows, err := run(ctx, a.session, keyedAs(statement, count), statement.Text, args)
	if err != nil {
		return nil, err
	}
	there := make([]bool, count)
	for rows.Next() {
		n := int(rows.Cell(0).Int) - 1
		if n < 0 || n >= count || there[n] {
			_ = rows.Close()
			return nil, SeveralRows(a.c.Dataset())
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

// few rows of one table are found by their keys one by one, whatever these are: there is no better plan.
const few = 100

func keyedAs(s sqlgen.Statement, count int) planned {
	if s.Single && count <= few {
		return forAll
	}
	return asEver
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
		ask := func(l plan.Level, lock sqlgen.Lock, below func(int, value.Rows) error) error {
			statement, err := sqlgen.Named(l, lock, a.d)
			if err != nil {
				return err
			}
			there, err := a.named(ctx, statement, keys, r.Tuples(), below)
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
			if err := ask(only, sqlgen.ToRefer, nil); err != nil {
				return err
			}
		} else if r.Locks() {
			lock = sqlgen.ToRefer
		}
		up := climb{level: r.Level(), from: 1}
		if err := ask(r.Level(), lock, up.below(r.Above(), r.AboveAt)); err != nil {
			return err
		}
		if err := a.above(ctx, up, r.Above(), r.AboveAt); err != nil {
			return err
		}
	}
	return nil
}

// inserts makes rows, those that they lead to before them and those that lead to them after
// them.
func (a *applying) inserts(ctx context.Context) error {
	nested := func(c plan.Change) (*applying, error) {
		of := &applying{session: a.session, d: a.d, c: c, tables: a.tables, seeks: a.seeks, inside: a}
		return of, of.failed(of.inserts(ctx))
	}
	for i := range a.c.Before() {
		of, err := nested(a.c.BeforeAt(i))
		if err != nil {
			return err
		}
		a.before = append(a.before, of)
	}
	if err := a.references(ctx); err != nil {
		return err
	}
	if err := a.insert(ctx); err != nil {
		return err
	}
	for i := range a.c.After() {
		of, err := nested(a.c.AfterAt(i))
		if err != nil {
			return err
		}
		a.after = append(a.after, of)
	}
	return nil
}

// checks reads all that was inserted again, when all of it is there.
func (a *applying) checks(ctx context.Context) error {
	if err := a.check(ctx, a.by); err != nil {
		return err
	}
	for _, list := range [][]*applying{a.before, a.after} {
		for _, of := range list {
			if err := of.checks(ctx); err != nil {
				return of.failed(err)
			}
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
	if upserts && upsert.Helds() > 0 {
		by, err := a.heldBefore(ctx, upsert)
		if err != nil {
			return err
		}
		a.by = by
	}
	for i := range a.c.Inserts() {
		into := a.c.Insert(i)
		into = into.Filled(
			func(row, cell int) value.Value { return a.inside.keys[cell][row] },
			func(of, row, cell int) value.Value { return a.before[of].keys[cell][row] },
		)
		if upserts && !a.d.Returns() {
			if err := a.merge(ctx, into, upsert); err != nil {
				return err
			}
			continue
		}
		put := a.put
		if a.seeks {
			put = a.seek
		}
		if err := put(ctx, into, upsert, upserts); err != nil {
			return err
		}
	}
	return nil
}

// put runs the statement of one insert.
func (a *applying) put(ctx context.Context, into plan.Insert, upsert plan.Upsert, upserts bool) error {
	statement, err := sqlgen.Insert(into, upsert, a.d)
	if err != nil {
		return err
	}
	if err := fits(statement.Args.Len(), 0); err != nil {
		return err
	}
	rows, err := writing(ctx, a.session, forAll, statement.Text, statement.Args.Bind(nil))
	if err != nil {
		return err
	}
	if upserts && upsert.Finds() {
		return a.fresh(rows, into)
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
	return nil
}

// fresh notes the keys of rows that were inserted, where others were there already.
func (a *applying) fresh(rows value.Rows, into plan.Insert) error {
	if a.made == nil {
		a.made = make(map[string]bool)
	}
	for n := 0; n <= into.Rows() && rows.Next(); n++ {
		key := make([]value.Value, a.c.Keys())
		for k := range key {
			key[k] = value.Bound(into.Key(k).Type, rows.Cell(k))
		}
		a.made[keyText(key)] = true
	}
	return ended(rows)
}

// keyText tells keys apart.
func keyText(key []value.Value) string {
	var text strings.Builder
	for _, v := range key {
		_, _ = fmt.Fprintf(&text, "%d:%s", len(v.Text()), v.Text())
	}
	return text.String()
}

// find takes the keys of all rows, of those that were inserted and of those that were there,
// and checks the former: nothing was written to the others.
func (a *applying) find(ctx context.Context, u plan.Upsert) error {
	l := u.Level()
	statement, err := sqlgen.Named(l, sqlgen.NoLock, a.d)
	if err != nil {
		return err
	}
	keys := make([][]value.Value, u.Keys())
	for i := range keys {
		for n := range a.count {
			keys[i] = append(keys[i], u.Found(i, n))
		}
	}
	only := &applying{session: a.session, d: a.d, c: a.c, tables: a.tables, keys: make([][]value.Value, a.c.Keys())}
	there, err := a.named(ctx, statement, keys, a.count, func(n int, row value.Rows) error {
		key := make([]value.Value, a.c.Keys())
		for k := range key {
			key[k] = value.Bound(l.Column(k).Type(), row.Cell(k+1))
			a.keys[k][n] = key[k]
		}
		if a.made[keyText(key)] {
			for k := range key {
				only.keys[k] = append(only.keys[k], key[k])
			}
			only.count++
		}
		return nil
	})
	if err != nil {
		return err
	}
	if only.count < len(a.made) { // what was written is not what was given, or is out of the scope
		return a.refused()
	}
	for _, ok := range there {
		if !ok {
			return fault.New(fault.Conflict, "a row of %s with the key of one of these is there, and is not shown", a.c.Dataset())
		}
	}
	a.written = only.count
	if only.count == 0 {
		return nil
	}
	return only.check(ctx, nil)
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
			return SeveralRows(a.c.Dataset())
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

// SeveralRows is the error where a key of the configuration's names more than one row, as it can where the
// source has nothing that keeps it.
func SeveralRows(dataset string) error {
	return fault.New(fault.Unavailable, "there are several rows of %s where the source has them, and the key names one", dataset).
		WithHint("Tell an administrator: rows of one key have to be made one, or the dataset needs a key that tells them apart.")
}

// ErrUnseen is the cause of a conflict with a row that is not shown, or that another transaction
// inserted when the statement had begun: then it is shown to the next.
var ErrUnseen = errors.New("a row with the key of one that was to be inserted is there, and was not seen")

// unchanged is the error where a row is there that is not shown, or not to be changed.
func (a *applying) unchanged() error {
	return fault.New(fault.Conflict, "a row of %s with the key of one of these is there, and cannot be changed", a.c.Dataset()).Because(ErrUnseen)
}

// refused is the error where the source has written other rows than it was given.
func (a *applying) refused() error {
	return fault.New(fault.Forbidden, "the source does not write these rows of %s", a.c.Dataset())
}

// choose finds the rows to be changed, and keeps them as they are.
func (a *applying) choose(ctx context.Context) error { return a.chooseOf(ctx, nil) }

// chooseOf finds the rows to be changed, or those of them that refer to rows of another
// change.
func (a *applying) chooseOf(ctx context.Context, of *applying) error {
	l := a.c.Chosen()
	first, args := 0, []string(nil)
	statement, err := sqlgen.Chosen(l, a.d)
	if of != nil {
		lock := sqlgen.NoLock
		if sqlgen.Lockable(l) {
			lock = sqlgen.ToChange
		}
		first, args = 1, of.linked(l)
		statement, err = sqlgen.Named(l, lock, a.d)
	}
	if err != nil {
		return err
	}
	if err := fits(statement.Args.Len(), 0); err != nil {
		return err
	}
	rows, err := a.session.Query(ctx, statement.Text, append(args, statement.Args.Bind(nil)...))
	if err != nil {
		return err
	}
	a.keys = make([][]value.Value, a.c.Keys())
	stale := false
	up := climb{level: l, from: first}
	below := up.below(a.c.Above(), a.c.AboveAt)
	for rows.Next() {
		for k := range a.keys {
			a.keys[k] = append(a.keys[k], value.Bound(l.Column(k).Type(), rows.Cell(first+k)))
		}
		if below != nil {
			_ = below(a.count, rows)
		}
		a.count++
		stale = stale || a.c.Versioned() && !rows.Cell(first+a.c.Keys()).Bool
	}
	if err := ended(rows); err != nil {
		return err
	}
	switch {
	case a.count > plan.MaxChanged:
		return a.tooMany()
	case a.c.Kind().One() && a.count > 1:
		return SeveralRows(a.c.Dataset())
	case stale:
		return fault.New(fault.Conflict, "the row of %s has changed meanwhile", a.c.Dataset()).WithHint("read it again, and change what is there now")
	case a.count == 0:
		return nil
	}
	if err := a.above(ctx, up, a.c.Above(), a.c.AboveAt); err != nil || sqlgen.Lockable(l) {
		return err
	}
	lock, err := sqlgen.Named(a.c.Locked(), sqlgen.ToChange, a.d)
	if err != nil {
		return err
	}
	return a.all(ctx, lock)
}

// tooMany is the error where more rows would be changed than may be.
func (a *applying) tooMany() error {
	return fault.New(fault.TooComplex, "more than %d rows of %s would be changed at once", plan.MaxChanged, a.c.Dataset()).
		WithHint("change fewer rows at a time: write a limit, or a narrower condition")
}

// all runs a statement that has to have a row for each key.
func (a *applying) all(ctx context.Context, statement sqlgen.Statement) error {
	return a.every(ctx, statement, false, nil)
}

func (a *applying) every(ctx context.Context, statement sqlgen.Statement, writes bool, cell func(int, value.Rows) error) error {
	there, err := a.rowsOf(ctx, statement, a.keys, a.count, writes, cell)
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
	told := ""
	if a.c.Update().Sets() > 0 {
		statement, err = sqlgen.Update(a.c.Update(), a.d) // what the table is is told by the check
	} else {
		told = a.told()
		statement, err = sqlgen.Delete(a.c.Remove(), told, a.d)
	}
	if err != nil {
		return err
	}
	if !a.d.Returns() {
		return a.counted(ctx, statement)
	}
	return a.every(ctx, statement, true, func(_ int, row value.Rows) error {
		if told == "" {
			return nil
		}
		return a.tables.Same(a.c.Table(), row.Cell(1).Int)
	})
}

// told is the expression that tells what the table is that is written.
func (a *applying) told() string {
	if a.tables == nil {
		return ""
	}
	return a.tables.Told(a.c.Table())
}

// linked are the cells of the keys by which rows of a level refer to these.
func (a *applying) linked(l plan.Level) []string {
	out := make([]string, 0, l.Links())
	for link := range l.Links() {
		out = append(out, a.d.KeyList(a.keys[l.Link(link).Cell()]))
	}
	return out
}

// remove deletes the chosen rows, after what is to be done with those that refer to them.
func (a *applying) remove(ctx context.Context) error {
	if err := a.kept(ctx, a.c.Keepers(), a.c.Keeper); err != nil {
		return err
	}
	for i := range a.c.Dependents() {
		of := &applying{session: a.session, d: a.d, c: a.c.Dependent(i), tables: a.tables}
		if err := of.depend(ctx, a); err != nil {
			return of.failed(err)
		}
		a.went = append(a.went, of)
	}
	if err := a.kept(ctx, a.c.Leftovers(), a.c.Leftover); err != nil {
		return err
	}
	return a.write(ctx)
}

// depend makes a change of rows that refer to others.
func (a *applying) depend(ctx context.Context, of *applying) error {
	if err := a.chooseOf(ctx, of); err != nil || a.count == 0 {
		return err
	}
	if !a.c.Kind().Updates() {
		return a.remove(ctx)
	}
	by, err := a.held(ctx)
	if err == nil {
		err = a.write(ctx)
	}
	if err == nil {
		err = a.check(ctx, by)
	}
	return err
}

// Failed is what is wrong with a change that belongs to another.
type Failed struct {
	Change plan.Change
	err    error
}

// Error implements error.
func (f *Failed) Error() string { return f.err.Error() }

// Unwrap returns what is wrong.
func (f *Failed) Unwrap() error { return f.err }

// failed says of which of the changes an error is.
func (a *applying) failed(err error) error {
	var of *Failed
	if err == nil || errors.As(err, &of) {
		return err
	}
	return &Failed{a.c, err}
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
func (a *applying) kept(ctx context.Context, keepers int, keeper func(int) plan.Keeper) error {
	for i := range keepers {
		k := keeper(i)
		statement, err := sqlgen.Named(k.Level(), sqlgen.NoLock, a.d)
		if err != nil {
			return err
		}
		rows, err := a.session.Query(ctx, statement.Text, append(a.linked(k.Level()), statement.Args.Bind(nil)...))
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
// grants in that of one that let it be changed. What the table is is read with the rows, after it
// was written to: so nobody has made it another, nor can before the transaction ends.
func (a *applying) check(ctx context.Context, by [][]bool) error {
	right := make([]bool, a.count)
	var first error
	for i := range a.c.Checks() {
		check, told := a.c.Check(i), ""
		if i == 0 {
			told = a.told()
		}
		statement, err := sqlgen.Checked(check.Level(), told, a.d)
		if err != nil {
			return err
		}
		refers := make([]error, a.count)
		there, err := a.named(ctx, statement, a.keys, a.count, func(n int, row value.Rows) error {
			if told != "" {
				if err := a.tables.Same(a.c.Table(), row.Cell(1+max(check.Level().Columns(), 1)).Int); err != nil {
					return err
				}
			}
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
	rows, err := ask(ctx, r.Session, keyedAs(statement, count), statement.Text, append(args, statement.Args.Bind(nil)...))
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
		return nil, SeveralRows(l.Ref(0).Dataset())
	}
	return result, nil
}
