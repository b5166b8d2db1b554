package transport

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// gone is a client that has left.
type gone struct{}

func (gone) Write([]byte) (int, error) { return 0, errors.New("the stream was reset") }

// What was compressed for a client that has left may still be on its way: its compressor
// compresses nothing for anybody else.
func TestCompressorsOfClientsThatLeft(t *testing.T) {
	t.Parallel()
	for _, coding := range newEncoders() {
		for _, size := range []int{10, 100 << 10} {
			used := coding.idle.Get().(compressor)
			used.Reset(gone{})
			out := &encoded{compressor: used, of: coding}
			_, _ = io.WriteString(out, strings.Repeat("a row ", size))
			out.end()
			for range 4 {
				if coding.idle.Get() == any(used) {
					t.Errorf("%s is used again after a write of %d rows has failed", coding.name, size)
				}
			}
		}
	}
}
