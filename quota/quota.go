// Package quota owns how much tenants and tokens may use in a minute: requests, the time
// of databases, rows and bytes. What is used is counted when it was used, so nothing is
// guessed: a request begins while anything is left, ends normally, and whatever it took
// beyond that is a debt which those that come after it wait for.
//
// Gateways that share a control store count together. Each takes leases from the store:
// as much as it used in the last second, before it is used, and gives back what it did
// not use. So the store is asked about once a second, not with each request. When it is
// silent a gateway goes on with its own share: one of as many parts as there are
// gateways. The package refuses to know who is counted, and what a store is.
package quota

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"usher/fault"
)

// Kind is what is counted.
type Kind int

// The kinds.
const (
	Requests Kind = iota
	Database      // milliseconds in which a database worked
	Rows          // that were read or written
	Bytes         // of them
	kinds
)

func (k Kind) String() string { return [...]string{"requests", "database_time", "rows", "bytes"}[k] }

// Limits are how much there is of each kind for a minute; 0: it is not limited.
type Limits [kinds]int64

// Of says whose limits they are.
type Of int

// The holders of limits.
const (
	Tenant Of = iota
	Token
	holders
)

func (o Of) String() string { return [...]string{"tenant", "token"}[o] }

// Holder is who may use how much. Its name is one of its kind.
type Holder struct {
	Of     Of
	Name   [3]string
	Limits Limits
}

// Claim is what a gateway tells the store of one holder and kind, and wants of it.
type Claim struct {
	Who   string // a hash: names need not be in the store
	Limit float64
	Used  float64 // beyond what was leased; below zero: of that this much was not used
	Want  float64
}

// Grant is the answer to a claim.
type Grant struct {
	Lease float64
	Level float64 // what is left after it, for all; below zero: a debt
}

// Settle has the store answer claims, whose names differ, in their order, and tells how
// many gateways share it.
type Settle func(ctx context.Context, claims []Claim) (grants []Grant, gateways int, err error)

// Options are what a keeper uses of its surroundings. Zero values mean the defaults.
type Options struct {
	Settle   Settle        // nil: this gateway counts alone
	Patience time.Duration // how long a request waits for the store; default: as its answers take, see patience
	Clock    func() time.Time
	Log      *slog.Logger
}

// Keeper counts. It is safe for concurrent use.
type Keeper struct {
	opts    Options
	mu      sync.Mutex
	buckets map[key]*bucket
	shared  int  // gateways, when that was heard last
	silent  bool // the store: everybody has their own share

	flight  chan struct{} // closed when what is asked of the store just now was answered; nil: nothing is
	pending []*bucket     // to be asked next
	next    chan struct{} // closed when those were answered
	refused [holders][kinds]int64
	tidied  time.Time
	heard   time.Time     // since when a silent store answers again
	took    time.Duration // an answer of the store, on average; 0: none has come
	late    time.Time     // an answer of the store, for the last time
	told    time.Time     // that the store is silent, in the log
	said    bool          // that it is silent now
}

type key struct {
	of   Of
	kind Kind
	name [3]string
}

// New makes a keeper.
func New(opts Options) *Keeper {
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	return &Keeper{opts: opts, buckets: make(map[key]*bucket), shared: 1}
}

type inContext struct{}

// Account is what one request uses, for its holders. Nil is that of a request which
// nobody limits.
type Account struct {
	keeper  *Keeper
	holders []Holder
	room    [holders]Holder // of most requests
	budgets bool            // of more than requests
	once    sync.Once
	err     error
}

// From is the account of a context's request; nil: nobody limits it.
func From(ctx context.Context) *Account {
	a, _ := ctx.Value(inContext{}).(*Account)
	return a
}

// Begin counts a request of its holders, or refuses it. The context it returns carries
// the request's account, if there is anything to be counted.
func (k *Keeper) Begin(ctx context.Context, of ...Holder) (context.Context, error) {
	var a *Account
	for _, h := range of {
		if h.Limits == (Limits{}) {
			continue
		}
		if a == nil {
			a = &Account{keeper: k}
			a.holders = a.room[:0]
		}
		a.holders = append(a.holders, h)
		requests := Limits{Requests: h.Limits[Requests]}
		a.budgets = a.budgets || h.Limits != requests
	}
	if a == nil {
		return ctx, nil
	}
	if err := k.Take(ctx, a.holders...); err != nil || !a.budgets {
		return ctx, err
	}
	return context.WithValue(ctx, inContext{}, a), nil
}

// Take counts one request of all holders, or refuses it and counts it in none.
func (k *Keeper) Take(ctx context.Context, of ...Holder) error {
	if ctx.Value(again{}) != nil {
		return nil
	}
	for i, h := range of {
		if err := k.take(ctx, h, Requests, 1); err != nil {
			for _, counted := range of[:i] {
				k.spend(counted, Requests, -1)
			}
			return err
		}
	}
	return nil
}

type again struct{}

