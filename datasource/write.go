package datasource

import (
	"context"

	"usher/admit"
	"usher/datasource/sqlexec"
	"usher/datasource/upstream"
	"usher/datasource/writing"
	"usher/fault"
	"usher/held"
	"usher/plan"
	"usher/quota"
	"usher/trace"
)

// What is written is admitted here, made by package writing in the account that it is for, and ends what is kept
// of its datasets.

// Change makes changes, all or none of them, in one transaction of one source. What is
// kept of the datasets ends before it returns. What the changes answer belongs to the
// share of the request.
func (s *Sources) Change(ctx context.Context, changes []plan.Change, terms writing.Terms) (writing.Made, error) {
	if err := writing.Together(changes); err != nil {
		return writing.Made{}, err
	}
	if err := quota.From(ctx).Admit(ctx); err != nil {
		return writing.Made{}, &writing.ChangeError{Change: -1, Err: err}
	}
	if held.From(ctx) == nil {
		own, share := s.budget.Begin(ctx)
		defer share.End()
		ctx = own
	}
	ctx, span := trace.Ask(ctx, "change", sourceOf(changes[0].Target()))
	defer span.End()
	made, err := s.make(ctx, changes, terms)
	rows := 0
	for _, c := range made.Changed {
		rows += c.Affected
	}
	span.Rows(rows)
	failed(span, err)
	return made, err
}

// make makes changes of one source.
func (s *Sources) make(ctx context.Context, changes []plan.Change, terms writing.Terms) (writing.Made, error) {
	source, release, err := s.accounts.get(ctx, changes[0].Target())
	if err != nil {
		return writing.Made{}, &writing.ChangeError{Change: -1, Err: err}
	}
	defer release()
	switch source := source.(type) {
	case *upstream.Source:
		return s.api(source).Change(ctx, changes, terms)
	case *database:
		if source.writes != nil {
			defer func() { // also after a failure, of which nobody may know what it has left
				for _, c := range changes {
					s.purgeChanged(c)
				}
			}()
			return source.writes.Change(ctx, changes, terms)
		}
	}
	return writing.Made{}, &writing.ChangeError{Change: 0, Err: writtenNowhere(changes[0].Dataset())}
}

// purgeChanged ends what is kept of all datasets that a change has written to.
func (s *Sources) purgeChanged(c plan.Change) {
	s.Purge(c.Owner(), c.Dataset())
	for i := range c.Nested() {
		s.purgeChanged(c.NestedAt(i))
	}
}

// Import writes rows as they come and tells which are in, after an error too. It waits for
// its turn among exports, which have a source's slot for as long. What is kept of the dataset ends
// before it returns. The time it has is the context's.
func (s *Sources) Import(ctx context.Context, i plan.Import, rows sqlexec.Incoming, terms writing.ImportTerms) (out writing.Imported, err error) {
	if !i.Valid() {
		return writing.Imported{}, writing.ErrNotPlanned
	}
	out.Rows = terms.From
	if err := quota.From(ctx).Admit(ctx); err != nil {
		return out, err
	}
	turn, err := s.turn(ctx, i.Identity().Tenant())
	if err != nil {
		return out, err
	}
	defer turn.Leave()
	ctx = admit.InBulk(ctx)
	if held.From(ctx) == nil {
		own, share := s.budget.Begin(ctx)
		defer share.End()
		ctx = own
	}
	share := held.From(ctx)
	if err := share.Take(sqlexec.ImportMemory); err != nil {
		return out, err
	}
	defer share.Give(sqlexec.ImportMemory)
	source, release, err := s.accounts.get(ctx, i.Target())
	if err != nil {
		return out, err
	}
	defer release()
	ctx, span := trace.Ask(ctx, "import", sourceOf(i.Target()))
	defer func() {
		span.Rows(int(out.Written))
		failed(span, err)
		span.End()
	}()
	switch source := source.(type) {
	case *upstream.Source:
		return s.api(source).Import(ctx, i, rows, terms)
	case *database:
		if source.writes != nil {
			return source.writes.Import(ctx, i, rows, terms, func() { s.Purge(i.Owner(), i.Dataset()) })
		}
	}
	return out, writtenNowhere(i.Dataset())
}

// api writes to an API. What it reads for that is read as what is combined.
func (s *Sources) api(source *upstream.Source) writing.API {
	return writing.API{Source: source, Engine: besides{s}, Changed: s.Changed}
}

func writtenNowhere(dataset string) error {
	return fault.New(fault.NotImplemented, "%s cannot be written where this tenant's rows are", dataset)
}
