package auth

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// KeySet finds the one key of an issuer that may have signed a token with this
// key id (empty when the token names none) and algorithm: a public key, or a
// []byte for HMAC. No such key and several are errors, never a guess. The key
// returned must fit the algorithm only as far as the issuer says so; the
// caller checks its type.
type KeySet interface {
	Key(ctx context.Context, kid, alg string) (any, error)
}

func newKeySet(spec KeysSpec, algorithms []string, issuer string, remote remote) (KeySet, error) {
	given := 0
	for _, text := range []string{spec.Secret, spec.PEM, spec.JWKSFile, spec.JWKSURL} {
		if text != "" {
			given++
		}
	}
	if given != 1 {
		return nil, fmt.Errorf("keys: exactly one of secret, pem, jwks_file and jwks_url is needed, not %d of them", given)
	}
	// Those that are not supported at all are reported as such.
	algorithms = slices.DeleteFunc(slices.Clone(algorithms), func(alg string) bool { return !supported(alg) })
	for _, alg := range algorithms {
		if symmetric(alg) != (spec.Secret != "") {
			return nil, fmt.Errorf("keys: %s does not fit; HS256, HS384 and HS512 need a secret, all others public keys", alg)
		}
	}
	switch {
	case spec.Secret != "":
		return secretKeys(spec.Secret, algorithms)
	case spec.PEM != "":
		return pemKeys(spec.PEM, algorithms)
	case spec.JWKSFile != "":
		return fileKeys(spec.JWKSFile, algorithms)
	}
	return remote.keys(spec.JWKSURL, issuer, algorithms)
}

// namelessKeys has the one key for each algorithm. Its keys have no ids, so
// the token's is not looked at.
type namelessKeys map[string]any

// Key returns the algorithm's key.
func (k namelessKeys) Key(_ context.Context, _, alg string) (any, error) {
	key, ok := k[alg]
	if !ok {
		return nil, fmt.Errorf("no key for %s", alg)
	}
	return key, nil
}

func secretKeys(secret string, algorithms []string) (namelessKeys, error) {
	if err := checkSecret(secret); err != nil {
		return nil, fmt.Errorf("keys.secret: %w", err)
	}
	keys := namelessKeys{}
	for _, alg := range algorithms {
		keys[alg] = []byte(secret)
		if err := fits(alg, keys[alg]); err != nil {
			return nil, fmt.Errorf("keys.secret: %w", err)
		}
	}
	return keys, nil
}

// minSecret is the least length of a secret: that of the shortest hash.
const minSecret = 32

// samples stand in tutorials; whoever reads them can sign with them.
var samples = []string{
	"your-256-bit-secret", "your-384-bit-secret", "your-512-bit-secret",
	"a-string-secret-at-least-256-bits-long",
	"a-valid-string-secret-that-is-at-least",
	"change-me", "changeme", "change_me", "replace-me", "replace_me", "thisisasecret",
	"this-is-a-secret", "this is a secret", "my-secret", "my_secret", "mysecret",
	"supersecret", "super-secret", "super_secret", "0123456789", "abcdefghijklmnop",
	"qwertyuiop",
}

// checkSecret refuses secrets that can be guessed.
func checkSecret(secret string) error {
	const distinct = 8
	switch {
	case len(secret) < minSecret:
		return fmt.Errorf("%d bytes, at least %d are needed; make one with: openssl rand -base64 48", len(secret), minSecret)
	case strings.Contains(secret, "-----BEGIN"):
		return errors.New("this is a PEM key, not a secret; give it as pem with the algorithms it signs with")
	}
	lower := strings.ToLower(secret)
	for _, sample := range samples {
		if strings.Contains(lower, sample) {
			return errors.New("this is a well-known sample; make one with: openssl rand -base64 48")
		}
	}
	seen := map[byte]bool{}
	for n := range len(secret) {
		seen[secret[n]] = true
	}
	if len(seen) < distinct {
		return fmt.Errorf("only %d different bytes; make one with: openssl rand -base64 48", len(seen))
	}
	return nil
}

