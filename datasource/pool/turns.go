package pool

import "container/heap"

// ticket says whose turn it is: the lowest number is next. It is embedded in
// what waits.
type ticket struct {
	number uint64
	at     int // 1 + the index among the turns; 0: not among them
}

func (t *ticket) place() *ticket { return t }

// turns are those who wait for the same, a priority queue by their tickets. It is a
// heap.Interface.
type turns[T interface{ place() *ticket }] []T

// set puts x where its ticket says, or takes it out.
func (t *turns[T]) set(x T, in bool) {
	switch at := x.place().at; {
	case in && at == 0:
		heap.Push(t, x)
	case in:
		heap.Fix(t, at-1)
	case at > 0:
		heap.Remove(t, at-1)
	}
}

// Len implements heap.Interface.
func (t *turns[T]) Len() int { return len(*t) }

// Less implements heap.Interface.
func (t *turns[T]) Less(i, j int) bool { return (*t)[i].place().number < (*t)[j].place().number }

// Swap implements heap.Interface.
func (t *turns[T]) Swap(i, j int) {
	(*t)[i], (*t)[j] = (*t)[j], (*t)[i]
	(*t)[i].place().at, (*t)[j].place().at = i+1, j+1
}

// Push implements heap.Interface.
func (t *turns[T]) Push(x any) {
	*t = append(*t, x.(T))
	x.(T).place().at = len(*t)
}

// Pop implements heap.Interface.
func (t *turns[T]) Pop() any {
	last := len(*t) - 1
	x := (*t)[last]
	clear((*t)[last:])
	*t = (*t)[:last]
	x.place().at = 0
	return x
}
