// Package auth owns who may ask: it turns a JWT of a trusted issuer into a
// principal.Principal, and hands usher's own tokens to the control store that
// has made them. It trusts nothing the configuration does not name: an issuer,
// its audience, its algorithms, its keys, where in the claims a grant stands
// and how far that grant may go. A token that is not accepted is answered with
// one message, whatever is wrong with it; the cause, such as one of the Err
// values, is for the log.
package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"usher/fault"
	"usher/lru"
	"usher/principal"
	"usher/query"
)

// refusal is all that a caller learns about a token that is not accepted.
const refusal = "the token is missing or not accepted"

// Options are what a Verifier uses of its surroundings.
type Options struct {
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time
	// Tenants looks a tenant id up in the registry and returns its key, the
	// value in tenant columns, and how its data is reached. The error is
	// ErrNotRegistered for a tenant that is not there, ErrSuspended for one
	// that may not ask, ErrForeignKey for an id that is another tenant's key;
	// any other is that the registry does not answer. It is
	// asked for every JWT, cached or not, and must be quick. Nil: no registry.
	Tenants func(ctx context.Context, id string) (key string, routing principal.Routing, err error)
	// TenantOf looks up the id of the tenant that an identity provider calls so; the
	// error is ErrNotRegistered if nobody is. It must be as quick. Nil: nobody is
	// called anything.
	TenantOf func(ctx context.Context, externalID string) (id string, err error)
	// Opaque verifies the tokens that usher has made, those that begin with
	// usher_, and what has to be said of them: revocation, rate, the tenant's
	// status. Nil: there are none, and they are refused like any other text.
	Opaque func(ctx context.Context, raw string) (principal.Principal, error)
	// Revoked tells whether a JWT was revoked. It is asked for each of them,
	// cached or not, and must be quick. Nil: none can be.
	Revoked func(principal.Principal) bool
	// Ready is nil while Revoked and Tenants know the present. Its error is
	// the answer to every JWT, for each of them may have been revoked
	// meanwhile. Nil: they always do.
	Ready func() error
	// HTTPClient fetches key sets; nil means a client of its own. Redirects
	// are not followed and answers are bounded, whatever the client says.
	HTTPClient *http.Client
	// Log hears of key sets that cannot be fetched; nil means slog.Default.
	Log *slog.Logger
	// Before is the verifier that this one follows. Key sets that both fetch from one
	// address go on from those it has, so that an issuer that does not answer just now
	// is known still. Nil: there was none.
	Before *Verifier
}

// Verifier verifies tokens. It is safe for concurrent use.
type Verifier struct {
	issuers map[string]*issuer // by the exact iss
	clock   func() time.Time
	tenants func(context.Context, string) (string, principal.Routing, error)
	named   func(context.Context, string) (string, error)
	opaque  func(context.Context, string) (principal.Principal, error)
	revoked func(principal.Principal) bool
	ready   func() error
	cache   *lru.Cache[[32]byte, *verification]
	stop    context.CancelFunc
}

// New makes a Verifier from the issuers of the configuration and reports all
// that is wrong with them at once. It waits for no key set: until one could be
// fetched for the first time, its issuer's tokens are answered fault.Unavailable.
func New(specs []IssuerSpec, opts Options) (*Verifier, error) {
	return newVerifier(specs, opts, standardFetching())
}

