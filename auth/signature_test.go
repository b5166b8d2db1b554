package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// resigned puts another signature in the place of the token's own.
func resigned(token string, signature []byte) string {
	return token[:strings.LastIndex(token, ".")+1] + base64.RawURLEncoding.EncodeToString(signature)
}

func signatureOf(token string) []byte {
	return must(base64.RawURLEncoding.DecodeString(token[strings.LastIndex(token, ".")+1:]))
}

// A signature of RSA-PSS has a salt as long as the hash (RFC 7518, 3.5).
func TestSaltIsAsLongAsTheHash(t *testing.T) {
	t.Parallel()
	spec := idp()
	spec.Algorithms = []string{"PS256", "PS384", "PS512"}
	spec.Keys = KeysSpec{PEM: publicPEM(private().rsa)}
	v := verifier(t, Options{}, spec)
	for _, method := range []*jwt.SigningMethodRSAPSS{jwt.SigningMethodPS256, jwt.SigningMethodPS384, jwt.SigningMethodPS512} {
		size := method.Hash.Size()
		for _, salt := range []int{rsa.PSSSaltLengthAuto, 1, 20, size - 1, size, size + 1, 2 * size} {
			if salt > private().rsa.Size()-2-size {
				continue // the key has no room for it
			}
			salted := &jwt.SigningMethodRSAPSS{SigningMethodRSA: method.SigningMethodRSA, Options: &rsa.PSSOptions{SaltLength: salt}}
			p, err := v.Verify(t.Context(), idpDraft(salted, private().rsa).sign())
			if salt != size {
				checkRefused(t, p, err, ErrSignature)
			} else if err != nil {
				t.Errorf("%s with its own salt: %v", method.Alg(), err)
			}
		}
	}
}

