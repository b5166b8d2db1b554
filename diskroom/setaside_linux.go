package diskroom

import (
	"errors"
	"os"
	"syscall"
)

const keepSize = 1 // FALLOC_FL_KEEP_SIZE

// setAside has the file system keep so many bytes behind the end of a file, if there is the file
// and the file system can. The engine's lock of the log ends with it; the file's own, which keeps
// others out, does not.
func setAside(name string, bytes int64) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if errors.Is(err, syscall.EROFS) {
		return err
	}
	if err != nil { // there is none, or it is not to be told
		return nil
	}
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	err = syscall.Fallocate(int(f.Fd()), keepSize, info.Size(), bytes)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EIO) {
		return err
	}
	return nil // another file system cannot, and what is free was asked before
}
