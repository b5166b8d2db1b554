package duckdb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"usher/catalog"
	"usher/datasource/sqlexec"
)

// Source is a source whose files may be replaced. Whoever asks has it look at them
// first: device, inode, size and time tell one file from another, and of a file that it
// writes itself the first two. When they
// have changed, a new instance reads the new ones; sessions that run finish on the old
// one, which ends with the last of them. Both are counted in one Memory. Files are
// replaced by renaming: one that is written over is read half written.
type Source struct {
	spec  catalog.DuckDBSpec
	opts  Options
	paths []string

	mu  sync.Mutex // of replacing
	now atomic.Pointer[Version]
}

// Version is a source as its files were at one time.
type Version struct {
	Number uint64 // later ones have higher numbers
	db     *DB
	files  []stamp
	pins   []*os.File
}

// stamp tells a file from another of the same name.
type stamp struct {
	device, inode uint64
	size          int64
	seconds       int64
	nanoseconds   int64
}

// errReplaced says that an instance was about to open other files than those it is for.
var errReplaced = errors.New("a file was replaced meanwhile")

// OpenSource opens a source.
func OpenSource(spec catalog.DuckDBSpec, opts Options) (*Source, error) {
	s := &Source{spec: spec, opts: opts}
	if spec.Path != "" {
		s.paths = append(s.paths, spec.Path)
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Files)) { // in the order in which they are held
		s.paths = append(s.paths, spec.Files[name])
	}
	first, err := s.open(1)
	if err != nil {
		return nil, err
	}
	s.now.Store(first)
	return s, nil
}

func (s *Source) open(number uint64) (*Version, error) {
	v := &Version{Number: number, files: make([]stamp, len(s.paths))}
	for i, path := range s.paths {
		if s.writes() {
			pin, err := pinned(path)
			if err != nil {
				return nil, unreadable(err)
			}
			v.pins = append(v.pins, pin)
		}
		var err error
		if v.files[i], err = s.stampOf(path); err != nil {
			v.unpin()
			return nil, unreadable(err)
		}
	}
	var err error
	v.db, err = openChecked(s.spec, s.opts, func(held []*os.File) error {
		if held == nil && s.changed(v) {
			return errReplaced
		}
		for i, f := range held {
			if now, err := stampOfOpen(f); err != nil || now != v.files[i] {
				return errReplaced
			}
		}
		return nil
	})
	if err != nil {
		v.unpin()
	}
	return v, err
}

// writes tells that the source's file is written by the source itself. Its size and time
// change then with each change of rows, and it is the same file all the same.
func (s *Source) writes() bool { return s.opts.Writes && s.spec.Path != "" }

func (s *Source) stampOf(path string) (stamp, error) {
	at, err := stampOf(path)
	if s.writes() {
		at = stamp{device: at.device, inode: at.inode}
	}
	return at, err
}

// pinned keeps the number of a file from being given to another while it tells them
// apart. The descriptor is of the path only: to close one of the file itself would give up
// the engine's lock on it.
func pinned(path string) (*os.File, error) {
	const onlyPath = 0x200000 // O_PATH
	fd, err := syscall.Open(path, onlyPath|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

func (v *Version) unpin() {
	for _, pin := range v.pins {
		_ = pin.Close()
	}
}

func stampOf(path string) (stamp, error) {
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		return stamp{}, fmt.Errorf("stat %s: %w", path, err)
	}
	return stampIn(&st), nil
}

func stampOfOpen(f *os.File) (stamp, error) {
	info, err := f.Stat()
	if err != nil {
		return stamp{}, err
	}
	return stampIn(info.Sys().(*syscall.Stat_t)), nil
}

func stampIn(st *syscall.Stat_t) stamp {
	return stamp{device: st.Dev, inode: st.Ino, size: st.Size, seconds: st.Mtim.Sec, nanoseconds: st.Mtim.Nsec}
}

// changed tells whether the files are others than a version's. One that is gone is another.
func (s *Source) changed(v *Version) bool {
	for i, path := range s.paths {
		if now, err := s.stampOf(path); err != nil || now != v.files[i] {
			return true
		}
	}
	return false
}

// Look finds out whether the files are others, and returns their version.
func (s *Source) Look() (uint64, error) {
	v, err := s.version()
	if err != nil {
		return 0, err
	}
	return v.Number, nil
}

// version is the one of the files that are there now.
func (s *Source) version() (*Version, error) {
	v := s.now.Load()
	if !s.changed(v) {
		return v, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if v = s.now.Load(); !s.changed(v) {
		return v, nil // somebody was here before
	}
	next, err := s.open(v.Number + 1)
	for try := 1; try < replacedTries && errors.Is(err, errReplaced); try++ { // once more while it was opened
		next, err = s.open(v.Number + 1)
	}
	if err != nil {
		return nil, err
	}
	s.now.Store(next)
	v.db.retire()
	v.unpin()
	return next, nil
}

// replacedTries is how often a version is opened, and a session begins anew, because files were
// replaced meanwhile. A statement that fails since they were has given out nothing.
const replacedTries = 8

// Session is as a DB's; what fn gets is a session of one Version, the one that the
// last look has found.
func (s *Source) Session(ctx context.Context, snapshot bool, fn func(sqlexec.Session) error) error {
	for try := 1; ; try++ {
		v := s.now.Load()
		err := v.db.Session(ctx, snapshot, func(session sqlexec.Session) error { return fn(versioned{session, v}) })
		anew := errors.Is(err, errReplaced) || errors.Is(err, errRetired) || errors.Is(err, errMoved) && s.changed(v)
		if try == replacedTries || !anew {
			return err
		}
		if _, err := s.version(); err != nil {
			return err
		}
	}
}

type versioned struct {
	sqlexec.Session
	version *Version
}

// Cursor implements sqlexec.Cursors.
func (v versioned) Cursor(ctx context.Context, text string, args []string) (sqlexec.Cursor, error) {
	return v.Session.(sqlexec.Cursors).Cursor(ctx, text, args)
}

// VersionOf is the version of the files that a session reads; nil: it is no
// session of files.
func VersionOf(s sqlexec.Session) *Version {
	if v, ok := s.(versioned); ok {
		return v.version
	}
	return nil
}

// Introspect describes the tables of the version in these schemas.
func (v *Version) Introspect(ctx context.Context, schemas ...string) ([]catalog.Table, error) {
	return v.db.Introspect(ctx, schemas...)
}

// Introspect describes the tables of the files as they are now.
func (s *Source) Introspect(ctx context.Context, schemas ...string) ([]catalog.Table, error) {
	v, err := s.version()
	if err != nil {
		return nil, err
	}
	return v.Introspect(ctx, schemas...)
}

// Renew opens the source anew if it is broken.
func (s *Source) Renew(ctx context.Context) error { return s.now.Load().db.Renew(ctx) }

// Close closes the source. Sessions that are running end first.
func (s *Source) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.now.Load()
	defer v.unpin()
	return v.db.Close()
}