// TestForgedSignatures shows valid claims under signatures that a lenient
// reader would take.
func TestForgedSignatures(t *testing.T) {
	t.Parallel()
	v := verifier(t, Options{}, idp())
	k := private()
	n := elliptic.P256().Params().N
	sum := func(a *big.Int, b int64) *big.Int { return new(big.Int).Add(a, big.NewInt(b)) }
	pair := func(r, s *big.Int) []byte {
		out := make([]byte, 64)
		r.FillBytes(out[:32])
		s.FillBytes(out[32:])
		return out
	}
	es, rs, ps, ed := idpDraft(jwt.SigningMethodES256, k.p256).sign(), idpDraft(jwt.SigningMethodRS256, k.rsa).sign(),
		idpDraft(jwt.SigningMethodPS256, k.rsa).sign(), idpDraft(jwt.SigningMethodEdDSA, k.ed).sign()
	for _, token := range []string{es, rs, ps, ed} {
		accepted(t, v, token)
	}
	r, s := new(big.Int).SetBytes(signatureOf(es)[:32]), new(big.Int).SetBytes(signatureOf(es)[32:])
	zero, one := big.NewInt(0), big.NewInt(1)
	all := new(big.Int).Sub(new(big.Int).Lsh(one, 256), one)
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	edS := slices.Clone(signatureOf(ed)[32:])
	slices.Reverse(edS)
	wrapped := new(big.Int).Add(new(big.Int).SetBytes(edS), order).FillBytes(make([]byte, 32))
	slices.Reverse(wrapped)
	modulus := k.rsa.N.FillBytes(make([]byte, 256))
	// other is the signature of the same claims under another label.
	other := func(method jwt.SigningMethod, key any, label string) []byte {
		d := idpDraft(method, key)
		d.header["alg"] = label
		return signatureOf(d.sign())
	}
	relabeled := func(method jwt.SigningMethod, key any, label string) string {
		d := idpDraft(method, key)
		d.header["alg"] = label
		return d.sign()
	}
	for name, token := range map[string]string{
		"ES256: r is zero":                resigned(es, pair(zero, s)),
		"ES256: s is zero":                resigned(es, pair(r, zero)),
		"ES256: r is zero, s is one":      resigned(es, pair(zero, one)),
		"ES256: r is one, s is zero":      resigned(es, pair(one, zero)),
		"ES256: both are one":             resigned(es, pair(one, one)),
		"ES256: r is the order":           resigned(es, pair(n, s)),
		"ES256: s is the order":           resigned(es, pair(r, n)),
		"ES256: both are the order":       resigned(es, pair(n, n)),
		"ES256: both are above the order": resigned(es, pair(sum(n, 1), sum(n, 1))),
		"ES256: all bits":                 resigned(es, pair(all, all)),
		"ES256: r and s exchanged":        resigned(es, pair(s, r)),
		"ES256: in DER":                   resigned(es, must(asn1.Marshal(struct{ R, S *big.Int }{r, s}))),
		"ES256: DER with zeros":           resigned(es, must(asn1.Marshal(struct{ R, S *big.Int }{zero, zero}))),
		"ES256: a zero before":            resigned(es, append([]byte{0}, signatureOf(es)...)),
		"ES256: a zero before each":       resigned(es, slices.Concat([]byte{0}, pair(r, s)[:32], []byte{0}, pair(r, s)[32:])),
		"ES256: a byte behind":            resigned(es, append(signatureOf(es), 0)),
		"ES256: twice":                    resigned(es, append(signatureOf(es), signatureOf(es)...)),
		"ES256: half":                     resigned(es, signatureOf(es)[:32]),
		"ES256: as long as ES384's":       resigned(es, make([]byte, 96)),
		"ES256: of another token":         resigned(es, signatureOf(idpDraft(jwt.SigningMethodES256, k.p256).with(map[string]any{"tenant": "globex"}).sign())),
		"ES256: of another key":           resigned(es, signatureOf(idpDraft(jwt.SigningMethodES256, must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))).sign())),
		"ES256: RSA's":                    resigned(es, signatureOf(rs)),
		"ES256: Ed25519's":                resigned(es, other(jwt.SigningMethodEdDSA, k.ed, "ES256")),
		"RS256: zeros":                    resigned(rs, make([]byte, 256)),
		"RS256: one":                      resigned(rs, one.FillBytes(make([]byte, 256))),
		"RS256: the modulus":              resigned(rs, modulus),
		"RS256: all bits":                 resigned(rs, slices.Repeat([]byte{0xff}, 256)),
		"RS256: nothing":                  resigned(rs, nil),
		"RS256: a zero before":            resigned(rs, append([]byte{0}, signatureOf(rs)...)),
		"RS256: a byte behind":            resigned(rs, append(signatureOf(rs), 0)),
		"RS256: without its last byte":    resigned(rs, signatureOf(rs)[:255]),
		"RS256: of RS384":                 relabeled(jwt.SigningMethodRS384, k.rsa, "RS256"),
		"RS256: of RS512":                 relabeled(jwt.SigningMethodRS512, k.rsa, "RS256"),
		"RS256: of PS256":                 relabeled(jwt.SigningMethodPS256, k.rsa, "RS256"),
		"RS256: of another key":           relabeled(jwt.SigningMethodRS256, k.otherRSA, "RS256"),
		"PS256: of RS256":                 relabeled(jwt.SigningMethodRS256, k.rsa, "PS256"),
		"PS256: of PS384":                 relabeled(jwt.SigningMethodPS384, k.rsa, "PS256"),
		"PS256: of another key":           relabeled(jwt.SigningMethodPS256, k.otherRSA, "PS256"),
		"PS256: zeros":                    resigned(ps, make([]byte, 256)),
		"PS256: a zero before":            resigned(ps, append([]byte{0}, signatureOf(ps)...)),
		"EdDSA: zeros":                    resigned(ed, make([]byte, 64)),
		"EdDSA: the identity":             resigned(ed, append(append([]byte{1}, make([]byte, 31)...), make([]byte, 32)...)),
		"EdDSA: s above the order":        resigned(ed, slices.Concat(signatureOf(ed)[:32], wrapped)),
		"EdDSA: a byte behind":            resigned(ed, append(signatureOf(ed), 0)),
		"EdDSA: without its last byte":    resigned(ed, signatureOf(ed)[:63]),
		"EdDSA: in the label ES256":       relabeled(jwt.SigningMethodEdDSA, k.ed, "ES256"),
		"EdDSA: the keyed hash":           relabeled(jwt.SigningMethodHS256, []byte(k.ed.Public().(ed25519.PublicKey)), "EdDSA"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := v.Verify(t.Context(), token)
			checkRefused(t, p, err, ErrSignature)
		})
	}
}

