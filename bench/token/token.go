// Package token owns the tokens of the benchmark: it makes them and verifies
// them as servers written by hand do, anew for every request.
package token

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Issuer and Audience are what every token names.
const (
	Issuer   = "usher-bench"
	Audience = "usher"
)

// Claims are what a token says.
type Claims struct {
	jwt.RegisteredClaims
	Tenant string  `json:"tenant"`
	Rights *Rights `json:"rights,omitempty"` // for servers written by hand

	Filters []any `json:"filters,omitempty"` // the same for usher
}

// Rights are conditions on the orders that a token shows.
type Rights struct {
	Regions []string `json:"regions"`
	Least   string   `json:"least"` // amount
}

func (r *Rights) filters() []any {
	if r == nil {
		return nil
	}
	return []any{map[string]any{"dataset": "orders", "where": map[string]any{
		"region": map[string]any{"in": r.Regions}, "amount": map[string]any{"gte": r.Least},
	}}}
}

// Sign makes a token of a tenant; without rights it shows all of the tenant's.
func Sign(secret []byte, tenant string, rights *Rights, now time.Time) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodHS256, Claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: Issuer, Audience: jwt.ClaimStrings{Audience}, Subject: "bench",
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(12 * time.Hour)),
		},
		Tenant: tenant, Rights: rights, Filters: rights.filters(),
	}).SignedString(secret)
}

// Verifier verifies the tokens of requests.
type Verifier struct {
	secret []byte
	parser *jwt.Parser
}

// NewVerifier makes a Verifier that knows one secret.
func NewVerifier(secret []byte) *Verifier {
	return &Verifier{secret: secret, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Name}),
		jwt.WithIssuer(Issuer), jwt.WithAudience(Audience), jwt.WithExpirationRequired(),
	)}
}

var errNoTenant = errors.New("the token names no tenant")

// Verify returns what the request's token says.
func (v *Verifier) Verify(r *http.Request) (c Claims, err error) {
	raw, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return c, errNoTenant
	}
	if _, err := v.parser.ParseWithClaims(raw, &c, func(*jwt.Token) (any, error) { return v.secret, nil }); err != nil {
		return c, err
	}
	if c.Tenant == "" {
		return c, errNoTenant
	}
	return c, nil
}
