package resolvers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"usher/audit"
	"usher/fault"
	"usher/graph"
	"usher/plan"
	"usher/principal"
	"usher/query"
)

// trail is what the audit log says of an operation whoever asks it.
type trail struct {
	datasets []string
	strategy string // several names, if there are several
}

// trailOf reads an operation's plans; of a field that was refused, what it
// asked for.
func trailOf(requests []query.Request, plans []plan.Query) trail {
	var t trail
	var strategies []string
	for i, p := range plans {
		if !p.Valid() {
			t.add(requests[i].Dataset)
			continue
		}
		for name := range strings.SplitSeq(p.Strategy(), ", ") {
			if !slices.Contains(strategies, name) {
				strategies = append(strategies, name)
			}
		}
		t.level(p.Root())
	}
	t.strategy = strings.Join(strategies, ", ")
	return t
}

func (t *trail) level(l plan.Level) {
	for i := range l.Refs() {
		t.add(l.Ref(i).Dataset())
	}
	for i := range l.Children() {
		t.level(l.Child(i))
	}
}

func (t *trail) add(dataset string) {
	if at, found := slices.BinarySearch(t.datasets, dataset); !found {
		t.datasets = slices.Insert(t.datasets, at, dataset)
	}
}

// hashOf is that of the text of the context's operation: whoever shares its plan may
// have written other values.
func hashOf(ctx context.Context) string {
	sum := sha256.Sum256([]byte(graphql.GetOperationContext(ctx).RawQuery))
	return hex.EncodeToString(sum[:])
}

// access is an operation on datasets on its way into the audit log.
type access struct {
	audit func(audit.Entry)
	began time.Time

	mu    sync.Mutex
	entry audit.Entry
	tasks int // that are not done yet
}

// begin is nil when the audit log takes no note of it.
func (d *Datasets) begin(ctx context.Context, who principal.Principal, t trail, tasks int) *access {
	if d.Audit == nil || d.ReadsUnnoted && who.Acting == nil {
		return nil
	}
	a := &access{audit: d.Audit, began: time.Now(), entry: audit.Of(who, audit.DataAccess), tasks: tasks}
	a.entry.Operation = graphql.GetOperationContext(ctx).Operation.Name
	a.entry.Hash, a.entry.Outcome = hashOf(ctx), audit.Done
	a.say(t)
	return a
}

func (a *access) say(t trail) {
	a.entry.Datasets, a.entry.Strategy = t.datasets, t.strategy
}

// done takes what a task has come to. The last one's is written; nobody waits
// for that.
func (a *access) done(rows int, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.entry.Rows += int64(rows)
	if err != nil && a.entry.Outcome == audit.Done {
		a.entry.Outcome = outcomeOf(err)
	}
	a.tasks--
	if a.tasks == 0 {
		a.entry.Duration = time.Since(a.began)
		a.audit(a.entry)
	}
}

// audited is the tasks of an operation with its entry in the audit log.
func (d *Datasets) audited(ctx context.Context, who principal.Principal, t trail, tasks []graph.Task) []graph.Task {
	a := d.begin(ctx, who, t, len(tasks))
	if a == nil {
		return tasks
	}
	for i, task := range tasks {
		tasks[i] = graph.Task{Fields: task.Fields, Run: func(ctx context.Context) (out []graph.Outcome) {
			defer func() { a.done(sum(out)) }()
			return task.Run(ctx)
		}}
	}
	return tasks
}

// sum is how many rows outcomes have and the first error among them; there are
// none when the task has panicked.
func sum(outcomes []graph.Outcome) (rows int, err error) {
	if len(outcomes) == 0 {
		err = fault.New(fault.Internal, "internal error")
	}
	for _, o := range outcomes {
		rows += o.Rows
		if err == nil {
			err = o.Err
		}
	}
	return rows, err
}

// outcomeOf is what has come of what failed: its code, unless nobody knows.
func outcomeOf(err error) string {
	f := fault.From(err)
	if f.Unknown {
		return audit.Unknown
	}
	return string(f.Code)
}
