package quota

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"usher/fault"
)

// Together is how long ahead a gateway has what it may use, and how often it settles with
// the store what it has used.
const Together = time.Second

// calm is how long the store has answered again before a gateway takes leases: until then others may not have told
// it what they have used of their shares.
const calm = 2 * Together

// settleTimeout bounds a call of the store that nobody waits for any more.
const settleTimeout = 5 * time.Second

// ask waits until the store has answered for a bucket, or for as long as requests wait.
// What is asked while it answers is asked together after that. The lock is held, but for
// the waiting.
func (k *Keeper) ask(ctx context.Context, b *bucket) error {
	if !b.asked {
		b.asked = true
		k.pending = append(k.pending, b)
	}
	if k.next == nil {
		k.next = make(chan struct{})
	}
	b.waiting++
	enough := k.patience()
	answered := k.next
	if k.flight == nil {
		k.depart(context.WithoutCancel(ctx))
	}
	k.mu.Unlock()
	patience := time.NewTimer(enough)
	defer patience.Stop()
	var err error
	select {
	case <-answered:
		k.mu.Lock()
	case <-patience.C:
		k.mu.Lock()
		select {
		case <-answered: // just now
		default:
			k.silence(ctx, errLate)
		}
	case <-ctx.Done():
		k.mu.Lock()
		err = fault.From(ctx.Err())
	}
	b.waiting--
	return err
}

// depart asks the store, in the background, for all that is pending, until nothing is.
func (k *Keeper) depart(ctx context.Context) {
	buckets := k.pending
	k.pending, k.flight, k.next = nil, k.next, nil
	go func() {
		ctx, cancel := context.WithTimeout(ctx, settleTimeout)
		defer cancel()
		k.settle(ctx, buckets)
		k.mu.Lock()
		defer k.mu.Unlock()
		close(k.flight)
		if k.flight = nil; k.next != nil {
			k.depart(context.WithoutCancel(ctx))
		}
	}()
}

// settle settles with the store what buckets have used, and takes leases for them.
func (k *Keeper) settle(ctx context.Context, buckets []*bucket) {
	k.mu.Lock()
	now := k.opts.Clock()
	slices.SortFunc(buckets, func(a, b *bucket) int { return strings.Compare(a.who, b.who) }) // one order for all: nobody waits in a ring
	claims, spent := make([]Claim, len(buckets)), make([]float64, len(buckets))
	for i, b := range buckets {
		claims[i], spent[i] = b.claim(now), b.spent
		if k.silent {
			claims[i].Want = 0 // it only tells what was used
		}
		b.asked = false
	}
	k.mu.Unlock()
	began := time.Now()
	grants, gateways, err := k.opts.Settle(ctx, claims)
	took := time.Since(began)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		k.silence(ctx, err)
		return
	}
	if k.took == 0 {
		k.took = took
	}
	k.took += (took - k.took) / 4
	for i, b := range buckets {
		b.granted(grants[i], b.spent-spent[i], now)
	}
	k.shared = max(gateways, 1)
	k.answers(ctx, now)
}

// Within these bounds a request waits for three times as long as the store's answers take.
const (
	leastPatience = 25 * time.Millisecond
	mostPatience  = 250 * time.Millisecond
)

// patience is how long a request waits for the store: where it is far away its answers are no later than usual.
func (k *Keeper) patience() time.Duration {
	switch {
	case k.opts.Patience > 0:
		return k.opts.Patience
	case k.took == 0:
		return mostPatience
	}
	return min(max(3*k.took, leastPatience), mostPatience)
}

// errLate is why a gateway goes on with its share while the store may still answer.
var errLate = errors.New("it does not answer as soon as requests need it")

// silence has everybody go on with their own share. One answer that is late, as while a
// connection is made or a disk is busy, is nothing to tell of; that it happens again is, and
// so is an error.
func (k *Keeper) silence(ctx context.Context, err error) {
	k.heard = time.Time{}
	late := errors.Is(err, errLate)
	if k.silent && late {
		return
	}
	k.silent = true
	now := k.opts.Clock()
	if late {
		once := k.late.IsZero() || now.Sub(k.late) >= logEvery
		if k.late = now; once {
			return
		}
	}
	if k.said || !k.told.IsZero() && now.Sub(k.told) < logEvery {
		return
	}
	k.told, k.said = now, true
	k.opts.Log.WarnContext(ctx, "the control store does not answer for budgets: this gateway goes on with its share of them", "gateways", k.shared, "patience", k.patience().String(), "error", err)
}

// answers notes that the store answers, and has this gateway count with the others again once that has lasted.
func (k *Keeper) answers(ctx context.Context, now time.Time) {
	switch {
	case !k.silent:
	case k.took > k.patience(): // it would be late again
		k.heard = time.Time{}
	case k.heard.IsZero():
		k.heard = now
	case now.Sub(k.heard) >= calm:
		k.silent = false
		if k.said {
			k.said = false
			k.opts.Log.InfoContext(ctx, "the control store answers for budgets again: this gateway counts with the others", "gateways", k.shared)
		}
	}
}

// Tick settles what was used since the last time. It is called every Together.
func (k *Keeper) Tick(ctx context.Context) {
	k.mu.Lock()
	now := k.opts.Clock()
	k.tidy(now)
	if k.opts.Settle == nil {
		k.mu.Unlock()
		return
	}
	var used []*bucket
	for _, b := range k.buckets {
		if !b.asked && (b.leased != 0 || b.spent != 0) && now.Sub(b.settled) >= Together {
			b.asked = true
			used = append(used, b)
		}
	}
	due := len(used) > 0 || k.silent
	k.mu.Unlock()
	if due {
		ctx, cancel := context.WithTimeout(ctx, settleTimeout)
		defer cancel()
		k.settle(ctx, used)
	}
}

// Return gives back what was leased and not used. It is called at the end.
func (k *Keeper) Return(ctx context.Context) {
	k.mu.Lock()
	var claims []Claim
	for _, b := range k.buckets {
		if b.leased != b.spent {
			claims = append(claims, Claim{Who: b.who, Limit: b.limit, Used: b.spent - b.leased})
			b.leased, b.spent = 0, 0
		}
	}
	k.mu.Unlock()
	if k.opts.Settle == nil || len(claims) == 0 {
		return
	}
	slices.SortFunc(claims, func(a, b Claim) int { return strings.Compare(a.Who, b.Who) })
	_, _, _ = k.opts.Settle(ctx, claims) // what is not given back is there again within a minute
}

// Gateways is heard by the keeper that shares with so many.
func (k *Keeper) Gateways(n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.shared = max(n, 1)
}

// tidy forgets who has used nothing for a while.
func (k *Keeper) tidy(now time.Time) {
	if now.Sub(k.tidied) < time.Minute {
		return
	}
	k.tidied = now
	share := k.share()
	for at, b := range k.buckets {
		if b.idle(k.opts.Settle == nil, share, now) {
			delete(k.buckets, at)
		}
	}
}
