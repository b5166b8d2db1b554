package sqlexec

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"usher/plan"
	"usher/sqlgen"
)

// slowly are rows that take a while each, and a session that takes a while for each portion, which a row is.
type slowly struct {
	Loads
	sqlgen.ImportDialect
	left      int64
	row, copy time.Duration
}

func (s *slowly) Next() (int64, []plan.Given, error) {
	if s.left == 0 {
		return 0, nil, io.EOF
	}
	<-time.After(s.row)
	s.left--
	return 1, nil, nil
}

func (s *slowly) Copy(context.Context, string, []byte) error {
	<-time.After(s.copy)
	return nil
}

func (*slowly) AppendStaged(b []byte, _ int64, _ []plan.Given) []byte {
	return append(b, make([]byte, importPortion)...)
}

// Rows that are read while others are taken are not waited for, and the session works as long as it takes them.
func TestWhatAnImportWaitsFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		row, copy      time.Duration
		waited, worked time.Duration
	}{
		{2 * time.Second, 3 * time.Second, 2 * time.Second, 12 * time.Second},
		{5 * time.Second, 3 * time.Second, (5 + 3*2) * time.Second, 12 * time.Second},
		{0, 3 * time.Second, 0, 12 * time.Second},
		{time.Second, 0, 4 * time.Second, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &slowly{left: 4, row: c.row, copy: c.copy}
			var worked time.Duration
			l := NewLoading(plan.Import{}, s, nil, s, 0, func(took time.Duration) { worked += took })
			began := time.Now()
			if more, err := l.More(); !more || err != nil {
				t.Fatal(more, err)
			}
			if err := l.gather(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			if l.Waited() != c.waited || worked != c.worked || time.Since(began) != c.waited+c.worked {
				t.Errorf("rows of %v, portions of %v: waited for %v, at work for %v of %v", c.row, c.copy, l.Waited(), worked, time.Since(began))
			}
		})
	}
}
