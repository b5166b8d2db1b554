package auth

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/MicahParks/jwkset"

	"usher/query"
	"usher/textfile"
)

// jwks is a KeySet made of a JWK set that was read once.
type jwks struct{ keys *keys }

// Key finds the key by its id.
func (k jwks) Key(_ context.Context, kid, alg string) (any, error) { return k.keys.find(kid, alg) }

var errNoKey = errors.New("no such key")

// keys are the signing keys of a set, as it was at one time.
type keys struct {
	all  []signingKey
	byID map[string]signingKey
	at   time.Time
}

type signingKey struct {
	alg    string // the only algorithm it is for; empty: any that fits
	public any
}

// find returns the key of that id or, for tokens that name none, the only one
// that fits. Nil keys have none.
func (k *keys) find(kid, alg string) (any, error) {
	if k == nil {
		return nil, errNoKey
	}
	if kid != "" {
		key, ok := k.byID[kid]
		if !ok {
			return nil, fmt.Errorf("%w: %s", errNoKey, quote(kid))
		}
		if key.alg != "" && key.alg != alg {
			return nil, fmt.Errorf("key %s is for %s, not %s", quote(kid), key.alg, alg)
		}
		return key.public, nil
	}
	var fitting []any
	for _, key := range k.all {
		if (key.alg == "" || key.alg == alg) && fits(alg, key.public) == nil {
			fitting = append(fitting, key.public)
		}
	}
	switch len(fitting) {
	case 0:
		return nil, fmt.Errorf("%w: none fits %s", errNoKey, alg)
	case 1:
		return fitting[0], nil
	}
	return nil, fmt.Errorf("the token names no key and %d fit %s", len(fitting), alg)
}

// newKeys picks the signing keys. Two with one id are refused: which of them
// was meant could only be guessed.
func newKeys(set []jwkset.JWK, at time.Time) (*keys, error) {
	k := &keys{byID: map[string]signingKey{}, at: at}
	for _, key := range set {
		m := key.Marshal()
		public := publicKey(key)
		if public == nil || m.USE != "" && m.USE != jwkset.UseSig {
			continue
		}
		signing := signingKey{alg: m.ALG.String(), public: public}
		k.all = append(k.all, signing)
		if m.KID == "" {
			continue
		}
		if _, taken := k.byID[m.KID]; taken {
			return nil, fmt.Errorf("two keys of the set have the id %s", quote(m.KID))
		}
		k.byID[m.KID] = signing
	}
	return k, nil
}

// usable tells whether tokens can be signed by any of the keys.
func (k *keys) usable(algorithms []string) error {
	if !slices.ContainsFunc(k.all, func(key signingKey) bool {
		return (key.alg == "" || slices.Contains(algorithms, key.alg)) && fitsAny(algorithms, key.public)
	}) {
		return fmt.Errorf("no signing key in it fits %v", algorithms)
	}
	return nil
}

// publicKey is nil for a symmetric key: a set is for everybody to read.
func publicKey(key jwkset.JWK) any {
	switch key := key.Key().(type) {
	case []byte:
		return nil
	case interface{ Public() crypto.PublicKey }:
		return key.Public()
	default:
		return key
	}
}

func fileKeys(path string, algorithms []string) (KeySet, error) {
	text, err := textfile.Read(path, textfile.Most)
	if err != nil {
		return nil, fmt.Errorf("keys.jwks_file: %w", err)
	}
	read, err := readSet(text, time.Time{})
	if err != nil {
		return nil, fmt.Errorf("keys.jwks_file: %s: %w", path, err)
	}
	if err := read.usable(algorithms); err != nil {
		return nil, fmt.Errorf("keys.jwks_file: %s: %w", path, err)
	}
	return jwks{read}, nil
}

// readSet reads the text of a JWK set. Keys of kinds that usher does not know
// are left out: an issuer may have them beside those that sign its tokens.
func readSet(text []byte, at time.Time) (*keys, error) {
	if err := checkSet(text); err != nil {
		return nil, err
	}
	var parsed jwkset.JWKSMarshal
	if err := json.Unmarshal(text, &parsed); err != nil {
		return nil, err
	}
	var set []jwkset.JWK
	for _, marshaled := range parsed.Keys {
		key, err := jwkset.NewJWKFromMarshal(marshaled, jwkset.JWKMarshalOptions{Private: true}, jwkset.JWKValidateOptions{})
		switch {
		case errors.Is(err, jwkset.ErrUnsupportedKey):
		case err != nil:
			return nil, err
		default:
			set = append(set, key)
		}
	}
	return newKeys(set, at)
}

// checkSet refuses what is not a JWK set, such as an error page: it would
// otherwise read as a set without keys.
func checkSet(text []byte) error {
	v, err := parseJSON(text)
	if err != nil {
		return fmt.Errorf("not a JWK set: %w", err)
	}
	object, _ := v.(query.Object)
	keys, _ := object.Get("keys")
	if _, ok := keys.(query.List); !ok {
		return errors.New("not a JWK set: it has no list of keys")
	}
	return nil
}
