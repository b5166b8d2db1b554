package resolvers

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"usher/answer"
	"usher/fault"
	"usher/principal"
	"usher/query"
	"usher/slot"
)

// bindingOf is what the cursors of a list are bound to, for its inputs.
type bindingOf func(slot.Inputs) ([]byte, error)

// openCursors opens the cursors among a connection's arguments, for the plan
// to read, and returns what they and those of the answer are bound to: the dataset,
// its where and order, and the tenant; not the strategy, which gives the same rows.
//
// A cursor that stands in the document is opened for each request like one that comes
// later: it belongs to one tenant, and the plan is for others, too. The field's number
// tells its cursors from those of other fields.
func (d *Datasets) openCursors(asked query.Request, number int, tenant *slot.Term) (query.Request, bindingOf, error) {
	if asked.Shape != query.Connection {
		return asked, nil, nil
	}
	where, _ := asked.Field.Args.Get("where")
	orderBy, _ := asked.Field.Args.Get("orderBy")
	binding := func(in slot.Inputs) ([]byte, error) {
		whose, err := tenant.Of(in)
		if err != nil {
			return nil, err
		}
		b := []byte(asked.Dataset + "\x00" + whose + "\x00")
		for _, v := range []query.Value{where, orderBy} {
			v, err := query.Filled(v, in)
			if err != nil {
				return nil, err
			}
			if v != nil {
				b = query.AppendJSON(b, v)
			}
			b = append(b, 0)
		}
		return b, nil
	}
	open := func(argument, text string, in slot.Inputs) (string, error) {
		bound, err := binding(in)
		if err != nil {
			return "", err
		}
		raw, err := d.Cursors.Open(bound, text)
		return string(raw), givenAs(asked.Field.Key+"."+argument, err)
	}
	args := slices.Clone(asked.Field.Args)
	for i, arg := range args {
		if arg.Name != "after" && arg.Name != "before" {
			continue
		}
		var opened *slot.Term
		var err error
		name := "opened for " + strconv.Itoa(number) + " " + arg.Name
		switch given := arg.Value.(type) {
		case query.Text:
			opened, err = tenant.Then(name, func(_ string, in slot.Inputs) (string, error) { return open(arg.Name, string(given), in) })
		case query.Slot:
			opened, err = given.Term.Then(name, func(text string, in slot.Inputs) (string, error) { return open(arg.Name, text, in) })
		default:
			err = givenAs(asked.Field.Key+"."+arg.Name, fault.New(fault.BadUserInput, "%s is null; leave it out for the first page", arg.Name))
		}
		if err == nil {
			args[i].Value, err = laterPosition(opened)
		}
		if err != nil {
			return asked, nil, err
		}
	}
	asked.Field.Args = args
	return asked, binding, nil
}

// givenAs is what is wrong with an argument, with its place.
func givenAs(argument string, err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	at := *f
	at.At = argument
	return &at
}

// positionIn is a position as the plan reads it, out of an opened cursor.
func positionIn(opened string) (query.List, error) {
	var position []*string
	if err := json.Unmarshal([]byte(opened), &position); err != nil {
		return nil, fault.Broken("%w", err)
	}
	list := make(query.List, len(position))
	for i, p := range position {
		list[i] = query.Null{}
		if p != nil {
			list[i] = query.Text(*p)
		}
	}
	return list, nil
}

// laterPosition is the position of a cursor that is opened for each request. Where it has nulls,
// another plan is needed.
func laterPosition(opened *slot.Term) (query.List, error) {
	nulls := opened.Says("nulls", func(text string) string {
		position, err := positionIn(text)
		if err != nil {
			return ""
		}
		said := make([]byte, len(position))
		for i, p := range position {
			if said[i] = 't'; p == (query.Null{}) {
				said[i] = '0'
			}
		}
		return string(said)
	})
	list := make(query.List, len(nulls))
	for i := range list {
		if nulls[i] == '0' {
			list[i] = query.Null{}
			continue
		}
		term, err := opened.Then(strconv.Itoa(i), func(text string, _ slot.Inputs) (string, error) {
			position, err := positionIn(text)
			if err != nil || i >= len(position) {
				return "", errNoPosition
			}
			at, ok := position[i].(query.Text)
			if !ok {
				return "", errNoPosition
			}
			return string(at), nil
		})
		if err != nil {
			return nil, err
		}
		list[i] = query.Slot{Term: term}
	}
	return list, nil
}

var errNoPosition = errors.New("the cursor has another form")

// seals are those of a list for whom it is bound; where it has no cursors, of ids alone.
func (d *Datasets) seals(binding bindingOf, b bound) answer.Seals {
	s := answer.Seals{ID: d.idsOf(b.binding.Tenant())}
	if binding != nil {
		if bound, err := binding(b.in); err == nil { // as it was when the cursors were opened
			s.Cursor = func(position []byte) string { return d.Cursors.Seal(bound, position) }
		}
	}
	return s
}

// Ids of rows are sealed as cursors are, bound to the tenant; empty: all of them. No name of a
// dataset, with which the binding of a list begins, is empty.
func idBinding(tenant string) []byte {
	if tenant == "" {
		return []byte("\x00all")
	}
	return []byte("\x00of\x00" + tenant)
}

// idsOf seals the ids of rows that somebody is shown.
func (d *Datasets) idsOf(tenant string) func([]byte) string {
	return func(identity []byte) string { return d.Cursors.Seal(idBinding(tenant), identity) }
}

// OpenID implements graph.OpenID: an id opens for those of whose tenant it is.
// What it stands for is then asked for with their rights.
func (d *Datasets) OpenID(ctx context.Context, id string) (dataset string, values query.List, ok bool) {
	who, err := principal.From(ctx)
	if err != nil {
		return "", nil, false
	}
	raw, err := d.Cursors.Open(idBinding(who.Tenant), id)
	if err != nil {
		return "", nil, false
	}
	var parts []*string
	if err := json.Unmarshal(raw, &parts); err != nil || len(parts) < 2 || parts[0] == nil {
		return "", nil, false
	}
	values = make(query.List, len(parts)-1)
	for i, p := range parts[1:] {
		if p == nil {
			return "", nil, false
		}
		values[i] = query.Text(*p)
	}
	return *parts[0], values, true
}