// Whatever a public key can be written as: none of it is a secret.
func TestPublicKeysAreNoSecrets(t *testing.T) {
	t.Parallel()
	k := private()
	texts := [][]byte{[]byte(publicPEM(k.rsa)), []byte(strings.TrimSpace(publicPEM(k.rsa))), []byte(publicPEM(k.p256)), []byte(publicPEM(k.ed)), k.ed.Public().(ed25519.PublicKey), k.rsa.N.Bytes()}
	pkcs1 := x509.MarshalPKCS1PublicKey(&k.rsa.PublicKey)
	texts = append(texts, pkcs1, pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1}),
		must(x509.MarshalPKIXPublicKey(k.p256.Public())), []byte(setOf(jwk("a", k.rsa, nil))))
	set := idp()
	set.Keys = KeysSpec{JWKSFile: writeFile(t, setOf(jwk("a", k.rsa, nil), jwk("b", k.p256, nil), jwk("c", k.ed, nil)))}
	for _, spec := range []IssuerSpec{idp(), set} {
		v := verifier(t, Options{}, spec)
		for _, text := range texts {
			for _, method := range []jwt.SigningMethod{jwt.SigningMethodHS256, jwt.SigningMethodHS384, jwt.SigningMethodHS512} {
				for _, kid := range []string{"", "a", "b", "c"} {
					d := idpDraft(method, text)
					if kid != "" {
						d.header["kid"] = kid
					}
					p, err := v.Verify(t.Context(), d.sign())
					checkRefused(t, p, err, ErrAlgorithm)
				}
			}
		}
	}
}

// spelled signs parts as they stand, however they are spelled.
func spelled(header, claims string) string {
	signed := header + "." + claims
	return signed + "." + encode(string(must(jwt.SigningMethodHS256.Sign(signed, []byte(shopSecret)))))
}

