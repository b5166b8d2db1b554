package auth

import (
	"fmt"
	"slices"
	"time"

	"usher/query"
)

// IssuerSpec is a trusted issuer as it is configured under issuers.<name>.
type IssuerSpec struct {
	Name       string     `yaml:"-"`          // the key in issuers
	Issuer     string     `yaml:"issuer"`     // the exact iss
	Audience   []string   `yaml:"audience"`   // aud must have one of them
	Algorithms []string   `yaml:"algorithms"` // allow-list; no default
	Keys       KeysSpec   `yaml:"keys"`       // exactly one of its members
	Claims     ClaimsSpec `yaml:"claims"`     // where the grant stands
	MayGrant   MayGrant   `yaml:"may_grant"`  // how far it may go
	Tenants    string     `yaml:"tenants"`    // registered (default) or trusted
	// Confidential says that nobody but backends ever holds its tokens, so that
	// they may carry credentials and URLs.
	Confidential bool          `yaml:"confidential"`
	MaxLifetime  time.Duration `yaml:"max_lifetime"` // default 24h
	Leeway       time.Duration `yaml:"leeway"`       // default 30s, at most 60s
}

// KeysSpec says where an issuer's keys are. Secret and PEM are the texts
// themselves: references to the environment or to files are resolved before.
type KeysSpec struct {
	Secret   string `yaml:"secret"`    // for HS256, HS384 and HS512 alone
	PEM      string `yaml:"pem"`       // one or more public keys, one for each algorithm
	JWKSFile string `yaml:"jwks_file"` // read when the configuration is
	JWKSURL  string `yaml:"jwks_url"`  // https, or http on this machine
}

// ClaimsSpec maps claims to parts of a principal. A part without a pointer or
// a default is not read; tenant or all_tenants must be mapped.
type ClaimsSpec struct {
	Tenant     Claim `yaml:"tenant"`
	AllTenants Claim `yaml:"all_tenants"` // the literal true, instead of a tenant
	Roles      Claim `yaml:"roles"`       // list of names
	Strategy   Claim `yaml:"strategy"`
	Strategies Claim `yaml:"strategies"` // object: strategies of single datasets, by dataset
	Filters    Claim `yaml:"filters"`    // list of {dataset, where}
	Parameters Claim `yaml:"parameters"` // object: scalars and lists of scalars
	Clear      Claim `yaml:"clear"`      // list of parameters
	Metadata   Claim `yaml:"metadata"`   // object: any JSON but null
	Accounts   Claim `yaml:"accounts"`   // object: by source, {host, port, database, …}
	Datasets   Claim `yaml:"datasets"`   // list of names
	Dashboards Claim `yaml:"dashboards"` // list of names
	Timezone   Claim `yaml:"timezone"`   // IANA name
	Subject    Claim `yaml:"subject"`    // pointer defaults to /sub
	Name       Claim `yaml:"name"`       // what people call the subject
	Email      Claim `yaml:"email"`      // of the subject
}

// Claim says where one part stands in the claims. In YAML it may be written as
// the pointer alone: `tenant: /tenant` is `tenant: {pointer: /tenant}`.
type Claim struct {
	Pointer  string      `yaml:"pointer"`  // JSON pointer (RFC 6901) through objects
	Required bool        `yaml:"required"` // refuse tokens without it
	Default  query.Value `yaml:"default"`  // used when the token has none
	Map      string      `yaml:"map"`      // of the tenant: how its id follows; empty: it is the id
}

// MapRegistry finds a tenant by an external id in its record.
const MapRegistry = "registry"

// UnmarshalYAML reads both forms of a claim.
func (c *Claim) UnmarshalYAML(unmarshal func(any) error) error {
	var pointer string
	if err := unmarshal(&pointer); err == nil {
		*c = Claim{Pointer: pointer}
		return nil
	}
	type plain Claim
	return unmarshal((*plain)(c))
}

