package held

import (
	"bytes"
	"math"
	"os"
	"runtime/debug"
	"strconv"
)

// maxDefault bounds what is held unless the configuration says more.
const maxDefault = 1 << 30

// Default is a quarter of the process's memory, 1 GiB at most.
func Default() int64 { return min(Memory()/4, maxDefault) }

// unknownMemory is what is assumed of a system that does not tell.
const unknownMemory = 4 << 30

// askedFor is what GOMEMLIMIT says, read before anybody sets the runtime's limit:
// one that follows from this package's figures must not become their measure.
var askedFor = debug.SetMemoryLimit(-1)

// Memory is how many bytes the process may use: what GOMEMLIMIT says, the limit
// of its control group, or the memory of the machine, whichever is least.
func Memory() int64 {
	least := askedFor
	for _, name := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		if text, err := os.ReadFile(name); err == nil {
			if n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64); err == nil && n > 0 {
				least = min(least, n)
			}
		}
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		least = min(least, total(text))
	}
	if least == math.MaxInt64 {
		return unknownMemory
	}
	return least
}

// total is the machine's memory by /proc/meminfo.
func total(meminfo []byte) int64 {
	for line := range bytes.Lines(meminfo) {
		if f := bytes.Fields(line); len(f) == 3 && string(f[0]) == "MemTotal:" && string(f[2]) == "kB" {
			if n, err := strconv.ParseInt(string(f[1]), 10, 64); err == nil && n > 0 {
				return n << 10
			}
		}
	}
	return math.MaxInt64
}
