package datasource

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"usher/datasource/duckdb"
	"usher/datasource/sqlexec"
	"usher/plan"
)

// files judge what files hold, whenever they are others: a file may be replaced
// at any time, by one without a tenant's column too. Each session asks, since
// it reads one version of the files from its beginning to its end. What was found
// is kept until they are others again.
type files struct {
	accounts *accounts
	target   plan.Target
	timeout  time.Duration

	mu     sync.Mutex
	latest uint64 // version that was looked at
	shape  *shape // of it
}

func (a *accounts) filesOf(t plan.Target, timeout time.Duration) *files {
	return &files{accounts: a, target: t, timeout: timeout}
}

// of is the shape of a version.
func (f *files) of(v *duckdb.Version) *shape {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.shape != nil && v.Number < f.latest: // it ends soon
		return f.shapeOf(v)
	case f.shape == nil || v.Number > f.latest:
		f.latest, f.shape = v.Number, f.shapeOf(v)
	}
	return f.shape
}

func (f *files) shapeOf(v *duckdb.Version) *shape {
	return &shape{cat: f.accounts.cat, target: f.target, tables: v, timeout: f.timeout, inspecting: make(chan struct{}, 1), findings: newFindings()}
}

// fits refuses a question whose tables are not what the catalog says, in the files that
// its session reads.
func (d *database) fits(ctx context.Context, session sqlexec.Session, q *Question) error {
	return d.fitting(ctx, session, q.reads)
}

func (d *database) fitting(ctx context.Context, session sqlexec.Session, refs []plan.Ref) error {
	_, err := d.shapeIn(ctx, session, refs)
	return err
}

// writable refuses a change of tables that are not what was judged, in the file that its session
// writes: nobody alters one that is open, but another may have been put in its place.
func (d *database) writable(ctx context.Context, session sqlexec.Session, c plan.Change) error {
	shape, err := d.shapeIn(ctx, session, changedRefs(c))
	if err != nil || shape == nil {
		return err
	}
	for _, w := range writtenBy(c) {
		found, err := shape.schema(ctx, w.table.Schema())
		if err != nil {
			return err
		}
		if j, ok := found.writes[tableKey{w.table.Dataset(), w.table.Own()}]; ok {
			if err := refusal(w, j, shape.target); err != nil {
				return err
			}
		}
	}
	return nil
}

// shapeIn is that of the file which a session reads, checked; nil where nothing is promised of it.
func (d *database) shapeIn(ctx context.Context, session sqlexec.Session, refs []plan.Ref) (*shape, error) {
	if d.files == nil {
		return nil, nil //nolint:nilnil // it is no file
	}
	v := duckdb.VersionOf(session)
	if v == nil {
		return nil, broken("a session of files is of no version")
	}
	shape := d.files.of(v)
	if s := shape.cat.Sources[shape.target.Source]; !s.Seen && !shape.target.Account().Own && len(ownIn(shape.cat, shape.target)) == 0 {
		return nil, nil //nolint:nilnil // the catalog was not made of it, and promises nothing
	}
	return shape, shape.check(ctx, refs)
}

// looked has files looked at before anybody joins what is under way: it may be
// reading the files before.
type looked struct {
	next
	source *duckdb.Source // nil: there are no files
	seen   atomic.Uint64  // version
	forget func()         // what is under way
}

func (l *looked) ask(ctx context.Context, q *Question) (Answered, error) {
	if l.source == nil {
		return l.next.ask(ctx, q)
	}
	version, err := l.source.Look()
	if err != nil {
		return Answered{}, err
	}
	if l.seen.Load() != version {
		l.seen.Store(version)
		l.forget()
	}
	return l.next.ask(ctx, q)
}
