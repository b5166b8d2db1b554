package plan

import (
	"cmp"
	"iter"
	"strings"
	"unique"

	"usher/catalog"
	"usher/principal"
)

// Target is where a reference's rows are: a source and the whole account of it
// that the principal uses. Equal targets are the same account, with the same
// session; whatever is shared between requests is shared within one target.
type Target struct {
	Source  string
	Kind    catalog.SourceKind
	Tenant  string // whose account or session it is; empty: the source's own, which all tenants share
	account unique.Handle[Account]
}

// Account is the account of a database, with its password. An API's is the
// source's, and the query's Override.
func (t Target) Account() Account {
	if t.account == (unique.Handle[Account]{}) {
		return Account{}
	}
	return t.account.Value()
}

// String names the source and the tenant and hides the account.
func (t Target) String() string { return t.Source + " of " + cmp.Or(t.Tenant, "all") }

// GoString hides the account.
func (t Target) GoString() string { return t.String() }

// Account is everything that tells one account of a database from another.
type Account struct {
	Host     string
	Port     int
	Database string
	Schema   string // of tables that name none
	User     string
	Foreign  bool // an override named the host: its address is judged before it is dialed
	Own      bool // another database or schema than the source's: its tables are compared with the catalog
	Role     string
	settings string                // name NUL value NUL, by name
	password unique.Handle[string] // a handle, so that no printed plan holds it
}

// Password is the account's password.
func (a Account) Password() string {
	if a.password == (unique.Handle[string]{}) {
		return ""
	}
	return a.password.Value()
}

// Settings are the settings of each transaction.
func (a Account) Settings() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for rest := a.settings; rest != ""; {
			var name, v string
			name, rest, _ = strings.Cut(rest, "\x00")
			v, rest, _ = strings.Cut(rest, "\x00")
			if !yield(name, v) {
				return
			}
		}
	}
}

// String hides the account: it holds a password.
func (Account) String() string { return "(account)" }

// GoString hides the account.
func (Account) GoString() string { return "(account)" }

// MarshalText hides the account.
func (Account) MarshalText() ([]byte, error) { return []byte("(account)"), nil }

// with is the account with what an override says put over it.
func (a Account) with(o principal.Account) Account {
	a.Foreign = a.Foreign || o.Host != ""
	a.Own = a.Own || o.Host != "" || o.Port != 0 || o.Database != "" || o.Schema != ""
	a.Host = cmp.Or(o.Host, a.Host)
	a.Port = cmp.Or(o.Port, a.Port)
	a.Database = cmp.Or(o.Database, a.Database)
	a.Schema = cmp.Or(o.Schema, a.Schema)
	a.User = cmp.Or(o.User, a.User)
	if o.Password != "" {
		a.password = unique.Make(o.Password)
	}
	return a
}
