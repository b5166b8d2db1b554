package plantest

import (
	"usher/principal"
	"usher/query"
	"usher/slot"
)

// Inputs are the values of all slots of a request and of who asks it.
func Inputs(r query.Request, p principal.Principal) slot.Inputs {
	_, in := p.AppendShape(nil, inputs(r.Field, nil))
	return in
}

func inputs(f query.Field, in slot.Inputs) slot.Inputs {
	_, in = query.AppendShape(nil, f.Args, in)
	for _, inner := range f.Fields {
		in = inputs(inner, in)
	}
	return in
}

// Slotted are a request and who asks it with slots wherever there can be one.
func Slotted(r query.Request, p principal.Principal, slots *slot.Slots) (query.Request, principal.Slotted) {
	var next int
	r.Field, next = slotted(r.Field, slots, 0)
	return r, p.Slotted(slots, next)
}

func slotted(f query.Field, slots *slot.Slots, next int) (query.Field, int) {
	if f.Args != nil {
		var args query.Value
		args, next = query.Slotted(f.Args, slots, next)
		f.Args, _ = args.(query.Object)
	}
	fields := f.Fields
	f.Fields = nil
	for _, inner := range fields {
		inner, next = slotted(inner, slots, next)
		f.Fields = append(f.Fields, inner)
	}
	return f, next
}

// InputsOfChange and SlottedChange are Inputs and Slotted of a change.
func InputsOfChange(r query.Change, p principal.Principal) slot.Inputs {
	_, in := p.AppendShape(nil, inputs(r.Field, nil))
	return in
}

// SlottedChange is a change and who makes it with slots wherever there can be one.
func SlottedChange(r query.Change, p principal.Principal, slots *slot.Slots) (query.Change, principal.Slotted) {
	var next int
	r.Field, next = slotted(r.Field, slots, 0)
	return r, p.Slotted(slots, next)
}
