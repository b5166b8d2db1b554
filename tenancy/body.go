package tenancy

import (
	"cmp"
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
	Name       string                     `json:"name,omitempty"` // of who uses it
	Email      string                     `json:"email,omitempty"`
	Roles      []string                   `json:"roles,omitempty"`
	Scopes     []principal.Scope          `json:"scopes,omitempty"`
	Acting     *principal.Acting          `json:"acting,omitempty"`
	Strategy   string                     `json:"strategy,omitempty"`
	Strategies map[string]string          `json:"strategies,omitempty"`
	Filters    []storedFilter             `json:"filters,omitempty"`
	Parameters map[string]json.RawMessage `json:"parameters,omitempty"`
	Cleared    []string                   `json:"cleared,omitempty"`
	Metadata   map[string]json.RawMessage `json:"metadata,omitempty"`
	Datasets   []string                   `json:"datasets"` // null: not restricted
	SavedOnly  bool                       `json:"savedOnly,omitempty"`
	Dashboards []string                   `json:"dashboards"` // null: not restricted
	Timezone   string                     `json:"timezone,omitempty"`
	MayGrant   MayGrant                   `json:"mayGrant,omitzero"`
	Rate       int                        `json:"rate,omitempty"`       // requests a minute; 0: not limited
	RatesOf    []rated                    `json:"ratesOf,omitempty"`    // of the tokens that it is made with, the nearest first
	RateOf     string                     `json:"rateOf,omitempty"`     // of tokens of an older version: the one token whose allowance is shared
	SharedRate int                        `json:"sharedRate,omitempty"` // that one's
	Limits     budget                     `json:"limits,omitzero"`      // a minute, of the token itself
	LimitsOf   []allowance                `json:"limitsOf,omitempty"`   // those of the tokens it is made with, the nearest first
}

type allowance struct {
	Token  string `json:"token"`
	Limits budget `json:"limits"`
}

type storedFilter struct {
	Dataset string          `json:"dataset"`
	Where   json.RawMessage `json:"where,omitempty"`
	Having  json.RawMessage `json:"having,omitempty"`
}

// bodyOf is how a principal is stored.
func bodyOf(p principal.Principal, caps MayGrant, rate rate) (string, error) {
	g := p.Grant
	b := body{
		AllTenants: p.AllTenants, Name: p.Name, Email: p.Email, Roles: p.Roles, Scopes: p.Scopes, Acting: p.Acting,
		Strategy: g.Strategy, Strategies: g.Strategies, Cleared: g.Cleared, Datasets: g.Datasets, SavedOnly: g.SavedOnly, Dashboards: g.Dashboards, Timezone: g.Timezone,
		MayGrant: caps, Rate: rate.own, RatesOf: rate.of,
	}
	for _, a := range p.Allowances {
		if a.Token == "" {
			b.Limits = storedBudget(a.Limits)
		} else {
			b.LimitsOf = append(b.LimitsOf, allowance{a.Token, storedBudget(a.Limits)})
		}
	}
	for _, f := range g.Filters {
		stored := storedFilter{Dataset: f.Dataset}
		for _, part := range []struct {
			v  query.Value
			to *json.RawMessage
		}{{f.Where, &stored.Where}, {f.Having, &stored.Having}} {
			if part.v == nil {
				continue
			}
			text, err := writeValue(part.v)
			if err != nil {
				return "", unusable("a filter of dataset %s cannot be stored: %s", f.Dataset, reason(err))
			}
			*part.to = text
		}
		b.Filters = append(b.Filters, stored)
	}
	var err error
	if b.Parameters, err = writeValues("parameter", g.Parameters); err != nil {
		return "", err
	}
	if b.Metadata, err = writeValues("metadata", g.Metadata); err != nil {
		return "", err
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

// rate is how many requests the body says.
func (b body) rate() rate {
	r := rate{own: b.Rate, of: b.RatesOf}
	if b.RateOf != "" {
		r.of = []rated{{b.RateOf, cmp.Or(b.SharedRate, b.Rate)}}
	}
	return r
}

// allowances are those that the body says; the token's own is that of the given name.
func (b body) allowances(own string) []principal.Allowance {
	var all []principal.Allowance
	if limits := b.Limits.budget(); limits != (principal.Budget{}) {
		all = append(all, principal.Allowance{Token: own, Limits: limits})
	}
	for _, a := range b.LimitsOf {
		all = append(all, principal.Allowance{Token: a.Token, Limits: a.Limits.budget()})
	}
	return all
}

// grant is the grant that the body says.
func (b body) grant() (principal.Grant, error) {
	g := principal.Grant{
		Strategy: b.Strategy, Strategies: b.Strategies, Cleared: b.Cleared, Datasets: b.Datasets, SavedOnly: b.SavedOnly, Dashboards: b.Dashboards, Timezone: b.Timezone,
	}
	unreadable := func(err error) error {
		return fault.New(fault.Internal, "a grant in the control store cannot be read").Because(err)
	}
	for _, f := range b.Filters {
		filter := principal.Filter{Dataset: f.Dataset}
		for _, part := range []struct {
			text json.RawMessage
			to   *query.Value
		}{{f.Where, &filter.Where}, {f.Having, &filter.Having}} {
			if part.text == nil {
				continue
			}
			v, err := query.ReadJSON(part.text)
			if err != nil {
				return principal.Grant{}, unreadable(fmt.Errorf("filter of %s: %w", f.Dataset, err))
			}
			*part.to = v
		}
		if filter.Where == nil && filter.Having == nil {
			return principal.Grant{}, unreadable(fmt.Errorf("filter of %s: it says nothing", f.Dataset))
		}
		g.Filters = append(g.Filters, filter)
	}
	var err error
	if g.Parameters, err = readValues("parameter", b.Parameters); err != nil {
		return principal.Grant{}, unreadable(err)
	}
	if g.Metadata, err = readValues("metadata", b.Metadata); err != nil {
		return principal.Grant{}, unreadable(err)
	}
	return g, nil
}

// writeValues are values as they are stored; nil if there are none.
func writeValues(what string, values map[string]query.Value) (map[string]json.RawMessage, error) {
	var out map[string]json.RawMessage
	for name, v := range values {
		text, err := writeValue(v)
		if err != nil {
			return nil, unusable("%s %s cannot be stored: %s", what, name, reason(err))
		}
		if out == nil {
			out = map[string]json.RawMessage{}
		}
		out[name] = text
	}
	return out, nil
}

func readValues(what string, stored map[string]json.RawMessage) (map[string]query.Value, error) {
	var out map[string]query.Value
	for name, text := range stored {
		v, err := query.ReadJSON(text)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", what, name, err)
		}
		if out == nil {
			out = map[string]query.Value{}
		}
		out[name] = v
	}
	return out, nil
}
