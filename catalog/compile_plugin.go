package catalog

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"usher/value"
)

// PluginSpec describes a broker plugin as it is registered with Luzmo.
type PluginSpec struct {
	ProtocolVersion       string   `yaml:"protocol_version"`
	Pushdown              bool     `yaml:"pushdown"`
	User                  []string `yaml:"user"` // what of who asks is sent beside the subject: name, email
	SupportsOrderLimit    bool     `yaml:"supports_order_limit"`
	SupportsLike          bool     `yaml:"supports_like"`
	SupportsDistinctCount bool     `yaml:"supports_distinctcount"`
	SupportsJoin          bool     `yaml:"supports_join"`
	SupportsSQL           bool     `yaml:"supports_sql"`
	ExactGroups           bool     `yaml:"exact_groups"` // equal values alone make a group, sums have all digits, times are cut in UTC
	SupportsNestedFilters bool     `yaml:"supports_nested_filters"`
}

// Plugin is how a broker plugin is asked. The flags of what it can do beyond
// these are accepted, and what they stand for is done by usher: no plugin's
// text patterns, groups or joins are sure to be byte for byte those of the
// other sources.
type Plugin struct {
	Secret     string            // sent as X-Secret
	Version    string            // of the protocol
	Properties map[string]string // templates; sent as X-Property-NAME
	Metadata   []string          // names of the grant's metadata that are forwarded
	Name       bool              // is told the name of who asks
	Email      bool              // is told the address of who asks
	Pushdown   bool              // takes columns and filters
	Groups     bool              // makes exact groups
	OrderLimit bool              // takes an order and a limit
}

// The protocols an API may speak.
const (
	restProtocol   = "rest"
	pluginProtocol = "plugin"
)

// pluginVersions are the versions of the protocol; from the third of them on
// datasets are asked for with POST.
var pluginVersions = []string{"1.0.0", "1.1.0", "2.0.0", "3.0.0"}

// leastPluginSecret is how long a plugin's secret must be.
const leastPluginSecret = 16

// pluginSource reads what is said of a plugin and tells whether the source is
// one. A plugin is always told the tenant.
func pluginSource(at place, spec SourceSpec, params map[string]ParameterSpec, out *APISpec) bool {
	switch cmp.Or(spec.Protocol, restProtocol) {
	case restProtocol:
		ofPlugins(at, spec)
		return false
	case pluginProtocol:
	default:
		at.in("protocol").problem("must be rest or plugin")
		return false
	}
	ofREST(at, spec)
	p := &Plugin{
		Secret: string(spec.Secret), Version: spec.Plugin.ProtocolVersion, Metadata: spec.Metadata,
		Properties: make(map[string]string, len(spec.Properties)), Pushdown: spec.Plugin.Pushdown,
		OrderLimit: spec.Plugin.Pushdown && spec.Plugin.SupportsOrderLimit,
	}
	switch {
	case p.Secret == "":
		at.in("secret").problem("is missing; the plugin knows by it who asks: {env: NAME}")
	case len(p.Secret) < leastPluginSecret || strings.TrimSpace(p.Secret) != p.Secret || strings.ContainsFunc(p.Secret, func(r rune) bool { return r < ' ' || r > '~' }):
		at.in("secret").problem("must be at least %d printable characters of ASCII, without a space at either end", leastPluginSecret)
	}
	for i, what := range spec.Plugin.User {
		switch {
		case slices.Contains(spec.Plugin.User[:i], what):
			at.in("plugin", "user").problem("names %s twice", what)
		case what == "name":
			p.Name = true
		case what == "email":
			p.Email = true
		default:
			at.in("plugin", "user").problem("holds %q; what can be sent beside the subject is name and email", what)
		}
	}
	if !slices.Contains(pluginVersions, p.Version) {
		at.in("plugin", "protocol_version").problem("must be one of %s, as the plugin is registered", strings.Join(pluginVersions, ", "))
	}
	if p.Groups = spec.Plugin.ExactGroups; p.Groups && !spec.Plugin.Pushdown {
		at.in("plugin", "exact_groups").problem("belongs to `pushdown: true`")
	}
	if spec.Plugin.SupportsOrderLimit && !spec.Plugin.Pushdown {
		at.in("plugin", "supports_order_limit").problem("belongs to `pushdown: true`")
	}
	templates(at.in("properties"), spec.Properties, params, p.Properties)
	seen := make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(p.Properties)) {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !headerName.MatchString(name):
			at.in("properties", name).problem("must be letters, digits and dashes; it becomes the header X-Property-%s", name)
		case seen[canonical]:
			at.in("properties", name).problem("is given twice; the names of headers ignore case")
		}
		seen[canonical] = true
	}
	for i, name := range p.Metadata {
		switch {
		case name == "":
			at.in("metadata").problem("holds an empty name")
		case name == "tenant" || name == "tenant_key":
			at.in("metadata").problem("%s is always forwarded, and is usher's to say", name)
		case slices.Contains(p.Metadata[:i], name):
			at.in("metadata").problem("names %s twice", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(out.Headers)) {
		if canonical := http.CanonicalHeaderKey(name); canonical == "X-Secret" || strings.HasPrefix(canonical, "X-Property-") {
			at.in("headers", name).problem("comes from `secret` and `properties`")
		}
	}
	out.Plugin = p
	return true
}

// ofPlugins refuses, for other APIs, what is said of plugins.
func ofPlugins(at place, spec SourceSpec) {
	refuse(at, "belongs to `protocol: plugin`", map[string]bool{
		"secret": spec.Secret != "", "properties": len(spec.Properties) > 0, "metadata": len(spec.Metadata) > 0,
		"plugin": !reflect.ValueOf(spec.Plugin).IsZero(),
	})
}

// ofREST refuses, for plugins, what the protocol settles.
func ofREST(at place, spec SourceSpec) {
	refuse(at, "is settled by `protocol: plugin`", map[string]bool{
		"query": len(spec.Query) > 0, "rows": spec.Rows != "", "pages": spec.Pages != (PagesSpec{}),
		"pushdown": !reflect.ValueOf(spec.Pushdown).IsZero(), "method": spec.Method != "", "idempotent": spec.Idempotent,
		"body": !reflect.ValueOf(spec.Body).IsZero(), "format": spec.Format != "", "csv": spec.CSV != (CSVSpec{}),
	})
}

// refuse reports those keys that are given.
func refuse(at place, why string, given map[string]bool) {
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if given[key] {
			at.in(key).problem("%s", why)
		}
	}
}

