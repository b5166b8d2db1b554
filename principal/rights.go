package principal

import (
	"maps"
	"slices"
	"strconv"

	"usher/query"
	"usher/slot"
)

// AppendRights writes all that decides what the principal's questions mean and
// what they may see: principals with the same text get the same answers. Left
// out is only which token said so, until when, how much it and its tenant may use, and
// its scopes, which decide what of the schema it is shown.
func (p Principal) AppendRights(b []byte) []byte {
	b = text(b, p.Subject, p.Tenant, p.TenantKey)
	return p.appendRights(b, query.AppendKey)
}

// AppendShape writes the rights of all who differ in nothing but who they are, and
// in the values of filters, parameters and metadata. Those are added to the inputs:
// Slotted has slots in their places.
func (p Principal) AppendShape(b []byte, in slot.Inputs) ([]byte, slot.Inputs) {
	in = append(in, p.Subject, p.Tenant, p.TenantKey)
	b = strconv.AppendBool(b, p.Subject != "")
	b = p.appendRights(b, func(b []byte, v query.Value) []byte {
		b, in = query.AppendShape(b, v, in)
		return b
	})
	return b, in
}

// Slotted is a principal with slots for what AppendShape adds to the inputs.
type Slotted struct {
	Principal
	Subject, Tenant, Key *slot.Term // in place of the principal's
}

// Slotted is the principal with slots from a number on.
func (p Principal) Slotted(slots *slot.Slots, first int) Slotted {
	s := Slotted{Principal: p, Subject: slots.At(first), Tenant: slots.At(first + 1), Key: slots.At(first + 2)}
	first += 3
	slotted := func(v query.Value) query.Value {
		v, first = query.Slotted(v, slots, first)
		return v
	}
	g := &s.Principal.Grant
	g.Filters = slices.Clone(g.Filters)
	for i := range g.Filters {
		g.Filters[i].Where = slotted(g.Filters[i].Where)
		g.Filters[i].Having = slotted(g.Filters[i].Having)
	}
	each := func(m map[string]query.Value) map[string]query.Value {
		m = maps.Clone(m)
		for _, name := range slices.Sorted(maps.Keys(m)) {
			m[name] = slotted(m[name])
		}
		return m
	}
	g.Parameters, g.Metadata = each(g.Parameters), each(g.Metadata)
	return s
}

func (p Principal) appendRights(b []byte, value func([]byte, query.Value) []byte) []byte {
	b = text(b, p.Name, p.Email, p.Issuer)
	b = strconv.AppendBool(b, p.AllTenants)
	b = texts(texts(text(b, p.Routing.Strategy, p.Routing.Cell), p.Routing.Strategies), p.Routing.Bindings)
	b = list(accounts(b, p.Routing.Accounts), p.Routing.AllowHosts)
	b = texts(list(b, p.Roles), p.RoleSpecs)
	if p.Acting != nil {
		b = text(append(b, 'a'), p.Acting.Subject, p.Acting.Reason)
	}
	g := p.Grant
	b = texts(text(b, g.Strategy, g.Timezone), g.Strategies)
	b = strconv.AppendInt(b, int64(len(g.Filters)), 10)
	for _, f := range g.Filters {
		b = value(value(text(b, f.Dataset), f.Where), f.Having)
	}
	b = sorted(b, g.Parameters, value)
	b = list(append(b, 'c'), g.Cleared)
	b = sorted(b, g.Metadata, value)
	b = accounts(b, g.Accounts)
	b = list(list(b, g.Datasets), g.Dashboards)
	return strconv.AppendBool(b, g.SavedOnly)
}

// text writes texts with their lengths, so that none runs into the next.
func text(b []byte, all ...string) []byte {
	for _, s := range all {
		b = append(append(strconv.AppendInt(b, int64(len(s)), 10), ':'), s...)
	}
	return b
}

// list tells no list from an empty one.
func list(b []byte, all []string) []byte {
	if all == nil {
		return append(b, '-')
	}
	return text(append(strconv.AppendInt(b, int64(len(all)), 10), ';'), all...)
}

func sorted[V any](b []byte, m map[string]V, each func([]byte, V) []byte) []byte {
	b = append(strconv.AppendInt(b, int64(len(m)), 10), ';')
	if len(m) == 0 {
		return b // as in most rights of most principals
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		b = each(text(b, name), m[name])
	}
	return b
}

func texts(b []byte, m map[string]string) []byte {
	return sorted(b, m, func(b []byte, s string) []byte { return text(b, s) })
}

func accounts(b []byte, m map[string]Account) []byte {
	return sorted(b, m, func(b []byte, a Account) []byte {
		b = text(b, a.Host, strconv.Itoa(a.Port), a.Database, a.Schema, a.User, a.Password, a.BaseURL)
		return texts(texts(b, a.Headers), a.Properties)
	})
}
