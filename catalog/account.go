package catalog

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"usher/principal"
)

// MaxName is how many bytes a name of PostgreSQL's may have. It cuts longer
// ones, and two tenants would meet in one database.
const MaxName = 63

// AccountProblem is what is wrong with one member of an account. The message
// repeats no value.
type AccountProblem struct{ Key, Message string }

// CheckAccount says why an account cannot stand over the source's own, or
// nothing. It is the one rule for the registry's accounts and for those of
// tokens. It leads where both the source and the tenant's record allow.
func (s *Source) CheckAccount(a principal.Account, allowed *Destinations) []AccountProblem {
	c := &accountCheck{source: s, allowed: allowed}
	switch c.fits(a); {
	case len(c.problems) > 0:
	case a.Empty():
		c.problem("", "says nothing")
	case s.Kind == API:
		c.call(a)
	default:
		c.login(a)
	}
	return c.problems
}

// CheckTokenAccount says why an account cannot stand over the source's own where a
// token brings it. What an API is told of the tenant is the source's to say: a
// token that said it would be answered with the rows of whomever it names.
func (s *Source) CheckTokenAccount(a principal.Account, allowed *Destinations) []AccountProblem {
	out := s.CheckAccount(a, allowed)
	if s.Kind != API || len(out) > 0 {
		return out
	}
	for name := range a.Headers {
		for own, text := range s.API.Headers {
			if strings.EqualFold(name, own) && namesTenant(text) {
				out = append(out, AccountProblem{"headers", saysTenant})
			}
		}
	}
	if s.API.Plugin == nil {
		return out
	}
	for name := range a.Properties {
		for own, text := range s.API.Plugin.Properties {
			if strings.EqualFold(name, own) && namesTenant(text) {
				out = append(out, AccountProblem{"properties", saysTenant})
			}
		}
	}
	return out
}

const saysTenant = "one is where the source says whose rows are meant, which no token may say in its place"

// namesTenant tells a template that says whose rows are meant.
func namesTenant(template string) bool {
	return strings.Contains(template, "{tenant}") || strings.Contains(template, "{tenant_key}")
}

type accountCheck struct {
	source   *Source
	allowed  *Destinations // by the tenant's record
	problems []AccountProblem
}

func (c *accountCheck) problem(key, message string) {
	c.problems = append(c.problems, AccountProblem{key, message})
}

// fits refuses members that belong to another kind of source.
func (c *accountCheck) fits(a principal.Account) {
	for _, m := range []struct {
		key   string
		given bool
		kinds []SourceKind
	}{
		{"host", a.Host != "", []SourceKind{Postgres}},
		{"port", a.Port != 0, []SourceKind{Postgres}},
		{"database", a.Database != "", []SourceKind{Postgres}},
		{"schema", a.Schema != "", []SourceKind{Postgres, DuckDB}},
		{"user", a.User != "", []SourceKind{Postgres}},
		{"password", a.Password != "", []SourceKind{Postgres}},
		{"base_url", a.BaseURL != "", []SourceKind{API}},
		{"headers", len(a.Headers) > 0, []SourceKind{API}},
		{"properties", len(a.Properties) > 0, []SourceKind{API}},
	} {
		if m.given && !slices.Contains(m.kinds, c.source.Kind) {
			c.problem(m.key, "is no key of an account of `kind: "+string(c.source.Kind)+"`")
		}
	}
}

// login checks what leads to a database. What leads elsewhere, or in as
// somebody else, brings its password along: the one that is known already
// must not be sent there.
func (c *accountCheck) login(a principal.Account) {
	c.hosts(a)
	if a.Port < 0 || a.Port > 65535 {
		c.problem("port", "must be from 1 to 65535")
	}
	for _, m := range []struct{ key, name string }{{"database", a.Database}, {"schema", a.Schema}, {"user", a.User}} {
		switch {
		case len(m.name) > MaxName:
			c.problem(m.key, "has more than 63 bytes, of which PostgreSQL would ignore the rest")
		case !utf8.ValidString(m.name) || strings.ContainsFunc(m.name, unicode.IsControl):
			c.problem(m.key, "holds a control character")
		}
	}
	if strings.Contains(a.Password, "\x00") {
		c.problem("password", "holds a NUL")
	}
	if a.Password == "" && (a.Host != "" || a.Port != 0 || a.Database != "" || a.User != "") {
		c.problem("password", "is missing; an account with a host, port, database or user of its own brings its password along")
	}
}

