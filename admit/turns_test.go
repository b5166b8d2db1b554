package admit

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"usher/fault"
)

const brief = time.Millisecond

func enter(t *testing.T, turns *Turns, tenant string) (context.Context, *Turn) {
	t.Helper()
	ctx, turn, err := turns.Enter(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	return ctx, turn
}

// asks is a request of a tenant that is over at once, so that others know of it.
func asks(t *testing.T, turns *Turns, tenant string) {
	t.Helper()
	_, turn := enter(t, turns, tenant)
	turn.Leave()
}

// entering is a request of the tenant a, whose turn is waited for.
func entering(ctx context.Context, turns *Turns) <-chan *Turn {
	entered := make(chan *Turn, 1)
	go func() {
		_, turn, err := turns.Enter(ctx, "a")
		if err == nil {
			entered <- turn
		}
		close(entered)
	}()
	synctest.Wait()
	return entered
}

func has(entered <-chan *Turn) bool { return len(entered) == 1 }

// A tenant alone is not bounded; beside others it has its turns, and the rest waits.
func TestTurnsBesideOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns(2, brief, Limits{}, nil)
		var alone []*Turn
		for range 20 {
			_, turn := enter(t, turns, "a")
			alone = append(alone, turn)
		}
		asks(t, turns, "b")
		next := entering(t.Context(), turns)
		for _, turn := range alone[:18] {
			turn.Leave()
		}
		synctest.Wait()
		if has(next) || turns.Waiting() != 1 {
			t.Fatal("a tenant with two turns has another one beside others")
		}
		asks(t, turns, "b") // has turns of its own, however many wait
		alone[18].Leave()
		alone[18].Leave() // counts once
		synctest.Wait()
		if !has(next) {
			t.Fatal("nobody took a turn that was free")
		}
		if other := entering(t.Context(), turns); has(other) {
			t.Error("a turn was given twice")
		} else {
			alone[19].Leave()
			(<-other).Leave()
		}
		(<-next).Leave()
		if len(turns.tenants) != 0 || turns.weight != 0 || turns.Waiting() != 0 {
			t.Errorf("%d tenants are remembered", len(turns.tenants))
		}
	})
}

// When nobody else has asked for a second, those who wait go on with the next who comes.
func TestTurnsAloneAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns(1, brief, Limits{}, nil)
		asks(t, turns, "b")
		_, first := enter(t, turns, "a")
		second := entering(t.Context(), turns)
		pass(lately)
		third := entering(t.Context(), turns)
		if !has(second) || !has(third) {
			t.Error("a tenant alone waits")
		}
		first.Leave()
		(<-second).Leave()
		(<-third).Leave()
	})
}

// Who waits for a source keeps its turn for a moment and no longer; when it is back it
// comes before those that have not begun.
func TestTurnsOfThoseAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns(1, brief, Limits{}, nil)
		asks(t, turns, "b")
		ctx, first := enter(t, turns, "a")
		second := entering(t.Context(), turns)

		turn := Away(ctx)
		pass(brief / 2)
		if has(second) {
			t.Fatal("a turn was given away at once")
		}
		turn.Back() // waits for nobody
		turn = Away(ctx)
		pass(brief)
		synctest.Wait()
		if !has(second) {
			t.Fatal("who waits for a source for long has a turn")
		}
		third := entering(t.Context(), turns)
		back := make(chan struct{})
		go func() {
			turn.Back()
			close(back)
		}()
		synctest.Wait()
		select {
		case <-back:
			t.Fatal("there are two turns where there is one")
		default:
		}
		(<-second).Leave()
		<-back
		if has(third) {
			t.Error("who has not begun came before who was away")
		}
		first.Leave()
		(<-third).Leave()
	})
}

// Parts of one request that wait and go on side by side have one turn together.
func TestTurnsOfParts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns(1, brief, Limits{}, nil)
		asks(t, turns, "b")
		ctx, turn := enter(t, turns, "a")
		one, other := Away(ctx), Away(ctx)
		next := entering(t.Context(), turns)
		pass(brief)
		synctest.Wait()
		if !has(next) {
			t.Fatal("a request of which all parts wait has a turn")
		}
		one.Back() // the other is still away
		(<-next).Leave()
		other.Back()
		if more := entering(t.Context(), turns); has(more) {
			t.Error("a request that is back has no turn")
		} else {
			turn.Leave()
			(<-more).Leave()
		}
		Away(ctx).Back() // after the end nobody waits
		if len(turns.tenants) != 0 {
			t.Errorf("%d tenants are remembered", len(turns.tenants))
		}
	})
}

