package resolvers

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"usher/answer"
	"usher/datasource"
	"usher/datasource/sqlexec"
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
func (d *Datasets) Change(ctx context.Context, asked []query.Change, numbers graph.Numbers) []graph.Outcome {
	who, err := principal.From(ctx)
	if err != nil {
		return failed(len(asked), err)
	}
	cat, _, err := graph.ViewFrom(ctx)
	if err != nil {
		return failed(len(asked), err)
	}
	out := make([]graph.Outcome, len(asked))
	plans, refused := make([]plan.Change, len(asked)), false
	for i, change := range asked {
		plans[i], out[i].Err = plan.BuildChange(change, cat, who, graph.Started(ctx)) // resolved, typed, stamped, scoped; or refused
		refused = refused || out[i].Err != nil
	}
	if refused {
		return out
	}
	note := d.beginChange(ctx, who, plans)
	changed, err := d.Sources.Change(ctx, plans) // all of them, or none
	if note != nil {
		note.done(affected(changed), err)
	}
	if err != nil {
		at := 0
		var of *datasource.ChangeError
		if errors.As(err, &of) && of.Change >= 0 {
			at = of.Change
		}
		out[at].Err = err
		return out
	}
	for i, c := range changed {
		if out[i].Err = c.Err; c.Err == nil {
			out[i].Answer, out[i].Err = d.answered(ctx, who, plans[i], c, numbers.AsText(d.NumbersAsText))
		}
		out[i].Rows, out[i].Applied = c.Affected, true
		if out[i].Err != nil {
			f := *fault.From(out[i].Err)
			f.Applied = true
			out[i].Err = &f
		}
	}
	return out
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
		return answer.NewEncoder(q, answer.Writing{Key: key, NumbersAsText: numbersAsText}).Encode(share, r, answer.Seals{ID: d.idsOf(who)})
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

// beginChange is the entry of a change in the audit log, or nil.
func (d *Datasets) beginChange(ctx context.Context, who principal.Principal, plans []plan.Change) *access {
	if d.Audit == nil {
		return nil
	}
	t := trailOf(ctx, nil, nil)
	var kinds []string
	for _, c := range plans {
		t.add(c.Dataset())
		kinds = append(kinds, c.Kind().String()+" "+c.Dataset())
	}
	t.strategy = plans[0].Strategy()
	a := d.begin(ctx, who, t, 1)
	a.entry.Source, a.entry.Detail = plans[0].Target().Source, strings.Join(kinds, ", ")
	return a
}

func affected(changed []sqlexec.Changed) int {
	n := 0
	for _, c := range changed {
		n += c.Affected
	}
	return n
}