// Again is the context of looking again at a token whose request was counted: what takes long
// asks every second whether it is still good.
func Again(ctx context.Context) context.Context { return context.WithValue(ctx, again{}, true) }

// Alone tells that the store does not answer, so that this gateway goes on with its share.
func (k *Keeper) Alone() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.silent
}

// Admit refuses a request of which a holder has used up what it may use. It is asked before
// a source is; who was admitted stays so to the end of the request.
func (a *Account) Admit(ctx context.Context) error {
	if a == nil {
		return nil
	}
	a.once.Do(func() {
		for _, h := range a.holders {
			for kind := Database; kind < kinds && a.err == nil; kind++ {
				a.err = a.keeper.take(ctx, h, kind, 0)
			}
		}
	})
	return a.err
}

// Spend counts what the request has used.
func (a *Account) Spend(database time.Duration, rows, bytes int) {
	if a == nil {
		return
	}
	for _, h := range a.holders {
		a.keeper.spend(h, Database, float64(database)/float64(time.Millisecond))
		a.keeper.spend(h, Rows, float64(rows))
		a.keeper.spend(h, Bytes, float64(bytes))
	}
}

// Left is what a holder has left of a budget.
type Left struct {
	Of     string `json:"of"`
	Budget string `json:"budget"` // database_time is in milliseconds
	Limit  int64  `json:"aMinute"`
	Left   int64  `json:"left"` // as far as this gateway knows; below zero: a debt
}

// Left are the budgets of the request's holders, but for that of requests.
func (a *Account) Left() []Left {
	if a == nil {
		return nil
	}
	k := a.keeper
	k.mu.Lock()
	defer k.mu.Unlock()
	now, share := k.opts.Clock(), k.share()
	var all []Left
	for _, h := range a.holders {
		for kind := Database; kind < kinds; kind++ {
			if h.Limits[kind] == 0 {
				continue
			}
			b := k.bucket(h, kind)
			left := b.left(share, now)
			if share == 0 {
				left += b.level
			}
			all = append(all, Left{h.Of.String(), kind.String(), h.Limits[kind], int64(math.Floor(left))})
		}
	}
	return all
}

// spend counts what was used, whether it was there or not.
func (k *Keeper) spend(h Holder, kind Kind, n float64) {
	if h.Limits[kind] == 0 || n == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.opts.Clock()
	k.bucket(h, kind).spend(n, k.share(), now)
}

// take counts what is about to be used, when there is something left.
func (k *Keeper) take(ctx context.Context, h Holder, kind Kind, n float64) error {
	if h.Limits[kind] == 0 {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	b := k.bucket(h, kind)
	for {
		now := k.opts.Clock()
		share := k.share()
		if b.left(share, now) >= one {
			b.spend(n, share, now)
			return nil
		}
		if share > 0 || now.Before(b.until) {
			return k.refuse(ctx, h, kind, b, b.wait(share, now), now)
		}
		if err := k.ask(ctx, b); err != nil {
			return err
		}
	}
}

// share is of how many parts of the whole this gateway has one, or 0: the store is asked.
func (k *Keeper) share() int {
	switch {
	case k.opts.Settle == nil:
		return 1
	case k.silent:
		return max(k.shared, 1)
	}
	return 0
}

func (k *Keeper) bucket(h Holder, kind Kind) *bucket {
	at := key{h.Of, kind, h.Name}
	b := k.buckets[at]
	if b == nil {
		k.tidy(k.opts.Clock())
		b = newBucket(at)
		k.buckets[at] = b
	}
	b.limit = float64(h.Limits[kind])
	return b
}

// logEvery is how far apart two lines of the log are about the same holder and kind.
const logEvery = time.Minute

// refuse says which budget is used up and when to come back.
func (k *Keeper) refuse(ctx context.Context, h Holder, kind Kind, b *bucket, wait time.Duration, now time.Time) error {
	k.refused[h.Of][kind]++
	wait = max(time.Duration(math.Ceil(wait.Seconds()))*time.Second, time.Second)
	if b.logged.IsZero() || now.Sub(b.logged) >= logEvery {
		b.logged = now
		k.opts.Log.InfoContext(ctx, "a budget is used up", "of", h.Of.String(), "holder", h.Name[0], "budget", kind.String(), "a_minute", h.Limits[kind], "retry_after", wait.String())
	}
	return refusal(h, kind, wait)
}

func refusal(h Holder, kind Kind, wait time.Duration) error {
	n := h.Limits[kind]
	what := fmt.Sprintf("%d %s", n, kind)
	if kind == Database {
		what = (time.Duration(n) * time.Millisecond).String() + " of database time"
	}
	f := fault.New(fault.TooManyRequests, "the %s has used the %s that it has for a minute", h.Of, what)
	if kind == Requests {
		f = fault.New(fault.TooManyRequests, "the %s allows %s a minute", h.Of, what)
	}
	f = f.WithHint("Come back in %.0f s.", wait.Seconds())
	f.RetryAfter = wait
	return f
}
