package plan

import (
	"iter"
	"maps"
	"net/textproto"
	"slices"

	"usher/principal"
)

// Override is what a principal has of its own in an API's account. What it
// does not say is as the source says it.
type Override struct {
	own *override // behind a pointer, so that no printed plan holds it; nil: nothing
}

type override struct {
	baseURL    string
	headers    map[string]string
	properties map[string]string
}

// Override is the principal's own part of the account of an API.
func (q Query) Override(source string) Override {
	if o, ok := q.body.overrides[source]; ok {
		return o
	}
	return Override{}
}

// parts are what the override holds: of none, nothing.
func (o Override) parts() override {
	if o.own == nil {
		return override{}
	}
	return *o.own
}

// BaseURL is where the API is instead, without a slash at its end; empty: where
// the source says. Its host is one that the source allows.
func (o Override) BaseURL() string { return o.parts().baseURL }

// Header is the value of a header that takes the place of the source's, taken
// as it stands.
func (o Override) Header(name string) (string, bool) {
	v, ok := o.parts().headers[textproto.CanonicalMIMEHeaderKey(name)]
	return v, ok
}

// Headers are the headers that are sent beside the source's or in their place,
// in the order of their canonical names.
func (o Override) Headers() iter.Seq2[string, string] { return sorted(o.parts().headers) }

// Property is a property of the account.
func (o Override) Property(name string) (string, bool) {
	v, ok := o.parts().properties[name]
	return v, ok
}

// Properties are the properties of the account, in the order of their names.
func (o Override) Properties() iter.Seq2[string, string] { return sorted(o.parts().properties) }

// String hides the override: it holds secrets.
func (Override) String() string { return "(override)" }

// GoString hides the override.
func (Override) GoString() string { return "(override)" }

func sorted(m map[string]string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if !yield(name, m[name]) {
				return
			}
		}
	}
}

// with is the override with what an account says put over it. An account that
// leads elsewhere takes nothing along: what was meant for one place must not
// be sent to another.
func (o Override) with(a principal.Account) Override {
	out := &override{baseURL: a.BaseURL}
	if a.BaseURL == "" {
		old := o.parts()
		*out = override{baseURL: old.baseURL, headers: maps.Clone(old.headers), properties: maps.Clone(old.properties)}
	}
	if out.headers == nil {
		out.headers = make(map[string]string, len(a.Headers))
	}
	for name, v := range a.Headers {
		out.headers[textproto.CanonicalMIMEHeaderKey(name)] = v
	}
	if out.properties == nil {
		out.properties = make(map[string]string, len(a.Properties))
	}
	maps.Copy(out.properties, a.Properties)
	return Override{out}
}
