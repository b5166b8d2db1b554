package datasource

import (
	"context"
	"time"

	"usher/datasource/deadline"
)

// timed gives a source the time that it has, from the moment that it is asked:
// for a connection, for the answer and for sending it. What is not done then
// ends as fault.Timeout, which whoever reads a connection makes of a deadline.
type timed struct {
	next
	timeout time.Duration // 0: as long as the request has
}

func (t *timed) ask(ctx context.Context, q *Question) (Answered, error) {
	if q.exports() { // each portion has that time, and whoever reads them the export's
		q.stream.patience = t.timeout
		return t.next.ask(ctx, q)
	}
	ctx, cancel := deadline.Within(ctx, t.timeout)
	defer cancel()
	return t.next.ask(ctx, q)
}
