package datasource

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"usher/catalog"
	"usher/fault"
	"usher/plan"
)

// accounts opens sources on demand, each account once. Accounts of a tenant's
// own are closed when nobody uses them, and there are slots for only so many at a
// time (slots.go).
type accounts struct {
	cat *catalog.Catalog
	*lasting
	remembered remembered

	mu       sync.Mutex
	open     map[plan.Target]*account
	recent   *list.List // of *account, most recent first; a tenant's own only
	slots    int        // that are taken: of a tenant's own accounts, also those that only their users still know
	draining int        // of them, those that end with their users
	waiting  *list.List // of chan struct{}, in line for a slot
	reaper   *time.Timer
	closed   bool
}

// account is an opened source, or one being opened.
type account struct {
	target plan.Target
	ready  chan struct{} // closed when source or err is set
	source Source
	err    error
	users  int
	used   time.Time // when the last user left
	gone   bool      // no longer in the map: the last user closes it
	at     *list.Element
}

func newAccounts(cat *catalog.Catalog, l *lasting) *accounts {
	return &accounts{cat: cat, lasting: l, open: make(map[plan.Target]*account), recent: list.New(), waiting: list.New()}
}

// get returns the source of a target; the caller calls release when it is done
// with it.
func (a *accounts) get(ctx context.Context, t plan.Target) (_ Source, release func(), _ error) {
	acc, first, err := a.enter(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if release == nil { // refused, or a panic
			a.leave(acc)
		}
	}()
	if first {
		a.start(acc)
	}
	select {
	case <-acc.ready:
	case <-ctx.Done():
		return nil, nil, fault.From(ctx.Err())
	}
	if acc.err != nil {
		return nil, nil, acc.err
	}
	return acc.source, func() { a.leave(acc) }, nil
}

// start opens an account for all who wait for it. If it fails, in whatever way,
// the next request tries again.
func (a *accounts) start(acc *account) {
	acc.err = fault.Broken("opening the account panicked")
	defer func() {
		close(acc.ready)
		if acc.err != nil {
			a.drop(acc)
		}
	}()
	acc.source, acc.err = a.connect(acc.target)
}

// enter finds or adds the account and counts its user.
func (a *accounts) enter(ctx context.Context, t plan.Target) (acc *account, first bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if acc := a.join(t); acc != nil {
		return acc, false, nil
	}
	if t.Tenant != "" {
		if err := a.acquire(ctx); err != nil {
			return nil, false, err
		}
		if acc := a.join(t); acc != nil { // somebody opened it meanwhile
			a.release()
			return acc, false, nil
		}
	}
	if a.closed {
		return nil, false, fault.New(fault.Unavailable, "the gateway is shutting down")
	}
	acc = &account{target: t, ready: make(chan struct{}), users: 1}
	a.open[t] = acc
	if t.Tenant != "" {
		acc.at = a.recent.PushFront(acc)
		a.drain()
	}
	return acc, true, nil
}

// join makes the caller a user of an account that is there.
func (a *accounts) join(t plan.Target) *account {
	acc := a.open[t]
	if acc == nil || a.closed {
		return nil
	}
	acc.users++
	if acc.at != nil {
		a.recent.MoveToFront(acc.at)
	}
	return acc
}

// end closes the source of an account that nobody uses or finds any more. The
// lock is not held meanwhile: closing takes its time, and is nobody else's matter.
func (a *accounts) end(acc *account) {
	if acc.source == nil {
		return
	}
	a.mu.Unlock()
	defer a.mu.Lock()
	_ = shut(acc.source)
}

// shut closes a source. A panic is an error of it: the account is as good as
// gone, and its slot is not lost.
func shut(source Source) (err error) {
	defer func() {
		if p := recover(); p != nil {
			slog.Error("closing a source panicked", "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("closing a source panicked: %v", p)
		}
	}()
	return source.Close()
}

func (a *accounts) remove(acc *account) {
	acc.gone = true
	if a.open[acc.target] == acc {
		delete(a.open, acc.target)
	}
	if acc.at != nil {
		a.recent.Remove(acc.at)
		acc.at = nil
	}
}

func (a *accounts) drop(acc *account) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if acc.gone {
		return
	}
	if acc.at != nil {
		a.draining++
	}
	a.remove(acc)
}

func (a *accounts) leave(acc *account) {
	a.mu.Lock()
	defer a.mu.Unlock()
	acc.users--
	acc.used = time.Now()
	switch {
	case acc.users > 0:
	case acc.gone:
		a.end(acc)
		if acc.target.Tenant != "" {
			a.draining--
			a.release()
		}
	case acc.at != nil && a.waiting.Len() > 0:
		a.remove(acc)
		a.end(acc)
		a.release()
	case acc.at != nil:
		a.watch()
	}
}

// each calls f with every source that is open, and possibly with one that has
// just been closed.
func (a *accounts) each(f func(plan.Target, Source)) {
	for _, acc := range a.list() {
		select {
		case <-acc.ready:
			if acc.source != nil {
				f(acc.target, acc.source)
			}
		default: // nobody has asked it anything yet
		}
	}
}

func (a *accounts) list() []*account {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Collect(maps.Values(a.open))
}

func (a *accounts) close() error {
	var errs []error
	for _, acc := range a.shutDown() {
		errs = append(errs, shut(acc.source))
	}
	return errors.Join(errs...)
}

// shutDown lets nobody in any more and returns the accounts that nobody uses.
func (a *accounts) shutDown() (unused []*account) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	if a.reaper != nil {
		a.reaper.Stop()
	}
	for _, acc := range a.open {
		a.remove(acc)
		if acc.users == 0 && acc.source != nil {
			unused = append(unused, acc)
		}
	}
	for a.waiting.Len() > 0 {
		a.release()
	}
	return unused
}
