package auth

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/query"
)

func TestProblemsOfSpecs(t *testing.T) {
	t.Parallel()
	k := private()
	pkcs8 := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(k.p256))}))
	f := func(change func(*IssuerSpec), want string) {
		t.Helper()
		spec := shop()
		change(&spec)
		_, err := New([]IssuerSpec{spec}, Options{Clock: fixedClock})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	asPEM := func(text string, algorithms ...string) func(*IssuerSpec) {
		return func(s *IssuerSpec) { s.Keys = KeysSpec{PEM: text}; s.Algorithms = algorithms }
	}
	secret := func(text string) func(*IssuerSpec) { return func(s *IssuerSpec) { s.Keys.Secret = text } }

	f(func(s *IssuerSpec) { s.Issuer = "" }, "issuers.shop.issuer: missing")
	f(func(s *IssuerSpec) { s.Audience = nil }, "issuers.shop.audience: missing")
	f(func(s *IssuerSpec) { s.Audience = []string{""} }, "issuers.shop.audience: missing or empty")
	f(func(s *IssuerSpec) { s.Algorithms = nil }, "issuers.shop.algorithms: missing")
	f(func(s *IssuerSpec) { s.Algorithms = []string{"none"} }, `issuers.shop.algorithms: "none" is not one of`)
	f(func(s *IssuerSpec) { s.Algorithms = []string{"None"} }, `issuers.shop.algorithms: "None" is not one of`)
	f(func(s *IssuerSpec) { s.Algorithms = []string{"hs256"} }, `issuers.shop.algorithms: "hs256" is not one of`)
	f(func(s *IssuerSpec) { s.Tenants = "any" }, `issuers.shop.tenants: "any" is neither`)
	f(func(s *IssuerSpec) { s.Tenants = "registered" }, "issuers.shop.tenants: there is no registry")
	f(func(s *IssuerSpec) { s.Tenants = "" }, "issuers.shop.tenants: there is no registry")
	f(func(s *IssuerSpec) { s.MaxLifetime = -1 }, "issuers.shop.max_lifetime: must be positive")
	f(func(s *IssuerSpec) { s.Leeway = 61 * time.Second }, "issuers.shop.leeway: must be from 0s to 1m0s")

	f(func(s *IssuerSpec) { s.Keys = KeysSpec{} }, "issuers.shop.keys: exactly one of")
	f(func(s *IssuerSpec) { s.Keys.PEM = publicPEM(k.rsa) }, "issuers.shop.keys: exactly one of")
	f(secret("short"), "issuers.shop.keys.secret: 5 bytes, at least 32")
	f(secret(strings.Repeat("k", 64)), "issuers.shop.keys.secret: only 1 different bytes")
	f(secret(strings.Repeat("your-256-bit-secret", 4)), "issuers.shop.keys.secret: this is a well-known sample")
	f(secret("a-string-secret-at-least-256-bits-long"+strings.Repeat("x", 30)), "issuers.shop.keys.secret: this is a well-known sample")
	f(secret("CHANGE-ME-kJ3v9xQ2mT7bZ5nR8wL1cY4hD6gF0sAeUuIiOoPpVvXxCcBbNnMm--"), "issuers.shop.keys.secret: this is a well-known sample")
	f(secret(publicPEM(k.rsa)), "issuers.shop.keys.secret: this is a PEM key")
	f(secret(shopSecret[:40]), "issuers.shop.keys.secret: HS512 needs a secret of at least 64 bytes, not 40")
	f(func(s *IssuerSpec) { s.Algorithms = []string{"HS256", "RS256"} }, "issuers.shop.keys: RS256 does not fit")
	f(asPEM(publicPEM(k.rsa), "RS256", "HS256"), "issuers.shop.keys: HS256 does not fit")
	f(asPEM(publicPEM(k.rsa), "ES256"), "issuers.shop.keys.pem: no key fits: a *rsa.PublicKey does not fit ES256")
	f(asPEM(publicPEM(k.p384), "ES256"), "issuers.shop.keys.pem: no key fits: a *ecdsa.PublicKey does not fit ES256")
	f(asPEM(publicPEM(k.rsa, k.ed), "RS256"), "issuers.shop.keys.pem: block 2, a ed25519.PublicKey, fits none")
	f(asPEM(publicPEM(k.rsa, k.otherRSA), "RS256"), "issuers.shop.keys.pem: 2 keys fit RS256")
	f(asPEM(pkcs8, "ES256"), "issuers.shop.keys.pem: block 1: PRIVATE KEY is not a public key")
	f(asPEM(publicPEM(k.rsa)+"tail", "RS256"), "issuers.shop.keys.pem: not PEM public keys and nothing else")
	f(asPEM("no key", "RS256"), "issuers.shop.keys.pem: not PEM")
	f(func(s *IssuerSpec) {
		s.Keys, s.Algorithms = KeysSpec{JWKSFile: "nowhere.json"}, []string{"RS256"}
	}, "issuers.shop.keys.jwks_file: open nowhere.json")
	for _, address := range []string{"http://idp.example/keys", "https://u:p@idp.example/keys", "file:///keys", "idp.example", "https://", ":"} {
		f(func(s *IssuerSpec) {
			s.Keys, s.Algorithms = KeysSpec{JWKSURL: address}, []string{"RS256"}
		}, "issuers.shop.keys.jwks_url: ")
	}

	f(func(s *IssuerSpec) { s.Claims.Tenant, s.Claims.AllTenants = Claim{}, Claim{} }, "issuers.shop.claims.tenant: missing")
	f(func(s *IssuerSpec) { s.Claims.Tenant.Pointer = "tenant" }, `issuers.shop.claims.tenant: "tenant" is not a JSON pointer`)
	f(func(s *IssuerSpec) { s.Claims.Tenant.Pointer = "/a~2b" }, `issuers.shop.claims.tenant: "/a~2b" is not a JSON pointer`)
	f(func(s *IssuerSpec) { s.Claims.Tenant.Default = query.Text("acme") }, "issuers.shop.claims.tenant: a default and claims.all_tenants exclude each other")
	f(func(s *IssuerSpec) { s.Claims.AllTenants.Default = query.Bool(true) }, "issuers.shop.claims.all_tenants: may not have a default")
	f(func(s *IssuerSpec) { s.Claims.Roles.Default = query.List{query.Text("admin")} }, "issuers.shop.claims.roles: the issuer may not grant this")
	f(func(s *IssuerSpec) { s.Claims.Roles.Default = query.Text("admin") }, "issuers.shop.claims.roles: ")
	f(func(s *IssuerSpec) { s.Claims.Roles.Default = query.Null{} }, "issuers.shop.claims.roles: ")
	f(func(s *IssuerSpec) { s.Claims.Timezone = Claim{Default: query.Text("Mars")} }, "issuers.shop.claims.timezone: ")
	f(func(s *IssuerSpec) {
		s.Claims.Strategy = Claim{Pointer: "/s", Required: true, Default: query.Text("shared")}
	}, "issuers.shop.claims.strategy: required and default exclude")
	f(func(s *IssuerSpec) { s.Claims.Strategy = Claim{Required: true} }, "issuers.shop.claims.strategy: required, but without a pointer")
}

