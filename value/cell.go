package value

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

// Buffer holds the rows of one statement: cells in one slice, texts in chunks
// that do not move, so a row costs no allocation of its own.
type Buffer struct {
	width int
	rows  int
	cells []Cell
	chunk []byte
	bytes int
}

// NewBuffer makes a buffer for rows of so many cells.
func NewBuffer(width int) *Buffer { return &Buffer{width: width} }

// Width is the number of cells in a row.
func (b *Buffer) Width() int { return b.width }

// Len is the number of rows.
func (b *Buffer) Len() int { return b.rows }

// Bytes is how much text the buffer holds.
func (b *Buffer) Bytes() int { return b.bytes }

// Chunks begin small, for most answers are, and double.
const (
	firstChunk = 1 << 10
	lastChunk  = 256 << 10
)

// Reserve makes room for so many rows.
func (b *Buffer) Reserve(rows int) {
	if b.cells == nil {
		b.cells = make([]Cell, 0, rows*b.width)
	}
}

// Append copies a cell to the end of the buffer. A row is complete when Width
// cells were appended.
func (b *Buffer) Append(c Cell) {
	if c.Kind == KindText {
		n := len(c.Text)
		if cap(b.chunk)-len(b.chunk) < n {
			b.chunk = make([]byte, 0, max(min(2*cap(b.chunk), lastChunk), firstChunk, n))
		}
		start := len(b.chunk)
		b.chunk = append(b.chunk, c.Text...)
		c.Text = b.chunk[start:len(b.chunk):len(b.chunk)]
		b.bytes += n
	}
	b.cells = append(b.cells, c)
	if len(b.cells) == (b.rows+1)*b.width {
		b.rows++
	}
}

// EndRow counts a row of a buffer without cells.
func (b *Buffer) EndRow() {
	if b.width == 0 {
		b.rows++
	}
}

// Row returns the cells of a row. The slice belongs to the buffer.
func (b *Buffer) Row(i int) []Cell { return b.cells[i*b.width : (i+1)*b.width] }

// Truncate forgets all rows after the first n.
func (b *Buffer) Truncate(n int) {
	if n < b.rows {
		b.rows = n
		b.cells = b.cells[:n*b.width]
	}
}
