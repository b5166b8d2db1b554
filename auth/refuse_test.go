package auth

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"usher/fault"
	"usher/principal"
)

// written replaces the claims by the valid ones with members written after them,
// as they stand: the way to write what a map cannot hold.
func written(members string) func(*draft) {
	return func(d *draft) {
		valid := string(must(json.Marshal(d.claims)))
		d.claimsText = strings.TrimSuffix(valid, "}") + "," + members + "}"
	}
}

func claimed(name string, value any) func(*draft) {
	return func(d *draft) { d.claims[name] = value }
}

func without(name string) func(*draft) { return func(d *draft) { delete(d.claims, name) } }

func header(name string, value any) func(*draft) {
	return func(d *draft) { d.header[name] = value }
}

func headerAs(text string) func(*draft) { return func(d *draft) { d.headerText = text } }

func edited(edit func(string) string) func(*draft) { return func(d *draft) { d.edit = edit } }

func unsigned(alg string) func(*draft) {
	return func(d *draft) {
		d.header["alg"] = alg
		d.edit = func(s string) string { return s[:strings.LastIndex(s, ".")+1] }
	}
}

func in(d time.Duration) int64 { return now.Add(d).Unix() }

// refusals are changes to a valid token of shop that make it unacceptable.
var refusals = []struct {
	name   string
	change func(*draft)
	want   error
}{
	// Form
	{"8 KiB and more", claimed("pad", strings.Repeat("x", maxToken)), ErrSize},
	{"a million dots", edited(func(string) string { return strings.Repeat(".", 1_000_000) }), ErrSize},
	{"thousand dots", edited(func(string) string { return strings.Repeat(".", 1000) }), ErrForm},
	{"two parts", edited(func(s string) string { return s[:strings.LastIndex(s, ".")] }), ErrForm},
	{"four parts", edited(func(s string) string { return s + ".x" }), ErrForm},
	{"five parts, an encrypted token", edited(func(s string) string { return s + ".x.y" }), ErrForm},
	{"empty", edited(func(string) string { return "" }), ErrForm},
	{"empty parts", edited(func(string) string { return ".." }), ErrJSON},
	{"padding", edited(func(s string) string { return s + "=" }), ErrForm},
	{"line end inside", edited(func(s string) string { return s[:5] + "\n" + s[5:] }), ErrForm},
	{"standard base64 alphabet", edited(func(s string) string { return s[:len(s)-2] + "+/" }), ErrForm},
	{"loose last bits", edited(func(s string) string { return s[:len(s)-1] + next(s[len(s)-1]) }), ErrForm},
	{"header is not JSON", headerAs(`{"alg":"HS256"`), ErrJSON},
	{"header is a list", headerAs(`["HS256"]`), ErrJSON},
	{"claims are null", func(d *draft) { d.claimsText = "null" }, ErrJSON},
	{"two JSON texts", func(d *draft) { d.claimsText = string(must(json.Marshal(d.claims))) + "{}" }, ErrJSON},
	{"trailing comma", written(`"a":1,`), ErrJSON},
	{"not UTF-8", written("\"a\":\"\xff\""), ErrJSON},
	{"half a surrogate pair", written(`"a":"\ud800"`), ErrJSON},
	{"deep", written(`"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40)), ErrJSON},
	{"NaN", written(`"a":NaN`), ErrJSON},

	// Names
	{"tenant twice", written(`"tenant":"globex"`), ErrDuplicateClaim},
	{"tenant twice, escaped", written(`"t\u0065nant":"globex"`), ErrDuplicateClaim},
	{"exp twice", written(`"exp":9999999999`), ErrDuplicateClaim},
	{"twice, deep inside", written(`"x":[{"y":{"a":1,"a":1}}]`), ErrDuplicateClaim},
	{"alg twice", headerAs(`{"alg":"none","alg":"HS256"}`), ErrDuplicateClaim},
	{"Tenant beside tenant", written(`"Tenant":"globex"`), ErrClaimCase},
	{"TENANT instead of tenant", func(d *draft) { delete(d.claims, "tenant"); d.claims["TENANT"] = "acme" }, ErrClaimCase},
	{"Exp", claimed("Exp", in(time.Hour)), ErrClaimCase},
	{"long s in iss", claimed("i\u017fs", "https://shop.example"), ErrClaimCase},
	{"Alg", headerAs(`{"alg":"HS256","Alg":"none"}`), ErrClaimCase},
	{"Crit", header("Crit", []string{"x"}), ErrClaimCase},
	{"Roles in the namespace", claimed("access", map[string]any{"roles": []string{}, "Roles": []string{"editor"}}), ErrClaimCase},
	{"Access, the namespace", claimed("Access", map[string]any{"roles": []string{"viewer"}}), ErrClaimCase},

	// Header
	{"crit", header("crit", []string{"exp"}), ErrCritical},
	{"b64", header("b64", false), ErrCritical},
	{"zip", header("zip", "DEF"), ErrCritical},
	{"enc", header("enc", "A256GCM"), ErrCritical},
	{"jku", header("jku", "https://evil.example/keys"), ErrEmbeddedKey},
	{"jwk", header("jwk", map[string]any{"kty": "oct", "k": "AAAA"}), ErrEmbeddedKey},
	{"x5u", header("x5u", "https://evil.example/cert"), ErrEmbeddedKey},
	{"x5c", header("x5c", []string{"AAAA"}), ErrEmbeddedKey},
	{"nested", header("cty", "JWT"), ErrType},
	{"logout token", header("typ", "logout+jwt"), ErrType},
	{"proof token", header("typ", "dpop+jwt"), ErrType},
	{"typ is a number", header("typ", 1), ErrType},
	{"crit is empty", header("crit", []string{}), ErrCritical},
	{"crit is null", header("crit", nil), ErrCritical},
	{"crit names what it does not know", header("crit", []string{"https://evil.example/ext"}), ErrCritical},
	{"b64 is true", header("b64", true), ErrCritical},
	{"an encrypted token's type", header("typ", "JWE"), ErrType},
	{"a type of a serialization", header("typ", "JOSE+JSON"), ErrType},
	{"typ is empty", header("typ", ""), ErrType},
	{"typ is null", header("typ", nil), ErrType},
	{"typ is a list", header("typ", []string{"JWT"}), ErrType},
	{"kid is null", header("kid", nil), ErrKey},
	{"kid is a list", header("kid", []string{"a"}), ErrKey},
	{"kid is a number", header("kid", 1), ErrKey},
	{"kid is empty", header("kid", ""), ErrKey},
	{"kid is long", header("kid", strings.Repeat("k", 300)), ErrKey},

	// Issuer and algorithm
	{"no iss", without("iss"), ErrIssuer},
	{"unknown iss", claimed("iss", "https://evil.example"), ErrIssuer},
	{"iss with a slash more", claimed("iss", "https://shop.example/"), ErrIssuer},
	{"iss in capitals", claimed("iss", "https://SHOP.example"), ErrIssuer},
	{"iss is a list", claimed("iss", []string{"https://shop.example"}), ErrIssuer},
	{"none", unsigned("none"), ErrAlgorithm},
	{"None", unsigned("None"), ErrAlgorithm},
	{"nOnE", unsigned("nOnE"), ErrAlgorithm},
	{"no alg", headerAs(`{"typ":"JWT"}`), ErrAlgorithm},
	{"alg is null", headerAs(`{"alg":null}`), ErrAlgorithm},
	{"hs256", header("alg", "hs256"), ErrAlgorithm},
	{"alg with a space", header("alg", "HS256 "), ErrAlgorithm},
	{"alg with a NUL", header("alg", "HS256\x00"), ErrAlgorithm},
	{"alg is empty", header("alg", ""), ErrAlgorithm},
	{"alg is a list", header("alg", []string{"HS256"}), ErrAlgorithm},
	{"alg is an object", header("alg", map[string]any{"HS256": true}), ErrAlgorithm},
	{"alg is true", header("alg", true), ErrAlgorithm},
	{"an algorithm of encryption", header("alg", "dir"), ErrAlgorithm},
	{"HS256 cut to half", header("alg", "HS256/64"), ErrAlgorithm},
	{"HS1", header("alg", "HS1"), ErrAlgorithm},
	{"ES256K", header("alg", "ES256K"), ErrAlgorithm},
	{"HS384, not in the list", func(d *draft) { d.signedWith(jwt.SigningMethodHS384, d.key) }, ErrAlgorithm},
	{"RS256, not in the list", func(d *draft) { d.signedWith(jwt.SigningMethodRS256, private().rsa) }, ErrAlgorithm},

	// Signature
	{"no signature", unsigned("HS256"), ErrSignature},
	{"another secret", func(d *draft) { d.key = []byte(globalSecret) }, ErrSignature},
	{"empty secret", func(d *draft) { d.key = []byte{} }, ErrSignature},
	{"signed with HS256, says HS512", header("alg", "HS512"), ErrSignature},
	{"claims replaced", edited(func(s string) string {
		parts := strings.Split(s, ".")
		other := strings.Split(shopDraft().with(map[string]any{"tenant": "globex"}).sign(), ".")
		return parts[0] + "." + other[1] + "." + parts[2]
	}), ErrSignature},
	{"of another issuer's making", claimed("iss", "https://global.example"), ErrSignature},
	{"wrong signature and expired", func(d *draft) { d.key = []byte(globalSecret); d.claims["exp"] = in(-time.Hour) }, ErrSignature},

	// Audience
	{"no aud", without("aud"), ErrAudience},
	{"another aud", claimed("aud", "billing"), ErrAudience},
	{"part of aud", claimed("aud", "ush"), ErrAudience},
	{"aud in capitals", claimed("aud", "USHER"), ErrAudience},
	{"empty aud", claimed("aud", ""), ErrAudience},
	{"no aud in the list", claimed("aud", []string{}), ErrAudience},
	{"a number in aud", claimed("aud", []any{1, "usher"}), ErrAudience},
	{"aud is an object", claimed("aud", map[string]any{"usher": true}), ErrAudience},

	// Times
	{"no exp", without("exp"), ErrNoExpiry},
	{"exp is null", claimed("exp", nil), ErrNoExpiry},
	{"exp is a string", claimed("exp", "1772370000"), ErrNoExpiry},
	{"exp is true", claimed("exp", true), ErrNoExpiry},
	{"exp is a list", claimed("exp", []int64{in(time.Hour)}), ErrNoExpiry},
	{"exp is an object", claimed("exp", map[string]any{"$date": in(time.Hour)}), ErrNoExpiry},
	{"exp is a date", claimed("exp", "2026-03-01T13:00:00Z"), ErrNoExpiry},
	{"exp is zero", claimed("exp", 0), ErrExpired},
	{"exp is less than nothing", rewritten("exp", "-0.0"), ErrExpired},
	{"exp is next to nothing", rewritten("exp", "1e-400"), ErrExpired},
	{"exp is the year 10000", rewritten("exp", "253402300800"), ErrNoExpiry},
	{"exp is the year 9999", rewritten("exp", "253402300799"), ErrLifetime},
	{"exp is infinite", rewritten("exp", "Infinity"), ErrJSON},
	{"exp is hexadecimal", rewritten("exp", "0x7fffffff"), ErrJSON},
	{"exp begins with a plus", rewritten("exp", "+9999999999"), ErrJSON},
	{"exp begins with a zero", rewritten("exp", "09999999999"), ErrJSON},
	{"exp is huge", rewritten("exp", "1e18"), ErrNoExpiry},
	{"exp overflows", rewritten("exp", "1e999"), ErrNoExpiry},
	{"exp is negative", claimed("exp", -1), ErrNoExpiry},
	{"expired", claimed("exp", in(-time.Hour)), ErrExpired},
	{"expired at the end of the leeway", claimed("exp", in(-30*time.Second)), ErrExpired},
	{"in milliseconds", claimed("exp", in(time.Hour)*1000), ErrNoExpiry},
	{"lives two days", claimed("exp", in(48*time.Hour)), ErrLifetime},
	{"lives two days and does not say since when", func(d *draft) { delete(d.claims, "iat"); d.claims["exp"] = in(48 * time.Hour) }, ErrLifetime},
	{"issued yesterday for longer than a day", func(d *draft) { d.claims["iat"] = in(-24 * time.Hour) }, ErrLifetime},
	{"nbf ahead", claimed("nbf", in(31*time.Second)), ErrNotBefore},
	{"nbf is a string", claimed("nbf", "0"), ErrNotBefore},
	{"nbf is null", claimed("nbf", nil), ErrNotBefore},
	{"nbf is infinite", rewritten("nbf", "-1e999"), ErrNotBefore},
	{"iat is null", claimed("iat", nil), ErrIssuedAt},
	{"iat is negative", claimed("iat", -1), ErrIssuedAt},
	{"iat ahead", claimed("iat", in(issueSkew+time.Second)), ErrIssuedAt},
	{"iat is a string", claimed("iat", "0"), ErrIssuedAt},

	// Tenant
	{"no tenant", without("tenant"), ErrTenant},
	{"null tenant", claimed("tenant", nil), ErrTenant},
	{"empty tenant", claimed("tenant", ""), ErrTenant},
	{"null tenant as text", claimed("tenant", "null"), ErrTenant},
	{"undefined tenant as text", claimed("tenant", "undefined"), ErrTenant},
	{"a tenant's id that means none", claimed("tenant", "no_tenant"), ErrTenant},
	{"blank tenant", claimed("tenant", " "), ErrTenant},
	{"tenant with a line end", claimed("tenant", "acme\n"), ErrTenant},
	{"tenant with a space before", claimed("tenant", " acme"), ErrTenant},
	{"tenant in capitals", claimed("tenant", "ACME"), ErrTenant},
	{"tenant is no whole number", claimed("tenant", json.RawMessage("7.5")), ErrTenant},
	{"tenant is a number with a point", claimed("tenant", json.RawMessage("7.0")), ErrTenant},
	{"tenant is a number with an exponent", claimed("tenant", json.RawMessage("7e0")), ErrTenant},
	{"tenant is minus nothing", claimed("tenant", json.RawMessage("-0")), ErrTenant},
	{"tenant is below nothing", claimed("tenant", json.RawMessage("-7")), ErrTenant},
	{"tenant is 2^53", claimed("tenant", json.RawMessage("9007199254740992")), ErrTenant},
	{"tenant is 2^53 and 1", claimed("tenant", json.RawMessage("9007199254740993")), ErrTenant},
	{"tenant is a number beyond all", claimed("tenant", json.RawMessage("1"+strings.Repeat("0", 40))), ErrTenant},
	{"tenant is true", claimed("tenant", true), ErrTenant},
	{"tenant is a list", claimed("tenant", []string{"acme"}), ErrTenant},
	{"two tenants", claimed("tenant", []string{"acme", "globex"}), ErrTenant},
	{"tenant is an object", claimed("tenant", map[string]any{"id": "acme"}), ErrTenant},
	{"tenant is a wildcard", claimed("tenant", "*"), ErrTenant},
	{"tenant with a NUL", claimed("tenant", "acme\x00"), ErrClaim},
	{"subject with a NUL", claimed("sub", "ann\x00"), ErrClaim},
	{"any claim with a NUL in it", claimed("other", map[string]any{"list": []string{"\x00"}}), ErrClaim},
	{"tenant of 64 letters", claimed("tenant", strings.Repeat("a", 64)), ErrTenant},
	{"tenant with a Cyrillic a", claimed("tenant", "\u0430cme"), ErrTenant},
	{"all tenants, not granted to the issuer", func(d *draft) { delete(d.claims, "tenant"); d.claims["all_tenants"] = true }, ErrGrant},
	{"all tenants is a string", func(d *draft) { delete(d.claims, "tenant"); d.claims["all_tenants"] = "true" }, ErrTenant},
	{"all tenants is null", claimed("all_tenants", nil), ErrTenant},
	{"all tenants is 1", claimed("all_tenants", 1), ErrTenant},
	{"all tenants is false and no tenant", func(d *draft) { delete(d.claims, "tenant"); d.claims["all_tenants"] = false }, ErrTenant},

	// Grant
	{"a role more", claimed("access", map[string]any{"roles": []string{"viewer", "admin"}}), ErrGrant},
	{"a role in capitals", claimed("access", map[string]any{"roles": []string{"Viewer"}}), ErrGrant},
	{"roles are a string", claimed("access", map[string]any{"roles": "viewer"}), ErrJSON},
	{"roles are null", claimed("access", map[string]any{"roles": nil}), ErrClaim},
	{"a role is null", claimed("access", map[string]any{"roles": []any{nil}}), ErrClaim},
	{"a role more, as JSON in a string", claimed("access", map[string]any{"roles": `["admin"]`}), ErrGrant},
	{"the namespace is a string", claimed("access", "roles"), ErrClaim},
	{"another strategy", claimed("strategy", "database"), ErrGrant},
	{"an empty strategy", claimed("strategy", ""), ErrClaim},
	{"strategy is a list", claimed("strategy", []string{"shared"}), ErrClaim},
	{"filters are null", claimed("filters", nil), ErrClaim},
	{"filters are an object", claimed("filters", map[string]any{}), ErrClaim},
	{"filters are not JSON", claimed("filters", "[{"), ErrJSON},
	{"a filter with a member more", written(`"filters":[{"dataset":"orders","where":{"a":{"eq":1}},"or":true}]`), ErrClaim},
	{"a filter with Dataset", written(`"filters":[{"Dataset":"orders","where":{"a":{"eq":1}}}]`), ErrClaim},
	{"a filter without where", written(`"filters":[{"dataset":"orders"}]`), ErrClaim},
	{"a filter without dataset", written(`"filters":[{"where":{"a":{"eq":1}}}]`), ErrClaim},
	{"a filter without a condition", written(`"filters":[{"dataset":"orders","where":{}}]`), ErrClaim},
	{"a filter with where null", written(`"filters":[{"dataset":"orders","where":null}]`), ErrClaim},
	{"a filter with an empty having", written(`"filters":[{"dataset":"orders","where":{"a":{"eq":1}},"having":{}}]`), ErrClaim},
	{"a filter with having null", written(`"filters":[{"dataset":"orders","where":{"a":{"eq":1}},"having":null}]`), ErrClaim},
	{"a filter whose having is a list", written(`"filters":[{"dataset":"orders","having":[{"count":{"gte":5}}]}]`), ErrClaim},
	{"a filter with clause", written(`"filters":[{"dataset":"orders","clause":"having","where":{"a":{"eq":1}}}]`), ErrClaim},
	{"where twice, as JSON in a string", claimed("filters", `[{"dataset":"orders","where":{"a":1},"where":{"b":1}}]`), ErrDuplicateClaim},
	{"a parameter more", claimed("parameters", map[string]any{"region": "EU", "year": 1}), ErrGrant},
	{"a parameter is null", claimed("parameters", map[string]any{"region": nil}), ErrClaim},
	{"a parameter is an object", claimed("parameters", map[string]any{"region": map[string]any{"eq": 1}}), ErrClaim},
	{"a parameter is a list of lists", claimed("parameters", map[string]any{"region": []any{[]any{"EU"}}}), ErrClaim},
	{"parameters are a list", claimed("parameters", []any{"region"}), ErrClaim},
	{"a parameter cleared", claimed("clear", []any{"region"}), ErrGrant},
	{"parameters cleared by an object", claimed("clear", map[string]any{"year": true}), ErrClaim},
	{"metadata more", claimed("metadata", map[string]any{"host": "evil.example"}), ErrGrant},
	{"metadata is null", claimed("metadata", map[string]any{"team": nil}), ErrClaim},
	{"metadata is a list", claimed("metadata", []any{"team"}), ErrClaim},
	{"an account of another source", claimed("accounts", map[string]any{"warehouse": map[string]any{"database": "b"}}), ErrGrant},
	{"an account with nothing", claimed("accounts", map[string]any{"silo": map[string]any{}}), ErrClaim},
	{"an account is text", claimed("accounts", map[string]any{"silo": "acme"}), ErrClaim},
	{"an account is null", claimed("accounts", map[string]any{"silo": nil}), ErrClaim},
	{"accounts are a list", claimed("accounts", []any{"silo"}), ErrClaim},
	{"a password anybody can read", claimed("accounts", map[string]any{"silo": map[string]any{"user": "acme", "password": "secret"}}), ErrGrant},
	{"a host anybody can choose", claimed("accounts", map[string]any{"silo": map[string]any{"host": "evil.example"}}), ErrGrant},
	{"a URL anybody can choose", claimed("accounts", map[string]any{"silo": map[string]any{"base_url": "https://evil.example"}}), ErrGrant},
	{"a key of an account with a letter missing", claimed("accounts", map[string]any{"silo": map[string]any{"databse": "b"}}), ErrGrant},
	{"datasets are a string", claimed("datasets", "orders"), ErrJSON},
	{"datasets are null", claimed("datasets", nil), ErrClaim},
	{"no such zone", claimed("zoneinfo", "Europe/Nowhere"), ErrClaim},
	{"the zone of this machine", claimed("zoneinfo", "Local"), ErrClaim},
	{"a zone file elsewhere", claimed("zoneinfo", "../../etc/passwd"), ErrClaim},
	{"sub is a number", claimed("sub", 7), ErrClaim},
	{"jti is a number", claimed("jti", 7), ErrClaim},
}

// rewritten replaces a claim by a value as it stands.
func rewritten(name, value string) func(*draft) {
	return func(d *draft) {
		delete(d.claims, name)
		written(`"` + name + `":` + value)(d)
	}
}

// next is the letter whose last bit differs.
func next(c byte) string { return string(c + 1) }

func TestRefusals(t *testing.T) {
	t.Parallel()
	v := verifier(t, Options{}, shop(), global(), idp())
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := shopDraft()
			c.change(d)
			token := d.sign()
			p, err := v.Verify(t.Context(), token)
			checkRefused(t, p, err, c.want)
			_, again := v.Verify(t.Context(), token)
			if !errors.Is(again, c.want) {
				t.Errorf("the second time: %v", again)
			}
		})
	}
}

// checkRefused checks the sentinel, and that the caller is told always the same.
func checkRefused(t *testing.T, p principal.Principal, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != fault.Unauthenticated || f.Message != refusal || f.Hint != "" || f.RetryAfter != 0 {
		t.Errorf("the caller is told: %#v", f)
	}
	if p.Tenant != "" || p.AllTenants || p.Roles != nil || p.Subject != "" {
		t.Errorf("a refused token gave %+v", p)
	}
}

func TestValidDraftIsAccepted(t *testing.T) {
	t.Parallel()
	v := verifier(t, Options{}, shop())
	if _, err := v.Verify(t.Context(), shopDraft().sign()); err != nil {
		t.Fatal(err)
	}
}

func TestAlgorithmConfusion(t *testing.T) {
	t.Parallel()
	v := verifier(t, Options{}, idp())
	k := private()
	asPEM := []byte(publicPEM(k.rsa))
	asDER := must(x509.MarshalPKIXPublicKey(&k.rsa.PublicKey))
	for name, d := range map[string]*draft{
		"HS256 with the PEM":                   idpDraft(jwt.SigningMethodHS256, asPEM),
		"HS256 with the DER":                   idpDraft(jwt.SigningMethodHS256, asDER),
		"HS256 with the modulus":               idpDraft(jwt.SigningMethodHS256, k.rsa.N.Bytes()),
		"HS256 with all PEM keys":              idpDraft(jwt.SigningMethodHS256, []byte(idp().Keys.PEM)),
		"RS384, which the issuer does not use": idpDraft(jwt.SigningMethodRS384, k.rsa),
		"ES384, which the issuer does not use": idpDraft(jwt.SigningMethodES384, k.p384),
	} {
		t.Run(name, func(t *testing.T) {
			p, err := v.Verify(t.Context(), d.sign())
			checkRefused(t, p, err, ErrAlgorithm)
		})
	}
	relabeled := idpDraft(jwt.SigningMethodHS256, asPEM)
	relabeled.header["alg"] = "RS256"
	p, err := v.Verify(t.Context(), relabeled.sign())
	checkRefused(t, p, err, ErrSignature)

	for _, size := range []int{0, 1, 32, 63, 64, 65, 70, 256} {
		zeros := idpDraft(jwt.SigningMethodES256, k.p256)
		zeros.edit = func(s string) string {
			return s[:strings.LastIndex(s, ".")+1] + encode(string(make([]byte, size)))
		}
		p, err := v.Verify(t.Context(), zeros.sign())
		checkRefused(t, p, err, ErrSignature)
	}
}

func TestIssuersDoNotShareKeys(t *testing.T) {
	t.Parallel()
	v := verifier(t, Options{}, shop(), global(), idp())
	swapped := shopDraft()
	swapped.header["kid"] = "main"
	swapped.key = []byte(globalSecret)
	p, err := v.Verify(t.Context(), swapped.sign())
	checkRefused(t, p, err, ErrSignature)

	// What global may grant, shop may not, even for a token signed rightly.
	if _, err := v.Verify(t.Context(), allTenants(globalDraft()).sign()); err != nil {
		t.Error(err)
	}
	p, err = v.Verify(t.Context(), allTenants(shopDraft()).sign())
	checkRefused(t, p, err, ErrGrant)
	both := globalDraft().with(map[string]any{"all_tenants": true})
	p, err = v.Verify(t.Context(), both.sign())
	checkRefused(t, p, err, ErrTenant)
}

func allTenants(d *draft) *draft {
	delete(d.claims, "tenant")
	return d.with(map[string]any{"all_tenants": true})
}

func TestUnmappedNarrowingClaimsAreRefused(t *testing.T) {
	t.Parallel()
	v := verifier(t, Options{}, global())
	for _, name := range []string{"filters", "datasets", "Filters"} {
		p, err := v.Verify(t.Context(), globalDraft().with(map[string]any{name: []any{}}).sign())
		checkRefused(t, p, err, ErrClaim)
	}
}

func TestRequiredClaimIsMissing(t *testing.T) {
	t.Parallel()
	spec := shop()
	spec.Claims.Roles.Required = true
	v := verifier(t, Options{}, spec)
	p, err := v.Verify(t.Context(), shopDraft().sign())
	checkRefused(t, p, err, ErrClaim)
}

func TestOneHeader(t *testing.T) {
	t.Parallel()
	v := verifier(t, Options{}, shop())
	token := shopDraft().sign()
	for _, values := range [][]string{
		nil,
		{""},
		{token},
		{"Bearer"},
		{"Bearer "},
		{"Bearer  " + token},
		{"Bearer\t" + token},
		{"Bearer " + token + " "},
		{"Bearer " + token + ",Bearer " + token},
		{"Bearer " + token + ", " + token},
		{"Bearer \"" + token + "\""},
		{"Basic " + token},
		{"Token " + token},
		{" Bearer " + token},
		{"Bearer " + token, "Bearer " + token},
		{"Bearer " + token, "Basic YTpi"},
		{"Bearer " + token, ""},
	} {
		p, err := v.Authenticate(t.Context(), bearerRequest(values...))
		checkRefused(t, p, err, ErrHeader)
	}
	for _, scheme := range []string{"Bearer", "bearer", "BEARER"} {
		if _, err := v.Authenticate(t.Context(), bearerRequest(scheme+" "+token)); err != nil {
			t.Errorf("%s: %v", scheme, err)
		}
	}
}

func TestNothingButTheHeaderCounts(t *testing.T) {
	t.Parallel()
	v := verifier(t, Options{}, shop())
	token := shopDraft().sign()
	r := bearerRequest()
	r.URL.RawQuery = "token=" + token + "&access_token=" + token
	r.Header.Set("X-Tenant", "acme")
	r.Header.Set("Cookie", "token="+token)
	p, err := v.Authenticate(t.Context(), r)
	checkRefused(t, p, err, ErrHeader)

	r = bearerRequest("Bearer " + token)
	r.URL.RawQuery = "tenant=globex"
	r.Header.Set("X-Tenant", "globex")
	r.Header.Set("X-Forwarded-Tenant", "globex")
	p, err = v.Authenticate(t.Context(), r)
	if err != nil || p.Tenant != "acme" {
		t.Errorf("got %q, %v", p.Tenant, err)
	}
}

func TestCanceledContextDoesNotMatterWithoutFetching(t *testing.T) {
	t.Parallel()
	v := verifier(t, Options{}, shop())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.Verify(ctx, shopDraft().sign()); err != nil {
		t.Error(err)
	}
}
