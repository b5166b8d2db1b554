package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// event is one line of go test -json (go doc test2json). Lines about building
// carry ImportPath in place of Package.
type event struct {
	Action      string
	Package     string
	ImportPath  string
	Test        string
	Elapsed     float64
	Output      string
	FailedBuild string
}

// report counts tests and keeps the output of those that have not passed yet.
type report struct {
	out             io.Writer
	passed, failed  int
	skipped         int
	running         []string            // packages, in the order they started
	output          map[string][]string // by package, or package and test
	failedInPackage map[string]int
	took            []took // top-level tests, as they ended
}

// took is a test and how many seconds it ran, waiting for its turn left out.
type took struct {
	key     string
	seconds float64
}

// slowest is how many tests are named for their time.
const slowest = 8

func newReport(out io.Writer) *report {
	return &report{out: out, output: map[string][]string{}, failedInPackage: map[string]int{}}
}

// read takes events until the stream ends; each tick prints a sign of life.
func (r *report) read(stream io.Reader, tick <-chan time.Time) {
	lines := make(chan []byte)
	go func() {
		defer close(lines)
		reader := bufio.NewReader(stream)
		for {
			line, err := reader.ReadBytes('\n')
			if len(line) > 0 {
				lines <- line
			}
			if err != nil {
				return
			}
		}
	}()
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				return
			}
			r.line(line)
		case <-tick:
			r.progress()
		}
	}
}

func (r *report) line(line []byte) {
	var e event
	if json.Unmarshal(line, &e) != nil {
		// Not an event: go itself speaks, about a bad flag for example.
		fmt.Fprintf(r.out, "%s", line)
		return
	}
	switch e.Action {
	case "start":
		r.running = append(r.running, e.Package)
	case "output":
		r.output[key(e)] = append(r.output[key(e)], e.Output)
	case "build-output":
		r.output[e.ImportPath] = append(r.output[e.ImportPath], e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.endPackage(e)
		} else {
			r.endTest(e)
		}
	}
}

func key(e event) string {
	if e.Test == "" {
		return e.Package
	}
	return e.Package + " " + e.Test
}

func (r *report) endTest(e event) {
	if !strings.Contains(e.Test, "/") {
		r.took = append(r.took, took{key(e), e.Elapsed})
	}
	switch e.Action {
	case "pass":
		r.passed++
	case "skip":
		r.skipped++
		fmt.Fprintf(r.out, "skip  %s %s\n%s", e.Package, e.Test, r.text(key(e)))
	case "fail":
		r.failed++
		r.failedInPackage[e.Package]++
		fmt.Fprintf(r.out, "FAIL  %s %s (%.2f s)\n%s", e.Package, e.Test, e.Elapsed, r.text(key(e)))
	}
	delete(r.output, key(e))
}

// endPackage counts a package that failed without a failed test (it does not
// build, it crashed, it ran out of time) as one failure, and prints what its
// unfinished tests had written.
func (r *report) endPackage(e event) {
	r.running = slices.DeleteFunc(r.running, func(p string) bool { return p == e.Package })
	if e.Action == "fail" && r.failedInPackage[e.Package] == 0 {
		r.failed++
		if e.FailedBuild != "" {
			// Printed once, however many packages need what does not build.
			fmt.Fprintf(r.out, "%s does not build\n%s", e.FailedBuild, r.text(e.FailedBuild))
			delete(r.output, e.FailedBuild)
		}
		for _, name := range r.unfinished(e.Package) {
			fmt.Fprintf(r.out, "unfinished: %s\n%s", name, r.text(name))
		}
		fmt.Fprint(r.out, r.text(e.Package))
	}
	// A package is skipped when it has no tests.
	word := map[string]string{"pass": "ok  ", "fail": "FAIL", "skip": "    "}[e.Action]
	fmt.Fprintf(r.out, "%s  %s (%.1f s)\n", word, e.Package, e.Elapsed)
	for _, name := range r.unfinished(e.Package) {
		delete(r.output, name)
	}
	delete(r.output, e.Package)
}

// unfinished lists the keys of tests of a package that wrote something and
// have not ended, sorted.
func (r *report) unfinished(pkg string) []string {
	var names []string
	for name := range r.output {
		if strings.HasPrefix(name, pkg+" ") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (r *report) text(key string) string { return strings.Join(r.output[key], "") }

func (r *report) progress() {
	if len(r.running) == 0 {
		fmt.Fprintln(r.out, "... building")
		return
	}
	fmt.Fprintf(r.out, "... %d passed, %d failed so far; running %s\n", r.passed, r.failed, strings.Join(r.running, ", "))
}

// summary ends the report: what took longest, then the count, its last line.
func (r *report) summary() {
	slices.SortStableFunc(r.took, func(a, b took) int { return cmp.Compare(b.seconds, a.seconds) })
	for _, t := range r.took[:min(slowest, len(r.took))] {
		if t.seconds >= 10 {
			fmt.Fprintf(r.out, "slow  %s (%.1f s)\n", t.key, t.seconds)
		}
	}
	if r.skipped > 0 {
		fmt.Fprintf(r.out, "%d skipped\n", r.skipped)
	}
	fmt.Fprintf(r.out, "%d passed, %d failed\n", r.passed, r.failed)
}
