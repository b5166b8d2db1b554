package resolvers

import (
	"context"
	"encoding/json"
	"slices"

	"usher/fault"
	"usher/principal"
	"usher/query"
)

// openCursors opens the cursors among a connection's arguments, for the plan
// to read, and returns what seals the cursors of the answer. Both are bound to
// the dataset, its where and order, and the tenant; not to the strategy, which
// gives the same rows.
func (d *Datasets) openCursors(asked query.Request, who principal.Principal) (query.Request, func([]byte) string, error) {
	if asked.Shape != query.Connection {
		return asked, nil, nil
	}
	binding := []byte(asked.Dataset + "\x00" + who.Tenant + "\x00")
	for _, name := range []string{"where", "orderBy"} {
		if v, ok := asked.Field.Args.Get(name); ok {
			binding = query.AppendJSON(binding, v)
		}
		binding = append(binding, 0)
	}
	args := slices.Clone(asked.Field.Args)
	for i, arg := range args {
		if arg.Name != "after" && arg.Name != "before" {
			continue
		}
		text, ok := arg.Value.(query.Text)
		if !ok {
			return asked, nil, fault.New(fault.BadUserInput, "%s is null; leave it out for the first page", arg.Name)
		}
		raw, err := d.Cursors.Open(binding, string(text))
		if err != nil {
			return asked, nil, err
		}
		var position []*string
		if err := json.Unmarshal(raw, &position); err != nil {
			return asked, nil, fault.New(fault.Internal, "internal error").Because(err)
		}
		list := make(query.List, len(position))
		for j, p := range position {
			list[j] = query.Null{}
			if p != nil {
				list[j] = query.Text(*p)
			}
		}
		args[i].Value = list
	}
	asked.Field.Args = args
	return asked, func(position []byte) string { return d.Cursors.Seal(binding, position) }, nil
}

// Ids of rows are sealed as cursors are, bound to the tenant. No name of a
// dataset, with which the binding of a list begins, is empty.
func idBinding(who principal.Principal) []byte {
	if who.AllTenants {
		return []byte("\x00all")
	}
	return []byte("\x00of\x00" + who.Tenant)
}

// idsOf seals the ids of rows that somebody is shown.
func (d *Datasets) idsOf(who principal.Principal) func([]byte) string {
	binding := idBinding(who)
	return func(identity []byte) string { return d.Cursors.Seal(binding, identity) }
}

// OpenID implements graph.OpenID: an id opens for those of whose tenant it is.
// What it stands for is then asked for with their rights.
func (d *Datasets) OpenID(ctx context.Context, id string) (dataset string, values query.List, ok bool) {
	who, err := principal.From(ctx)
	if err != nil {
		return "", nil, false
	}
	raw, err := d.Cursors.Open(idBinding(who), id)
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
