package resolvers

import (
	"context"
	"time"

	"usher/answer"
	"usher/audit"
	"usher/catalog"
	"usher/cursor"
	"usher/datasource"
	"usher/fault"
	"usher/graph"
	"usher/held"
	"usher/lru"
	"usher/plan"
	"usher/principal"
	"usher/query"
)

// Datasets answers the root fields of datasets. It is the way of a request
// from its principal to its bytes.
type Datasets struct {
	Sources       *datasource.Sources
	Cursors       *cursor.Sealer
	NumbersAsText bool
	Audit         func(audit.Entry) // takes what was asked, without waiting; nil: nothing does

	known   *lru.Cache[asker, *operation]
	metrics metrics
}

// knownBytes bounds the operations that are kept ready, and largestKnown each of
// them: a large one is asked once, and would drive out many small ones.
const (
	knownBytes   = 16 << 20
	largestKnown = knownBytes / 32
)

// mostPlanned bounds what the plans of one operation take in memory: policies
// stand in every field.
const mostPlanned = 64 << 20

// NewDatasets makes the resolver of datasets.
func NewDatasets(sources *datasource.Sources, cursors *cursor.Sealer, numbersAsText bool) *Datasets {
	return &Datasets{Sources: sources, Cursors: cursors, NumbersAsText: numbersAsText, known: lru.New[asker, *operation](knownBytes), metrics: newMetrics()}
}

// asker is who asks what: the same principal's rights, the same operation with
// the same variables, in the same view of the same catalog.
type asker struct {
	catalog *catalog.Catalog
	view    *catalog.View
	rights  string
	asked   graph.AskedKey
}

// size is about how many bytes the key takes in memory, with the cache's own.
func (a asker) size() int { return len(a.rights) + a.asked.Size() + 512 }

// Resolve implements graph.DatasetResolver: what an operation asks is planned
// the first time and kept ready for the next.
func (d *Datasets) Resolve(ctx context.Context, asked graph.Asked) []graph.Task {
	who, err := principal.From(ctx)
	if err != nil {
		return refused(len(asked.Requests()), err)
	}
	cat, view, err := graph.ViewFrom(ctx)
	if err != nil {
		return refused(len(asked.Requests()), err)
	}
	key := asker{catalog: cat, view: view, rights: string(who.AppendRights(make([]byte, 0, 256))), asked: asked.Key}
	op, known := d.known.Get(key)
	began := time.Now()
	if known {
		d.metrics.hits.Inc()
	} else {
		d.metrics.misses.Inc()
		op = d.plan(ctx, asked.Requests(), cat, who)
		if size := op.size + key.size(); op.lasting && size <= largestKnown {
			d.known.Add(key, op, size)
		}
	}
	tasks := d.audited(ctx, who, op)
	if asked.Explain {
		return explained(op, tasks, keysOf(asked.Requests()), time.Since(began))
	}
	return tasks
}

// keysOf are the keys of fields in the answer.
func keysOf(requests []query.Request) []string {
	keys := make([]string, len(requests))
	for i, r := range requests {
		keys[i] = r.Field.Key
	}
	return keys
}

func refused(fields int, err error) []graph.Task {
	all := make([]int, fields)
	for i := range all {
		all[i] = i
	}
	return []graph.Task{refusal(all, err)}
}

func refusal(which []int, err error) graph.Task {
	return graph.Task{Fields: which, Run: func(context.Context) []graph.Outcome { return failed(len(which), err) }}
}

func failed(fields int, err error) []graph.Outcome {
	out := make([]graph.Outcome, fields)
	for i := range out {
		out[i].Err = err
	}
	return out
}

// operation is what one operation asks of datasets, ready to run.
type operation struct {
	tasks   []graph.Task
	plans   []plan.Query // of its fields; not valid where one was refused
	size    int          // about how many bytes it takes in memory
	lasting bool         // it is the same at any moment, and nothing in it was refused
	trail   trail
}

// field is one root field on its way.
type field struct {
	plan    plan.Query
	encoder *answer.Encoder
}