func newVerifier(specs []IssuerSpec, opts Options, fetching fetching) (*Verifier, error) {
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	if opts.Revoked == nil {
		opts.Revoked = func(principal.Principal) bool { return false }
	}
	if opts.Ready == nil {
		opts.Ready = func() error { return nil }
	}
	ctx, stop := context.WithCancel(context.Background())
	v := &Verifier{
		issuers: make(map[string]*issuer, len(specs)),
		clock:   opts.Clock,
		tenants: opts.Tenants,
		named:   opts.TenantOf,
		opaque:  opts.Opaque,
		revoked: opts.Revoked,
		ready:   opts.Ready,
		cache:   newCache(),
		stop:    stop,
	}
	remote := remote{ctx: ctx, client: opts.HTTPClient, clock: opts.Clock, log: opts.Log, fetching: fetching, before: opts.Before}
	problems := checkSpecs(specs, opts.Tenants != nil)
	for _, spec := range specs {
		if spec.Name == ownIssuer && opts.Opaque != nil {
			problems = append(problems, fmt.Errorf("issuers.%s: the name is that of usher's own tokens; name the issuer differently", ownIssuer))
		}
		i, found := newIssuer(spec, remote)
		for _, err := range found {
			problems = append(problems, fmt.Errorf("issuers.%s.%w", spec.Name, err))
		}
		v.issuers[i.iss] = i
	}
	if len(problems) > 0 {
		stop()
		return nil, errors.Join(problems...)
	}
	return v, nil
}

// fetched are the key sets that are fetched.
func (v *Verifier) fetched() (sets []*fetchedKeys) {
	if v == nil {
		return nil
	}
	for _, i := range v.issuers {
		if of, ok := i.keys.(*fetchedKeys); ok {
			sets = append(sets, of)
		}
	}
	return sets
}

// Unfetched are the issuers whose keys could not be fetched for the first time, by their
// names, and why. It waits for that.
func (v *Verifier) Unfetched(ctx context.Context) map[string]error {
	failed := make(map[string]error)
	for _, k := range v.fetched() {
		select {
		case <-k.tried:
			if k.first != nil {
				failed[k.issuer] = k.first
			}
		case <-ctx.Done():
			failed[k.issuer] = ctx.Err()
		}
	}
	return failed
}

// Close ends the refreshing of key sets. The Verifier keeps working with the
// keys it has.
func (v *Verifier) Close() { v.stop() }

// Authenticate verifies the token of a request. The one place it looks at is
// the Authorization header.
func (v *Verifier) Authenticate(ctx context.Context, r *http.Request) (principal.Principal, error) {
	raw, err := bearer(r.Header)
	if err != nil {
		return principal.Principal{}, refuse(err)
	}
	return v.Verify(ctx, raw)
}

// bearer returns the token of the one Authorization header there must be.
func bearer(h http.Header) (string, error) {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return "", fmt.Errorf("%w: %d of them", ErrHeader, len(values))
	}
	scheme, raw, ok := strings.Cut(values[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", fmt.Errorf("%w: not of the form `Bearer <token>`", ErrHeader)
	}
	if raw == "" || strings.ContainsAny(raw, " \t,;\"") {
		return "", fmt.Errorf("%w: not exactly one token", ErrHeader)
	}
	return raw, nil
}

// Verify verifies a token. The principal shares its lists and maps with other
// requests that show the same token: they are read-only.
func (v *Verifier) Verify(ctx context.Context, raw string) (principal.Principal, error) {
	if strings.HasPrefix(raw, ownPrefix) && v.opaque != nil {
		return v.verifyOwn(ctx, raw)
	}
	verified, err := v.verified(ctx, raw)
	if err != nil {
		var unknown *fault.Error
		if errors.As(err, &unknown) && unknown.Code == fault.Unavailable { // nothing is known of the token's worth
			return principal.Principal{}, unknown
		}
		return principal.Principal{}, refuse(err)
	}
	p := verified.principal
	if p.Tenant, err = v.tenantOf(ctx, verified); err != nil {
		return principal.Principal{}, err
	}
	if v.revoked(p) {
		return principal.Principal{}, refuse(revocation(p))
	}
	if err := v.ready(); err != nil {
		return principal.Principal{}, unanswered(err)
	}
	return v.resolveTenant(ctx, verified.issuer, p)
}

