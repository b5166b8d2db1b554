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

// onceMore runs a question again, once, when the engine gave up under it: the
// fault is the engine's, and whoever asks next must not find it still there.
func onceMore[T any](ctx context.Context, renew func(context.Context) error, run func() (T, error)) (T, error) {
	result, err := run()
	if !errors.Is(err, duckdb.ErrBroken) {
		return result, err
	}
	if failed := renew(ctx); failed != nil {
		return result, err
	}
	return run()
}

// endedTries is how often a read is asked whose connections are ended on purpose.
const endedTries = 4

// reconnected runs a read again when its connection was lost before anything of
// the answer was given out, once: perhaps the question is what crashed the
// server. One that somebody ended on purpose says nothing of the question. Run
// says whether anything was given out.
func reconnected[T any](ctx context.Context, run func() (result T, given bool, err error)) (T, error) {
	for try := 1; ; try++ {
		result, given, err := run()
		again := postgres.Lost(err) && try < 2 || postgres.Ended(err) && try < endedTries
		if given || !again || ctx.Err() != nil {
			return result, err
		}
	}
}
