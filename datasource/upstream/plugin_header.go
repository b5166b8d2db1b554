package upstream

import (
	"net/http"
	"regexp"

	"usher/fault"
	"usher/plan"
)

const propertyPrefix = "X-Property-"

// propertyName is what can stand in a header's name.
var propertyName = regexp.MustCompile("^[A-Za-z0-9_.-]+$")

// header is what the headers of one principal's calls say of its account.
func (p *pluginSource) header(request requests, id plan.Identity, own plan.Override) (http.Header, error) {
	h, err := request.header(id, own)
	if err != nil {
		return nil, err
	}
	for _, n := range p.properties {
		if _, replaced := property(own, n.name); replaced {
			continue
		}
		text, err := n.value.fill(id, inHeader)
		if err != nil {
			return nil, err
		}
		h.Set(propertyPrefix+n.name, text)
	}
	for name, text := range own.Properties() {
		if _, err := inHeader(text); err != nil || !propertyName.MatchString(name) {
			return nil, fault.New(fault.Forbidden, "the account has a property that cannot be sent to the plugin")
		}
		h.Set(propertyPrefix+name, text)
	}
	return h, nil
}

// property is an account's value for a property; names ignore case, as those
// of headers do.
func property(own plan.Override, name string) (string, bool) {
	for given, text := range own.Properties() {
		if http.CanonicalHeaderKey(given) == http.CanonicalHeaderKey(name) {
			return text, true
		}
	}
	return "", false
}
