package resolvers

import (
	"cmp"
	"context"
	"errors"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"

	"usher/admit"
	"usher/answer"
	"usher/datasource/sqlexec"
	"usher/datasource/writing"
	"usher/fault"
	"usher/graph"
	"usher/held"
	"usher/plan"
	"usher/principal"
	"usher/query"
	"usher/value"
)

// Change implements graph.DatasetResolver. The way of a change is on this screen: what was
// asked becomes plans, or refusals before anything is touched; those are made in
// one transaction; and what it answers becomes bytes.
func (d *Datasets) Change(ctx context.Context, asked graph.AskedChanges) []graph.Outcome {
	n := len(asked.Changes)
	who, err := principal.From(ctx)
	if err != nil {
		return failed(n, err)
	}
	out := make([]graph.Outcome, n)
	m := mutation{d: d, who: who, plans: make([]plan.Change, n), numbersAsText: asked.Numbers.AsText(d.NumbersAsText)}
	terms, refused := writing.Terms{}, error(nil)
	if terms.Prepared, err = d.preparedChanges(ctx, asked, who, m.plans); err != nil {
		return failed(n, err)
	}
	if terms.Prepared == nil {
		refused = d.planChanges(ctx, asked, who, m.plans, out)
	}
	note := d.beginChange(ctx, who, asked, m.plans)
	if refused != nil {
		_ = note.ended(ctx, nil, false, refused) // there is nothing that would have to be undone
		return out
	}
	if note.strict() { // else there is nothing to wait for before COMMIT
		terms.Before = func(changed []sqlexec.Changed) error { return note.intends(ctx, changed) }
	}
	if asked.Key != "" {
		if terms.Once, err = onceOf(who, asked.Key, asked.Text); err != nil {
			return failed(n, err)
		}
		terms.Keep = func(changed []sqlexec.Changed) ([]byte, error) { return m.keep(ctx, changed) }
	}
	turn := admit.Away(ctx)
	made, err := d.Sources.Change(ctx, m.plans, terms) // all of them, or none
	turn.Back()
	unnoted := note.ended(ctx, made.Changed, made.Kept != nil, err)
	if err != nil {
		at := 0
		var of *writing.ChangeError
		if errors.As(err, &of) && of.Change >= 0 {
			at = of.Change
		}
		out[at].Err = err
		d.tell(ctx, m.plans, fault.From(err).Unknown)
		return out
	}
	switch {
	case made.Kept != nil:
		out = outcomesOf(made.Kept, n)
	case m.outcomes != nil: // written before COMMIT
		out = m.outcomes
	default:
		out = m.answer(ctx, made.Changed)
	}
	d.tell(ctx, m.plans, len(made.Changed) > 0)
	for i := range out {
		out[i].Applied = true
		for j, e := range out[i].Errors { // of cells of the answer
			f, at := *fault.From(e), *e
			f.Applied, at.Err = true, &f
			out[i].Errors[j] = &at
		}
		if out[i].Err = cmp.Or(out[i].Err, unnoted); out[i].Err != nil {
			f := *fault.From(out[i].Err)
			f.Applied = true
			out[i].Err = &f
		}
	}
	return out
}

// mutation is what is changed for somebody, in one transaction.
type mutation struct {
	d             *Datasets
	who           principal.Principal
	plans         []plan.Change
	numbersAsText bool
	outcomes      []graph.Outcome // written before COMMIT, to be kept
}

// answer writes what each of the changes answers.
func (m *mutation) answer(ctx context.Context, changed []sqlexec.Changed) []graph.Outcome {
	out := make([]graph.Outcome, len(changed))
	for i, c := range changed {
		if out[i].Err = c.Err; c.Err == nil {
			out[i].Answer, out[i].Err = m.d.answered(ctx, m.who, m.plans[i], c, m.numbersAsText)
		}
		out[i].Rows = c.Affected
	}
	return out
}

// tell has other gateways forget what they keep of the datasets. What is not kept
// need not be forgotten.
func (d *Datasets) tell(ctx context.Context, plans []plan.Change, changed bool) {
	if d.Told == nil || !changed {
		return
	}
	told := make(map[[3]string]bool)
	var tell func(c plan.Change)
	tell = func(c plan.Change) {
		at := [3]string{c.Target().Source, c.Dataset(), c.Owner()}
		if !told[at] {
			told[at] = true
			d.Told(ctx, at[0], at[1], at[2])
		}
		for i := range c.Nested() {
			tell(c.NestedAt(i))
		}
	}
	for _, c := range plans {
		tell(c)
	}
}

// answered writes the answer of one change.
func (d *Datasets) answered(ctx context.Context, who principal.Principal, c plan.Change, changed sqlexec.Changed, numbersAsText bool) (answer.Answer, error) {
	share := held.From(ctx)
	encode := func(q plan.Query, r *value.Result, key string) (answer.Answer, error) {
		if r == nil && q.Shape() == query.ByKey {
			return answer.Null(), nil
		} else if r == nil {
			return answer.Of([]byte("[]")), nil
		}
		return answer.NewEncoder(q, answer.Writing{Key: key, NumbersAsText: numbersAsText}).Encode(share, r, answer.Seals{ID: d.idsOf(who.Tenant)})
	}
	if c.Kind().One() {
		return encode(c.Answer(0), changed.Results[0], c.Key())
	}
	text := []byte{'{'}
	var all answer.Answer
	for i := range c.Outputs() {
		o := c.Output(i)
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(append(text, '"'), o.Key()...), '"', ':')
		switch o.Kind() {
		case plan.ChangedTypename:
			text = append(append(append(text, '"'), c.Type()...), '"')
		case plan.ChangedAffected:
			text = strconv.AppendInt(text, int64(changed.Affected), 10)
		case plan.ChangedRows:
			rows, err := encode(c.Answer(o.Answer()), changed.Results[o.Answer()], o.Key())
			if err != nil {
				return answer.Answer{}, err
			}
			text = rows.AppendTo(text)
			all.Errors = append(all.Errors, rows.Errors...)
			for _, path := range rows.Truncated {
				all.Truncated = append(all.Truncated, append(ast.Path{ast.PathName(c.Key())}, path...))
			}
			rows.Release()
		}
	}
	out := answer.Of(append(text, '}'))
	out.Errors, out.Truncated = all.Errors, all.Truncated
	for _, e := range out.Errors {
		e.Path = append(ast.Path{ast.PathName(c.Key())}, e.Path...)
	}
	return out, nil
}
