package catalog

import (
	"reflect"
	"regexp"
	"strings"

	"usher/principal"
	"usher/query"
)

// told is what a configuration names of those who ask, beyond what every
// question depends on: their tenant, roles, strategies, accounts and parameters.
type told struct {
	subject  bool
	person   bool // name and address
	metadata map[string]bool
}

// mentioned finds the names that templates and conditions have: {subject},
// $metadata.team and so on.
var mentioned = regexp.MustCompile(`[{$](subject|metadata\.[^{}]+)`)

// toldBy looks through the whole text of a configuration, so that no member of it
// can be forgotten: what is found too much only keeps apart what could be shared.
func toldBy(spec Spec) told {
	t := told{metadata: make(map[string]bool)}
	t.read(reflect.ValueOf(spec))
	for _, d := range spec.Datasets {
		t.subject = t.subject || d.Deleted.By != "" // is stamped with it
	}
	for _, s := range spec.Sources {
		if s.Protocol == pluginProtocol { // is told who asks
			t.subject = true
			t.person = t.person || len(s.Plugin.User) > 0
		}
		for _, name := range s.Metadata {
			t.metadata[name] = true
		}
	}
	return t
}

func (t *told) read(v reflect.Value) {
	switch v.Kind() { //nolint:exhaustive // nothing else holds text
	case reflect.String:
		for _, m := range mentioned.FindAllStringSubmatch(v.String(), -1) {
			if name, ok := strings.CutPrefix(m[1], "metadata."); ok {
				t.metadata[name] = true
			} else {
				t.subject = true
			}
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			t.read(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			t.read(v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			t.read(v.Index(i))
		}
	case reflect.Map:
		for each := v.MapRange(); each.Next(); {
			t.read(each.Key())
			t.read(each.Value())
		}
	}
}

// Needed is a principal without what no answer to it depends on: who it is, where
// no template or condition names that. What is planned for it is then the same for
// all who are alike. Conditions that came with the principal may name anything.
func (c *Catalog) Needed(p principal.Principal) principal.Principal {
	p.Acting, p.Issuer = nil, ""
	if len(p.RoleSpecs) > 0 || len(p.Grant.Filters) > 0 {
		return p
	}
	if !c.told.subject {
		p.Subject = ""
	}
	if !c.told.person {
		p.Name, p.Email = "", ""
	}
	for name := range p.Grant.Metadata {
		if !c.told.metadata[name] {
			p.Grant.Metadata = c.told.among(p.Grant.Metadata)
			break
		}
	}
	return p
}

func (t told) among(metadata map[string]query.Value) map[string]query.Value {
	out := make(map[string]query.Value, len(t.metadata))
	for name := range t.metadata {
		if v, ok := metadata[name]; ok {
			out[name] = v
		}
	}
	return out
}