// MayGrant caps what the tokens of an issuer may grant beyond one tenant. The
// zero value grants nothing; a token that asks for more is refused as a whole.
// Filters need no permission, for they only take away.
type MayGrant struct {
	Roles      []string `yaml:"roles"`
	Strategies []string `yaml:"strategies"`
	Parameters []string `yaml:"parameters"`
	Clear      []string `yaml:"clear"` // parameters whose conditions they may clear
	Metadata   []string `yaml:"metadata"`
	Accounts   []string `yaml:"accounts"` // sources whose account they may choose
	Datasets   []string `yaml:"datasets"` // the only datasets of its tokens; empty: no such cap
	AllTenants bool     `yaml:"all_tenants"`
	Explain    bool     `yaml:"explain"` // all its tokens may be told how an answer came to be
	Write      bool     `yaml:"write"`   // all its tokens may change what their roles let them
	Export     bool     `yaml:"export"`  // all its tokens may export
}

func (m MayGrant) clone() MayGrant {
	m.Roles = slices.Clone(m.Roles)
	m.Strategies = slices.Clone(m.Strategies)
	m.Parameters = slices.Clone(m.Parameters)
	m.Clear = slices.Clone(m.Clear)
	m.Metadata = slices.Clone(m.Metadata)
	m.Accounts = slices.Clone(m.Accounts)
	m.Datasets = slices.Clone(m.Datasets)
	return m
}

const (
	defaultLifetime = 24 * time.Hour
	defaultLeeway   = 30 * time.Second
	maxLeeway       = time.Minute
)

func (s IssuerSpec) maxLifetime() time.Duration {
	if s.MaxLifetime == 0 {
		return defaultLifetime
	}
	return s.MaxLifetime
}

func (s IssuerSpec) leeway() time.Duration {
	if s.Leeway == 0 {
		return defaultLeeway
	}
	return s.Leeway
}

func (s IssuerSpec) registered() bool { return s.Tenants != "trusted" }

// checkSpecs reports all that can be said about the issuers without reading
// their keys and pointers.
func checkSpecs(specs []IssuerSpec, registry bool) []error {
	var problems []error
	byIssuer := map[string]string{}
	names := map[string]bool{}
	for _, s := range specs {
		for _, err := range s.problems(registry) {
			problems = append(problems, fmt.Errorf("issuers.%s.%w", s.Name, err))
		}
		if names[s.Name] {
			problems = append(problems, fmt.Errorf("issuers.%s: the name is used twice", s.Name))
		}
		names[s.Name] = true
		if other, ok := byIssuer[s.Issuer]; ok && s.Issuer != "" {
			problems = append(problems, fmt.Errorf("issuers.%s.issuer: the same as of issuers.%s; a token names its issuer, so each must differ", s.Name, other))
		}
		byIssuer[s.Issuer] = s.Name
	}
	return problems
}

// problems begin with the key they are about.
func (s IssuerSpec) problems(registry bool) []error {
	var found []error
	add := func(format string, args ...any) { found = append(found, fmt.Errorf(format, args...)) }
	if s.Issuer == "" {
		add("issuer: missing; give the exact iss of its tokens")
	}
	if len(s.Audience) == 0 || slices.Contains(s.Audience, "") {
		add("audience: missing or empty; name what the tokens are issued for")
	}
	if len(s.Algorithms) == 0 {
		add("algorithms: missing; list the algorithms its keys sign with, such as RS256")
	}
	for _, alg := range s.Algorithms {
		if !supported(alg) {
			add("algorithms: %q is not one of HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA", alg)
		}
	}
	switch s.Tenants {
	case "trusted":
	case "", "registered":
		if !registry {
			add("tenants: there is no registry of tenants; write `tenants: trusted` to accept every well-formed tenant id of this issuer")
		}
	default:
		add("tenants: %q is neither registered nor trusted", s.Tenants)
	}
	if s.Tenants == "trusted" && s.Claims.Tenant.Map != "" {
		add("tenants: external ids are looked up in the registry, so `trusted` has no meaning beside `claims.tenant.map`")
	}
	if s.MaxLifetime < 0 {
		add("max_lifetime: must be positive")
	}
	if s.Leeway < 0 || s.Leeway > maxLeeway {
		add("leeway: must be from 0s to %s", maxLeeway)
	}
	return found
}