// hosts checks one host, or several, as ServersText writes them.
func (c *accountCheck) hosts(a principal.Account) {
	several := slices.ContainsFunc(c.source.Postgres.Places(), func(p PostgresSpec) bool { return strings.Contains(p.Host, ",") })
	if a.Host == "" {
		if a.Port != 0 && several {
			c.problem("port", "needs a `host` beside it: the source has several")
		}
		return
	}
	servers, err := Servers(a.Host, a.Port)
	if err != nil {
		c.problem("host", "must be a host, or several such as db1.example,db2.example:5433")
		return
	}
	for _, s := range servers {
		if !c.source.Hosts.Allow(s.Host) {
			c.problem("host", "is not among the `allow_hosts` of the source")
			return
		}
		if !c.allowed.allowsHost(s.Host) {
			c.problem("host", notOfTenant)
			return
		}
	}
}

// call checks what leads to an API.
func (c *accountCheck) call(a principal.Account) {
	if a.BaseURL != "" {
		c.baseURL(a.BaseURL)
	}
	seen := make(map[string]bool, len(a.Headers))
	for _, name := range slices.Sorted(maps.Keys(a.Headers)) {
		v, canonical := a.Headers[name], http.CanonicalHeaderKey(name)
		switch {
		case badHeader(name) != "":
			c.problem("headers", "one "+badHeader(name))
		case seen[canonical]:
			c.problem("headers", "one is given twice; header names ignore case")
		case strings.ContainsFunc(v, unicode.IsControl) || strings.TrimSpace(v) != v || !utf8.ValidString(v):
			c.problem("headers", "one holds a control character, or begins or ends with a space")
		}
		seen[canonical] = true
	}
	for name := range a.Properties {
		if name == "" || strings.ContainsFunc(name, unicode.IsControl) {
			c.problem("properties", "one has no name, or a control character in it")
		}
	}
}

func (c *accountCheck) baseURL(text string) {
	u, err := url.Parse(text)
	own, ownErr := url.Parse(c.source.API.BaseURL)
	switch {
	case err != nil || ownErr != nil || u.Host == "" || u.Opaque != "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" ||
		strings.ContainsAny(text, "{}#"):
		c.problem("base_url", "must be scheme, host and path alone")
	case u.Scheme != "https" && (u.Scheme != "http" || own.Scheme != "http"):
		c.problem("base_url", "must be https")
	case !c.source.Hosts.Allow(u.Hostname()):
		c.problem("base_url", "its host is not among the `allow_hosts` of the source")
	case !c.allowed.allowsURL(text):
		c.problem("base_url", notOfTenant)
	}
}

const notOfTenant = "is not among what the tenant's record allows"

// accounts reads a tenant's own accounts.
func (c *compiler) accounts(at place, specs map[string]AccountSpec, allowed *Destinations) map[string]principal.Account {
	out := make(map[string]principal.Account, len(specs))
	for name, spec := range specs {
		source, at := c.catalog.Sources[name], at.in(name)
		if source == nil {
			at.problem("%s", unknown("source", name, c.catalog.Sources))
			continue
		}
		a := principal.Account{
			Host: spec.Host, Port: spec.Port, Database: spec.Database, Schema: spec.Schema, User: spec.User, Password: string(spec.Password),
			BaseURL: strings.TrimSuffix(spec.BaseURL, "/"), Headers: texts(spec.Headers), Properties: texts(spec.Properties),
		}
		for _, p := range source.CheckAccount(a, allowed) {
			if p.Key == "" {
				at.problem("%s", p.Message)
			} else {
				at.in(p.Key).problem("%s", p.Message)
			}
		}
		out[name] = a
	}
	return out
}

func texts(in map[string]Template) map[string]string {
	if in == nil {
		return nil
	}
	out := make(map[string]string, len(in))
	for name, v := range in {
		out[name] = string(v)
	}
	return out
}
