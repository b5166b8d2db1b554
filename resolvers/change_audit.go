package resolvers

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"usher/audit"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/graph"
	"usher/plan"
	"usher/principal"
)

// changeNote is a mutation on its way into the audit log: who, as whose tenant, which
// datasets, what was done to them and to how many rows. Where the log is strict, it knows
// of the mutation before it is committed, and again when it was; nothing is
// changed of which it could not be told.
type changeNote struct {
	*access
	kinds    []string
	strictly func(context.Context, audit.Entry) error // nil: nobody waits for the log
	intended bool
	keyed    bool // the same again, with its key, is answered as it was made
}

// maxNoting is how long somebody waits for the log when their request has ended.
const maxNoting = 5 * time.Second

// beginChange is nil where there is no audit log.
func (d *Datasets) beginChange(ctx context.Context, who principal.Principal, asked graph.AskedChanges, plans []plan.Change) *changeNote {
	if d.Audit == nil {
		return nil
	}
	n := &changeNote{strictly: d.AuditStrictly, keyed: asked.Key != ""}
	var t trail
	tenants := make(map[string]bool)
	for i, c := range asked.Changes {
		t.add(c.Dataset)
		kind := c.Kind.String() + " " + c.Dataset
		owner := "" // the right to all tenants: those that are named
		if plans[i].Valid() {
			t.strategy = cmp.Or(t.strategy, plans[i].Strategy())
			t.nested(plans[i])
			owner = plans[i].Owner()
		}
		if tenants[owner] = true; who.AllTenants && owner != "" {
			kind += " of " + owner
		}
		n.kinds = append(n.kinds, kind)
	}
	n.access = d.begin(ctx, who, t, 1)
	if len(tenants) == 1 && plans[0].Valid() && plans[0].Owner() != "" {
		n.entry.Tenant = plans[0].Owner()
	}
	if plans[0].Valid() {
		n.entry.Source = plans[0].Target().Source
	}
	n.entry.Detail = strings.Join(n.kinds, ", ")
	return n
}

// nested adds the datasets of changes that belong to another.
func (t *trail) nested(c plan.Change) {
	for i := range c.Nested() {
		t.add(c.NestedAt(i).Dataset())
		t.nested(c.NestedAt(i))
	}
}

// count says how many rows were changed, in all and by each change.
func (n *changeNote) count(changed []sqlexec.Changed) {
	if len(changed) != len(n.kinds) {
		return
	}
	texts := make([]string, len(changed))
	n.entry.Rows = 0
	for i, c := range changed {
		n.entry.Rows += int64(c.Affected)
		texts[i] = fmt.Sprintf("%s: %d", n.kinds[i], c.Affected)
		for _, also := range c.Also {
			n.entry.Rows += int64(also.Rows)
			texts[i] += fmt.Sprintf(" with %s %s: %d", also.Kind, also.Dataset, also.Rows)
		}
	}
	n.entry.Detail = strings.Join(texts, ", ")
}

// strict tells that what will be committed has to be told before.
func (n *changeNote) strict() bool { return n != nil && n.strictly != nil }

// intends tells a strict log what will be committed. A transaction that is begun
// anew is told of once.
func (n *changeNote) intends(ctx context.Context, changed []sqlexec.Changed) error {
	if !n.strict() || n.intended {
		return nil
	}
	n.count(changed)
	e := n.entry
	e.Duration = time.Since(n.began)
	if err := intended(ctx, n.strictly, e); err != nil {
		return err
	}
	n.intended = true
	return nil
}

// intended tells a strict log of what is about to be changed.
func intended(ctx context.Context, strictly func(context.Context, audit.Entry) error, e audit.Entry) error {
	e.Outcome = audit.Intent
	if err := strictly(ctx, e); err != nil {
		return fault.New(fault.Unavailable, "the audit log cannot be written, and nothing is changed without it").WithHint("Try again later.").Because(err)
	}
	return nil
}

// ended tells what the mutation has come to. The error is that of a strict log, which could
// not be told of what was changed; it will be, when it can.
func (n *changeNote) ended(ctx context.Context, changed []sqlexec.Changed, repeated bool, err error) error {
	if n == nil {
		return nil
	}
	n.count(changed)
	e := n.entry
	e.Duration = time.Since(n.began)
	switch {
	case err != nil:
		e.Outcome = outcomeOf(err)
	case repeated:
		e.Rows = 0
		e.Detail = "made before by the same key: " + e.Detail
	}
	if n.strictly == nil {
		n.audit(e)
		return nil
	}
	return concluded(ctx, n.strictly, n.audit, e, n.keyed)
}

// concluded tells a strict log what has come of a change, or the other one where that cannot be. What has a key may be
// sent again.
func concluded(ctx context.Context, strictly func(context.Context, audit.Entry) error, otherwise func(audit.Entry), e audit.Entry, keyed bool) error {
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxNoting)
	defer cancel()
	if failed := strictly(noting, e); failed != nil {
		otherwise(e)
		hint := "Do not make the change again: look whether it was made."
		if keyed {
			hint = "Send the same again with the same Idempotency-Key: it is answered as it was made, and not made again."
		}
		return fault.New(fault.Unavailable, "the rows were changed, and the audit log could not be told of it").WithHint("%s", hint).Because(failed)
	}
	return nil
}
