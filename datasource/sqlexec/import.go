package sqlexec

import (
	"cmp"
	"context"
	"errors"
	"hash"
	"io"
	"sync/atomic"
	"time"

	"usher/fault"
	"usher/plan"
	"usher/sqlgen"
	"usher/value"
)

// Loads is a session that takes many rows at once.
type Loads interface {
	Session
	Plans
	Writes
	// Copy takes rows as the dialect has written them.
	Copy(ctx context.Context, text string, rows []byte) error
	// Patient bounds the statements that follow by this instead of the source's timeout.
	Patient(ctx context.Context, limit time.Duration) error
}

// Incoming is rows that come one after the other. Next returns a row and its number in the
// input, which is valid until the next one; io.EOF is after the last.
type Incoming interface {
	Next() (line int64, row []plan.Given, err error)
}

// importPortion is how many bytes of rows are sent at once. ImportMemory is what an import
// holds at most: a portion that is sent, one that is read meanwhile, and the rows that fill them.
// A transaction of so few bytes as briefly is one of which the rows are arguments: what the server does to make
// and drop the tables of a session is what it does to insert a thousand rows, and more of it is bytes to send twice.
const (
	importPortion = 512 << 10
	briefly       = 64 << 10
	ImportMemory  = 9 << 20
)

// Loading is an import under way: rows are taken of it portion by portion, and written in
// transactions of a bounded number of rows, or in one.
type Loading struct {
	plan   plan.Import // of the role whose turn it is
	of     plan.Import // of the first one
	d      sqlgen.ImportDialect
	table  Tables
	rows   Incoming
	batch  int64
	first  portion // of the transaction
	spare  []byte  // room for another one
	count  int64   // of rows in the transaction
	ended  bool
	moves  bool             // the source's own code may make rows another tenant's
	passes func(error) bool // tells what is refused for others that ran beside it
	told   hash.Hash        // of all rows so far; nil: nobody asks

	waited time.Duration       // for rows, while the session had nothing to do
	worked func(time.Duration) // is told how long each portion was taken
}

// portion is rows as the dialect has written them.
type portion struct {
	text []byte
	err  error // of the row behind them
}

// NewLoading begins an import, in transactions of so many rows at most; 0: in one.
// Worked is told how long the session was at work with each portion.
func NewLoading(i plan.Import, d sqlgen.ImportDialect, t Tables, rows Incoming, batch int64, worked func(time.Duration)) *Loading {
	return &Loading{plan: i, of: i, d: d, table: t, rows: rows, batch: batch, worked: worked}
}

// Moving says whether the source's own code may make rows another tenant's.
func (l *Loading) Moving(may bool) *Loading {
	l.moves = may
	return l
}

// Beside has errors told that are of others which run beside it, and of no row: nobody looks for one then, since what is tried
// once more would wait for these again, and keep them waiting.
func (l *Loading) Beside(passes func(error) bool) *Loading {
	l.passes = passes
	return l
}

// beside tells whether an error is of others that run beside it.
func (l *Loading) beside(err error) bool { return l.passes != nil && l.passes(err) }

// More reads the first rows of the next transaction, and tells whether there are any.
func (l *Loading) More() (bool, error) {
	began := time.Now()
	defer func() { l.waited += time.Since(began) }()
	l.count = 0
	l.first = l.read(l.first.text[:0], nil)
	return l.count > 0, l.first.err
}

// Waited is for how long rows were waited for while the session had nothing to do. Rows that are
// read while others are taken are not waited for.
func (l *Loading) Waited() time.Duration { return l.waited }

// Tell has a digest follow the rows, those that are skipped as well.
func (l *Loading) Tell(to hash.Hash) { l.told = to }

// Skip passes over so many rows, which are in already; fewer if there are no more.
func (l *Loading) Skip(n int64) (skipped int64, err error) {
	batch := l.batch
	defer func() { l.batch, l.count = batch, 0 }()
	for l.batch, l.count = n, 0; !l.full(); {
		if p := l.read(l.spare[:0], nil); p.err != nil {
			return l.count, p.err
		}
	}
	return l.count, nil
}

// Ended tells that the last row has been read.
func (l *Loading) Ended() bool { return l.ended }

// Count is how many rows the transaction has that Write wrote.
func (l *Loading) Count() int64 { return l.count }

