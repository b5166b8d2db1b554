package duckwal

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

func timesOf(path string) (times, error) {
	var at unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_BASIC_STATS|unix.STATX_BTIME, &at); err != nil {
		return times{}, &os.PathError{Op: "statx", Path: path, Err: err}
	}
	out := times{written: moment(at.Mtime), changed: moment(at.Ctime), size: at.Size}
	if at.Mask&unix.STATX_BTIME != 0 {
		out.born = moment(at.Btime)
	}
	return out, nil
}

func moment(t unix.StatxTimestamp) time.Time { return time.Unix(t.Sec, int64(t.Nsec)) }
