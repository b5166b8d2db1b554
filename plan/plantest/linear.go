package plantest

import (
	"syscall"
	"testing"
	"time"
)

// Linear fails when what prepare returns takes longer than in proportion to n.
// It is asked for n and for eight times n: what is quadratic takes 64 times as
// long. Of several measures of the process's own time the least is taken,
// because others use the machine. Tests that call it are not parallel.
func Linear(tb testing.TB, what string, n int, prepare func(n int) func()) {
	tb.Helper()
	const times, most = 8, 24
	var few, many time.Duration
	for range 3 {
		few, many = least(prepare(n)), least(prepare(times*n))
		if many < most*max(few, 20*time.Microsecond) {
			return
		}
	}
	tb.Errorf("%s: %d take %v, and %d take %v", what, n, few, times*n, many)
}

func least(run func()) time.Duration {
	best := time.Hour
	for range 4 {
		took, runs := time.Duration(0), 0
		for began := processTime(); took < 3*time.Millisecond; took = processTime() - began {
			run()
			runs++
		}
		best = min(best, took/time.Duration(runs))
	}
	return best
}

// processTime is the time that processors have given to this process.
func processTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
