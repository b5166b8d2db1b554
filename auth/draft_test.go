package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func fixedClock() time.Time { return now }

// clock is a clock that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: now} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

const (
	shopSecret   = "kJ3v9xQ2mT7bZ5nR8wL1cY4hD6gF0sAeUuIiOoPpVvXxCcBbNnMmWwEeRrTt--12"
	globalSecret = "pA8sD1fG5hJ2kL7zX4cV9bN3mQ6wE0rTyUiOpLkJhGfDsAzXcVbNmQwErTyU__34"
)

// private holds a key of each kind; making them is slow, so it happens once.
var private = sync.OnceValue(func() (k struct {
	rsa, otherRSA *rsa.PrivateKey
	p256, p384    *ecdsa.PrivateKey
	ed            ed25519.PrivateKey
},
) {
	k.rsa = must(rsa.GenerateKey(rand.Reader, 2048))
	k.otherRSA = must(rsa.GenerateKey(rand.Reader, 2048))
	k.p256 = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	k.p384 = must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	_, k.ed, _ = ed25519.GenerateKey(rand.Reader)
	return k
})

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func publicPEM(keys ...crypto.Signer) string {
	var text string
	for _, key := range keys {
		der := must(x509.MarshalPKIXPublicKey(key.Public()))
		text += string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	return text
}

// shop signs with a secret and maps every claim.
func shop() IssuerSpec {
	return IssuerSpec{
		Name:       "shop",
		Issuer:     "https://shop.example",
		Audience:   []string{"usher", "reports"},
		Algorithms: []string{"HS256", "HS512"},
		Keys:       KeysSpec{Secret: shopSecret},
		Tenants:    "trusted",
		Claims: ClaimsSpec{
			Tenant:     Claim{Pointer: "/tenant"},
			AllTenants: Claim{Pointer: "/all_tenants"},
			Roles:      Claim{Pointer: "/access/roles"},
			Strategy:   Claim{Pointer: "/strategy"},
			Filters:    Claim{Pointer: "/filters"},
			Parameters: Claim{Pointer: "/parameters"},
			Clear:      Claim{Pointer: "/clear"},
			Metadata:   Claim{Pointer: "/metadata"},
			Accounts:   Claim{Pointer: "/accounts"},
			Datasets:   Claim{Pointer: "/datasets"},
			Timezone:   Claim{Pointer: "/zoneinfo"},
		},
		MayGrant: MayGrant{
			Roles:      []string{"viewer", "editor"},
			Strategies: []string{"shared"},
			Parameters: []string{"region"},
			Clear:      []string{"year"},
			Metadata:   []string{"team"},
			Accounts:   []string{"silo"},
		},
	}
}

// global may speak for all tenants.
func global() IssuerSpec {
	return IssuerSpec{
		Name:       "global",
		Issuer:     "https://global.example",
		Audience:   []string{"usher"},
		Algorithms: []string{"HS256"},
		Keys:       KeysSpec{Secret: globalSecret},
		Tenants:    "trusted",
		Claims:     ClaimsSpec{Tenant: Claim{Pointer: "/tenant"}, AllTenants: Claim{Pointer: "/all_tenants"}},
		MayGrant:   MayGrant{AllTenants: true},
	}
}

// idp signs with public keys of three kinds and may grant one tenant.
func idp() IssuerSpec {
	return IssuerSpec{
		Name:       "idp",
		Issuer:     "https://idp.example",
		Audience:   []string{"usher"},
		Algorithms: []string{"RS256", "PS256", "ES256", "EdDSA"},
		Keys:       KeysSpec{PEM: publicPEM(private().rsa, private().p256, private().ed)},
		Tenants:    "trusted",
		Claims:     ClaimsSpec{Tenant: Claim{Pointer: "/tenant"}},
	}
}

func verifier(t testing.TB, opts Options, specs ...IssuerSpec) *Verifier {
	t.Helper()
	if opts.Clock == nil {
		opts.Clock = fixedClock
	}
	v, err := New(specs, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

// draft is a token before it is signed. A case starts from a valid one and
// changes one thing.
type draft struct {
	header     map[string]any
	claims     map[string]any
	headerText string // instead of header
	claimsText string // instead of claims
	method     jwt.SigningMethod
	key        any
	edit       func(signed string) string // after signing
}

func shopDraft() *draft {
	return &draft{
		header: map[string]any{"alg": "HS256", "typ": "JWT"},
		claims: map[string]any{
			"iss": "https://shop.example", "aud": "usher", "sub": "alice", "jti": "t-1", "tenant": "acme",
			"exp": now.Add(time.Hour).Unix(), "iat": now.Unix(), "nbf": now.Unix(),
		},
		method: jwt.SigningMethodHS256,
		key:    []byte(shopSecret),
	}
}

func globalDraft() *draft {
	d := shopDraft()
	d.claims["iss"] = "https://global.example"
	d.key = []byte(globalSecret)
	return d
}

func idpDraft(method jwt.SigningMethod, key any) *draft {
	d := shopDraft()
	d.claims["iss"] = "https://idp.example"
	return d.signedWith(method, key)
}

func (d *draft) signedWith(method jwt.SigningMethod, key any) *draft {
	d.header["alg"] = method.Alg()
	d.method, d.key = method, key
	return d
}

// with adds claims to the valid ones.
func (d *draft) with(claims map[string]any) *draft {
	maps.Copy(d.claims, claims)
	return d
}

func (d *draft) sign() string {
	header, claims := d.headerText, d.claimsText
	if header == "" {
		header = string(must(json.Marshal(d.header)))
	}
	if claims == "" {
		claims = string(must(json.Marshal(d.claims)))
	}
	signed := encode(header) + "." + encode(claims)
	token := signed + "." + encode(string(must(d.method.Sign(signed, d.key))))
	if d.edit != nil {
		token = d.edit(token)
	}
	return token
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func bearerRequest(values ...string) *http.Request {
	r := must(http.NewRequest(http.MethodPost, "http://usher.example/graphql", nil))
	for _, value := range values {
		r.Header.Add("Authorization", value)
	}
	return r
}
