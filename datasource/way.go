package datasource

import (
	"context"

	"usher/datasource/duckdb"
	"usher/datasource/postgres"
)

// asker answers a question, or does its part of that and asks the next.
type asker interface {
	ask(ctx context.Context, q *Question) (Answered, error)
}

// The way of a question is a chain of decorators, as http.Handler makes them:
// each does one thing before or after it asks the next. Chains are composed once,
// here, outermost first; they keep nothing of a question.

// toDatabase is the way of a question that one database answers whole.
func (s *Sources) toDatabase() asker {
	return steps{
		&cached{cache: s.cache, metrics: s.metrics}, // before an account is opened: a kept answer needs none
		&budgeted{}, // behind the cache: a kept answer costs nobody anything
	}.to(s.accounts) // the account of the question's target, and from there the account's own way:
}

// way is the way into one account, for statements and for fetches.
func (d *database) way() asker {
	files, _ := d.db.(*duckdb.Source)
	written := d.written
	if server, ok := d.db.(*postgres.DB); !ok || !server.Replicated() {
		written = nil
	}
	return steps{
		&looked{source: files, forget: d.flights.forget},                  // before coalescing: who joins gets rows of the files that are there
		&checked{tables: d.tables},                                        // before anybody waits for tables that differ
		&noted{dialect: d.dialect},                                        // before coalescing: who joins has a receipt too, and waiting is part of it
		only(d.meter.traced, &traced{step: "source", dialect: d.dialect}), // where it is noted, for the same reasons
		&coalesced{group: &d.flights, meter: d.meter},                     // before admission: who joins takes no slot
		&reread{written: written},                                         // behind coalescing: whoever joins wants no more than who came first
		&admitted{gate: d.gate, short: d.short},                           // before the timeout: a source's time begins when it is asked
		&granted{db: d.db, cat: d.cat, target: d.target},                  // before the timeout, which may have passed
		&timed{timeout: d.timeout},                                        // before retries: all of them together have it
		&renewed{renew: d.renew},                                          // when the engine gave up, once more on another
		&reconnected{},                                                    // when the connection was lost, on another
		&metered{meter: d.meter},                                          // behind retries: each try is a statement
	}.to(&runner{db: d.db, dialect: d.dialect, fits: d.fits, snapshot: files == nil})
}

// toEngine is the way of a question that needs rows of several sources, or of a
// source that has rows and no answers.
func (s *Sources) toEngine() asker {
	return steps{
		only(s.opts.Traced, &traced{step: "engine"}), // what it asks is below it
		&budgeted{},                     // before a source is asked
		&lookedUp{sources: s},           // first without the engine, if keys are all that joins the sources
		&admitted{gate: s.gate},         // the engine's slot is held while those of sources are waited for
		&renewed{renew: s.engine.Renew}, // when the engine gave up, once more on another
	}.to(&combined{sources: s})
}

// steps are decorators, outermost first.
type steps []step

type step interface {
	asker
	before(next asker)
}

// to composes the way through the steps to where it ends.
func (s steps) to(end asker) asker {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] != nil {
			s[i].before(end)
			end = s[i]
		}
	}
	return end
}

// only is a step that is taken on some ways alone.
func only(taken bool, s step) step {
	if taken {
		return s
	}
	return nil
}

// next is whom a step asks. Each step embeds it.
type next struct{ asker }

func (n *next) before(a asker) { n.asker = a }
