package datasource

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"

	"usher/catalog"
	"usher/datasource/address"
	"usher/datasource/postgres"
	"usher/plan"
)

// openServers are the accounts of PostgreSQL that are open, for the sources of all catalogs together: where one
// catalog follows another, an account that is the same in both keeps its connections, and has no second ones beside
// them. It is the same if its target is, which names the source, the tenant and the whole account, and if nothing else
// differs that its connections are made of (postgres.DB.Same); any other is opened anew, and closed with its last user.
//
// What is shared knows nothing of a catalog:
//   - Statements are prepared by their texts, and a text is all that a plan has become. A table that was altered is for
//     the server to notice, as it is while one catalog is served. That a sealed statement was proved says that the table
//     was what somebody had judged when the server read the statement, and holds while it has not read it anew: for a
//     judgement of another table it is not there (sealed.go).
//   - How a session plans is of the session, how long a statement takes and how many rows it has of the server.
//   - Which host is the primary and which is silent, what failed to connect and for how long it is left alone is known
//     of servers.
//   - Short statements of both catalogs share packets, each with its own answer.
//
// What was judged of tables, answers, questions under way that others join, gates and metrics are a catalog's own.
type openServers struct {
	mu sync.Mutex
	at map[serverKey][]*openServer
}

// serverKey is what the functions follow from that connections are made with, besides whose they are.
type serverKey struct {
	target plan.Target
	public bool // addresses are judged before they are dialed
}

type openServer struct {
	db    *postgres.DB
	users int
}

func newOpenServers() *openServers { return &openServers{at: make(map[serverKey][]*openServer)} }

// open opens an account, or joins who has it open. The caller calls release once, when it is done with it.
func (o *openServers) open(key serverKey, spec catalog.PostgresSpec, opts postgres.Options) (_ *postgres.DB, release func() error, _ error) {
	if key.public {
		opts.Control = address.PublicOnly
	}
	made, err := postgres.Open(spec, opts) // which connects to nothing
	if err != nil {
		return nil, nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	there := o.at[key]
	i := slices.IndexFunc(there, func(s *openServer) bool { return s.db.Same(made) })
	if i < 0 {
		i, there = len(there), append(there, &openServer{db: made})
		o.at[key] = there
	} else if err := made.Close(); err != nil {
		return nil, nil, err
	}
	s := there[i]
	s.users++
	return s.db, func() error { return o.leave(key, s) }, nil
}

func (o *openServers) leave(key serverKey, s *openServer) error {
	if o.left(key, s) {
		return s.db.Close()
	}
	return nil
}

// left tells whether that was the last user; nobody finds the account any more then.
func (o *openServers) left(key serverKey, s *openServer) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if s.users--; s.users > 0 {
		return false
	}
	o.at[key] = slices.DeleteFunc(o.at[key], func(other *openServer) bool { return other == s })
	if len(o.at[key]) == 0 {
		delete(o.at, key)
	}
	return true
}

// openWriter opens the connections by which a server is written: those of the same account, or of the source's writer,
// without the rule that they only read. Nil: nothing is written there. End is that of the reading ones, too.
func (a *accounts) openWriter(key serverKey, server catalog.PostgresSpec, opts postgres.Options, release func() error) (_ *postgres.DB, end func() error, _ error) {
	if !writes(a.cat, key.target.Source) {
		return nil, release, nil
	}
	opts.Writes = true
	db, left, err := a.servers.open(key, server, opts)
	if err != nil {
		return nil, nil, err
	}
	return db, func() error { return errors.Join(release(), left()) }, nil
}

// inherit opens the servers that are open for the catalog before and are as they were in this one. Nobody uses them
// yet: without it they would be closed with the catalog before, and opened anew by whoever asks next.
func (a *accounts) inherit(before *accounts) {
	for _, t := range before.openServers() {
		if !sameServer(before.cat.Sources[t.Source], a.cat.Sources[t.Source], t.Account()) {
			continue
		}
		if _, release, err := a.get(context.Background(), t); err == nil { // else whoever asks is told
			release()
		}
	}
}

// openServers are the servers that are open, those of tenants' own in the order of their use.
func (a *accounts) openServers() []plan.Target {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []plan.Target
	add := func(acc *account) {
		select {
		case <-acc.ready:
			if acc.source != nil && acc.target.Kind == catalog.Postgres {
				out = append(out, acc.target)
			}
		default: // it has no connections yet
		}
	}
	for e := a.recent.Back(); e != nil; e = e.Prev() {
		add(e.Value.(*account))
	}
	for _, acc := range a.open {
		if acc.at == nil {
			add(acc)
		}
	}
	return out
}

// sameServer tells whether an account that a source had leads to it still: nobody would use it otherwise, and its
// connections are to end.
func sameServer(was, is *catalog.Source, account plan.Account) bool {
	if was == nil || is == nil {
		return false
	}
	before, now := *was, *is
	cell := before.Postgres.CellAt(account.Host, account.Port, account.Database)
	if before.Postgres.Cells[cell] != now.Postgres.Cells[cell] {
		return false
	}
	before.Postgres.Cells, now.Postgres.Cells = nil, nil
	before.Seen, before.Webhook = now.Seen, now.Webhook // which no connection knows of
	return reflect.DeepEqual(before, now)
}
