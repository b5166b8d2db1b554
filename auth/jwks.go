package auth

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/MicahParks/jwkset"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"usher/query"
)

// fetching bounds how key sets are fetched.
type fetching struct {
	timeout  time.Duration // of one fetch
	every    time.Duration // a removed key is refused after at most this
	unknown  time.Duration // least time between fetches for key ids we do not have
	maxStale time.Duration // keys older than this are not used
	maxBody  int64
}

func standardFetching() fetching {
	return fetching{
		timeout:  5 * time.Second,
		every:    5 * time.Minute,
		unknown:  30 * time.Second,
		maxStale: 24 * time.Hour,
		maxBody:  1 << 20,
	}
}

// jwks is a KeySet made of a JWK set.
type jwks struct {
	stored *store
	client jwkset.Storage // fetches when it is asked for a key it does not have; nil for a file
	flight singleflight.Group
	clock  func() time.Time
	fetching
}

// Key finds the key by its id, and fetches the set anew when it has none by
// that id and the last such fetch is long enough ago. Tokens that need the
// same key wait for one fetch. While the set cannot be fetched, the stored
// keys serve until they are too old.
func (k *jwks) Key(ctx context.Context, kid, alg string) (any, error) {
	set := k.stored.set.Load()
	if k.client == nil {
		return set.find(kid, alg)
	}
	if set != nil && k.clock().Sub(set.at) > k.maxStale {
		return nil, fmt.Errorf("the keys were last fetched at %s", set.at.Format(time.RFC3339))
	}
	key, err := set.find(kid, alg)
	if !errors.Is(err, errNoKey) {
		return key, err
	}
	_, fetched, _ := k.flight.Do(kid, func() (any, error) {
		// One caller that gives up must not end the fetch for the others.
		return k.client.KeyRead(context.WithoutCancel(ctx), kid)
	})
	key, err = k.stored.set.Load().find(kid, alg)
	if err != nil {
		return nil, errors.Join(err, fetched)
	}
	return key, nil
}

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

// store is where the fetching puts its sets.
type store struct {
	*jwkset.MemoryJWKSet
	clock func() time.Time
	set   atomic.Pointer[keys] // nil: never fetched
}

// KeyReplaceAll is called with every set that was fetched. An unusable one
// does not replace what is there.
func (s *store) KeyReplaceAll(ctx context.Context, set []jwkset.JWK) error {
	k, err := newKeys(set, s.clock())
	if err != nil {
		return err
	}
	if err := s.MemoryJWKSet.KeyReplaceAll(ctx, set); err != nil {
		return err
	}
	s.set.Store(k)
	return nil
}

func fileKeys(path string, algorithms []string) (*jwks, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("keys.jwks_file: %w", err)
	}
	keys, err := readSet(text, algorithms)
	if err != nil {
		return nil, fmt.Errorf("keys.jwks_file: %s: %w", path, err)
	}
	return keys, nil
}

func readSet(text []byte, algorithms []string) (*jwks, error) {
	if err := checkSet(text); err != nil {
		return nil, err
	}
	var parsed jwkset.JWKSMarshal
	if err := json.Unmarshal(text, &parsed); err != nil {
		return nil, err
	}
	set, err := parsed.JWKSlice()
	if err != nil {
		return nil, err
	}
	read, err := newKeys(set, time.Time{})
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(read.all, func(key signingKey) bool { return fitsAny(algorithms, key.public) }) {
		return nil, fmt.Errorf("no signing key in it fits %v", algorithms)
	}
	k := &jwks{stored: &store{}}
	k.stored.set.Store(read)
	return k, nil
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

// remote makes key sets that are fetched.
type remote struct {
	ctx    context.Context //nolint:containedctx // ends the refreshing, which outlives every call
	client *http.Client
	clock  func() time.Time
	log    *slog.Logger
	fetching
}

func (r remote) keys(address, issuer string) (*jwks, error) {
	if err := checkAddress(address); err != nil {
		return nil, fmt.Errorf("keys.jwks_url: %w", err)
	}
	stored := &store{MemoryJWKSet: jwkset.NewMemoryStorage(), clock: r.clock}
	fetched, err := jwkset.NewStorageFromHTTP(address, jwkset.HTTPClientStorageOptions{
		Client:                    r.boundedClient(),
		Ctx:                       r.ctx,
		HTTPTimeout:               r.timeout,
		NoErrorReturnFirstHTTPReq: true,
		RefreshInterval:           r.every,
		RefreshErrorHandler: func(ctx context.Context, err error) {
			r.log.WarnContext(ctx, "the keys of an issuer cannot be fetched; the last ones serve", "issuer", issuer, "error", err)
		},
		Storage: stored,
	})
	if err != nil {
		return nil, fmt.Errorf("keys.jwks_url: %w", err)
	}
	client, err := jwkset.NewHTTPClient(jwkset.HTTPClientOptions{
		HTTPURLs:          map[string]jwkset.Storage{address: fetched},
		PrioritizeHTTP:    true,
		RateLimitWaitMax:  r.timeout,
		RefreshUnknownKID: rate.NewLimiter(rate.Every(r.unknown), 1),
	})
	if err != nil {
		return nil, fmt.Errorf("keys.jwks_url: %w", err)
	}
	return &jwks{stored: stored, client: client, clock: r.clock, fetching: r.fetching}, nil
}

// checkAddress demands that nobody between here and the issuer can change keys.
func checkAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return errors.New("not a URL")
	}
	local := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	if u.Host == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return errors.New("must be an https URL without user and password (http only on this machine)")
	}
	return nil
}

func (r remote) boundedClient() *http.Client {
	var c http.Client
	if r.client != nil {
		c = *r.client
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	c.Transport = boundedTransport{next: c.Transport, most: r.maxBody}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.Timeout = r.timeout
	return &c
}

// boundedTransport reads the answer up to its bound and lets through only what
// is a JWK set.
type boundedTransport struct {
	next http.RoundTripper
	most int64
}

// RoundTrip fetches one key set.
func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return response, nil
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, t.most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > t.most {
		return nil, fmt.Errorf("the key set is larger than %d bytes", t.most)
	}
	if err := checkSet(text); err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(text))
	return response, nil
}
