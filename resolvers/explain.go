package resolvers

import (
	"context"
	"slices"
	"strconv"
	"time"

	"usher/catalog"
	"usher/datasource/receipt"
	"usher/graph"
	"usher/plan"
	"usher/quota"
	"usher/slot"
)

// explanation is how the answer of one field came to be. It is made of names
// of the configuration, texts without values, and counts: no literal, no
// account and nothing of a token has a place in it.
type explanation struct {
	Path      []string        `json:"path"`
	Strategy  string          `json:"strategy"`
	How       string          `json:"how"`
	With      []string        `json:"with,omitempty"` // other fields that the same statement answers
	Targets   []explainTarget `json:"targets"`
	Levels    []explainLevel  `json:"levels"` // the root field's, then those nested in it
	Steps     []explainStep   `json:"steps"`  // in the order they were done
	MoreSteps int             `json:"moreSteps,omitempty"`
	Rows      int             `json:"rows"` // of the field's list, without those nested in it
	Cached    bool            `json:"cached"`
	Coalesced bool            `json:"coalesced"`
	AsOf      *time.Time      `json:"asOf,omitempty"`
	Budgets   []quota.Left    `json:"budgets,omitempty"` // of who asks, after the answer
	Timings   explainTimings  `json:"timings"`
}

type (
	explainTarget struct {
		Source string             `json:"source"`
		Kind   catalog.SourceKind `json:"kind"`
	}
	explainLevel struct {
		Where      string             `json:"where,omitempty"`
		References []explainReference `json:"references"`
	}
	explainReference struct {
		Name     string             `json:"name"` // in the conditions and the SQL
		Dataset  string             `json:"dataset"`
		Source   string             `json:"source"`
		Kind     catalog.SourceKind `json:"kind"`
		Confined string             `json:"confined"`
		Scope    []string           `json:"scope"`
	}
	explainStep struct {
		Source    string       `json:"source,omitempty"` // without one it was the embedded engine
		Dataset   string       `json:"dataset,omitempty"`
		SQL       string       `json:"sql,omitempty"`
		Call      *explainCall `json:"call,omitempty"`
		Rows      *int         `json:"rows,omitempty"`
		Duration  *float64     `json:"ms,omitempty"`
		Cached    bool         `json:"cached,omitempty"`
		Coalesced bool         `json:"coalesced,omitempty"`
		AsOf      *time.Time   `json:"asOf,omitempty"`
	}
	explainCall struct {
		Method  string   `json:"method"`
		Path    string   `json:"path"`
		Filters []string `json:"filters"`
		OrderBy string   `json:"orderBy,omitempty"`
		Limited bool     `json:"limited"`
		Pages   *int     `json:"pages,omitempty"`
	}
	// explainTimings are in milliseconds.
	explainTimings struct {
		Plan   float64 `json:"plan"` // 0: the operation was planned before
		Source float64 `json:"source"`
		Encode float64 `json:"encode"`
	}
)

// confinedBy says why a reference cannot show another tenant's rows.
var confinedBy = map[plan.ScopeKind]string{
	plan.ByTenantColumn: "by tenant column: each row's is compared with the tenant's key",
	plan.ByParent:       "by parent: each row leads to one that is the tenant's",
	plan.ByOwnSource:    "by own source: it holds this tenant's rows only",
	plan.ByUpstream:     "by upstream: the API returns the rows of the tenant it is told",
	plan.IsCommon:       "common: the dataset is shared by all tenants",
	plan.IsAllTenants:   "all tenants: the token has the right to them",
}

// explained is the same tasks with an explanation beside each outcome.
func explained(op *operation, tasks []graph.Task, keys []string, planning time.Duration, view *catalog.View) []graph.Task {
	out := make([]graph.Task, len(tasks))
	for i, task := range tasks {
		out[i] = graph.Task{Fields: task.Fields, Run: func(ctx context.Context) []graph.Outcome {
			ctx, notes := receipt.With(ctx)
			ctx, watch := withWatch(ctx)
			outcomes := task.Run(ctx)
			asked := coverOf(view)
			for _, at := range task.Fields {
				asked.reads(op.plans[at])
			}
			for j := range outcomes {
				at := task.Fields[j]
				if q := op.plans[at]; q.Valid() {
					e := explain(q, notes, asked)
					e.Path, e.Rows, e.Timings = []string{keys[at]}, outcomes[j].Rows, watch.timings(at)
					e.Timings.Plan = milliseconds(planning)
					e.AsOf, e.Budgets = moment(outcomes[j].AsOf), quota.From(ctx).Left()
					for _, other := range task.Fields {
						if other != at {
							e.With = append(e.With, keys[other])
						}
					}
					outcomes[j].Explanation = e
				}
			}
			return outcomes
		}}
	}
	return out
}

