package tenancy

import (
	"context"
	"maps"

	"usher/principal"
)

// AccountKeys is what may be known of an account: which of its members are
// set, never to what.
type AccountKeys struct {
	Source string
	Set    []string // those of headers and properties as headers.name
}

// AccountsOf describes accounts, by source.
func AccountsOf(accounts map[string]principal.Account) []AccountKeys {
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

// SetTenantAccounts replaces the tenant's accounts.
func (s *Store) SetTenantAccounts(ctx context.Context, p principal.Principal, id string, accounts map[string]principal.Account) error {
	return s.setAccounts(ctx, p, act{operation: "setTenantAccounts", tenant: id}, checkAccounts(accounts), func(map[string]principal.Account) map[string]principal.Account {
		return accounts
	})
}

// SetTenantAccount replaces the tenant's account of one source: who changes that need
// not know what others say, which nobody is told.
func (s *Store) SetTenantAccount(ctx context.Context, p principal.Principal, id, source string, account principal.Account) error {
	a := act{operation: "setTenantAccount", tenant: id, detail: source}
	return s.setAccounts(ctx, p, a, checkNames("source", []string{source}), func(have map[string]principal.Account) map[string]principal.Account {
		accounts := maps.Clone(have)
		if accounts == nil {
			accounts = make(map[string]principal.Account, 1)
		}
		accounts[source] = account
		return accounts
	})
}

// RemoveTenantAccount removes the tenant's account of one source.
func (s *Store) RemoveTenantAccount(ctx context.Context, p principal.Principal, id, source string) error {
	a := act{operation: "removeTenantAccount", tenant: id, detail: source}
	return s.setAccounts(ctx, p, a, checkNames("source", []string{source}), func(have map[string]principal.Account) map[string]principal.Account {
		accounts := maps.Clone(have)
		delete(accounts, source)
		return accounts
	})
}

// setAccounts replaces accounts by what follows from those that there are, which are
// not changed: others may have the map.
func (s *Store) setAccounts(
	ctx context.Context, p principal.Principal, a act, problem error, follows func(have map[string]principal.Account) map[string]principal.Account,
) error {
	return s.setPlace(ctx, p, a, problem, func(r *principal.Routing) { r.Accounts = follows(r.Accounts) }, func(row *tenantRow) error {
		routing, err := s.routing(*row)
		if err != nil {
			return err
		}
		row.Accounts, err = s.sealer.sealAccounts(follows(routing.Accounts), accountRow(row.ID))
		return err
	})
}