// read reads rows up to a portion, unless nobody wants them any more.
func (l *Loading) read(into []byte, unwanted *atomic.Bool) portion {
	for !l.full() && len(into) < importPortion && (unwanted == nil || !unwanted.Load()) {
		line, row, err := l.rows.Next()
		if errors.Is(err, io.EOF) {
			l.ended = true
			break
		}
		if err != nil {
			return portion{into, err}
		}
		from := len(into)
		into = l.d.AppendStaged(into, line, row)
		if l.count++; l.told != nil {
			l.told.Write(into[from:])
		}
	}
	return portion{text: into}
}

// full tells that the transaction takes no more rows.
func (l *Loading) full() bool { return l.ended || l.batch > 0 && l.count >= l.batch }

// gather takes all rows of the transaction into the session's table. While one portion is sent the
// next one is read, and nobody waits for a row that is not wanted any more, but for the piece of
// the body that is being waited for.
func (l *Loading) gather(ctx context.Context, s Loads) error {
	for now := l.first; ; {
		if l.full() {
			l.first = now
			began := time.Now()
			defer func() { l.worked(time.Since(began)) }()
			return s.Copy(ctx, sqlgen.CopyStaged, now.text)
		}
		var unwanted atomic.Bool
		next, room := make(chan func() portion, 1), l.spare[:0]
		go func() {
			defer func() {
				if p := recover(); p != nil {
					next <- func() portion { panic(p) }
				}
			}()
			read := l.read(room, &unwanted)
			next <- func() portion { return read }
		}()
		began := time.Now()
		err := s.Copy(ctx, sqlgen.CopyStaged, now.text)
		taken := time.Now()
		l.worked(taken.Sub(began))
		unwanted.Store(err != nil)
		l.spare = now.text
		now = (<-next)()
		l.waited += time.Since(taken)
		switch {
		case err != nil:
			return err
		case now.err != nil:
			return now.err
		case len(now.text) == 0:
			return nil
		}
	}
}

// Write takes the rows of one transaction, which its caller begins, and commits only if
// there is no error: into tables of the session, then what they lead to is asked for and
// kept as it is, then they are inserted, and what was written is read again, unless nothing changes
// it afterwards. Few rows are written as they were given, if nothing is wrong with them: else they come into
// those tables, where it is found out what.
func (l *Loading) Write(ctx context.Context, s Loads) error {
	l.plan = l.of
	if !l.plan.Valid() {
		return fault.Broken("%w", sqlgen.ErrNotPlanned)
	}
	if fine, err := l.brief(ctx, s); fine || err != nil {
		return err
	}
	tables, err := sqlgen.Stage(l.plan, l.d)
	if err != nil {
		return err
	}
	for _, text := range tables {
		if _, err := l.one(ctx, s, sqlgen.Statement{Text: text}, 0); err != nil {
			return err
		}
	}
	if err := l.gather(ctx, s); err != nil {
		return err
	}
	return l.insert(ctx, s)
}

// brief writes few rows as arguments of the statements, and takes back what it did if they are not all
// as they should be, or more than few.
func (l *Loading) brief(ctx context.Context, s Loads) (fine bool, err error) {
	if !l.full() || len(l.first.text) > briefly || !l.once() {
		return false, nil
	}
	if err := run(ctx, s, mark); err != nil {
		return false, err
	}
	rows := sqlgen.Lists(l.d.Lists(l.first.text, l.plan.Columns()))
	if err = l.leads(ctx, s, rows); err == nil {
		fine, err = l.whole(ctx, s, rows)
	}
	if fine && err == nil {
		return true, nil
	}
	if l.beside(err) {
		return false, err
	}
	if back := run(ctx, s, back); back != nil {
		return false, cmp.Or(err, back)
	}
	return false, nil
}

// Around what mark marks.
const (
	markTurn = "SAVEPOINT usher_turn"
	backTurn = "ROLLBACK TO SAVEPOINT usher_turn"
)

// insert writes the rows that were gathered: with what the first role presets that lets all of them
// be written.
func (l *Loading) insert(ctx context.Context, s Loads) error {
	if _, several := l.plan.Next(); !several {
		return l.write(ctx, s)
	}
	if err := run(ctx, s, markTurn); err != nil {
		return err
	}
	for count := l.count; ; {
		l.count = count
		err := l.write(ctx, s)
		next, again := l.plan.Otherwise(err)
		if !again {
			return err
		}
		if err := run(ctx, s, backTurn); err != nil {
			return err
		}
		l.plan = next
	}
}

