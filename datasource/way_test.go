package datasource

import (
	"context"
	"errors"
	"syscall"
	"testing"

	"usher/admit"
	"usher/catalog"
	"usher/datasource/duckdb"
	"usher/fault"
	"usher/plan"
)

// answers stands at the end of a way.
type answers func(ctx context.Context, q *Question) (Answered, error)

func (a answers) ask(ctx context.Context, q *Question) (Answered, error) { return a(ctx, q) }

// tracing is a step that tells when it asks the next.
type tracing struct {
	next
	name  string
	trace *string
}

func (s *tracing) ask(ctx context.Context, q *Question) (Answered, error) {
	*s.trace += s.name
	return s.next.ask(ctx, q)
}

func TestStepsAreAskedInTheirOrder(t *testing.T) {
	t.Parallel()
	var trace string
	way := steps{&tracing{name: "a", trace: &trace}, &tracing{name: "b", trace: &trace}}.to(answers(func(context.Context, *Question) (Answered, error) {
		trace += "."
		return Answered{MaxAge: 1}, nil
	}))
	if answered, err := way.ask(t.Context(), nil); err != nil || answered.MaxAge != 1 || trace != "ab." {
		t.Errorf("%v, %v by way of %s", answered, err, trace)
	}
}

// Reads are asked again when that can help, and not once rows were given out.
func TestHowOftenIsAsked(t *testing.T) {
	t.Parallel()
	lost := fault.New(fault.Unavailable, "lost").Because(syscall.EPIPE)
	gaveUp := fault.New(fault.Internal, "broken").Because(duckdb.ErrBroken)
	renewal := errors.New("there is no other engine")
	for name, c := range map[string]struct {
		fails   error
		renew   error
		stream  *stream
		given   bool
		asked   int
		renewed int
	}{
		"nothing fails":             {asked: 1},
		"any failure":               {fails: errors.New("no such column"), asked: 1},
		"lost":                      {fails: lost, asked: 2},
		"lost before any row":       {fails: lost, stream: &stream{}, asked: 2},
		"lost among rows":           {fails: lost, stream: &stream{}, given: true, asked: 1},
		"given up":                  {fails: gaveUp, asked: 2, renewed: 1},
		"given up, without another": {fails: gaveUp, renew: renewal, asked: 1, renewed: 1},
		"given up while it is read": {fails: gaveUp, stream: &stream{}, asked: 1}, // Fetch renews it for the next
	} {
		asked, renewals := 0, 0
		way := steps{&renewed{renew: func(context.Context) error { renewals++; return c.renew }}, &reconnected{}}.to(answers(func(_ context.Context, q *Question) (Answered, error) {
			asked++
			if c.given {
				q.stream.Rows = nothing{}
			}
			return Answered{}, c.fails
		}))
		if _, err := way.ask(t.Context(), &Question{stream: c.stream}); !errors.Is(err, c.fails) || asked != c.asked || renewals != c.renewed {
			t.Errorf("%s: asked %d times, renewed %d times, %v", name, asked, renewals, err)
		}
	}
}

// Whatever happens to who is admitted, the slot is given back.
func TestAPanicLeavesItsSlot(t *testing.T) {
	t.Parallel()
	way := steps{&admitted{gate: admit.New(1, admit.Limits{}, nil)}}.to(answers(func(_ context.Context, q *Question) (Answered, error) {
		if q.tenant == "clumsy" {
			panic("at work")
		}
		return Answered{}, nil
	}))
	func() {
		defer func() { _ = recover() }()
		_, _ = way.ask(t.Context(), &Question{tenant: "clumsy"})
	}()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := way.ask(ctx, &Question{tenant: "other"}); err != nil {
		t.Error(err)
	}
}

// An API has rows and no answers.
func TestAnAPIIsAskedNoStatement(t *testing.T) {
	t.Parallel()
	a := limited(1)
	defer func() { _ = a.close() }()
	if _, err := a.ask(t.Context(), &Question{target: plan.Target{Source: "a", Kind: catalog.API}}); fault.From(err).Code != fault.Internal {
		t.Error(err)
	}
}
