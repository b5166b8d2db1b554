package plan

import (
	"slices"
	"strings"

	"usher/fault"
)

// problems collects what is wrong with the arguments and fields of one level, so
// that all of it is told at once and before a source is asked. What depends on
// something that failed is not tried.
type problems struct {
	*builder // whose path is that of the level
	all      []*fault.Error
}

// maxProblems is how many are told of one level.
const maxProblems = 20

func (b *builder) problems() *problems { return &problems{builder: b} }

// ok notes an error and says whether there was none. The argument is empty where the
// fields selected are meant.
func (p *problems) ok(argument string, err error) bool {
	if err == nil {
		return true
	}
	f := *fault.From(err)
	also := f.Also
	f.Also = nil
	if f.At == "" {
		f.At = strings.Join(slices.DeleteFunc(append(slices.Clone(p.path), argument), func(s string) bool { return s == "" }), ".")
	}
	for _, one := range append([]*fault.Error{&f}, also...) {
		if len(p.all) < maxProblems {
			p.all = append(p.all, one)
		}
	}
	return false
}

// err is the first problem with all others beside it, or nil.
func (p *problems) err() error {
	if len(p.all) == 0 {
		return nil
	}
	first := *p.all[0]
	first.Also = p.all[1:]
	return &first
}

// below runs what plans a field of an object, whose own fields are named by its key.
func (b *builder) below(key string, plan func() error) error {
	b.path = append(b.path, key)
	defer func() { b.path = b.path[:len(b.path)-1] }()
	return plan()
}
