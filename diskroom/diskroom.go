// Package diskroom tells whether a disk takes what DuckDB is about to commit to a
// file. The engine bears badly one that is full, or that a fault has made one for reading only. Where the last bytes of a transaction that deletes and
// inserts a key do not reach its log, it undoes the commit in a function that may not fail, and
// that fails: the whole process is ended. Where a checkpoint does not reach the file, nothing is
// written any more until the file is opened anew. So whoever commits asks here before.
package diskroom

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrFull is the cause of an error of a disk on which there is no room.
var ErrFull = errors.New("there is no room on the disk")

// ErrReadOnly is that of a file system that takes nothing: a fault has made it one for reading only, or somebody has.
var ErrReadOnly = errors.New("the file system is for reading only")

// A checkpoint writes anew what has changed of a file, at most all of it: so much is kept free, within bounds.
const (
	least = 8 << 20
	most  = 64 << 20
)

const writes = 2 // W_OK

// logged is what is set aside for the log itself, which nobody else can take then.
const logged = 4 << 20

// For is ErrFull unless there is room for one more transaction of a database file, as far as can be told.
func For(path string) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // beside which the log is
	}
	wanted := int64(least)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		limit.Cur = math.MaxUint64
	}
	for _, name := range []string{path, path + ".wal"} {
		info, err := os.Stat(name)
		if err != nil {
			continue
		}
		wanted = max(wanted, min(info.Size(), most))
		if uint64(info.Size()+logged) > limit.Cur {
			return fmt.Errorf("%w: a file of this process may have %d bytes", ErrFull, limit.Cur)
		}
	}
	if err := syscall.Access(filepath.Dir(path), writes); errors.Is(err, syscall.EROFS) {
		return ErrReadOnly
	}
	var disk syscall.Statfs_t
	if err := syscall.Statfs(path, &disk); err == nil {
		if free := disk.Bavail * uint64(disk.Bsize); free < uint64(wanted) {
			return fmt.Errorf("%w: %d bytes are free, of %d that are kept free", ErrFull, free, wanted)
		}
	}
	// Into the second it writes while the first is worked into the file, and after that has failed.
	for _, name := range []string{path + ".wal", path + ".wal.checkpoint"} {
		if err := setAside(name, logged); errors.Is(err, syscall.EROFS) {
			return ErrReadOnly
		} else if err != nil {
			return fmt.Errorf("%w: %w", ErrFull, err)
		}
	}
	return nil
}

// Unwritten is what the system said when it did not take what the engine wrote, as on a full disk or over a quota, by the
// text of the engine's error; nil: the error is another one. Such a transaction fails at its end, with the type of one
// that collides with another. What else the text of an error holds may be of a row.
func Unwritten(message string) error {
	for _, before := range []string{"TransactionContext Error: ", "Failed to commit: ", "IO Error: "} {
		message = strings.TrimPrefix(message, before)
	}
	for _, before := range []string{"Cannot open file ", "Could not write ", "Could not truncate "} {
		if strings.HasPrefix(message, before) && strings.HasSuffix(message, ": Read-only file system") {
			return ErrReadOnly
		}
	}
	if !strings.HasPrefix(message, "Could not write ") {
		return nil
	}
	return fmt.Errorf("duckdb: a file cannot be written:%s", message[strings.LastIndexByte(message, ':')+1:]) // behind the file's name
}