// tenantOf is the id of a token's tenant. One that the token calls by another name
// must be somebody's, whatever the issuer is trusted with, and is looked up for
// each request: it may be another's by now.
func (v *Verifier) tenantOf(ctx context.Context, known *verification) (string, error) {
	if known.externalID == "" {
		return known.principal.Tenant, nil
	}
	if v.named == nil {
		return "", refuse(fmt.Errorf("%w: %w: %q", ErrTenant, ErrNotRegistered, known.externalID))
	}
	id, err := v.named(ctx, known.externalID)
	switch {
	case errors.Is(err, ErrNotRegistered), err == nil && id == "":
		return "", refuse(fmt.Errorf("%w: %w: %q", ErrTenant, ErrNotRegistered, known.externalID))
	case err != nil:
		return "", unanswered(err)
	}
	return id, nil
}

// revocation is why a token is revoked. One that does not say when it was issued
// may have nothing to do with whom the revocation was meant for.
func revocation(p principal.Principal) error {
	if p.Issued.IsZero() {
		return fmt.Errorf("%w: it has no iat, so that it counts as issued before every revocation", ErrRevoked)
	}
	return ErrRevoked
}

// ownPrefix begins the tokens that usher has made. No JWT begins so: its first
// part is JSON in base64.
const ownPrefix = "usher_"

// ownIssuer is what their principals have for an issuer.
const ownIssuer = "usher"

// verifyOwn has a token verified by who has made it. One that is not accepted
// gets the answer of any other; that it asks too often, or that nothing is
// known of it at the moment, is said.
func (v *Verifier) verifyOwn(ctx context.Context, raw string) (principal.Principal, error) {
	if err := checkSize(raw); err != nil {
		return principal.Principal{}, refuse(err)
	}
	p, err := v.opaque(ctx, raw)
	switch {
	case err == nil:
		return p, nil
	case fault.From(err).Code == fault.Unauthenticated:
		return principal.Principal{}, refuse(err)
	case fault.From(err).Code == fault.Unavailable:
		return principal.Principal{}, unanswered(err)
	}
	return principal.Principal{}, err
}

func refuse(cause error) error {
	return fault.New(fault.Unauthenticated, refusal).Because(cause)
}

// verified returns what the token was verified to say: from the cache, as long
// as it has not expired and its issuer still has the key that verified it, or
// by checking it anew.
func (v *Verifier) verified(ctx context.Context, raw string) (*verification, error) {
	if err := checkSize(raw); err != nil {
		return nil, err
	}
	digest := sha256.Sum256(append(make([]byte, 0, 1<<10), raw...)) // mostly on the stack
	if known, ok := v.cache.Get(digest); ok {
		if v.current(ctx, known) {
			return known, nil
		}
		v.cache.Forget(digest)
	}
	verified, err := v.check(ctx, raw)
	if err != nil {
		return nil, err
	}
	v.cache.Add(digest, verified, 1)
	return verified, nil
}

func (v *Verifier) current(ctx context.Context, known *verification) bool {
	if !v.clock().Before(known.until) {
		return false
	}
	key, err := known.issuer.keys.Key(ctx, known.kid, known.alg)
	return err == nil && sameKey(key, known.key)
}

// check is the list of everything a token must pass. Up to the signature, the
// claims are only parsed, and read for iss alone, to know whose keys to ask.
func (v *Verifier) check(ctx context.Context, raw string) (*verification, error) {
	t, err := parse(raw)
	if err != nil {
		return nil, err
	}
	if err := checkHeader(t.header); err != nil {
		return nil, err
	}
	if err := checkNames(t.claims, registeredClaims); err != nil {
		return nil, err
	}
	i, err := v.issuerOf(t.claims)
	if err != nil {
		return nil, err
	}
	alg, err := i.algorithm(t.header)
	if err != nil {
		return nil, err
	}
	kid, err := keyID(t.header)
	if err != nil {
		return nil, err
	}
	key, err := i.key(ctx, kid, alg)
	if err != nil {
		return nil, err
	}
	if err := checkSignature(t, alg, key); err != nil {
		return nil, err
	}
	// From here on the claims are the issuer's own words.
	if query.HoldsNUL(t.claims) {
		return nil, fmt.Errorf("%w: a text holds NUL, which no store keeps", ErrClaim)
	}
	if err := i.checkAudience(t.claims); err != nil {
		return nil, err
	}
	issued, expires, err := i.checkTimes(t.claims, v.clock())
	if err != nil {
		return nil, err
	}
	p, externalID, err := i.principal(t.claims)
	if err != nil {
		return nil, err
	}
	p.Issued, p.Expires = issued, expires
	return &verification{issuer: i, kid: kid, alg: alg, key: key, principal: p, externalID: externalID, until: expires.Add(i.leeway)}, nil
}