// TestOneSpelling: a part of a token has one spelling, under a good signature
// too. Whitespace that JSON allows is the issuer's own affair.
func TestOneSpelling(t *testing.T) {
	t.Parallel()
	v := verifier(t, Options{}, shop())
	const header = `{"alg":"HS256","typ":"JWT"}`
	claims := string(must(json.Marshal(shopDraft().claims)))
	h, c := encode(header), encode(claims)
	accepted(t, v, spelled(h, c))
	accepted(t, v, spelled(encode(" {\"alg\" :\t\"HS256\" ,\n\"typ\":\"JWT\"}\r\n"), encode("\n"+claims+" ")))
	// A text whose encoding ends with bits that carry nothing, and one of them set.
	loose := func(text string) string {
		for len(text)%3 != 1 {
			text += " "
		}
		encoded := encode(text)
		return encoded[:len(encoded)-1] + next(encoded[len(encoded)-1])
	}
	for name, x := range map[string]struct {
		token string
		want  error
	}{
		"header with loose bits":     {spelled(loose(header), c), ErrForm},
		"claims with loose bits":     {spelled(h, loose(claims)), ErrForm},
		"header with padding":        {spelled(base64.URLEncoding.EncodeToString([]byte(header+" ")), c), ErrForm},
		"claims with padding":        {spelled(h, encode(claims)+"="), ErrForm},
		"header in standard base64":  {spelled(base64.RawStdEncoding.EncodeToString([]byte(`{"alg":"HS256","x":"???>>>"}`)), c), ErrForm},
		"header with a line end":     {spelled(h[:4]+"\r\n"+h[4:], c), ErrForm},
		"claims with a line end":     {spelled(h, c+"\n"), ErrForm},
		"header with a space":        {spelled(h+" ", c), ErrForm},
		"header with a NUL":          {spelled(h+"\x00", c), ErrForm},
		"header with a percent":      {spelled(h+"%3D", c), ErrForm},
		"header not encoded":         {spelled(header, c), ErrForm},
		"claims not encoded":         {spelled(h, claims), ErrForm},
		"header in hexadecimal":      {spelled(encode(fmt.Sprintf("%x", header)), c), ErrJSON},
		"header encoded twice":       {spelled(encode(h), c), ErrJSON},
		"claims encoded twice":       {spelled(h, encode(c)), ErrJSON},
		"claims are a token":         {spelled(h, encode(shopDraft().sign())), ErrJSON},
		"claims are a token in JSON": {spelled(h, encode(`"`+shopDraft().sign()+`"`)), ErrJSON},
		"claims hold a token":        {spelled(h, encode(`{"jwt":"`+shopDraft().sign()+`"}`)), ErrIssuer},
		"claims left out":            {spelled(h, ""), ErrJSON},
		"header left out":            {spelled("", c), ErrJSON},
		"a mark of byte order":       {spelled(encode("\ufeff"+header), c), ErrJSON},
		"claims with a mark of it":   {spelled(h, encode("\ufeff"+claims)), ErrJSON},
		"header in UTF-16":           {spelled(encode("{\x00\"\x00"), c), ErrJSON},
		"header with a comment":      {spelled(encode(`{"alg":"HS256"/**/}`), c), ErrJSON},
		"header in single quotes":    {spelled(encode(`{'alg':'HS256'}`), c), ErrJSON},
		"header with something more": {spelled(encode(header+`{"alg":"none"}`), c), ErrJSON},
		"header with a NUL behind":   {spelled(encode(header+"\x00"), c), ErrJSON},
		"kid twice":                  {spelled(encode(`{"alg":"HS256","kid":"a","kid":"b"}`), c), ErrDuplicateClaim},
		"kid twice, escaped":         {spelled(encode(`{"alg":"HS256","kid":"a","k\u0069d":"b"}`), c), ErrDuplicateClaim},
		"typ twice":                  {spelled(encode(`{"alg":"HS256","typ":"JWT","typ":"at+jwt"}`), c), ErrDuplicateClaim},
		"alg three times the same":   {spelled(encode(`{"alg":"HS256","alg":"HS256","alg":"HS256"}`), c), ErrDuplicateClaim},
		"iss twice":                  {spelled(h, encode(strings.Replace(claims, "{", `{"iss":"https://shop.example",`, 1))), ErrDuplicateClaim},
		"aud twice":                  {spelled(h, encode(strings.Replace(claims, "{", `{"aud":"usher",`, 1))), ErrDuplicateClaim},
		"a JSON serialization":       {`{"payload":"` + c + `","protected":"` + h + `","signature":"AA"}`, ErrForm},
		"detached":                   {h + ".." + encode("x"), ErrJSON},
		"in brackets":                {"<" + spelled(h, c) + ">", ErrForm},
		"with a signature behind":    {spelled(h, c) + "AAAA", ErrSignature},
		"with a NUL behind":          {spelled(h, c) + "\x00", ErrForm},
		"with a fragment behind":     {spelled(h, c) + "#", ErrForm},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := v.Verify(t.Context(), x.token)
			checkRefused(t, p, err, x.want)
		})
	}
}

// A key's id is compared, and used for nothing else.
func TestKeyIDIsOnlyCompared(t *testing.T) {
	t.Parallel()
	k := private()
	spec := idp()
	spec.Keys = KeysSpec{JWKSFile: writeFile(t, setOf(jwk("a", k.rsa, nil)))}
	v := verifier(t, Options{}, spec)
	for _, kid := range []string{
		"../../../../dev/null", "/dev/null", "file:///dev/null", "https://evil.example/keys", "a' OR '1'='1", "a\x00", "a ", " a", "A", "a/../a",
		"a%00", "%61", "\u0430", "a;ls", "$(id)", "`id`", "{{7*7}}", "*", ".*", "%", "null", "0", strings.Repeat("a", 256),
	} {
		refused(t, v, keyed(kid, jwt.SigningMethodRS256, k.rsa), ErrKey)
	}
}
