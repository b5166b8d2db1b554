package catalog

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is something in a Spec that Compile refuses, or a Note about
// something it left out.
type Problem struct {
	Path    []string // keys that lead there in usher.yml; list elements by index
	Message string
	Note    bool   // worth telling, but nothing is wrong
	misfits string // the source whose table was seen, and is otherwise; empty: the problem is another
}

// String is the problem with its place, for people.
func (p Problem) String() string {
	if len(p.Path) == 0 {
		return p.Message
	}
	return strings.Join(p.Path, ".") + ": " + p.Message
}

// Refused tells whether any of the problems is more than a note.
func Refused(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return !p.Note })
}

// place is a node of usher.yml that problems are reported at.
type place struct {
	path []string
	to   *[]Problem
}

func (p place) in(keys ...string) place {
	return place{path: slices.Concat(p.path, keys), to: p.to}
}

func (p place) problem(format string, args ...any) {
	*p.to = append(*p.to, Problem{Path: p.path, Message: fmt.Sprintf(format, args...)})
}

// misfit is a problem with what a source was seen to hold, which waiting for another source does not mend.
func (p place) misfit(source, format string, args ...any) {
	*p.to = append(*p.to, Problem{Path: p.path, Message: fmt.Sprintf(format, args...), misfits: source})
}

func (p place) note(format string, args ...any) {
	*p.to = append(*p.to, Problem{Path: p.path, Message: fmt.Sprintf(format, args...), Note: true})
}
