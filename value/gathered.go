package value

// RowsOf are the rows of buffers, one after the other.
func RowsOf(buffers ...*Buffer) Rows { return &gathered{buffers: buffers} }

type gathered struct {
	buffers []*Buffer
	next    int
	row     Row
}

// Next implements Rows.
func (g *gathered) Next() bool {
	for len(g.buffers) > 0 && g.next == g.buffers[0].Len() {
		g.buffers, g.next = g.buffers[1:], 0
	}
	if len(g.buffers) == 0 {
		return false
	}
	g.row = g.buffers[0].Row(g.next)
	g.next++
	return true
}

// Cell implements Rows.
func (g *gathered) Cell(i int) Cell { return g.row.Cell(i) }

// Err implements Rows.
func (g *gathered) Err() error { return nil }

// Close implements Rows.
func (g *gathered) Close() error { return nil }