// pluginBinding says which of a plugin's datasets holds a dataset's rows. Like
// a table, one that only the default name leads to may be missing.
func (c *compiler) pluginBinding(d *draft, source string) (refused bool) {
	spec, given := d.spec.Bind[source]
	at := d.at.in("bind", source)
	b := idBinding(at, source, d.storedName(), spec)
	id := b.Path
	tables, asked := c.tables[source]
	t, found := tables[id]
	switch {
	case found:
		d.found[source] = t
	case asked && given:
		at.problem("the plugin has no dataset %q", id)
		return true
	case asked:
		d.at.note("%s has no dataset %q, so it does not serve this one; name another under `bind`", source, id)
		return false
	}
	d.Bindings[source] = b
	return false
}

func idBinding(at place, source, dataset string, spec BindingSpec) *Binding {
	if spec.Schema != "" || spec.Table != "" || spec.Path != "" || spec.Rows != "" {
		at.problem("%s is a plugin; write `dataset`, the id of its dataset", source)
	}
	return &Binding{Path: cmp.Or(spec.Dataset, dataset)}
}

// PluginType is what a column of a plugin is served as unless it is declared
// otherwise; false for types that are none of the protocol's.
func PluginType(name, subtype string) (value.Type, bool) {
	switch {
	case name == "hierarchy":
		return value.Of(value.String), true
	case name == "numeric":
		return value.Of(value.Float), true
	case name == "datetime" && subtype == "date":
		return value.Of(value.Date), true
	case name == "datetime":
		return value.Of(value.Timestamp), true
	}
	return value.Type{}, false
}

// pluginDiffers says how a plugin's column cannot be what the dataset
// promises, or "". The protocol has three types, so a declared one may say
// more than the plugin does.
func pluginDiffers(t value.Type, tc TableColumn) string {
	fits := true
	switch tc.Native {
	case "numeric":
		fits = t.Numeric() || t.Scalar == value.Boolean || t.Scalar == value.ID
	case "datetime":
		fits = t.Scalar == value.Date || t.Scalar == value.Timestamp || t.Scalar == value.LocalTimestamp
	}
	if !fits || t.List && tc.Native != "hierarchy" {
		return fmt.Sprintf("it is %s, not %s", tc.Native, t.GraphQL())
	}
	return ""
}