// resolveTenant gives the principal what the registry says of its tenant,
// whoever has issued the token; only a tenant that is nowhere registered, of an
// issuer that is trusted with that, has its id for a key. It stands outside the
// cache: a tenant that leaves the registry is refused with its next request.
func (v *Verifier) resolveTenant(ctx context.Context, i *issuer, p principal.Principal) (principal.Principal, error) {
	if p.AllTenants || v.tenants == nil {
		p.TenantKey = p.Tenant
		return p, nil
	}
	key, routing, err := v.tenants(ctx, p.Tenant)
	if err == nil && key == "" {
		return principal.Principal{}, refuse(fmt.Errorf("%w: it is registered without a key: %q", ErrTenant, p.Tenant))
	}
	switch {
	case errors.Is(err, ErrNotRegistered) && !i.registered:
		p.TenantKey = p.Tenant
		return p, nil
	case errors.Is(err, ErrNotRegistered), errors.Is(err, ErrSuspended), errors.Is(err, ErrForeignKey):
		return principal.Principal{}, refuse(fmt.Errorf("%w: %w: %q", ErrTenant, err, p.Tenant))
	case err != nil:
		// Nothing is known of the token's worth: the caller is not told that it has none.
		return principal.Principal{}, unanswered(err)
	}
	p.TenantKey, p.Routing = key, routing
	return p, nil
}

// silence is how long whoever asks shall wait for what does not answer.
const silence = time.Second

// unanswered is for tokens of whose worth nothing is known at the moment.
func unanswered(err error) error {
	known := *fault.From(err)
	if known.Code == fault.Timeout { // the request's own time is over, whoever would have answered
		return &known
	}
	if known.Code != fault.Unavailable {
		known = *fault.New(fault.Unavailable, "the registry of tenants does not answer").Because(err)
	}
	if known.RetryAfter == 0 {
		known.RetryAfter = silence
	}
	return &known
}

// issuer is one trusted issuer, ready to use.
type issuer struct {
	name         string
	iss          string
	audience     []string
	algorithms   []string
	keys         KeySet
	claims       mapping
	mayGrant     MayGrant
	registered   bool
	byExternalID bool // its tokens name tenants by external ids
	confidential bool
	lifetime     time.Duration
	leeway       time.Duration
}

// newIssuer returns problems that begin with the key they are about.
func newIssuer(spec IssuerSpec, remote remote) (*issuer, []error) {
	claims, problems := newMapping(spec.Claims)
	i := &issuer{
		name:         spec.Name,
		iss:          spec.Issuer,
		audience:     slices.Clone(spec.Audience),
		algorithms:   slices.Clone(spec.Algorithms),
		claims:       claims,
		mayGrant:     spec.MayGrant.clone(),
		registered:   spec.registered(),
		byExternalID: spec.Claims.Tenant.Map == MapRegistry,
		confidential: spec.Confidential,
		lifetime:     spec.maxLifetime(),
		leeway:       spec.leeway(),
	}
	problems = append(problems, i.checkDefaults()...)
	var err error
	if i.keys, err = newKeySet(spec.Keys, spec.Algorithms, spec.Name, remote); err != nil {
		problems = append(problems, err)
	}
	return i, problems
}
