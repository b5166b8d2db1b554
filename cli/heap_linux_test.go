package cli

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"usher/held"
)

// advised are the addresses for which large pages were asked for.
func advised(t *testing.T) [][2]uint64 {
	t.Helper()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var out [][2]uint64
	var at [2]uint64
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if from, to, ok := strings.Cut(fields[0], "-"); ok {
			at[0], _ = strconv.ParseUint(from, 16, 64)
			at[1], _ = strconv.ParseUint(to, 16, 64)
		}
		if fields[0] == "VmFlags:" && strings.Contains(lines.Text(), " hg") {
			out = append(out, at)
		}
	}
	return out
}

// What the heap grows by lies where large pages were asked for, for the runtime takes the lowest addresses first: a
// rule that it does not promise.
func TestTheHeapGrowsIntoLargePages(t *testing.T) {
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil {
		t.Fatalf("this kernel has no large pages that can be asked for: %v", err)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	runtime.GC()
	defer settleHeap(func(string) (string, bool) { return "", false })()
	debug.FreeOSMemory() // as serve does

	floor := min(maxBallast, held.Memory()/32)
	debug.SetGCPercent(-1)
	var blocks [][]byte
	for range int(3 * floor / (64 << 10)) {
		blocks = append(blocks, make([]byte, 64<<10))
	}
	places, within := advised(t), 0
	for _, block := range blocks {
		at, err := strconv.ParseUint(strings.TrimPrefix(fmt.Sprintf("%p", block), "0x"), 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		for _, place := range places {
			if place[0] <= at && at < place[1] {
				within++
				break
			}
		}
	}
	if within < len(blocks)*3/4 {
		t.Errorf("%d of %d blocks of what is filled between two collections lie where large pages were asked for", within, len(blocks))
	}
}

// Whoever says GOGC has the runtime's own ways.
func TestGOGCIsLeftAlone(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(77))
	before := len(advised(t))
	settleHeap(func(name string) (string, bool) { return "100", name == "GOGC" })()
	if got := debug.SetGCPercent(77); got != 77 {
		t.Errorf("GOGC is %d", got)
	}
	if got := len(advised(t)); got != before {
		t.Errorf("%d places of large pages, there were %d", got, before)
	}
}
