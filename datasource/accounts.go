package datasource

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"usher/catalog"
	"usher/datasource/duckdb"
	"usher/datasource/postgres"
	"usher/datasource/upstream"
	"usher/fault"
	"usher/plan"
	"usher/sqlgen"
)

// accounts opens sources on demand, each account once. Accounts of template
// sources are one tenant's own; past the cap the one unused longest is closed.
type accounts struct {
	cat  *catalog.Catalog
	opts Options

	mu     sync.Mutex
	open   map[plan.Target]*account
	recent *list.List // of *account, most recent first; template accounts only
	closed bool
}

// account is an opened source, or one being opened.
type account struct {
	target plan.Target
	ready  chan struct{} // closed when source or err is set
	source Source
	err    error
	users  int
	gone   bool // no longer in the map: the last user closes it
	at     *list.Element
}

func newAccounts(cat *catalog.Catalog, opts Options) *accounts {
	if opts.Accounts == 0 {
		opts.Accounts = 64
	}
	return &accounts{cat: cat, opts: opts, open: make(map[plan.Target]*account), recent: list.New()}
}

// get returns the source of a target; the caller calls release when it is done
// with it.
func (a *accounts) get(ctx context.Context, t plan.Target) (_ Source, release func(), _ error) {
	acc, first, err := a.enter(t)
	if err != nil {
		return nil, nil, err
	}
	if first {
		acc.source, acc.err = a.connect(t)
		close(acc.ready)
		if acc.err != nil {
			a.drop(acc) // the next request tries again
		}
	}
	select {
	case <-acc.ready:
	case <-ctx.Done():
		a.leave(acc)
		return nil, nil, fault.From(ctx.Err())
	}
	if acc.err != nil {
		a.leave(acc)
		return nil, nil, acc.err
	}
	return acc.source, func() { a.leave(acc) }, nil
}

// enter finds or adds the account and counts its user.
func (a *accounts) enter(t plan.Target) (acc *account, first bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, false, fault.New(fault.Unavailable, "the gateway is shutting down")
	}
	acc = a.open[t]
	if acc == nil {
		acc, first = &account{target: t, ready: make(chan struct{})}, true
		a.open[t] = acc
		if t.Tenant != "" {
			acc.at = a.recent.PushFront(acc)
			a.evict()
		}
	} else if acc.at != nil {
		a.recent.MoveToFront(acc.at)
	}
	acc.users++
	return acc, first, nil
}

// evict drops the template accounts beyond the cap, longest unused first.
func (a *accounts) evict() {
	for e := a.recent.Back(); e != nil && a.recent.Len() > a.opts.Accounts; {
		acc, prev := e.Value.(*account), e.Prev()
		if acc.users == 0 {
			a.remove(acc)
			_ = acc.source.Close()
		}
		e = prev
	}
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
	a.remove(acc)
}

func (a *accounts) leave(acc *account) {
	a.mu.Lock()
	defer a.mu.Unlock()
	acc.users--
	if acc.users == 0 && acc.gone && acc.source != nil {
		_ = acc.source.Close()
	}
}

func (a *accounts) close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	var errs []error
	for _, acc := range a.open {
		a.remove(acc)
		if acc.users == 0 && acc.source != nil {
			errs = append(errs, acc.source.Close())
		}
	}
	return errors.Join(errs...)
}

// connect opens the account a target means.
func (a *accounts) connect(t plan.Target) (Source, error) {
	spec := a.cat.Sources[t.Source]
	if spec == nil {
		return nil, fault.New(fault.Internal, "internal error").Because(fmt.Errorf("a plan names the unknown source %q", t.Source))
	}
	if spec.Template != (t.Tenant != "") {
		return nil, fault.New(fault.Internal, "internal error").Because(fmt.Errorf("source %q: a template needs a tenant, and nothing else may have one", t.Source))
	}
	switch spec.Kind {
	case catalog.DuckDB:
		file := spec.DuckDB
		file.Path = forTenant(file.Path, t.Tenant)
		db, err := duckdb.Open(file, a.opts.Sources)
		if err != nil {
			return nil, err
		}
		return &sqlSource{db: db, dialect: sqlgen.DuckDB}, nil
	case catalog.Postgres:
		server := spec.Postgres
		server.Database = forTenant(server.Database, t.Tenant)
		server.User = forTenant(server.User, t.Tenant)
		db, err := postgres.Open(server, postgres.Options{})
		if err != nil {
			return nil, err
		}
		return &sqlSource{db: db, dialect: sqlgen.Postgres}, nil
	case catalog.API:
		return upstream.Open(spec)
	}
	return nil, fault.New(fault.Internal, "internal error").Because(fmt.Errorf("source %q has the unknown kind %q", t.Source, spec.Kind))
}

// forTenant puts a tenant's id into a name. Ids have a strict form, so nothing
// in them can leave the name's place.
func forTenant(name, tenant string) string { return strings.ReplaceAll(name, "{tenant}", tenant) }
