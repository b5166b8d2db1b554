package value

import "math"

// Kind tells which field of a Cell holds its value.
type Kind uint8

// The kinds of cells.
const (
	KindNull Kind = iota
	KindBool
	KindInt
	KindFloat
	KindText
)

// Cell is one value of a row as it comes from a source. What Text holds per
// scalar is the wire form, the same from every source:
//
//	Decimal          digits, sign and point: -12.30
//	String ID Enum   the text itself
//	UUID             lower-case with dashes
//	Date             2026-11-21
//	Time             22:19:23 or 22:19:23.5
//	Timestamp        2026-11-21 22:19:23.5+00, always UTC
//	LocalTimestamp   2026-11-21 22:19:23.5
//	Interval         months, days and microseconds with a space between: 14 -3 4500000
//	JSON             any JSON text
//	Bytes            base64
//	lists            a JSON array of strings, each an element's wire form, or null
//
// Int and BigInt are KindInt, Float is KindFloat, Boolean is KindBool.
type Cell struct {
	Kind  Kind
	Bool  bool
	Int   int64
	Float float64
	Text  []byte // valid until the next call of Rows.Next, unless a Buffer owns it
}

// Null tells whether the cell holds no value.
func (c Cell) Null() bool { return c.Kind == KindNull }

// Rows is a result read row by row. Cell is valid after Next returned true;
// Close may be called at any time and more than once.
type Rows interface {
	Next() bool
	Cell(i int) Cell
	Err() error
	Close() error
}

// Buffer holds the rows of one statement: what a cell needs in one slice
// without pointers, texts in others, so that a row costs no allocation of its
// own and nothing for the collector to follow. Texts stay where they were
// written first: a slice that grew would hold all of them twice while it does.
type Buffer struct {
	width int
	rows  int
	slots []place
	text  []byte   // the last piece of text, with room
	full  [][]byte // those before it
	bytes int      // of text, in all pieces
	taken int      // room of all pieces
}

// place is a cell at rest: a number's bits, or the piece and place where its
// text begins (32 bits each), and how long that is.
type place struct {
	bits uint64
	size uint32
	kind Kind
}

// NewBuffer makes a buffer for rows of so many cells.
func NewBuffer(width int) *Buffer { return &Buffer{width: width} }

// Width is the number of cells in a row.
func (b *Buffer) Width() int { return b.width }

// Len is the number of rows.
func (b *Buffer) Len() int { return b.rows }

// Bytes is how much text the buffer holds.
func (b *Buffer) Bytes() int { return b.bytes }

// Size is about how many bytes the buffer takes in memory.
func (b *Buffer) Size() int { return 16*cap(b.slots) + b.taken + 128 }

// Reserve makes room for so many rows.
func (b *Buffer) Reserve(rows int) {
	if b.slots == nil {
		b.slots = make([]place, 0, rows*b.width)
	}
}

// ReserveText makes room for so many bytes of text, if they are not many.
func (b *Buffer) ReserveText(bytes int) {
	if b.text == nil && bytes > 0 {
		b.text = make([]byte, 0, min(bytes, maxPiece))
		b.taken = cap(b.text)
	}
}

// minPiece and maxPiece bound the pieces that texts are written to, but for a
// text that is longer.
const (
	minPiece = 1 << 10
	maxPiece = 1 << 20
)

// grow begins another piece, with room for a text of that size. Pieces become
// as large as all before them together.
func (b *Buffer) grow(size int) {
	if b.text != nil {
		b.full = append(b.full, b.text)
	}
	b.text = make([]byte, 0, max(size, min(max(b.taken, minPiece), maxPiece)))
	b.taken += cap(b.text)
}

// Append copies a cell to the end of the buffer. A row is complete when Width
// cells were appended. A text has at most 4 GiB.
func (b *Buffer) Append(c Cell) {
	s := place{kind: c.Kind}
	switch c.Kind {
	case KindNull:
	case KindBool:
		if c.Bool {
			s.bits = 1
		}
	case KindInt:
		s.bits = uint64(c.Int)
	case KindFloat:
		s.bits = math.Float64bits(c.Float)
	case KindText:
		if len(c.Text) > cap(b.text)-len(b.text) {
			b.grow(len(c.Text))
		}
		s.bits, s.size = uint64(len(b.full))<<32|uint64(len(b.text)), uint32(len(c.Text))
		b.text = append(b.text, c.Text...)
		b.bytes += len(c.Text)
	}
	b.slots = append(b.slots, s)
	if len(b.slots) == (b.rows+1)*b.width {
		b.rows++
	}
}

// Row is one row of the buffer.
func (b *Buffer) Row(i int) Row { return Row{buffer: b, first: i * b.width} }

// Row is one row of a Buffer; it is read-only and may be read by many.
type Row struct {
	buffer *Buffer
	first  int
}

// Cell is the row's i-th cell. Its text belongs to the buffer.
func (r Row) Cell(i int) Cell {
	s := r.buffer.slots[r.first+i]
	switch s.kind {
	case KindBool:
		return Cell{Kind: KindBool, Bool: s.bits == 1}
	case KindInt:
		return Cell{Kind: KindInt, Int: int64(s.bits)}
	case KindFloat:
		return Cell{Kind: KindFloat, Float: math.Float64frombits(s.bits)}
	case KindText:
		text := r.buffer.text
		if piece := int(s.bits >> 32); piece < len(r.buffer.full) {
			text = r.buffer.full[piece]
		}
		start := s.bits & math.MaxUint32
		end := start + uint64(s.size)
		return Cell{Kind: KindText, Text: text[start:end:end]}
	case KindNull:
	}
	return Cell{}
}

// Null tells whether the i-th cell holds no value.
func (r Row) Null(i int) bool { return r.buffer.slots[r.first+i].kind == KindNull }