// write inserts the rows as they are planned, after what they lead to was looked for.
func (l *Loading) write(ctx context.Context, s Loads) error {
	if err := l.leads(ctx, s, nil); err != nil {
		return err
	}
	if err := run(ctx, s, mark); err != nil {
		return err
	}
	if l.once() {
		fine, err := l.whole(ctx, s, nil)
		switch {
		case err != nil:
			return l.seek(ctx, s, err)
		case fine:
			return nil
		}
		if err := run(ctx, s, back); err != nil {
			return err
		}
	}
	if err := l.load(ctx, s, nil); err != nil {
		return l.seek(ctx, s, err)
	}
	err := l.check(ctx, s)
	if err != nil && l.moves { // or the time would tell whether the row collides with one of another tenant's
		_ = l.seek(ctx, s, err)
		_ = l.before(ctx, s, 0, fault.From(err).Line)
	}
	return err
}

// once tells whether the rows can be inserted and checked by one statement.
func (l *Loading) once() bool {
	return sqlgen.LoadsAtOnce(l.plan) && l.table.Settled(l.plan.Table()) == nil
}

// whole inserts the rows and checks them by one statement. If something is not as it should be,
// they have to be inserted again to find out what.
func (l *Loading) whole(ctx context.Context, s Loads, rows sqlgen.Lists) (fine bool, err error) {
	load, err := sqlgen.LoadWhole(l.plan, rows, l.table.Told(l.plan.Table()), l.d)
	if err != nil {
		return false, err
	}
	found, err := s.QueryWriting(ctx, load.Text, load.Args.Bind(nil), rows == nil)
	if err != nil {
		return false, err
	}
	var written, right, told int64
	if found.Next() {
		written, right, told = found.Cell(0).Int, found.Cell(1).Int, found.Cell(2).Int
	}
	err = ended(found)
	return err == nil && written == l.count && right == l.count && unsettled(l.table, l.plan.Table(), told) == nil, err
}

// load inserts the rows, or those of some lines.
func (l *Loading) load(ctx context.Context, s Loads, lines []int64) error {
	load, err := sqlgen.Load(l.plan, lines, l.d)
	if err != nil {
		return err
	}
	rows, err := s.QueryWriting(ctx, load.Text, load.Args.Bind(nil), true)
	if err != nil {
		return err
	}
	return ended(rows)
}

// Refused is a line that a source refuses, of rows that were refused together.
type Refused struct {
	Line     int64
	Together error
	err      error
}

// Error implements error.
func (r *Refused) Error() string { return r.err.Error() }

// Unwrap returns what the source says of it.
func (r *Refused) Unwrap() error { return r.err }

// Within what mark marks.
const (
	markPart = "SAVEPOINT usher_part"
	backPart = "ROLLBACK TO SAVEPOINT usher_part"
)

// seek finds the first line that is refused. The rows are there still, and what is inserted of
// them goes with the transaction. Where it is not found in time, all that is said is what
// was refused.
func (l *Loading) seek(ctx context.Context, s Loads, refused error) error {
	if ctx.Err() != nil || l.beside(refused) || run(ctx, s, back) != nil {
		return refused
	}
	cells, err := l.one(ctx, s, sqlgen.Statement{Text: sqlgen.Lines}, 2)
	if err != nil || cells == nil || cells[0].Null() {
		return refused
	}
	line, alone, err := FirstRefused(cells[0].Int, cells[1].Int, func(from, to int64) (refused, err error) {
		if err := run(ctx, s, markPart); err != nil {
			return nil, err
		}
		if refused = l.load(ctx, s, []int64{from, to}); refused != nil && from < to {
			err = run(ctx, s, backPart)
		}
		return refused, err
	})
	if err != nil || alone == nil {
		return refused
	}
	if wrong := l.before(ctx, s, cells[0].Int, line); wrong != nil {
		return wrong
	}
	return &Refused{line, refused, alone}
}

// FirstRefused finds the first of rows that are refused together. Try writes those from one to another, both
// included, where all before them are written or are written with them; nil is refused where it writes
// them. Nil, too, is what is found where no row is refused when it is the last.
func FirstRefused(first, last int64, try func(from, to int64) (refused, err error)) (row int64, refused, err error) {
	for from, to := first, last; ; {
		half := from + (to-from)/2
		refused, err := try(from, half)
		switch {
		case err != nil, refused != nil && from == half:
			return from, refused, err
		case refused != nil:
			to = half
		case from == to:
			return 0, nil, nil
		default:
			from = half + 1
		}
	}
}

// before says what is wrong with the rows before a line that is refused. Where rows may have become
// others', they would be what is wrong if that line were not refused, or collided with nobody's.
func (l *Loading) before(ctx context.Context, s Loads, first, line int64) error {
	again := func() bool { return run(ctx, s, back) == nil && l.load(ctx, s, []int64{first, line - 1}) == nil }
	if !l.moves || first == line || !again() {
		return nil
	}
	var err error
	if l.count, err = l.number(ctx, s, sqlgen.Statement{Text: sqlgen.CountKeys}); err != nil || l.count == 0 {
		return err
	}
	return l.check(ctx, s)
}

