package admin

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// replace writes a file as a whole, beside its place first, so that what was there is there until all of it is written. What is
// no regular file, a device or a pipe, is written to as it is: a rename would put a file where /dev/null is.
func replace(name string, write func(io.Writer) error) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		to, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("cannot write there: %w", err)
		}
		return errors.Join(write(to), to.Close())
	}
	part, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("cannot write there: %w", err)
	}
	err = write(part)
	if err == nil {
		err = part.Sync()
	}
	if closing := part.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(part.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(part.Name()))
	}
	return nil
}
