package datasource

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"usher/catalog"
	"usher/datasource/duckdb"
	"usher/fault"
)

// openFiles are the database files that this process has open. A file is open once: two
// engines that write to it would spoil it, one that reads beside one that writes would
// read what is half there, and the locks that keep other processes away belong to the
// process, so that whoever closes the file gives them up for all. So the sources of two
// catalogs, and who looks into a file, have one engine between them. A file of two names,
// by links, is not shared, for each name may lead to another file at any time: while one
// of the two writes, the other waits until it is gone.
type openFiles struct {
	mu     sync.Mutex
	byPath map[string]*openFile
}

// linked is what is open, under another name, of the file that a path leads to now, where
// that and opening it once more cannot be at once.
func (o *openFiles) linked(path string, writes bool) *openFile {
	there, err := os.Stat(path)
	if err != nil { // whoever opens it says so
		return nil
	}
	for _, f := range o.byPath {
		if same, err := os.Stat(f.path); err == nil && os.SameFile(same, there) && (writes || f.opts.Writes) {
			return f
		}
	}
	return nil
}

// openFile is a file that is open, or being opened.
type openFile struct {
	path   string
	opts   duckdb.Options
	ready  chan struct{} // closed when source or err is set
	gone   chan struct{} // closed when nobody uses it any more
	source *duckdb.Source
	err    error
	users  int
}

// databaseFiles are those of the process: what they keep apart, the process has once.
var databaseFiles = openFiles{byPath: make(map[string]*openFile)}

// patience is how long a file is waited for that is open in another way: by who looks
// into it, which takes a moment, or by requests that began before the configuration changed.
const patience = 5 * time.Second

// open opens a source, or joins who has its file open. The caller calls release when it
// is done with it.
func (o *openFiles) open(spec catalog.DuckDBSpec, opts duckdb.Options) (_ *duckdb.Source, release func() error, _ error) {
	if spec.Path == "" { // views in memory, over files that nobody writes
		return alone(spec, opts)
	}
	for late := time.After(patience); ; {
		f, first, joined := o.join(spec.Path, opts)
		switch {
		case first:
			f.start(spec)
		case joined:
			<-f.ready
		case !f.opts.Writes && !opts.Writes:
			return alone(spec, opts)
		default:
			select {
			case <-f.gone:
				continue
			case <-late:
				return nil, nil, busy(spec.Path)
			}
		}
		if f.err != nil {
			return nil, nil, errors.Join(f.err, o.leave(f))
		}
		return f.source, func() error { return o.leave(f) }, nil
	}
}

// start opens the file for all who wait for it; a panic is an error of it for the others.
func (f *openFile) start(spec catalog.DuckDBSpec) {
	defer close(f.ready)
	f.err = fault.Broken("opening the file panicked")
	f.source, f.err = duckdb.OpenSource(spec, f.opts)
}

// join makes the caller a user of a file that is open in a way that serves it, or the
// first user of one that is not open.
func (o *openFiles) join(path string, opts duckdb.Options) (f *openFile, first, joined bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if full, err := filepath.Abs(path); err == nil {
		path = full
	}
	if f = o.byPath[path]; f == nil {
		if other := o.linked(path, opts.Writes); other != nil {
			return other, false, false
		}
		f = &openFile{path: path, opts: opts, ready: make(chan struct{}), gone: make(chan struct{}), users: 1}
		o.byPath[path] = f
		return f, true, true
	}
	joined = (f.opts.Writes || !opts.Writes) && f.opts.MaxConns >= opts.MaxConns && (opts.Memory == nil || opts.Memory == f.opts.Memory)
	if joined {
		f.users++
	}
	return f, false, joined
}

func (o *openFiles) leave(f *openFile) error {
	o.mu.Lock()
	defer o.mu.Unlock() // also while it is closed: nobody opens it before
	f.users--
	if f.users > 0 {
		return nil
	}
	delete(o.byPath, f.path)
	defer close(f.gone)
	if f.source == nil {
		return nil
	}
	return f.source.Close()
}

func alone(spec catalog.DuckDBSpec, opts duckdb.Options) (*duckdb.Source, func() error, error) {
	source, err := duckdb.OpenSource(spec, opts)
	if err != nil {
		return nil, nil, err
	}
	return source, source.Close, nil
}

func busy(path string) error {
	err := fault.New(fault.Unavailable, "the file is in use as it was configured before").WithHint("Try again in a moment.").
		Because(errors.New("it is open to be read and is to be written, with other limits, or under another name: " + path))
	err.RetryAfter = patience
	return err
}