// keysOf are the keys of fields in the answer.
func keysOf(asked graph.Asked) []string {
	requests := asked.Requests(slot.New(asked.Inputs))
	keys := make([]string, len(requests))
	for i, r := range requests {
		keys[i] = r.Field.Key
	}
	return keys
}

// explain says how a plan was answered, as far as what was read is shown.
func explain(q plan.Query, notes *receipt.Notes, cover cover) *explanation {
	e := &explanation{Strategy: q.Strategy()}
	e.levels(q.Root(), cover)
	steps, more := notes.Steps()
	e.MoreSteps = more
	e.Steps = make([]explainStep, len(steps))
	engine := false
	for i, s := range steps {
		engine = engine || s.Source == ""
		e.Cached, e.Coalesced = e.Cached || s.Kept, e.Coalesced || s.Shared
		e.Steps[i] = cover.step(stepOf(s))
	}
	_, single := q.Single()
	switch {
	case single:
		e.How = "one statement"
	case engine || len(steps) == 0:
		e.How = "combined in the embedded engine, from what each source was asked for"
	default:
		e.How = "one statement, and columns of other sources looked up by key"
	}
	return e
}

func stepOf(s receipt.Step) explainStep {
	out := explainStep{
		Source: s.Source, Dataset: s.Dataset, SQL: s.SQL,
		Cached: s.Kept, Coalesced: s.Shared, AsOf: moment(s.AsOf),
	}
	if s.Source != "" { // the engine's rows are the answer's
		took := milliseconds(s.Took)
		out.Rows, out.Duration = &s.Rows, &took
	}
	if c := s.Call; c != nil {
		out.Call = &explainCall{Method: c.Method, Path: c.Path, Filters: append([]string{}, c.Filters...), OrderBy: c.OrderBy, Limited: c.Limited, Pages: &c.Pages}
	}
	return out
}

// levels adds a level and those nested in it.
func (e *explanation) levels(l plan.Level, cover cover) {
	out := explainLevel{References: make([]explainReference, l.Refs())}
	if where := l.Where(); where.Op() != plan.True {
		out.Where = cover.condition(l, where)
	}
	for i := range l.Refs() {
		r := l.Ref(i)
		at := explainTarget{r.Target().Source, r.Target().Kind}
		if !slices.Contains(e.Targets, at) {
			e.Targets = append(e.Targets, at)
		}
		ref := explainReference{
			Name: "t" + strconv.Itoa(i), Dataset: cover.dataset(r.Dataset()), Source: at.Source, Kind: at.Kind,
			Confined: confinedBy[r.ScopeKind()], Scope: make([]string, r.Scopes()),
		}
		for j := range r.Scopes() {
			ref.Scope[j] = cover.condition(l, r.Scope(j))
		}
		out.References[i] = ref
	}
	e.Levels = append(e.Levels, out)
	for i := range l.Children() {
		e.levels(l.Child(i), cover)
	}
	if total, ok := l.Total(); ok {
		e.levels(total, cover)
	}
}

func moment(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC().Truncate(time.Millisecond)
	return &at
}

func milliseconds(d time.Duration) float64 { return float64(d.Round(time.Microsecond)) / 1e6 }

// watch takes the times of one task. A nil watch takes none.
type watch struct {
	source time.Duration
	encode map[int]time.Duration // by field
}

type watchKey struct{}

func withWatch(ctx context.Context) (context.Context, *watch) {
	w := &watch{encode: make(map[int]time.Duration)}
	return context.WithValue(ctx, watchKey{}, w), w
}

func watchFrom(ctx context.Context) *watch {
	w, _ := ctx.Value(watchKey{}).(*watch)
	return w
}

// asked notes how long the sources took, those of a question that failed
// included.
func (w *watch) asked(took time.Duration) {
	if w != nil {
		w.source += took
	}
}

func (w *watch) encoded(field int, took time.Duration) {
	if w != nil {
		w.encode[field] = took
	}
}

func (w *watch) timings(field int) explainTimings {
	return explainTimings{Source: milliseconds(w.source), Encode: milliseconds(w.encode[field])}
}
