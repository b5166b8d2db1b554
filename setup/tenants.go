package setup

import (
	"fmt"
	"slices"
	"strings"

	"usher/catalog"
	"usher/principal"
)

// Tenant is a tenant to be registered: its id, and how the tenant columns
// spell it.
type Tenant struct{ ID, Key string }

// MaxTenants is how many tenants a first configuration registers.
const MaxTenants = 200

// Identify gives every key an id. Keys that all are ids already need none: the
// answer is nil. Rows with an empty key are nobody's.
func Identify(keys []string) []Tenant {
	keys = slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return k == "" })
	if !slices.ContainsFunc(keys, func(k string) bool { return principal.CheckTenantID(k) != nil }) {
		return nil
	}
	taken := make(map[string]bool)
	for _, key := range keys { // a key that is an id keeps it
		if principal.CheckTenantID(key) == nil {
			taken[key] = true
		}
	}
	var out []Tenant
	for _, key := range keys {
		id := key
		if principal.CheckTenantID(key) != nil {
			id = freeID(key, taken)
			taken[id] = true
		}
		out = append(out, Tenant{ID: id, Key: key})
	}
	return out
}

// freeID makes an id that reads like the key.
func freeID(key string, taken map[string]bool) string {
	const length = 56 // leaves room for a number
	base := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '-'
	}, strings.ToLower(key))
	base = strings.Trim(base, "-_")
	base = strings.Trim(base[:min(length, len(base))], "-_")
	if base == "" {
		base = "tenant"
	}
	id := base
	for n := 2; taken[id] || principal.CheckTenantID(id) != nil; n++ {
		id = fmt.Sprintf("%s-%d", base, n)
	}
	return id
}

// AsksKeys lists the datasets whose tenant columns say which tenants there
// are: the list of tenants where there is one, else all of them. It is empty
// when the column's type allows nothing but ids, as those of numbers and UUIDs do.
func (d *Draft) AsksKeys() []*catalog.Dataset {
	var texts []*catalog.Dataset
	for _, t := range d.tables {
		ds := d.datasetOf(t)
		if ds == nil || ds.Tenant == nil || !ds.Tenant.Type.Text() {
			continue
		}
		if t.registry {
			return []*catalog.Dataset{ds}
		}
		texts = append(texts, ds)
	}
	return texts
}

// Register sets the tenants that the configuration names, of all keys found.
// The tenant of the sample key is among them, however many there are.
func (d *Draft) Register(keys []string, sample string) {
	d.Tenants = Identify(keys)
	if len(d.Tenants) > MaxTenants {
		first := slices.IndexFunc(d.Tenants, func(t Tenant) bool { return t.Key == sample })
		if first >= MaxTenants {
			d.Tenants[MaxTenants-1] = d.Tenants[first]
		}
		d.Tenants, d.More = d.Tenants[:MaxTenants], true
	}
}

// ID is the id of the tenant with that key, as tokens name it; empty if there
// is no such tenant.
func (d *Draft) ID(key string) string {
	if d.Tenants == nil && principal.CheckTenantID(key) == nil {
		return key
	}
	for _, t := range d.Tenants {
		if t.Key == key {
			return t.ID
		}
	}
	return ""
}
