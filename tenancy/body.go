package tenancy

import (
	"encoding/json"
	"fmt"

	"usher/fault"
	"usher/principal"
	"usher/query"
)

// maxBody bounds what a token's grant takes in the store.
const maxBody = 256 << 10

// body is a token's grant as it is stored, in JSON; accounts stand beside it.
type body struct {
	AllTenants bool                       `json:"allTenants,omitempty"`
	Roles      []string                   `json:"roles,omitempty"`
	Scopes     []principal.Scope          `json:"scopes,omitempty"`
	Acting     *principal.Acting          `json:"acting,omitempty"`
	Strategy   string                     `json:"strategy,omitempty"`
	Strategies map[string]string          `json:"strategies,omitempty"`
	Filters    []storedFilter             `json:"filters,omitempty"`
	Parameters map[string]json.RawMessage `json:"parameters,omitempty"`
	Cleared    []string                   `json:"cleared,omitempty"`
	Metadata   map[string]string          `json:"metadata,omitempty"`
	Datasets   []string                   `json:"datasets"` // null: not restricted
	SavedOnly  bool                       `json:"savedOnly,omitempty"`
	Timezone   string                     `json:"timezone,omitempty"`
	MayGrant   MayGrant                   `json:"mayGrant,omitzero"`
	Rate       int                        `json:"rate,omitempty"`   // requests a minute; 0: not limited
	RateOf     string                     `json:"rateOf,omitempty"` // the token whose allowance is shared
}

type storedFilter struct {
	Dataset string          `json:"dataset"`
	Where   json.RawMessage `json:"where"`
}

// bodyOf is how a principal is stored.
func bodyOf(p principal.Principal, caps MayGrant, rate int, rateOf string) (string, error) {
	g := p.Grant
	b := body{
		AllTenants: p.AllTenants, Roles: p.Roles, Scopes: p.Scopes, Acting: p.Acting,
		Strategy: g.Strategy, Strategies: g.Strategies, Cleared: g.Cleared, Metadata: g.Metadata, Datasets: g.Datasets, SavedOnly: g.SavedOnly, Timezone: g.Timezone,
		MayGrant: caps, Rate: rate, RateOf: rateOf,
	}
	for _, f := range g.Filters {
		where, err := writeValue(f.Where)
		if err != nil {
			return "", unusable("a filter of dataset %s cannot be stored: %s", f.Dataset, err)
		}
		b.Filters = append(b.Filters, storedFilter{Dataset: f.Dataset, Where: where})
	}
	for name, v := range g.Parameters {
		text, err := writeValue(v)
		if err != nil {
			return "", unusable("parameter %s cannot be stored: %s", name, err)
		}
		if b.Parameters == nil {
			b.Parameters = map[string]json.RawMessage{}
		}
		b.Parameters[name] = text
	}
	text, err := json.Marshal(b)
	if err != nil {
		return "", fault.New(fault.Internal, "the grant cannot be stored").Because(err)
	}
	if len(text) > maxBody {
		return "", unusable("the grant takes %d bytes; at most %d are stored", len(text), maxBody)
	}
	return string(text), nil
}

func readBody(text string) (body, error) {
	var b body
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		return body{}, fault.New(fault.Internal, "a grant in the control store cannot be read").Because(err)
	}
	return b, nil
}

// grant is the grant that the body says.
func (b body) grant() (principal.Grant, error) {
	g := principal.Grant{
		Strategy: b.Strategy, Strategies: b.Strategies, Cleared: b.Cleared, Metadata: b.Metadata, Datasets: b.Datasets, SavedOnly: b.SavedOnly, Timezone: b.Timezone,
	}
	unreadable := func(err error) error {
		return fault.New(fault.Internal, "a grant in the control store cannot be read").Because(err)
	}
	for _, f := range b.Filters {
		where, err := query.ReadJSON(f.Where)
		if err != nil {
			return principal.Grant{}, unreadable(fmt.Errorf("filter of %s: %w", f.Dataset, err))
		}
		g.Filters = append(g.Filters, principal.Filter{Dataset: f.Dataset, Where: where})
	}
	for name, text := range b.Parameters {
		v, err := query.ReadJSON(text)
		if err != nil {
			return principal.Grant{}, unreadable(fmt.Errorf("parameter %s: %w", name, err))
		}
		if g.Parameters == nil {
			g.Parameters = map[string]query.Value{}
		}
		g.Parameters[name] = v
	}
	return g, nil
}
