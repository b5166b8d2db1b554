package value

import (
	"bytes"
	"testing"
)

// TestBuffer: a buffer gives back what was put into it, whatever the pieces its
// texts lie in, and takes little more room than they do.
func TestBuffer(t *testing.T) {
	t.Parallel()
	for _, reserved := range []int{0, 1, 5000, 64 << 20} {
		b := NewBuffer(3)
		b.Reserve(10)
		b.ReserveText(reserved)
		size := func(i int) int {
			if i%100 == 99 {
				return maxPiece + i
			}
			return i * i % 3000
		}
		const n = 1000
		text, longest := 0, 0
		for i := range n {
			b.Append(Cell{Kind: KindText, Text: bytes.Repeat([]byte{byte('a' + i%26)}, size(i))})
			b.Append(Cell{Kind: KindInt, Int: int64(i)})
			b.Append(Cell{})
			text, longest = text+size(i), max(longest, size(i))
		}
		if b.Len() != n || b.Bytes() != text {
			t.Fatalf("%d rows, %d bytes", b.Len(), b.Bytes())
		}
		if most := 2*text + 64*3*n + maxPiece; b.Size() < text || b.Size() > most {
			t.Errorf("it takes %d bytes for %d of text", b.Size(), text)
		}
		for i := range n {
			r := b.Row(i)
			c := r.Cell(0)
			if c.Kind != KindText || len(c.Text) != size(i) || cap(c.Text) != size(i) || len(bytes.Trim(c.Text, string(rune('a'+i%26)))) > 0 {
				t.Fatalf("row %d holds a text of %d bytes, want %d", i, len(c.Text), size(i))
			}
			if r.Cell(1).Int != int64(i) || !r.Null(2) {
				t.Fatalf("row %d holds other cells", i)
			}
		}
	}
}