func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	one, two := shop(), global()
	one.Audience = nil
	one.Claims.Tenant.Pointer = "tenant"
	one.Keys.Secret = "short"
	two.Issuer = one.Issuer
	two.Name = one.Name
	_, err := New([]IssuerSpec{one, two}, Options{})
	for _, want := range []string{"audience", "claims.tenant", "keys.secret", "the same as of issuers.shop", "name is used twice"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s in it", err, want)
		}
	}
	if err != nil && strings.Contains(err.Error(), globalSecret) {
		t.Error("the secret is printed")
	}
}

func TestWeakKeysAreRefused(t *testing.T) {
	t.Parallel()
	short := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 2046, 1), E: 65537}
	for _, key := range []any{short, nil, "text", []byte{}, []byte(strings.Repeat("k", 31)), &ecdsa.PrivateKey{}} {
		for _, alg := range []string{"HS256", "RS256", "PS512", "EdDSA", "none", ""} {
			if fits(alg, key) == nil {
				t.Errorf("%T fits %q", key, alg)
			}
		}
	}
}

func TestNoIssuersRefuseEveryToken(t *testing.T) {
	t.Parallel()
	v := verifier(t, Options{})
	if _, err := v.Verify(t.Context(), shopDraft().sign()); !errors.Is(err, ErrIssuer) {
		t.Error(err)
	}
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
