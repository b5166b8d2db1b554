package held

import (
	"bytes"
	"math"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

// maxDefault bounds what is held unless the configuration says more.
const maxDefault = 1 << 30

// minDefault is the least that may be configured.
const minDefault = 1 << 20

// Default is a quarter of the process's memory, 1 GiB at most and 1 MiB at least.
func Default() int64 { return max(minDefault, min(Memory()/4, maxDefault)) }

// unknownMemory is what is assumed of a system that does not tell.
const unknownMemory = 4 << 30

// askedFor is what GOMEMLIMIT says, read before anybody sets the runtime's limit:
// one that follows from this package's figures must not become their measure.
var askedFor = debug.SetMemoryLimit(-1)

// AskedFor is what GOMEMLIMIT says in bytes; without it more than any machine has.
func AskedFor() int64 { return askedFor }

// Memory is how many bytes the process may use: what GOMEMLIMIT says, the limit
// of its control group and of those that it is in, or the memory of the machine, whichever is least.
func Memory() int64 { return orUnknown(min(askedFor, limit())) }

// Limit is Memory whatever GOMEMLIMIT says: beyond it the kernel ends the process.
func Limit() int64 { return orUnknown(limit()) }

func limit() int64 {
	least := grouped("/")
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		least = min(least, total(text))
	}
	return least
}

func orUnknown(bytes int64) int64 {
	if bytes == math.MaxInt64 {
		return unknownMemory
	}
	return bytes
}

// grouped is the least limit of the process's control groups (cgroups(7)), of either version, below a root folder. A container shows
// its own group as the topmost one, whatever it is called outside, so every group on the way is asked that is there.
func grouped(root string) int64 {
	least := int64(math.MaxInt64)
	groups, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return least
	}
	for line := range strings.Lines(string(groups)) { // number, controllers, path
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) < 3 {
			continue
		}
		mount, limit := "sys/fs/cgroup", "memory.max"
		if fields[1] != "" {
			if !slices.Contains(strings.Split(fields[1], ","), "memory") {
				continue
			}
			mount, limit = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		}
		for group := path.Clean("/" + fields[2]); ; group = path.Dir(group) {
			if text, err := os.ReadFile(filepath.Join(root, mount, group, limit)); err == nil {
				if n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64); err == nil && n > 0 { // it may be "max"
					least = min(least, n)
				}
			}
			if group == "/" {
				break
			}
		}
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
