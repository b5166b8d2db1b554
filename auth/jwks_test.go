package auth

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
	"github.com/prometheus/client_golang/prometheus"

	"usher/fault"
)

// jwk writes a public key as a JWK; change may alter its members.
func jwk(kid string, key crypto.Signer, change func(map[string]any)) map[string]any {
	made := must(jwkset.NewJWKFromKey(key.Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: kid}}))
	var members map[string]any
	if err := json.Unmarshal(must(json.Marshal(made.Marshal())), &members); err != nil {
		panic(err)
	}
	if change != nil {
		change(members)
	}
	return members
}

func setOf(keys ...map[string]any) string {
	list := append([]map[string]any{}, keys...)
	return string(must(json.Marshal(map[string]any{"keys": list})))
}

// keyServer serves a key set and counts how often it is asked.
type keyServer struct {
	*httptest.Server
	asked   atomic.Int64
	mu      sync.Mutex
	respond http.HandlerFunc
}

func serveKeys(t testing.TB, respond http.HandlerFunc) *keyServer {
	t.Helper()
	s := &keyServer{respond: respond}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		s.mu.Lock()
		respond := s.respond
		s.mu.Unlock()
		respond(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *keyServer) set(respond http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.respond = respond
}

func body(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// impatient fetching asks again for every unknown key id.
func impatient() fetching {
	f := standardFetching()
	f.unknown = time.Nanosecond
	return f
}

func remoteIDP(address string) IssuerSpec {
	spec := idp()
	spec.Keys = KeysSpec{JWKSURL: address}
	return spec
}

func remoteVerifier(t testing.TB, s *keyServer, c func() time.Time, f fetching) *Verifier {
	t.Helper()
	v, err := newVerifier([]IssuerSpec{remoteIDP(s.URL)}, Options{Clock: c, Log: slog.New(slog.DiscardHandler)}, f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

// keyed is a valid token of idp that names its key.
func keyed(kid string, method jwt.SigningMethod, key any) string {
	d := idpDraft(method, key)
	if kid != "" {
		d.header["kid"] = kid
	}
	return d.sign()
}

func accepted(t *testing.T, v *Verifier, token string) {
	t.Helper()
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("refused: %v", err)
	}
}

func refused(t *testing.T, v *Verifier, token string, want error) {
	t.Helper()
	p, err := v.Verify(t.Context(), token)
	checkRefused(t, p, err, want)
}

// unknown checks that nothing is said of a token while its issuer's keys are
// not known, but when to ask again.
func unknown(t *testing.T, v *Verifier, token string) {
	t.Helper()
	p, err := v.Verify(t.Context(), token)
	f := fault.From(err)
	if err == nil || f.Code != fault.Unavailable || f.RetryAfter != keysRetry || f.Hint == "" || errors.Is(err, ErrKey) && f.Message == refusal {
		t.Errorf("got %v", err)
	}
	if p.Tenant != "" || p.AllTenants || p.Subject != "" {
		t.Errorf("got %+v", p)
	}
}

// settled waits for the first fetch, without causing another.
func settled(v *Verifier) {
	_, _, _ = v.issuers["https://idp.example"].keys.(*fetchedKeys).flight.Do("", func() (any, error) { return nil, nil })
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	k := private()
	f := func(name, set string, check func(*Verifier)) {
		t.Helper()
		spec := idp()
		spec.Keys = KeysSpec{JWKSFile: writeFile(t, set)}
		v, err := New([]IssuerSpec{spec}, Options{Clock: fixedClock})
		switch {
		case check == nil && err == nil:
			t.Errorf("%s: accepted", name)
		case check != nil && err != nil:
			t.Errorf("%s: %v", name, err)
		case check != nil:
			check(v)
			v.Close()
		}
	}
	f("two keys", setOf(jwk("a", k.rsa, nil), jwk("b", k.otherRSA, nil), jwk("c", k.p256, nil)), func(v *Verifier) {
		accepted(t, v, keyed("a", jwt.SigningMethodRS256, k.rsa))
		accepted(t, v, keyed("b", jwt.SigningMethodRS256, k.otherRSA))
		refused(t, v, keyed("a", jwt.SigningMethodRS256, k.otherRSA), ErrSignature)
		refused(t, v, keyed("d", jwt.SigningMethodRS256, k.rsa), ErrKey)
		refused(t, v, keyed("A", jwt.SigningMethodRS256, k.rsa), ErrKey)
		// A key of another type than the algorithm's.
		refused(t, v, keyed("a", jwt.SigningMethodES256, k.p256), ErrKey)
		// Without an id there must be exactly one that fits.
		accepted(t, v, keyed("", jwt.SigningMethodES256, k.p256))
		refused(t, v, keyed("", jwt.SigningMethodRS256, k.rsa), ErrKey)
		refused(t, v, keyed("", jwt.SigningMethodEdDSA, k.ed), ErrKey)
	})
	f("a key for one algorithm", setOf(jwk("a", k.rsa, func(m map[string]any) { m["alg"] = "PS256" })), func(v *Verifier) {
		accepted(t, v, keyed("a", jwt.SigningMethodPS256, k.rsa))
		refused(t, v, keyed("a", jwt.SigningMethodRS256, k.rsa), ErrKey)
		refused(t, v, keyed("", jwt.SigningMethodRS256, k.rsa), ErrKey)
	})
	f("a key for encryption", setOf(jwk("a", k.rsa, func(m map[string]any) { m["use"] = "enc" }), jwk("b", k.ed, nil)), func(v *Verifier) {
		refused(t, v, keyed("a", jwt.SigningMethodRS256, k.rsa), ErrKey)
		accepted(t, v, keyed("b", jwt.SigningMethodEdDSA, k.ed))
	})
	f("a symmetric key", `{"keys":[{"kty":"oct","kid":"a","k":"a0ozdjl4UTJtVDdiWjVuUjh3TDFjWTRoRDZnRjBzQWU"}]}`, nil)
	f("one id twice", setOf(jwk("a", k.rsa, nil), jwk("a", k.otherRSA, nil)), nil)
	f("no keys", setOf(), nil)
	f("not a set", `{}`, nil)
	f("keys twice", `{"keys":[],"keys":[]}`, nil)
	f("not JSON", `<html>`, nil)
	f("none that fits", setOf(jwk("a", k.p384, nil)), nil)
}

func TestRemoteKeys(t *testing.T) {
	t.Parallel()
	k := private()
	s := serveKeys(t, body(setOf(jwk("a", k.rsa, nil))))
	v := remoteVerifier(t, s, fixedClock, standardFetching())
	accepted(t, v, keyed("a", jwt.SigningMethodRS256, k.rsa))
	accepted(t, v, keyed("", jwt.SigningMethodRS256, k.rsa))
	refused(t, v, keyed("a", jwt.SigningMethodHS256, []byte(publicPEM(k.rsa))), ErrAlgorithm)
	if n := s.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestSameKeyIDOfTwoIssuers(t *testing.T) {
	t.Parallel()
	k := private()
	one := serveKeys(t, body(setOf(jwk("main", k.rsa, nil))))
	two := serveKeys(t, body(setOf(jwk("main", k.otherRSA, nil))))
	other := remoteIDP(two.URL)
	other.Name, other.Issuer = "other", "https://other.example"
	v := verifier(t, Options{}, remoteIDP(one.URL), other)
	accepted(t, v, keyed("main", jwt.SigningMethodRS256, k.rsa))
	refused(t, v, keyed("main", jwt.SigningMethodRS256, k.otherRSA), ErrSignature)
	swapped := idpDraft(jwt.SigningMethodRS256, k.rsa).with(map[string]any{"iss": "https://other.example"})
	swapped.header["kid"] = "main"
	refused(t, v, swapped.sign(), ErrSignature)
}

func TestRotation(t *testing.T) {
	t.Parallel()
	k := private()
	s := serveKeys(t, body(setOf(jwk("old", k.rsa, nil))))
	v := remoteVerifier(t, s, fixedClock, impatient())
	old, fresh := keyed("old", jwt.SigningMethodRS256, k.rsa), keyed("new", jwt.SigningMethodRS256, k.otherRSA)
	accepted(t, v, old)
	refused(t, v, fresh, ErrKey)

	s.set(body(setOf(jwk("old", k.rsa, nil), jwk("new", k.otherRSA, nil))))
	accepted(t, v, fresh)
	accepted(t, v, old)

	// A removed key takes its verified tokens along.
	s.set(body(setOf(jwk("new", k.otherRSA, nil))))
	refused(t, v, keyed("unknown", jwt.SigningMethodRS256, k.rsa), ErrKey)
	refused(t, v, old, ErrKey)
	accepted(t, v, fresh)

	// So does a key that another one replaced under its id.
	s.set(body(setOf(jwk("new", k.rsa, nil))))
	refused(t, v, keyed("unknown", jwt.SigningMethodRS256, k.rsa), ErrKey)
	refused(t, v, fresh, ErrSignature)

	// A set by which no token can be signed is none.
	for _, useless := range []string{setOf(), setOf(jwk("new", k.rsa, func(m map[string]any) { m["use"] = "enc" })), setOf(jwk("new", k.rsa, func(m map[string]any) { m["alg"] = "RS512" }))} {
		s.set(body(useless))
		refused(t, v, keyed("unknown", jwt.SigningMethodRS256, k.rsa), ErrKey)
		accepted(t, v, keyed("new", jwt.SigningMethodRS256, k.rsa))
	}
}

func TestRotationWithoutKeyIDs(t *testing.T) {
	t.Parallel()
	s := serveKeys(t, status(http.StatusServiceUnavailable))
	v := remoteVerifier(t, s, fixedClock, impatient())
	token := keyed("", jwt.SigningMethodRS256, private().rsa)
	unknown(t, v, token)
	s.set(body(setOf(jwk("a", private().rsa, nil))))
	accepted(t, v, token)
}

// brokenServers are answers that are not a key set.
func brokenServers(elsewhere string) map[string]http.HandlerFunc {
	k := private()
	return map[string]http.HandlerFunc{
		"no keys":            body(setOf()),
		"no key that signs":  body(setOf(jwk("a", k.rsa, func(m map[string]any) { m["use"] = "enc" }))),
		"an error":           status(http.StatusInternalServerError),
		"not found":          status(http.StatusNotFound),
		"nothing":            status(http.StatusOK),
		"HTML":               body("<!doctype html><title>Log in</title>"),
		"another object":     body(`{"error":"try later"}`),
		"a list":             body(`[]`),
		"keys are an object": body(`{"keys":{}}`),
		"keys twice":         body(`{"keys":[],"keys":[]}`),
		"half a set":         body(setOf(jwk("a", k.rsa, nil))[:100]),
		"a bad key":          body(`{"keys":[{"kty":"RSA","kid":"a","n":"!","e":"AQAB"}]}`),
		"one id twice":       body(setOf(jwk("a", k.rsa, nil), jwk("a", k.otherRSA, nil))),
		"two megabytes":      body(setOf(jwk("a", k.rsa, nil)) + strings.Repeat(" ", 2<<20)),
		"a redirect":         func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere, http.StatusFound) },
		"a permanent redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere, http.StatusPermanentRedirect)
		},
		"a broken connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"slow headers":        func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"a body that never ends": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"keys":[`)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	}
}

func TestBrokenKeyServers(t *testing.T) {
	t.Parallel()
	k := private()
	good := body(setOf(jwk("a", k.rsa, nil)))
	elsewhere := serveKeys(t, good)
	f := impatient()
	f.timeout = time.Second // long enough for the good servers on a busy machine
	token, unheard := keyed("a", jwt.SigningMethodRS256, k.rsa), keyed("b", jwt.SigningMethodRS256, k.rsa)
	hmac := keyed("a", jwt.SigningMethodHS256, []byte(publicPEM(k.rsa)))
	for name, broken := range brokenServers(elsewhere.URL) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serveKeys(t, broken)
			s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			v := remoteVerifier(t, s, fixedClock, f)
			unknown(t, v, token)
			unknown(t, v, unheard)
			refused(t, v, hmac, ErrAlgorithm) // whatever its keys are

			s.set(good)
			accepted(t, v, token)

			s.set(broken)
			refused(t, v, unheard, ErrKey)
			accepted(t, v, token)
			accepted(t, v, keyed("a", jwt.SigningMethodPS256, k.rsa))
		})
	}
	t.Cleanup(func() {
		if n := elsewhere.asked.Load(); n != 0 {
			t.Errorf("redirects were followed %d times", n)
		}
	})
}