// plan makes the tasks of an operation. A field that is refused leaves the
// others theirs; fields that read the same rows become one task.
func (d *Datasets) plan(ctx context.Context, requests []query.Request, cat *catalog.Catalog, who principal.Principal) *operation {
	op := &operation{lasting: true}
	fields := make([]field, len(requests))
	plans := make([]plan.Query, len(requests))
	for i, asked := range requests {
		asked, seal, err := d.openCursors(asked, who)
		if err == nil {
			err = op.goesOn(ctx)
		}
		if err == nil {
			plans[i], err = plan.Build(asked, cat, who, graph.Started(ctx)) // resolved, typed, scoped; or refused
		}
		if err != nil {
			op.refuse([]int{i}, err)
			continue
		}
		op.lasting = op.lasting && plans[i].Timeless()
		op.size += plans[i].Size() + fieldSize
		fields[i] = field{plans[i], answer.NewEncoder(plans[i], answer.Writing{Key: asked.Field.Key, NumbersAsText: d.NumbersAsText, Cursor: seal})}
	}
	op.plans = plans
	if d.Audit != nil {
		op.trail = trailOf(ctx, requests, plans)
	}
	alone := make([]graph.Task, len(requests))
	for i, f := range fields {
		if f.encoder == nil {
			continue
		}
		err := op.goesOn(ctx)
		var question *datasource.Question
		if err == nil {
			question, err = d.Sources.Prepare(f.plan) // by the strategy the plan was made for
		}
		if err != nil {
			op.refuse([]int{i}, err)
			continue
		}
		op.size += question.Size()
		alone[i] = graph.Task{Fields: []int{i}, Run: func(ctx context.Context) []graph.Outcome {
			answered, err := question.Answer(ctx)
			if err != nil {
				return failed(1, err)
			}
			return encoded(ctx, fields, []int{i}, answered)
		}}
	}
	for _, tiles := range plan.OnePass(plans) {
		if op.goesOn(ctx) != nil {
			break // each has its own task
		}
		d.together(op, fields, tiles, alone)
	}
	for _, task := range alone {
		if task.Run != nil {
			op.tasks = append(op.tasks, task)
		}
	}
	return op
}

// together makes one task of fields that read the same rows. When it fails,
// they are asked one by one: what is wrong with one is not wrong with all.
func (d *Datasets) together(op *operation, fields []field, tiles plan.Tiles, alone []graph.Task) {
	question, err := d.Sources.PrepareTiles(tiles)
	if err != nil {
		return // each has its own task
	}
	which, each := make([]int, tiles.Len()), make([]graph.Task, tiles.Len())
	for i := range which {
		which[i] = tiles.Which(i)
		each[i], alone[which[i]] = alone[which[i]], graph.Task{}
	}
	op.size += question.Size()
	op.tasks = append(op.tasks, graph.Task{Fields: which, Run: func(ctx context.Context) []graph.Outcome {
		answered, err := question.Answer(ctx)
		switch {
		case err == nil:
			return encoded(ctx, fields, which, answered)
		case ctx.Err() != nil || fault.From(err).Code == fault.Unavailable || fault.From(err).Code == fault.TooManyRequests:
			return failed(len(which), err)
		}
		var out []graph.Outcome
		for _, task := range each {
			out = append(out, task.Run(ctx)...)
		}
		return out
	}})
}

func encoded(ctx context.Context, fields []field, which []int, answered datasource.Answered) []graph.Outcome {
	out := make([]graph.Outcome, len(which))
	watch, share := watchFrom(ctx), held.From(ctx)
	watch.sourcesDone()
	for i, at := range which {
		out[i].Answer, out[i].Err = fields[at].encoder.Encode(share, answered.Results[i])
		out[i].Age, out[i].MaxAge, out[i].AsOf = answered.Age, answered.MaxAge, answered.Results[i].AsOf
		out[i].Rows = answered.Results[i].Rows.Len()
		watch.encoded(at)
	}
	share.Give(answered.Held)
	return out
}

// fieldSize is about what a field's tasks, and an encoder's fields, take in
// memory beside its plan.
const fieldSize = 2 << 10

// goesOn stops the planning of an operation for which nobody waits, and of one
// that has become too large.
func (o *operation) goesOn(ctx context.Context) error {
	if o.size > mostPlanned {
		return fault.New(fault.TooComplex, "the fields of the operation are too large together").WithHint("ask in several operations")
	}
	return ctx.Err()
}

func (o *operation) refuse(which []int, err error) {
	o.lasting = false
	o.tasks = append(o.tasks, refusal(which, err))
}
