// Package principal owns who is asking and what their token grants, as plain
// values without logic. It is a leaf so that the packages that make principals
// and those that use them need not know each other.
package principal

import (
	"time"

	"usher/query"
)

// Principal is who is asking. Exactly one of Tenant and AllTenants is set; a
// principal with neither is refused wherever it is used.
type Principal struct {
	Subject    string // who, within the issuer
	Issuer     string // name of the issuer in the configuration
	TokenID    string // jti of the token, may be empty
	Tenant     string // tenant id
	TenantKey  string // value in tenant columns; equals Tenant unless registered otherwise
	AllTenants bool   // the explicit right to the rows of all tenants
	Roles      []string
	Grant      Grant
	Expires    time.Time
}

// Grant is what a token allows.
type Grant struct {
	Strategy   string                 // name of a strategy; empty: the tenant's or the default one
	Filters    []Filter               // all of them apply
	Parameters map[string]query.Value // by parameter name
	Metadata   map[string]string      // forwarded to upstreams by template only
	Datasets   []string               // nil: every dataset the roles allow
	Timezone   string                 // IANA name; empty: UTC
}

// Filter restricts one dataset, in the language of where.
type Filter struct {
	Dataset string
	Where   query.Value
}
