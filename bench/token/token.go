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

type claims struct {
	jwt.RegisteredClaims
	Tenant string `json:"tenant"`
}

// Sign makes the token of a tenant.
func Sign(secret []byte, tenant string, now time.Time) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: Issuer, Audience: jwt.ClaimStrings{Audience}, Subject: "bench",
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(12 * time.Hour)),
		},
		Tenant: tenant,
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

// Tenant returns the tenant that the request's token names.
func (v *Verifier) Tenant(r *http.Request) (string, error) {
	raw, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return "", errNoTenant
	}
	var c claims
	if _, err := v.parser.ParseWithClaims(raw, &c, func(*jwt.Token) (any, error) { return v.secret, nil }); err != nil {
		return "", err
	}
	if c.Tenant == "" {
		return "", errNoTenant
	}
	return c.Tenant, nil
}
