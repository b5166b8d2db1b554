package auth

import (
	"context"
	"crypto/rsa"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"usher/query"
)

// The names whose exact spelling matters. A reader that ignores case would see
// another value than we do, so case variants of them are refused.
var (
	registeredClaims = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}
	headerNames      = []string{"alg", "kid", "typ", "cty", "crit", "b64", "zip", "enc", "jku", "jwk", "x5u", "x5c"}
)

// checkNames refuses members that are case variants of the names.
func checkNames(o query.Object, names []string) error {
	for _, m := range o {
		for _, name := range names {
			if m.Name != name && strings.EqualFold(m.Name, name) {
				return fmt.Errorf("%w: %s instead of %q", ErrClaimCase, quote(m.Name), name)
			}
		}
	}
	return nil
}

// checkHeader refuses what would change how the token is to be read or whose
// key it is to be verified with.
func checkHeader(header query.Object) error {
	if err := checkNames(header, headerNames); err != nil {
		return err
	}
	for _, m := range header {
		switch m.Name {
		case "crit", "b64", "zip", "enc":
			return fmt.Errorf("%w: %s", ErrCritical, m.Name)
		case "jku", "jwk", "x5u", "x5c":
			return fmt.Errorf("%w: %s", ErrEmbeddedKey, m.Name)
		case "cty":
			return fmt.Errorf("%w: it has content of its own", ErrType)
		case "typ":
			if err := checkType(m.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkType(v query.Value) error {
	typ, ok := v.(query.Text)
	if !ok {
		return fmt.Errorf("%w: typ is not a string", ErrType)
	}
	for _, known := range []string{"JWT", "at+jwt", "application/at+jwt"} {
		if strings.EqualFold(string(typ), known) {
			return nil
		}
	}
	return fmt.Errorf("%w: %s", ErrType, quote(string(typ)))
}

func (v *Verifier) issuerOf(claims query.Object) (*issuer, error) {
	value, _ := claims.Get("iss")
	iss, ok := value.(query.Text)
	if !ok {
		return nil, fmt.Errorf("%w: iss is not a string", ErrIssuer)
	}
	i, ok := v.issuers[string(iss)]
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrIssuer, quote(string(iss)))
	}
	return i, nil
}

func (i *issuer) algorithm(header query.Object) (string, error) {
	value, _ := header.Get("alg")
	alg, ok := value.(query.Text)
	if !ok {
		return "", fmt.Errorf("%w: alg is not a string", ErrAlgorithm)
	}
	if !slices.Contains(i.algorithms, string(alg)) {
		return "", fmt.Errorf("%w: %s", ErrAlgorithm, quote(string(alg)))
	}
	return string(alg), nil
}

// keyID returns the header's kid; empty when there is none.
func keyID(header query.Object) (string, error) {
	const most = 256
	value, ok := header.Get("kid")
	if !ok {
		return "", nil
	}
	kid, ok := value.(query.Text)
	if !ok || kid == "" || len(kid) > most {
		return "", fmt.Errorf("%w: kid is not a string of 1 to %d bytes", ErrKey, most)
	}
	return string(kid), nil
}

// key asks the issuer's keys, and checks that what it got fits the algorithm:
// an RSA key must never be used as an HMAC secret.
func (i *issuer) key(ctx context.Context, kid, alg string) (any, error) {
	key, err := i.keys.Key(ctx, kid, alg)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if err := fits(alg, key); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return key, nil
}

func checkSignature(t token, alg string, key any) error {
	method := jwt.GetSigningMethod(alg)
	if pss, ok := method.(*jwt.SigningMethodRSAPSS); ok {
		method = exactly(pss)
	}
	if err := method.Verify(t.signed, t.signature, key); err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return nil
}

// exactly is the method with the salt that RFC 7518 demands, as long as the
// hash. The library's own takes any.
func exactly(m *jwt.SigningMethodRSAPSS) *jwt.SigningMethodRSAPSS {
	return &jwt.SigningMethodRSAPSS{SigningMethodRSA: m.SigningMethodRSA, Options: &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}}
}

func (i *issuer) checkAudience(claims query.Object) error {
	value, _ := claims.Get("aud")
	if text, ok := value.(query.Text); ok {
		value = query.List{text}
	}
	audience, err := texts(value)
	if err != nil {
		return fmt.Errorf("%w: aud is neither a string nor a list of strings", ErrAudience)
	}
	for _, aud := range audience {
		if slices.Contains(i.audience, aud) {
			return nil
		}
	}
	return ErrAudience
}

// issueSkew is how far the clock of an issuer may be ahead of usher's when it
// says when a token was issued. It is what a revocation has to reach beyond its
// own moment, and so it is shorter than the leeway of other times may be.
const issueSkew = 5 * time.Second

// checkTimes returns when the token was issued at the earliest, zero if it does
// not say, and when it expires. A token that was accepted at some moment says that it was
// issued before that moment and the skew: with the skew taken off, it is never
// taken for one from after a revocation of that moment.
func (i *issuer) checkTimes(claims query.Object, now time.Time) (issued, expires time.Time, err error) {
	var none time.Time
	exp, ok, err := numericDate(claims, "exp")
	if err != nil || !ok {
		return none, none, fmt.Errorf("%w: exp is not a number of seconds", ErrNoExpiry)
	}
	if !now.Before(exp.Add(i.leeway)) {
		return none, none, fmt.Errorf("%w at %s", ErrExpired, exp.Format(time.RFC3339))
	}
	if exp.Sub(now) > i.lifetime+i.leeway {
		return none, none, fmt.Errorf("%w: it expires at %s", ErrLifetime, exp.Format(time.RFC3339))
	}
	nbf, ok, err := numericDate(claims, "nbf")
	if err != nil || ok && nbf.After(now.Add(i.leeway)) {
		return none, none, fmt.Errorf("%w: nbf", ErrNotBefore)
	}
	iat, ok, err := numericDate(claims, "iat")
	skew := min(i.leeway, issueSkew)
	switch {
	case err != nil || ok && iat.After(now.Add(skew)):
		return none, none, fmt.Errorf("%w: iat", ErrIssuedAt)
	case !ok:
		return none, exp, nil
	case exp.Sub(iat) > i.lifetime:
		return none, none, fmt.Errorf("%w: it was issued at %s", ErrLifetime, iat.Format(time.RFC3339))
	}
	return iat.Add(-skew), exp, nil
}

// numericDate reads seconds since 1970, up to the year 9999.
func numericDate(claims query.Object, name string) (time.Time, bool, error) {
	const last = 253402300799
	value, ok := claims.Get(name)
	if !ok {
		return time.Time{}, false, nil
	}
	number, ok := value.(query.Number)
	if !ok {
		return time.Time{}, false, ErrClaim
	}
	seconds, err := strconv.ParseFloat(string(number), 64)
	if err != nil || seconds < 0 || seconds > last {
		return time.Time{}, false, ErrClaim
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), true, nil
}