// TestStartDoesNotWaitForKeys: a server of keys that is silent keeps nobody
// waiting but its own issuer's callers, and those not for long.
func TestStartDoesNotWaitForKeys(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := serveKeys(t, func(w http.ResponseWriter, r *http.Request) {
		select { // is not told that the client has left
		case <-release:
			body(setOf(jwk("a", private().rsa, nil)))(w, r)
		case <-t.Context().Done():
		}
	})
	t.Cleanup(s.CloseClientConnections)
	f := impatient()
	f.timeout = 50 * time.Millisecond
	v, err := newVerifier([]IssuerSpec{remoteIDP(s.URL), shop()}, Options{Clock: fixedClock, Log: slog.New(slog.DiscardHandler)}, f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	accepted(t, v, shopDraft().sign())
	token := keyed("a", jwt.SigningMethodRS256, private().rsa)
	unknown(t, v, token)
	accepted(t, v, shopDraft().sign())
	close(release)
	limit := time.After(10 * time.Second)
	for {
		_, err := v.Verify(t.Context(), token)
		if err == nil {
			return
		}
		select {
		case <-limit:
			t.Fatal(err)
		default:
		}
	}
}

// Keys that could not be fetched are fetched again soon, whether somebody asks
// for them or not; those who ask cause no storm.
func TestKeysAreFetchedAgainSoon(t *testing.T) {
	t.Parallel()
	k := private()
	s := serveKeys(t, status(http.StatusServiceUnavailable))
	f := standardFetching()
	f.retry, f.unknown = 20*time.Millisecond, time.Hour
	v := remoteVerifier(t, s, fixedClock, f)
	token := keyed("a", jwt.SigningMethodRS256, k.rsa)
	for range 200 {
		unknown(t, v, token)
	}
	// 20, 60, 140, … ms after the first: not one for each caller.
	if n := s.asked.Load(); n > 20 {
		t.Errorf("asked %d times", n)
	}
	s.set(body(setOf(jwk("a", k.rsa, nil))))
	limit := time.After(20 * time.Second)
	for {
		_, err := v.Verify(t.Context(), token)
		if err == nil {
			return
		}
		select {
		case <-limit:
			t.Fatal(err)
		default:
		}
	}
}

// Of a set that is far too large no more is read than the bound and what was on
// its way.
func TestHugeKeySets(t *testing.T) {
	t.Parallel()
	var sent atomic.Int64
	finished := make(chan struct{})
	var once sync.Once
	s := serveKeys(t, func(w http.ResponseWriter, _ *http.Request) {
		defer once.Do(func() { close(finished) })
		chunk := []byte(strings.Repeat(" ", 1<<20))
		for range 100 {
			n, err := w.Write(chunk)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	v := remoteVerifier(t, s, fixedClock, standardFetching())
	settled(v)
	<-finished
	if n := sent.Load(); n > 50<<20 {
		t.Errorf("%d bytes were sent", n)
	}
	unknown(t, v, keyed("a", jwt.SigningMethodRS256, private().rsa))
}

// A set may have keys of kinds that usher does not know.
func TestForeignKeysInASet(t *testing.T) {
	t.Parallel()
	k := private()
	set := setOf(jwk("a", k.rsa, nil), map[string]any{"kty": "EC", "crv": "secp256k1", "kid": "b", "x": "AAAA", "y": "AAAA"})
	s := serveKeys(t, body(set))
	accepted(t, remoteVerifier(t, s, fixedClock, standardFetching()), keyed("a", jwt.SigningMethodRS256, k.rsa))
	spec := idp()
	spec.Keys = KeysSpec{JWKSFile: writeFile(t, set)}
	accepted(t, verifier(t, Options{}, spec), keyed("a", jwt.SigningMethodRS256, k.rsa))
}

func TestStaleKeysAreNotUsed(t *testing.T) {
	t.Parallel()
	k := private()
	c := newClock()
	s := serveKeys(t, body(setOf(jwk("a", k.rsa, nil))))
	v := remoteVerifier(t, s, c.now, standardFetching())
	settled(v)
	c.advance(24 * time.Hour)
	d := idpDraft(jwt.SigningMethodRS256, k.rsa).with(map[string]any{"exp": in(25 * time.Hour), "iat": in(24 * time.Hour), "nbf": in(0)})
	d.header["kid"] = "a"
	token := d.sign()
	accepted(t, v, token)
	c.advance(time.Second)
	s.set(status(http.StatusServiceUnavailable))
	unknown(t, v, token)
}

func TestRefreshFindsRemovedKeys(t *testing.T) {
	t.Parallel()
	k := private()
	s := serveKeys(t, body(setOf(jwk("a", k.rsa, nil))))
	f := standardFetching()
	f.every = time.Millisecond
	v := remoteVerifier(t, s, fixedClock, f)
	token := keyed("a", jwt.SigningMethodRS256, k.rsa)
	accepted(t, v, token)
	s.set(body(setOf(jwk("b", k.otherRSA, nil))))
	limit := time.After(10 * time.Second)
	for {
		_, err := v.Verify(t.Context(), token)
		if errors.Is(err, ErrKey) {
			return
		}
		select {
		case <-limit:
			t.Fatalf("the removed key still serves: %v", err)
		default:
		}
	}
}

func TestStormOfUnknownKeys(t *testing.T) {
	t.Parallel()
	k := private()
	s := serveKeys(t, body(setOf(jwk("a", k.rsa, nil))))
	v := remoteVerifier(t, s, fixedClock, standardFetching())
	token := keyed("a", jwt.SigningMethodRS256, k.rsa)
	method, key := jwt.SigningMethodES256, k.p256
	var wg sync.WaitGroup
	for n := range 16 {
		wg.Go(func() {
			for m := range 60 {
				_, err := v.Verify(t.Context(), keyed(fmt.Sprintf("random-%d-%d", n, m), method, key))
				if !errors.Is(err, ErrKey) {
					t.Error(err)
				}
				if _, err := v.Verify(t.Context(), token); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	// One when it started, and a few for the first unknown keys.
	if n := s.asked.Load(); n > 1+4 {
		t.Errorf("asked %d times", n)
	}
}

// A new key that was published before it signs is known at once, right after others were
// asked for in vain; an id that comes again and again does not use up the fetches.
func TestANewKeyAfterUnknownOnes(t *testing.T) {
	t.Parallel()
	k := private()
	s := serveKeys(t, body(setOf(jwk("old", k.rsa, nil))))
	v := remoteVerifier(t, s, fixedClock, standardFetching())
	accepted(t, v, keyed("old", jwt.SigningMethodRS256, k.rsa))
	for range 100 {
		refused(t, v, keyed("gone", jwt.SigningMethodRS256, k.rsa), ErrKey)
	}
	for n := range 3 { // each rotation within the same half minute
		id := fmt.Sprintf("new-%d", n)
		s.set(body(setOf(jwk("old", k.rsa, nil), jwk(id, k.otherRSA, nil))))
		accepted(t, v, keyed(id, jwt.SigningMethodRS256, k.otherRSA))
	}
	if n := s.asked.Load(); n != 1+1+3 {
		t.Errorf("asked %d times", n)
	}
}

// Operators are told of keys that cannot be fetched, and what is true of them: whether there
// are any. A verifier that follows another counts on.
func TestOperatorsAreToldOfKeys(t *testing.T) {
	t.Parallel()
	k := private()
	s := serveKeys(t, body(setOf()))
	lines := new(logged)
	c := newClock()
	f := standardFetching()
	f.retry, f.every = time.Millisecond, 2*time.Millisecond
	open := func(before *Verifier) *Verifier {
		v, err := newVerifier([]IssuerSpec{remoteIDP(s.URL)}, Options{Clock: c.now, Log: slog.New(slog.NewTextHandler(lines, nil)), Before: before}, f)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(v.Close)
		return v
	}
	v := open(nil)
	lines.await(t, `level=WARN msg="the keys of an issuer cannot be fetched, and none are known: its tokens are refused as UNAVAILABLE until they can be" issuer=idp error="no signing key in it fits [RS256`)
	unknown(t, v, keyed("a", jwt.SigningMethodRS256, k.rsa))
	if strings.Contains(lines.text(), "serve") {
		t.Errorf("keys serve that there are not: %s", lines.text())
	}
	c.advance(time.Minute)
	if got := metricsOf(t, v)["usher_jwks_age_seconds"]; got != 60 {
		t.Errorf("without keys the age is %v", got)
	}
	s.set(body(setOf(jwk("a", k.rsa, nil))))
	lines.await(t, `level=INFO msg="the keys of an issuer were fetched again" issuer=idp`)
	accepted(t, v, keyed("a", jwt.SigningMethodRS256, k.rsa))
	s.set(body(setOf()))
	lines.await(t, `level=WARN msg="the keys of an issuer cannot be fetched; those that were fetched before serve" issuer=idp age=`)
	accepted(t, v, keyed("a", jwt.SigningMethodRS256, k.rsa))
	c.advance(time.Hour)
	was := metricsOf(t, v)
	if was["usher_jwks_failures_total"] < 2 || was["usher_jwks_age_seconds"] != 3600 {
		t.Errorf("the metrics are %v", was)
	}
	if is := metricsOf(t, open(v)); is["usher_jwks_failures_total"] < was["usher_jwks_failures_total"] || is["usher_jwks_age_seconds"] != 3600 {
		t.Errorf("after a reload the metrics are %v", is)
	}
}

// logged are lines of a log.
type logged struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *logged) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(line)
}

func (l *logged) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

func (l *logged) await(t *testing.T, line string) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for !strings.Contains(l.text(), line) {
		select {
		case <-limit:
			t.Fatalf("the log does not say %s:\n%s", line, l.text())
		case <-time.After(time.Millisecond):
		}
	}
}

// metricsOf are the values of metrics that have one series.
func metricsOf(t *testing.T, c prometheus.Collector) map[string]float64 {
	t.Helper()
	r := prometheus.NewRegistry()
	r.MustRegister(c)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]float64)
	for _, f := range families {
		m := f.GetMetric()[0]
		values[f.GetName()] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
	}
	return values
}

func TestCallersShareOneFetch(t *testing.T) {
	t.Parallel()
	k := private()
	s := serveKeys(t, body(setOf(jwk("other", k.rsa, nil))))
	v := remoteVerifier(t, s, fixedClock, standardFetching())
	settled(v)
	release, arrived := make(chan struct{}), make(chan struct{})
	s.set(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-release
		body(setOf(jwk("a", k.rsa, nil)))(w, r)
	})
	token := keyed("a", jwt.SigningMethodRS256, k.rsa)

	// The first caller gives up while its fetch is under way.
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = v.Verify(ctx, token) })
	<-arrived
	cancel()
	for range 8 {
		wg.Go(func() { accepted(t, v, token) })
	}
	close(release)
	wg.Wait()
	if n := s.asked.Load(); n != 2 {
		t.Errorf("asked %d times", n)
	}
}
