package principal

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"usher/fault"
)

var tenantForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// reservedTenants are ids that nobody may register or claim. Programs write
// them where they have no tenant, mean all of them, or speak of themselves: a
// token that says so was made by mistake, and must not meet a tenant of that
// name. Words that installations do give to a tenant, such as default or test,
// are not among them.
var reservedTenants = map[string]bool{
	// no value, as languages and serializers write it
	"null": true, "nil": true, "none": true, "undefined": true, "undef": true, "void": true, "nan": true, "true": true, "false": true,
	// no value, as types without null have it: numbers and UUIDs
	"0": true, "00000000-0000-0000-0000-000000000000": true, "00000000000000000000000000000000": true,
	// no value, as people and data files write it
	"na": true, "n-a": true, "n_a": true, "missing": true, "empty": true, "blank": true, "unset": true, "not_set": true, "not-set": true,
	"unspecified": true, "invalid": true, "nothing": true,
	// no tenant, as applications write it
	"no_tenant": true, "no-tenant": true, "notenant": true, "no_tenants": true, "no-tenants": true, "notenants": true,
	"unknown": true, "anonymous": true, "guest": true, "nobody": true,
	// all of them
	"all": true, "any": true, "all_tenants": true, "all-tenants": true, "everyone": true, "everybody": true,
	"alltenants": true, "every": true, "anyone": true, "anybody": true, "global": true, "public": true,
	// no tenant's, but the operator's
	"system": true, "admin": true, "administrator": true, "root": true, "usher": true,
}

// IsTenantID tells whether a text has the form of a tenant's id. It is safe in
// names of databases and files, in URLs and in headers.
func IsTenantID(id string) bool { return tenantForm.MatchString(id) }

// CheckTenantID says why a text cannot become a tenant's id: it has another
// form, or is reserved.
func CheckTenantID(id string) error {
	switch {
	case !IsTenantID(id):
		return fmt.Errorf("%s is no tenant id; use a-z, 0-9, _ and -, at most 63, starting with a letter or digit", fault.Quote(id))
	case reservedTenants[id]:
		return fmt.Errorf("%q cannot be a tenant's id: programs write it where there is no tenant, or not only one", id)
	}
	return nil
}

// maxExternalID is how many characters an external id has at most.
const maxExternalID = 255

// CheckExternalID says why a text cannot be what an identity provider calls a
// tenant: it is no text that is written alike everywhere, or is reserved. Ids are
// compared as they are written.
func CheckExternalID(id string) error {
	switch {
	case id == "" || strings.TrimSpace(id) != id:
		return fmt.Errorf("%s cannot be an external id: it is empty, or begins or ends with a space", fault.Quote(id))
	case !utf8.ValidString(id) || utf8.RuneCountInString(id) > maxExternalID || strings.ContainsFunc(id, unprintable):
		return fmt.Errorf("an external id is one line of text of at most %d characters", maxExternalID)
	case reservedTenants[strings.ToLower(id)]:
		return fmt.Errorf("%q cannot be an external id: programs write it where there is no tenant, or not only one", id)
	}
	return nil
}

func unprintable(r rune) bool {
	return r == utf8.RuneError || unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
}
