package plan

import (
	"strings"

	"usher/catalog"
	"usher/fault"
	"usher/query"
	"usher/slot"
	"usher/value"
)

// Who asks is read here only: a plan that is for others too leaves open who they
// are, and what it is made by of them is a guard.

// tenant is the tenant's id. What is made of it is for this tenant only.
func (b *builder) tenant() string { return text(b.who.Tenant, b.p.Tenant) }

// tenantSays is what a function says of the tenant's id. What is made by it is for all
// tenants of whom it says the same.
func (b *builder) tenantSays(name string, about func(id string) string) string {
	if b.who.Tenant == nil {
		return about(b.p.Tenant)
	}
	return b.who.Tenant.Says(name, about)
}

// tenantKey is the tenant's key. What is made of it is for this tenant only.
func (b *builder) tenantKey() string { return text(b.who.Key, b.p.TenantKey) }

// subject is who asks. What is made of it is for this one only.
func (b *builder) subject() string { return text(b.who.Subject, b.p.Subject) }

// subjectIn is who asks as a literal of a column's type; null: nobody is named.
func (b *builder) subjectIn(t value.Type) (value.Value, error) {
	if b.p.Subject == "" {
		return value.Value{}, nil
	}
	if b.who.Subject == nil || spelled(t) || t.Scalar == value.Decimal {
		return value.Parse(t, b.subject())
	}
	term, err := b.who.Subject.Then("subject as "+t.Scalar.String(), func(subject string, _ slot.Inputs) (string, error) {
		v, err := value.Parse(t, subject)
		return v.Text(), err
	})
	return value.Later(t, term), err
}

func text(term *slot.Term, now string) string {
	if term == nil {
		return now
	}
	return term.Text()
}

// only tells whether the tenant may know of what is only some tenants'.
func (b *builder) only(o catalog.Only) bool {
	if o == nil {
		return true
	}
	return b.tenantSays("is one of "+strings.Join(o, ","), func(id string) string {
		if o.For(id) {
			return "yes"
		}
		return "no"
	}) == "yes"
}

// ownOf is the binding of a dataset that is this tenant's own, or that its record
// names, or nil. Tenants without one are alike, and so are those whose records name the same.
func (b *builder) ownOf(d *catalog.Dataset) *catalog.Own {
	if name, named := b.p.Routing.Bindings[d.Name]; named {
		return d.Own[catalog.Chosen(name)]
	}
	return b.tenantsOwn(d)
}

// astray tells that the tenant's record names a binding of the dataset that there is
// not, or not for this tenant: what the record was made by has changed. Its rows are nowhere then.
func (b *builder) astray(d *catalog.Dataset) bool {
	name, named := b.p.Routing.Bindings[d.Name]
	return named && (d.Common || d.Own[catalog.Chosen(name)] == nil || b.tenantsOwn(d) != nil)
}

func (b *builder) tenantsOwn(d *catalog.Dataset) *catalog.Own {
	if len(d.Own) == 0 {
		return nil
	}
	return d.Own[b.tenantSays("has its own "+d.Name, func(id string) string {
		if d.Own[id] == nil {
			return ""
		}
		return id
	})]
}

// keyIn is the tenant's key as a literal of the tenant column's type. A
// key that is not canonical for the type is refused: 007 must not meet 7.
func (b *builder) keyIn(col *catalog.Column) (value.Value, error) {
	t := col.Type
	read := func(key string, _ slot.Inputs) (string, error) {
		v, err := value.Parse(t, key)
		if err != nil || v.Text() != key {
			return "", fault.New(fault.Forbidden, "the tenant's key is no value of its tenant columns")
		}
		return key, nil
	}
	if b.who.Key == nil || t.Scalar == value.Enum {
		key, err := read(b.tenantKey(), nil)
		if err != nil {
			return value.Value{}, err
		}
		return value.Parse(t, key)
	}
	term, err := b.who.Key.Then("key as "+t.Scalar.String(), read)
	if err != nil {
		return value.Value{}, err
	}
	return value.Later(t, term), nil
}

// asked is who asks, or the tenant's key, as a condition's operand.
func asked(term *slot.Term, now string) query.Value {
	if term == nil {
		return query.Text(now)
	}
	return query.Slot{Term: term}
}