// one runs a statement that has one row to say, or none; nil if it has none. It is planned
// for tables that nobody else has, and not kept.
func (l *Loading) one(ctx context.Context, s Loads, statement sqlgen.Statement, width int) ([]value.Cell, error) {
	rows, err := s.QueryByValues(ctx, statement.Text, statement.Args.Bind(nil))
	if err != nil {
		return nil, err
	}
	var cells []value.Cell
	if rows.Next() {
		for i := range width {
			cells = append(cells, rows.Cell(i)) // none of them is text
		}
	}
	return cells, ended(rows)
}

// count runs a statement that counts.
func (l *Loading) number(ctx context.Context, s Loads, statement sqlgen.Statement) (int64, error) {
	cells, err := l.one(ctx, s, statement, 1)
	if err != nil {
		return 0, err
	}
	return cells[0].Int, nil
}

// leads asks for the rows that will be led to, and keeps them as they are.
func (l *Loading) leads(ctx context.Context, s Loads, rows sqlgen.Lists) error {
	for i := range l.plan.Leads() {
		lead := l.plan.Lead(i)
		ask := func(level plan.Level, lock sqlgen.Lock) error {
			statement, err := sqlgen.Missing(l.plan, rows, lead, level, lock, l.d)
			if err != nil {
				return err
			}
			cells, err := l.one(ctx, s, statement, 1)
			if err == nil && !cells[0].Null() {
				return at(lead.Refusal(), cells[0].Int)
			}
			return err
		}
		lock := sqlgen.NoLock
		if only, apart := lead.Lock(); apart {
			if err := ask(only, sqlgen.ToRefer); err != nil {
				return err
			}
		} else if lead.Locks() {
			lock = sqlgen.ToRefer
		}
		if err := ask(lead.Level(), lock); err != nil {
			return err
		}
	}
	return nil
}

// check reads what was written. A row has to be right in one of the ways: of several, each
// takes away what is right by it, and the last one has to find all that is left.
func (l *Loading) check(ctx context.Context, s Loads) error {
	left, err := l.number(ctx, s, sqlgen.Statement{Text: sqlgen.CountKeys})
	switch {
	case err != nil:
		return err
	case left != l.count: // a trigger, or a rule of the table's own
		return fault.New(fault.Forbidden, "the source does not write these rows of %s", l.plan.Dataset())
	}
	last := l.plan.Checks() - 1
	if last < 0 {
		return fault.Broken("%w", sqlgen.ErrNotPlanned)
	}
	for i := range last {
		forget, err := sqlgen.ForgetRight(l.plan.Check(i), l.d)
		if err != nil {
			return err
		}
		if _, err := l.one(ctx, s, forget, 0); err != nil {
			return err
		}
		if left, err = l.number(ctx, s, sqlgen.Statement{Text: sqlgen.CountKeys}); err != nil {
			return err
		}
	}
	check := l.plan.Check(last)
	statement, err := sqlgen.Right(check, l.table.Told(l.plan.Table()), l.d)
	if err != nil {
		return err
	}
	cells, err := l.one(ctx, s, statement, 3)
	if err == nil {
		err = l.table.Same(l.plan.Table(), cells[2].Int)
	}
	switch {
	case err != nil:
		return err
	case cells[0].Int > left:
		return SeveralRows(l.plan.Dataset())
	case cells[0].Int == left && cells[1].Int == left:
		return nil
	}
	return l.wrong(ctx, s, check)
}

// wrong says what is wrong with the first row that is not right.
func (l *Loading) wrong(ctx context.Context, s Loads, check plan.Check) error {
	statement, err := sqlgen.Wrong(check, l.d)
	if err != nil {
		return err
	}
	width := check.Level().Columns()
	cells, err := l.one(ctx, s, statement, 2+width)
	switch {
	case err != nil:
		return err
	case cells == nil:
		return fault.New(fault.Internal, "the rows of %s are right and were not", l.plan.Dataset())
	case !cells[1].Bool:
		return at(check.Outside(), cells[0].Int)
	}
	for cell := range width {
		if !cells[2+cell].Bool {
			return at(check.Refusal(cell), cells[0].Int)
		}
	}
	return at(check.Outside(), cells[0].Int)
}

// at is an error of a line of the input.
func at(err error, line int64) error {
	f := *fault.From(err)
	f.Line = line
	return &f
}
