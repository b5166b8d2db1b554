package value

import "time"

// Result is what a plan's statements returned: the rows of one statement and,
// for each nested list or aggregate in them, the rows of a further one.
type Result struct {
	Rows     *Buffer
	Children []Child // in the order of the plan's nested levels
	Total    *Result // a connection's count, when it was asked for

	// AsOf is when the oldest part of the answer was current, when an older
	// reply stood in for a source that fails; else it is zero.
	AsOf time.Time
}

// Len is how many rows the result has, nested ones included.
func (r *Result) Len() int {
	if r == nil {
		return 0
	}
	n := r.Total.Len()
	if r.Rows != nil {
		n += r.Rows.Len()
	}
	for _, c := range r.Children {
		n += c.Result.Len()
	}
	return n
}

// Size is about how many bytes the result takes in memory.
func (r *Result) Size() int {
	if r == nil {
		return 0
	}
	size := 64 + r.Rows.Size()
	for _, c := range r.Children {
		size += c.Result.Size() + 8*len(c.Start)
	}
	return size + r.Total.Size()
}

// Child is a nested level: the rows that belong to row i of the parent are
// Result.Rows[Start[i]:Start[i+1]].
type Child struct {
	Result *Result
	Start  []int
}

// Only is the result without the rows that are not kept, and what belongs to them.
func (r *Result) Only(kept func(row int) bool) *Result {
	out := &Result{Rows: NewBuffer(r.Rows.Width()), Children: make([]Child, len(r.Children)), Total: r.Total, AsOf: r.AsOf}
	for i := range r.Rows.Len() {
		if !kept(i) {
			continue
		}
		for n := range r.Rows.Width() {
			out.Rows.Append(r.Rows.Row(i).Cell(n))
		}
	}
	for n, child := range r.Children {
		start, below := []int{0}, make([]bool, child.Result.Rows.Len())
		for i := range r.Rows.Len() {
			if !kept(i) {
				continue
			}
			for at := child.Start[i]; at < child.Start[i+1]; at++ {
				below[at] = true
			}
			start = append(start, start[len(start)-1]+child.Start[i+1]-child.Start[i])
		}
		out.Children[n] = Child{Result: child.Result.Only(func(row int) bool { return below[row] }), Start: start}
	}
	return out
}
