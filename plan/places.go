package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"usher/catalog"
	"usher/principal"
)

// Place is where a tenant's rows of a dataset are read, whatever its token's
// strategy is.
type Place struct {
	Dataset string
	Source  string
	Where   string // equal for equal places; a hash, since logins are part of it
	Alone   bool   // that it is the tenant's own is all that keeps its rows apart
}

// Places are all places that a tenant's rows are read from, those that its
// tokens cannot reach left out. A principal without a tenant stands for whoever
// has no record: of it there are the places that are no template's.
func Places(cat *catalog.Catalog, p principal.Principal) []Place { return placesOf(cat, p, false) }

// OwnPlaces are those of Places that can be the tenant's alone. Of a source that is one and the same
// for all who have no account of it nothing is looked up: a record that says nothing costs
// nothing, however many datasets there are.
func OwnPlaces(cat *catalog.Catalog, p principal.Principal) []Place { return placesOf(cat, p, true) }

func placesOf(cat *catalog.Catalog, p principal.Principal, own bool) []Place {
	var ways []*builder // a strategy each
	for _, name := range slices.Sorted(maps.Keys(cat.Strategies)) {
		ways = append(ways, &builder{cat: cat, p: p, strategy: cat.Strategies[name]})
	}
	var out []Place
	seen := make(map[Place]bool)
	for _, d := range cat.Datasets {
		if d.Common {
			continue
		}
		for _, b := range ways {
			if own && b.everybodys(d) {
				continue
			}
			for _, at := range b.placed(d) {
				if !seen[at] {
					seen[at] = true
					out = append(out, at)
				}
			}
		}
	}
	return out
}

// everybodys tells that the dataset is read from where a principal without a record reads it:
// neither a record nor a name of the tenant's leads elsewhere.
func (b *builder) everybodys(d *catalog.Dataset) bool {
	name, binding := b.place(d)
	source := b.cat.Sources[name]
	if source == nil || binding == nil {
		return false
	}
	if source.Template || source.Kind == catalog.API || source.Postgres.Session.NamesTenant() {
		return false
	}
	return binding == d.Bindings[name] && len(b.own(name)) == 0 && (b.p.Routing.Cell == "" || len(source.Postgres.Cells) == 0)
}

// placed are the places of a dataset: one for each host of a source that has
// several, for they hold the same.
func (b *builder) placed(d *catalog.Dataset) []Place {
	name, binding := b.place(d)
	source := b.cat.Sources[name]
	if source == nil || binding == nil || b.tenant() == "" && source.Template {
		return nil
	}
	t, binding, err := b.target(d)
	if err != nil {
		return nil
	}
	scope, byColumn, err := b.confine(d, t, binding)
	if err != nil {
		return nil
	}
	at := Place{Dataset: d.Name, Source: name, Alone: scope == ByOwnSource}
	var where []string
	switch source.Kind {
	case catalog.API:
		told := b.told(fmt.Sprintf("%q %q %q", binding.Path, b.effective(source), source.API.Query))
		where = append(where, fmt.Sprintf("api %q %s", sameURL(b.baseURL(source)), told))
		at.Alone = at.Alone || scope == ByUpstream && !byColumn && !source.API.Told(binding.Path, b.replaced(source))
	case catalog.DuckDB:
		where = append(where, sameTable(source, binding, t, b.tenant()))
	case catalog.Postgres:
		schema, err := b.schemaOf(binding, t)
		if err != nil {
			return nil
		}
		a := t.Account()
		servers, err := catalog.Servers(a.Host, a.Port)
		if err != nil {
			return nil
		}
		for _, s := range servers {
			where = append(where, fmt.Sprintf("postgres %q %d %q %q %q %q %q %q", sameHost(s.Host), s.Port, a.Database, a.User, a.Role, a.settings, schema, binding.Table))
		}
	}
	out := make([]Place, len(where))
	for i, text := range where {
		sum := sha256.Sum256([]byte(text))
		out[i] = at
		out[i].Where = hex.EncodeToString(sum[:])
	}
	return out
}

// baseURL is where an API is for this principal.
func (b *builder) baseURL(source *catalog.Source) string {
	base := source.API.BaseURL
	for _, own := range b.own(source.Name) {
		base = cmp.Or(own.BaseURL, base)
	}
	return base
}

// override is the principal's part of the account of one API.
func (b *builder) override(source string) Override {
	var o Override
	for _, own := range b.own(source) {
		o = o.with(own)
	}
	return o
}

// replaced tells of which headers the account says something else.
func (b *builder) replaced(source *catalog.Source) func(name string) bool {
	o := b.override(source.Name)
	return func(name string) bool {
		_, own := o.Header(name)
		return own
	}
}

// told is what an API is told of the tenant, in the place of the templates that
// say it: another tenant's account may say the same outright.
func (b *builder) told(text string) string {
	if b.tenant() == "" {
		return text
	}
	return strings.NewReplacer("{tenant}", b.tenant(), "{tenant_key}", b.tenantKey()).Replace(text)
}

// effective are the headers of the calls for this principal, by the digests of what they say: of a tenant
// that is deleted no more is kept.
func (b *builder) effective(source *catalog.Source) map[string]string {
	o := b.override(source.Name)
	out := make(map[string]string)
	for name, text := range source.API.Headers {
		out[http.CanonicalHeaderKey(name)] = principal.Digest(b.told(text))
	}
	if source.API.Plugin != nil {
		for name, text := range source.API.Plugin.Properties {
			out["property "+strings.ToLower(name)] = principal.Digest(b.told(text))
		}
	}
	for name, text := range o.Headers() {
		out[textproto.CanonicalMIMEHeaderKey(name)] = principal.Digest(text)
	}
	for name, text := range o.Properties() {
		out["property "+strings.ToLower(name)] = principal.Digest(text)
	}
	return out
}

// sameTable is a table of a file. Names in DuckDB ignore case, and several paths
// may lead to one file.
func sameTable(source *catalog.Source, binding *catalog.Binding, t Target, tenant string) string {
	spec := source.DuckDB
	if source.Template {
		spec = spec.ForTenant(tenant)
	}
	if file := spec.Files[binding.Table]; file != "" {
		return fmt.Sprintf("file %q", sameFile(file))
	}
	schema := cmp.Or(SchemaOf(source, binding, t), "main")
	return fmt.Sprintf("duckdb %q %q %q", sameFile(spec.Path), strings.ToLower(schema), strings.ToLower(binding.Table))
}

func sameFile(name string) string {
	if full, err := filepath.Abs(name); err == nil {
		name = full
	}
	if real, err := filepath.EvalSymlinks(name); err == nil {
		return real
	}
	// A file that is still to come stands in a folder that may be there.
	if real, err := filepath.EvalSymlinks(filepath.Dir(name)); err == nil {
		return filepath.Join(real, filepath.Base(name))
	}
	return filepath.Clean(name)
}

// sameHost is one spelling of a host: in lower case, without the dot of the
// root, addresses as they are written shortest, and this machine as one.
func sameHost(host string) string {
	if strings.HasPrefix(host, "/") {
		return filepath.Clean(host) // a socket
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()
		if ip.IsLoopback() {
			return "localhost"
		}
		return ip.String()
	}
	return host
}

var defaultPorts = map[string]string{"http": "80", "https": "443"}

// sameURL is one spelling of a base URL.
func sameURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	scheme := strings.ToLower(u.Scheme)
	return scheme + "://" + sameHost(u.Hostname()) + ":" + cmp.Or(u.Port(), defaultPorts[scheme]) + path.Clean("/"+u.EscapedPath())
}
