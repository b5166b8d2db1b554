package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"

	"usher/held"
)

// allocationsNoted is about after how many bytes the runtime notes for the profiles of memory who
// allocates. A busy gateway allocates hundreds of megabytes in a second, and each note is a stack that is walked.
const allocationsNoted = 2 << 20

// gcPercent lets the heap grow to three times what is in use before it is
// collected. Little is in use between requests, so memory stays small, and large
// answers meet half as many collections.
const gcPercent = 200

// maxBallast is what counts as in use without being used: between requests a
// gateway holds so little that three times of it are filled ten times a second, and
// every collection takes processors from those who wait. With it some 110 MB are.
const maxBallast = 32 << 20

// besides is memory for all but rows and answers. Beyond it and twice what these
// may hold the heap is collected more often: a burst of large answers would let
// it grow to three times what is in use.
const besides = 512 << 20

// settleHeap gives the heap its floor and its pages, unless GOGC says how it is to be collected. The
// floor stands until what it returns is called.
func settleHeap(env func(string) (string, bool)) func() {
	runtime.MemProfileRate = allocationsNoted
	if value, _ := env("GOGC"); value != "" {
		return func() {}
	}
	debug.SetGCPercent(gcPercent)
	floor := min(maxBallast, held.Memory()/32)
	// The room is given back at once, and it is where the heap grows next: the runtime takes the lowest addresses that are
	// free. Five times the floor is all that there is between two collections, and some more.
	room := make([]byte, 5*floor)
	hugePages(room)
	runtime.KeepAlive(room)
	// The ballast is never written to, so that it takes addresses and no memory.
	ballast := make([]byte, floor)
	return func() { runtime.KeepAlive(ballast) }
}

// enoughMemory is what a gateway is to have that answers under load: less than this holds the program, the floor and
// little more than one large answer.
const enoughMemory = 256 << 20

// littleMemory is what a gateway uses that has nothing to do.
const littleMemory = 64 << 20

// heapNotes are what is worth knowing of the variables that the Go runtime reads: it passes over what it does not
// understand, and does what it is told whatever that costs; and of memory that is too little. Asked is the bytes that
// GOMEMLIMIT came to, there those that the machine and the control group have.
func heapNotes(env func(string) (string, bool), asked, there int64) (notes []string) {
	if value, _ := env("GOGC"); value != "" && value != "off" {
		if n, err := strconv.ParseInt(value, 10, 32); err != nil {
			notes = append(notes, fmt.Sprintf("GOGC=%s is neither a number of percent nor off: the Go runtime takes 100 for it; without the variable usher has %d and a floor", value, gcPercent))
		} else if n < 10 {
			notes = append(notes, fmt.Sprintf("GOGC=%s has nearly all time go into collecting garbage; without the variable usher has %d and a floor", value, gcPercent))
		}
	}
	value, _ := env("GOMEMLIMIT")
	switch {
	case value != "" && asked < littleMemory:
		notes = append(notes, fmt.Sprintf("GOMEMLIMIT=%s is less than the %d MiB that usher uses with nothing to do: it would collect garbage without end", value, littleMemory>>20))
	case value != "" && asked > there:
		notes = append(notes, fmt.Sprintf("GOMEMLIMIT=%s is more than the %d MiB that the machine or the control group has: the kernel would end usher before it collects more often; without the variable usher has a limit that leaves room for what is not the heap", value, there>>20))
	}
	if memory := min(asked, there); memory < enoughMemory && (value == "" || memory >= littleMemory) {
		notes = append(notes, fmt.Sprintf("usher may use %d MiB of memory (GOMEMLIMIT, the control group, the machine): under load it needs %d MiB at least", memory>>20, enoughMemory>>20))
	}
	return notes
}

// limitHeap has the collector hurry beyond what rows and answers may hold, unless GOMEMLIMIT says when.
func limitHeap(env func(string) (string, bool), maxHeld int64) {
	if value, _ := env("GOMEMLIMIT"); value == "" {
		debug.SetMemoryLimit(heapLimit(maxHeld, held.Memory()))
	}
}

// heapLimit leaves a quarter of the memory to the embedded engine, which is not the runtime's, and an eighth to the
// program's text, what the kernel counts for its files and connections, and what the heap grows by before it is collected.
func heapLimit(maxHeld, memory int64) int64 { return min(2*maxHeld+besides, memory/8*5) }
