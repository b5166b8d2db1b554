// Package duckwal tells whether the log beside a DuckDB file is of that file. What was committed
// last is in FILE.wal until the file is closed, and the engine adds what it finds there to
// whatever stands in the place of the file: of files of its older formats, which it makes unless it is
// told otherwise, the log does not say whose it is. So whoever opens a file asks here before.
package duckwal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// ErrNotOf is the cause of an error of a file that was put beside another one's log.
var ErrNotOf = errors.New("the log beside it was last written before the file was put there")

// handled is how long after its log a file may have been changed where neither was written then: both were given
// to another owner, or restored with their times.
const handled = 2 * time.Second

// Check is ErrNotOf where a log is beside a file that came to be there after the log was last
// written: it was made since, or given its name, or copied with its times. While the engine has a file open it
// may write to it after the log, as when rows come that are not committed yet; then the file's two
// times are one. To touch the log, in every sense, says that it is of the file.
func Check(path string) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // beside which the log is
	}
	log, err := timesOf(path + ".wal")
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	file, fileErr := timesOf(path)
	if errors.Is(fileErr, os.ErrNotExist) { // the engine makes it, and takes the log away
		return nil
	}
	if err := errors.Join(err, fileErr); err != nil {
		return err
	}
	made := !file.born.IsZero() && file.born.After(log.changed)
	put := file.changed.After(log.changed) && file.written.Before(file.changed)
	if together := log.written.Before(log.changed) && file.changed.Sub(log.changed) < handled; log.size == 0 || together || !made && !put {
		return nil
	}
	return fmt.Errorf("%s: %w: take %s.wal away, or put the file back that it is of; if it is of this one, touch it", path, ErrNotOf, path)
}

// times are when a file was made, as far as its file system knows, written, and changed in any way,
// its name included.
type times struct {
	born, written, changed time.Time
	size                   uint64
}
