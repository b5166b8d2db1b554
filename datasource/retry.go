package datasource

import (
	"context"
	"errors"

	"usher/datasource/duckdb"
	"usher/datasource/postgres"
)

// Reads are asked again in two cases: the engine under them gave up, or their
// connection was lost. Whoever asks again gets another engine or another
// connection.

// renewed asks again, once, when the engine gave up under the question: the
// fault is the engine's, and whoever asks next must not find it still there.
type renewed struct {
	next
	renew func(context.Context) error
}

func (r *renewed) ask(ctx context.Context, q *Question) (Answered, error) {
	answered, err := r.next.ask(ctx, q)
	if q.exports() && errors.Is(err, duckdb.ErrBroken) { // the next question shall not find it broken; this one's rows are half taken
		return answered, errors.Join(err, r.renew(ctx))
	}
	if q.stream != nil || !errors.Is(err, duckdb.ErrBroken) {
		return answered, err
	}
	if failed := r.renew(ctx); failed != nil {
		return answered, err
	}
	return r.next.ask(ctx, q)
}

// endedTries is how often a read is asked whose connections are ended on purpose.
const endedTries = 4

// reconnected asks again when the connection was lost before anything of the
// answer was given out, once: perhaps the question is what crashed the server.
// That somebody ended it on purpose, or that a table has changed, says nothing of the question.
type reconnected struct{ next }

func (r *reconnected) ask(ctx context.Context, q *Question) (Answered, error) {
	for try := 1; ; try++ {
		answered, err := r.next.ask(ctx, q)
		if err == nil {
			return answered, nil
		}
		again := postgres.Lost(err) && try < 2 || (postgres.Ended(err) || errors.Is(err, postgres.ErrStale)) && try < endedTries
		if !again || q.stream.given() || ctx.Err() != nil {
			return answered, err
		}
	}
}
