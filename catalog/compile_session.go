package catalog

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// settingName is a setting that means nothing to the database itself: those of
// its own have no dot, and could lift what the session may do.
var settingName = regexp.MustCompile(`^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)+$`)

// NoRole is the name that PostgreSQL takes for no role at all.
const NoRole = "none"

// session reads what a database is told at the start of each transaction.
func session(at place, spec SessionSpec) Session {
	out := Session{Role: spec.Role}
	switch {
	case strings.ContainsAny(strings.ReplaceAll(spec.Role, "{tenant}", ""), "{}"):
		at.in("role").problem("knows the placeholder {tenant} only")
	case spec.Role == NoRole:
		at.in("role").problem("none is no role but the way back to the login's own rights")
	case len(spec.Role) > MaxName:
		at.in("role").problem("has more than %d bytes", MaxName)
	case strings.ContainsFunc(spec.Role, func(r rune) bool { return r < ' ' || r == 0x7f }):
		at.in("role").problem("holds a control character")
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Settings)) {
		value := spec.Settings[name]
		if !settingName.MatchString(name) || len(name) > MaxName {
			at.in("settings", name).problem("must be a name with a dot, such as usher.tenant; settings of the database itself cannot be changed here")
		}
		rest := strings.ReplaceAll(strings.ReplaceAll(value, "{tenant}", ""), "{tenant_key}", "")
		if strings.ContainsAny(rest, "{}\x00") {
			at.in("settings", name).problem("knows the placeholders {tenant} and {tenant_key} only")
		}
		out.Settings = append(out.Settings, Setting{name, value})
	}
	return out
}

// Empty tells that the database is told nothing.
func (s Session) Empty() bool { return s.Role == "" && len(s.Settings) == 0 }

// NamesTenant tells whether the session is another for each tenant.
func (s Session) NamesTenant() bool {
	return strings.Contains(s.Role, "{tenant}") ||
		slices.ContainsFunc(s.Settings, func(s Setting) bool { return strings.Contains(s.Value, "{tenant") })
}

// ForTenant is the session of one tenant.
func (s Session) ForTenant(id, key string) Session {
	out := Session{Role: named(s.Role, id)}
	put := strings.NewReplacer("{tenant}", id, "{tenant_key}", key)
	for _, setting := range s.Settings {
		out.Settings = append(out.Settings, Setting{setting.Name, put.Replace(setting.Value)})
	}
	return out
}