// pemKeys refuses two keys that fit one algorithm: which of them signed could
// only be guessed.
func pemKeys(text string, algorithms []string) (namelessKeys, error) {
	public, err := parsePEM([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("keys.pem: %w", err)
	}
	keys := namelessKeys{}
	for _, alg := range algorithms {
		var fitting []any
		for _, key := range public {
			if fits(alg, key) == nil {
				fitting = append(fitting, key)
			}
		}
		switch len(fitting) {
		case 0:
			return nil, fmt.Errorf("keys.pem: no key fits: %w", fits(alg, public[0]))
		case 1:
			keys[alg] = fitting[0]
		default:
			return nil, fmt.Errorf("keys.pem: %d keys fit %s; use jwks_file, where keys have ids", len(fitting), alg)
		}
	}
	for n, key := range public {
		if !fitsAny(algorithms, key) {
			return nil, fmt.Errorf("keys.pem: block %d, a %T, fits none of the algorithms", n+1, key)
		}
	}
	return keys, nil
}

func parsePEM(text []byte) ([]any, error) {
	var keys []any
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		key, err := parseBlock(block)
		if err != nil {
			return nil, fmt.Errorf("block %d: %w", len(keys)+1, err)
		}
		keys = append(keys, key)
		text = rest
	}
	if len(keys) == 0 || len(bytes.TrimSpace(text)) > 0 {
		return nil, errors.New("not PEM public keys and nothing else")
	}
	return keys, nil
}

func parseBlock(block *pem.Block) (any, error) {
	switch block.Type {
	case "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes)
	}
	return nil, fmt.Errorf("%s is not a public key; only the issuer needs more than that", block.Type)
}

// supported tells whether tokens may be signed with the algorithm at all.
func supported(alg string) bool {
	switch jwt.GetSigningMethod(alg).(type) {
	case *jwt.SigningMethodHMAC, *jwt.SigningMethodRSA, *jwt.SigningMethodRSAPSS, *jwt.SigningMethodECDSA, *jwt.SigningMethodEd25519:
		return true
	}
	return false
}

func symmetric(alg string) bool {
	_, ok := jwt.GetSigningMethod(alg).(*jwt.SigningMethodHMAC)
	return ok
}

// fits tells whether a key is of the algorithm's type and strong enough.
func fits(alg string, key any) error {
	const minRSA = 2048
	switch m := jwt.GetSigningMethod(alg).(type) {
	case *jwt.SigningMethodHMAC:
		secret, ok := key.([]byte)
		if ok && len(secret) >= m.Hash.Size() {
			return nil
		}
		if ok {
			return fmt.Errorf("%s needs a secret of at least %d bytes, not %d", alg, m.Hash.Size(), len(secret))
		}
	case *jwt.SigningMethodRSA, *jwt.SigningMethodRSAPSS:
		public, ok := key.(*rsa.PublicKey)
		if ok && public.N.BitLen() >= minRSA {
			return nil
		}
		if ok {
			return fmt.Errorf("%s needs an RSA key of at least %d bits, not %d", alg, minRSA, public.N.BitLen())
		}
	case *jwt.SigningMethodECDSA:
		if public, ok := key.(*ecdsa.PublicKey); ok && public.Curve.Params().BitSize == m.CurveBits {
			return nil
		}
	case *jwt.SigningMethodEd25519:
		if public, ok := key.(ed25519.PublicKey); ok && len(public) == ed25519.PublicKeySize {
			return nil
		}
	}
	return fmt.Errorf("a %T does not fit %s", key, alg)
}

func sameKey(a, b any) bool {
	switch a := a.(type) {
	case []byte:
		secret, ok := b.([]byte)
		return ok && bytes.Equal(a, secret)
	case interface{ Equal(crypto.PublicKey) bool }:
		return a.Equal(b)
	}
	return false
}

func fitsAny(algorithms []string, key any) bool {
	return slices.ContainsFunc(algorithms, func(alg string) bool { return fits(alg, key) == nil })
}
