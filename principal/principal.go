// Package principal owns who is asking and what their token grants, as plain
// values without logic. It is a leaf so that the packages that make principals
// and those that use them need not know each other.
package principal

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"strings"
	"time"

	"usher/query"
)

// Principal is who is asking. Exactly one of Tenant and AllTenants is set; a
// principal with neither is refused wherever it is used.
type Principal struct {
	Subject    string  // who, within the issuer
	Name       string  // what people call them; told to plugins that ask for it, decides nothing
	Email      string  // likewise
	Issuer     string  // name of the issuer in the configuration; of the control store's own tokens: usher
	TokenID    string  // jti of a JWT, id of an embed token, service key or session; may be empty
	Kind       Kind    // what was shown
	Tenant     string  // tenant id
	TenantKey  string  // value in tenant columns; equals Tenant unless registered otherwise
	AllTenants bool    // the explicit right to the rows of all tenants
	Routing    Routing // how the registry says the tenant's data is reached
	Roles      []string
	RoleSpecs  map[string]string // of those roles that are its tenant's own, in JSON; they restrict what the others show
	Scopes     []Scope           // what it may do
	Acting     *Acting           // somebody acts as the tenant; nil: nobody does
	Grant      Grant
	Allowances []Allowance // what the token may use, beside its tenant; nothing is said of it when there are none
	Issued     time.Time   // at the earliest, for revocations; zero when the token does not say
	Expires    time.Time
}

// Routing is how a tenant's data is reached when the token does not say.
type Routing struct {
	Strategy   string             // empty: the default strategy
	Strategies map[string]string  // those of single datasets, by dataset
	Bindings   map[string]string  // names of those that datasets are read by, by dataset
	Accounts   map[string]Account // by source
	AllowHosts []string           // where accounts may lead, of what the sources allow; nil: to all of that
	Cell       string             // where the rows are in sources that have cells; empty: where those are themselves
	Share      Share              // how much of what tenants have in common is its; where nothing is said: as the configuration says
}

// Kind is a kind of token.
type Kind string

// The kinds. Those the control store makes are spelled as in a token's text.
const (
	JWT        Kind = "jwt" // of a trusted issuer
	EmbedToken Kind = "et"  // made for a browser
	ServiceKey Kind = "sk"  // of a backend
	Session    Kind = "st"  // of a user who logged in, or of who acts as a tenant
)

// Scope is what a token may be used for.
type Scope string

// The scopes.
const (
	CreateTokens Scope = "tokens:create" // mint embed tokens, at most as wide as itself
	ReadData     Scope = "data:read"     // query datasets
	WriteData    Scope = "data:write"    // change datasets
	ExportData   Scope = "data:export"   // take away whole datasets, beyond the bounds of an answer; beside ReadData
	Administer   Scope = "admin"         // the control plane: of its tenant, or of all with AllTenants
	Explain      Scope = "explain"       // be told how an answer came to be
)

// Acting is an administrator who acts as a tenant for a while.
type Acting struct {
	Subject string // who acts
	Reason  string
}

// Grant is what a token allows.
type Grant struct {
	Strategy   string                 // name of a strategy; empty: the tenant's or the default one
	Strategies map[string]string      // names of those of single datasets, by dataset
	Filters    []Filter               // all of them apply
	Parameters map[string]query.Value // by parameter name
	Cleared    []string               // parameters whose conditions do not apply
	Metadata   map[string]query.Value // told to upstreams that name it; no value is null
	Accounts   map[string]Account     // by source: whose account is used instead of the configured one
	Datasets   []string               // nil: every dataset the roles allow
	SavedOnly  bool                   // saved operations of the tenant only
	Dashboards []string               // nil: not restricted; else these dashboards only, and nothing else
	Timezone   string                 // IANA name; empty: UTC
}

// Account overrides parts of a source's account. Empty members keep what the
// source says. The first six are for databases, the others for upstream APIs.
type Account struct {
	Host     string
	Port     int
	Database string
	Schema   string
	User     string
	Password string // never logged, never returned

	BaseURL    string
	Headers    map[string]string // values may be secret: never logged, never returned
	Properties map[string]string // of a plugin; likewise
}

// Empty tells that the account overrides nothing.
func (a Account) Empty() bool {
	return a.Host == "" && a.Port == 0 && a.Database == "" && a.Schema == "" && a.User == "" && a.Password == "" &&
		a.BaseURL == "" && len(a.Headers) == 0 && len(a.Properties) == 0
}

// Bare is the account as it is kept of a tenant that is deleted: where it led, without what lets somebody
// in. What headers and properties say may lead elsewhere, too: their digests stand in their place.
func (a Account) Bare() Account {
	a.Password = ""
	a.Headers, a.Properties = digests(a.Headers), digests(a.Properties)
	return a
}

func digests(values map[string]string) map[string]string {
	out := maps.Clone(values)
	for name, value := range out {
		out[name] = Digest(value)
	}
	return out
}

const digestPrefix = "sha256:"

// Digest stands for a value that may be secret where values are only compared. That of a digest is itself.
func Digest(value string) string {
	if strings.HasPrefix(value, digestPrefix) {
		return value
	}
	sum := sha256.Sum256([]byte(value))
	return digestPrefix + hex.EncodeToString(sum[:])
}

// String hides the account: it holds secrets.
func (Account) String() string { return "(account)" }

// GoString hides the account.
func (Account) GoString() string { return "(account)" }

// Filter restricts one dataset: its rows in the language of where, its groups in
// that of having. At least one of the two is set.
type Filter struct {
	Dataset string
	Where   query.Value
	Having  query.Value
}