// Lines are bounded, and so is waiting.
func TestTurnsAreRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var counts Counts
		turns := NewTurns(1, brief, Limits{Waiting: 1, Wait: 100 * time.Millisecond}, &counts)
		asks(t, turns, "b")
		_, turn := enter(t, turns, "a")
		began := time.Now()
		late := make(chan error, 1)
		go func() {
			_, _, err := turns.Enter(t.Context(), "a")
			late <- err
		}()
		synctest.Wait()
		_, _, err := turns.Enter(t.Context(), "a")
		if f := fault.From(err); f.Code != fault.TooManyRequests || f.RetryAfter == 0 {
			t.Errorf("a full line: %v", err)
		}
		if f := fault.From(<-late); f.Code != fault.Unavailable || f.RetryAfter == 0 || time.Since(began) != 100*time.Millisecond {
			t.Errorf("after %s: %v", time.Since(began), f)
		}
		ctx, cancel := context.WithCancel(t.Context())
		left := entering(ctx, turns)
		cancel()
		if turn := <-left; turn != nil {
			t.Error("who has gone has a turn")
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, _, err := turns.Enter(ctx, "a"); fault.From(err).Code != fault.Unavailable {
			t.Errorf("a deadline in line: %v", err)
		}
		turn.Leave()
		if len(turns.tenants) != 0 || turns.Waiting() != 0 || counts.Full.Load() != 1 || counts.Expired.Load() != 2 {
			t.Errorf("%d tenants are remembered, %d full, %d expired", len(turns.tenants), counts.Full.Load(), counts.Expired.Load())
		}
	})
}

// Who has gone while it was away waits for no turn.
func TestTurnsOfThoseWhoLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns(1, brief, Limits{}, nil)
		asks(t, turns, "b")
		ctx, cancel := context.WithCancel(t.Context())
		ctx, gone, err := turns.Enter(ctx, "a")
		if err != nil {
			t.Fatal(err)
		}
		away := Away(ctx)
		next := entering(t.Context(), turns)
		pass(brief)
		synctest.Wait()
		cancel()
		away.Back() // next has the only turn
		if turns.Waiting() != 0 {
			t.Error("somebody waits for nothing")
		}
		gone.Leave()
		(<-next).Leave()
	})
}

// A tenant that weighs more has more turns beside others.
func TestTurnsFollowWeights(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns(2, brief, Limits{}, nil)
		asks(t, turns, "b")
		heavy := Weighing(t.Context(), 3)
		var held []*Turn
		for range 3 {
			_, turn, err := turns.Enter(heavy, "a")
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, turn)
		}
		fourth := entering(heavy, turns)
		if has(fourth) {
			t.Error("three of four parts of four turns are three")
		}
		for _, turn := range held {
			turn.Leave()
		}
		(<-fourth).Leave()
	})
}

// Without turns nobody waits.
func TestNoTurns(t *testing.T) {
	t.Parallel()
	var turns *Turns
	ctx, turn, err := turns.Enter(t.Context(), "a")
	if err != nil || turn != nil || ctx != t.Context() {
		t.Errorf("%v, %v", turn, err)
	}
	Away(ctx).Back()
	turn.Leave()
}

// Whatever many do, no tenant has more turns than it may, and in the end nobody has any.
func TestTurnsOfMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns(2, brief, Limits{Waiting: 5, Wait: 20 * time.Millisecond}, nil)
		asks(t, turns, "a")
		asks(t, turns, "b")
		var group sync.WaitGroup
		for i := range 60 {
			group.Go(func() {
				random := rand.New(rand.NewPCG(7, uint64(i)))
				tenant := string(rune('a' + i%3))
				for range 100 {
					within, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(40)+1)*time.Millisecond)
					ctx, turn, err := turns.Enter(within, tenant)
					if err != nil {
						if f := fault.From(err); f.Code != fault.TooManyRequests && f.Code != fault.Unavailable || errors.Is(err, context.Canceled) {
							t.Errorf("refused by %v", err)
						}
						cancel()
						pass(time.Millisecond)
						continue
					}
					var parts sync.WaitGroup
					for range 1 + random.IntN(3) {
						takes := time.Duration(random.IntN(3000)) * time.Microsecond
						parts.Go(func() {
							away := Away(ctx)
							pass(takes)
							away.Back()
							turns.mu.Lock()
							if held := turns.tenants[tenant].held; held > 2 {
								t.Errorf("%d turns of one tenant beside others", held)
							}
							turns.mu.Unlock()
							pass(takes / 4)
						})
					}
					parts.Wait()
					turn.Leave()
					cancel()
				}
			})
		}
		group.Wait()
		if len(turns.tenants) != 0 || turns.weight != 0 || turns.Waiting() != 0 {
			t.Errorf("%d tenants are remembered, %d wait", len(turns.tenants), turns.Waiting())
		}
	})
}
