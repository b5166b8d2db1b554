package tenancy

import "usher/principal"

// AccountKeys is what may be known of an account: which of its members are
// set, never to what.
type AccountKeys struct {
	Source string
	Set    []string // those of headers and properties as headers.name
}

// accountKeys describes accounts, by source.
func accountKeys(accounts map[string]principal.Account) []AccountKeys {
	var all []AccountKeys
	for _, source := range sortedKeys(accounts) {
		a := accounts[source]
		keys := AccountKeys{Source: source}
		for _, member := range []struct {
			name string
			set  bool
		}{
			{"host", a.Host != ""},
			{"port", a.Port != 0},
			{"database", a.Database != ""},
			{"schema", a.Schema != ""},
			{"user", a.User != ""},
			{"password", a.Password != ""},
			{"baseUrl", a.BaseURL != ""},
		} {
			if member.set {
				keys.Set = append(keys.Set, member.name)
			}
		}
		for _, name := range sortedKeys(a.Headers) {
			keys.Set = append(keys.Set, "headers."+name)
		}
		for _, name := range sortedKeys(a.Properties) {
			keys.Set = append(keys.Set, "properties."+name)
		}
		all = append(all, keys)
	}
	return all
}
