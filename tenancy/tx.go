package tenancy

import (
	"cmp"
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"usher/audit"
	"usher/fault"
	"usher/principal"
)

// tx is a transaction that changes the store.
type tx struct {
	store      *Store
	ctx        context.Context // of the one call it belongs to
	tx         *sqlx.Tx
	now        time.Time
	generation int64 // raised by this transaction; 0: not yet
}

// write runs fn in a transaction. When it has raised the generation, this
// process knows of the change before write returns.
func (s *Store) write(ctx context.Context, fn func(*tx) error) error {
	if s.writer != nil {
		select {
		case s.writer <- struct{}{}:
			defer func() { <-s.writer }()
		case <-ctx.Done():
			return fault.From(ctx.Err())
		}
	}
	raw, err := s.db.BeginTxx(ctx, nil)
	if err != nil {
		return translate(ctx, err)
	}
	t := &tx{store: s, ctx: ctx, tx: raw, now: s.now()}
	if err := fn(t); err != nil {
		_ = raw.Rollback()
		return translate(ctx, err)
	}
	if err := raw.Commit(); err != nil {
		return translate(ctx, err)
	}
	if t.generation == 0 {
		return nil
	}
	// The change is made; whether it can be read at once does not alter that.
	if err := s.catchUp(ctx); err != nil {
		s.opts.Log.WarnContext(ctx, "the control store was changed but cannot be read", "error", err)
	}
	return nil
}

// exec runs a statement and returns how many rows it has changed.
func (t *tx) exec(text string, args ...any) (int64, error) {
	result, err := t.tx.ExecContext(t.ctx, t.store.sql(text), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// get reads one row into a struct or a value.
func (t *tx) get(into any, text string, args ...any) error {
	return t.tx.GetContext(t.ctx, into, t.store.sql(text), args...)
}

// list reads all rows into a slice.
func (t *tx) list(into any, text string, args ...any) error {
	return t.tx.SelectContext(t.ctx, into, t.store.sql(text), args...)
}

// nextGeneration raises the generation, once in a transaction. The row stays
// locked until the end, so generations become visible in their order.
func (t *tx) nextGeneration() (int64, error) {
	if t.generation != 0 {
		return t.generation, nil
	}
	if err := t.get(&t.generation, "UPDATE store.generation SET n = n + 1 WHERE id = 1 RETURNING n"); err != nil {
		return 0, err
	}
	if t.store.dsn != nil {
		if _, err := t.exec("SELECT pg_notify($1, '')", t.store.channel()); err != nil {
			return 0, err
		}
	}
	return t.generation, nil
}

// issuing and revoking keep what is made with a token apart from its end: who
// makes sees that it has ended, or who ends it sees what was made. Many may
// make tokens at the same time. On DuckDB only one writes anyway.
func (t *tx) issuing() error {
	return t.lock("SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))")
}

func (t *tx) revoking() error { return t.lock("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))") }

func (t *tx) lock(statement string) error {
	if t.store.dsn == nil {
		return nil
	}
	_, err := t.exec(statement, "usher tokens "+t.store.schema)
	return err
}

// invalidateRights says that users or roles have changed: tokens that are
// remembered are read again.
func (t *tx) invalidateRights() error {
	if _, err := t.nextGeneration(); err != nil {
		return err
	}
	_, err := t.exec("UPDATE store.generation SET people = people + 1 WHERE id = 1")
	return err
}

// get and list outside of a transaction.
func (s *Store) get(ctx context.Context, into any, text string, args ...any) error {
	return s.db.GetContext(ctx, into, s.sql(text), args...)
}

func (s *Store) list(ctx context.Context, into any, text string, args ...any) error {
	return s.db.SelectContext(ctx, into, s.sql(text), args...)
}

// everyTenant stands for all of them where a right is asked for.
const everyTenant = ""

// mayAdminister judges the right to administer a tenant, or all of them.
func mayAdminister(p principal.Principal, tenant string) error {
	switch {
	case (p.Tenant == "") != p.AllTenants:
		return fault.New(fault.Unauthenticated, "no valid token was shown")
	case p.Acting != nil:
		return forbidden("who acts as a tenant does not administer; use your own token")
	case !has(p, principal.Administer):
		return forbidden("this needs the scope %s", principal.Administer)
	case p.AllTenants:
		return nil
	case tenant == everyTenant:
		return forbidden("this needs the right to all tenants")
	case p.Tenant != tenant:
		return forbidden("this is another tenant's")
	}
	return nil
}

// unrestricted refuses who would hand out more than they see.
func unrestricted(p principal.Principal) error {
	g := p.Grant
	if len(p.RoleSpecs) > 0 || len(g.Filters) > 0 || len(g.Parameters) > 0 || len(g.Cleared) > 0 || len(g.Accounts) > 0 || g.Datasets != nil || g.SavedOnly {
		return forbidden("a token that is restricted itself cannot do this")
	}
	return nil
}

// act is what somebody does to the store.
type act struct {
	operation string
	tenant    string // whom it concerns; everyTenant: all
	detail    string
	global    bool // it needs the right to all tenants, restricted by nothing, although it concerns one
}

func (a act) allowed(p principal.Principal) error {
	if a.global {
		return cmp.Or(mayAdminister(p, everyTenant), unrestricted(p))
	}
	return mayAdminister(p, a.tenant)
}

// administer runs fn in a transaction as an act of p, with its entry in the
// audit log. A refusal is noted there too.
func (s *Store) administer(ctx context.Context, p principal.Principal, a act, fn func(*tx) error) error {
	entry := audit.Of(p, audit.Administration)
	entry.Operation, entry.Tenant, entry.Detail, entry.Outcome = a.operation, a.tenant, a.detail, audit.Done
	err := a.allowed(p)
	if err == nil {
		err = s.write(ctx, func(t *tx) error {
			if err := t.current(p); err != nil {
				return err
			}
			if err := fn(t); err != nil {
				return err
			}
			return t.record(entry)
		})
	}
	s.noteRefusal(entry, err)
	return err
}

// noteRefusal notes what was forbidden, without making the caller wait.
func (s *Store) noteRefusal(entry audit.Entry, err error) {
	if err == nil {
		return
	}
	if code := fault.From(err).Code; code == fault.Forbidden || code == fault.Unauthenticated {
		entry.Outcome = string(code)
		s.Audit(entry)
	}
}
