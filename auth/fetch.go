package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"usher/fault"
	"usher/lru"
)

// fetching bounds how key sets are fetched.
type fetching struct {
	timeout  time.Duration // of one fetch
	every    time.Duration // a removed key is refused after at most this
	retry    time.Duration // after a first failure; it doubles with each further one, up to `unknown`
	unknown  time.Duration // time between fetches for key ids we do not have, beyond
	burst    int           // so many at once, and least time between two for the same id
	maxStale time.Duration // keys older than this are not used
	maxBody  int64
}

func standardFetching() fetching {
	return fetching{
		timeout:  5 * time.Second,
		every:    5 * time.Minute,
		retry:    time.Second,
		unknown:  30 * time.Second,
		burst:    4,
		maxStale: 24 * time.Hour,
		maxBody:  1 << 20,
	}
}

// remote makes key sets that are fetched.
type remote struct {
	ctx    context.Context //nolint:containedctx // ends the refreshing, which outlives every call
	client *http.Client
	clock  func() time.Time
	log    *slog.Logger
	before *Verifier // whose key sets go on; nil: there was none
	fetching
}

// keys begins to fetch the key set of an issuer, and does not wait for it.
func (r remote) keys(address, issuer string, algorithms []string) (KeySet, error) {
	if err := checkAddress(address); err != nil {
		return nil, fmt.Errorf("keys.jwks_url: %w", err)
	}
	r.client = withoutRedirects(r.client)
	k := &fetchedKeys{
		remote: r, address: address, issuer: issuer, algorithms: algorithms, began: r.clock(),
		tried: make(chan struct{}), asked: rate.NewLimiter(rate.Every(r.unknown), r.burst), absent: lru.New[string, time.Time](maxAbsent),
	}
	for _, before := range r.before.fetched() {
		if before.address == address {
			k.set.Store(before.set.Load())
		}
		if before.issuer == issuer {
			k.failures.Store(before.failures.Load())
		}
	}
	// Under way before anybody can ask for a key, so that the first tokens wait for it.
	first := k.flight.DoChan("", func() (any, error) { return nil, k.fetch() })
	go k.refresh(first)
	return k, nil
}

// fetchedKeys is a KeySet that is fetched, and fetched anew from time to time.
type fetchedKeys struct {
	remote
	address, issuer string
	algorithms      []string
	began           time.Time

	set      atomic.Pointer[keys] // nil: never fetched
	failures atomic.Int64
	flight   singleflight.Group // callers that lack a key wait for one fetch
	asked    *rate.Limiter      // fetches that callers cause
	first    error              // of the first fetch
	tried    chan struct{}      // closed when that is over
	absent   *lru.Cache[string, time.Time]
	mu       sync.Mutex // one fetch at a time: an older answer never replaces a newer one
}

// maxAbsent is of how many key ids it is remembered that the set did not have them.
const maxAbsent = 64

// Key finds the key by its id, and fetches the set anew when there is none by
// that id, so that a new key is known when it is used first: a few times at once, then
// now and then, for anybody can name ids that there are not. One that comes
// again and again leaves the fetches to others. While the set cannot be
// fetched, the last keys serve until they are too old. Without any keys nothing
// is known of a token's worth, which is not the token's fault.
func (k *fetchedKeys) Key(_ context.Context, kid, alg string) (any, error) {
	set := k.current()
	key, err := set.find(kid, alg)
	if !errors.Is(err, errNoKey) {
		return key, err
	}
	if at, known := k.absent.Get(kid); known && time.Since(at) < k.unknown {
		return nil, errors.Join(err, errTooSoon)
	}
	_, failed, _ := k.flight.Do("", func() (any, error) {
		if !k.asked.Allow() {
			return nil, errTooSoon
		}
		return nil, k.fetch()
	})
	if set = k.current(); set == nil {
		return nil, k.notKnown(failed)
	}
	if key, err = set.find(kid, alg); err != nil {
		if failed == nil && errors.Is(err, errNoKey) {
			k.absent.Add(kid, time.Now(), 1)
		}
		return nil, errors.Join(err, failed)
	}
	return key, nil
}

var errTooSoon = errors.New("the key set was asked for a short while ago")

// current is the set as it was last fetched; nil when it never was, or too long ago.
func (k *fetchedKeys) current() *keys {
	set := k.set.Load()
	if set != nil && k.clock().Sub(set.at) > k.maxStale {
		return nil
	}
	return set
}

// keysRetry is how long callers shall wait for an issuer's keys.
const keysRetry = 5 * time.Second

func (k *fetchedKeys) notKnown(cause error) error {
	err := fault.New(fault.Unavailable, "the keys of the token's issuer are not known at the moment").WithHint("Try again in a moment.").
		Because(fmt.Errorf("issuer %s: %w", k.issuer, cause))
	err.RetryAfter = keysRetry
	return err
}

// refresh fetches the set again and again, sooner after a failure.
func (k *fetchedKeys) refresh(first <-chan singleflight.Result) {
	failed, before := (<-first).Err, error(nil)
	k.first = failed
	close(k.tried)
	wait := k.retry
	for {
		k.tell(failed, before)
		next := k.every
		if failed == nil {
			wait = k.retry
		} else {
			next = min(wait, k.every)
			wait = min(2*wait, k.unknown)
		}
		select {
		case <-k.ctx.Done():
			return
		case <-time.After(next):
		}
		before, failed = failed, k.fetch()
	}
}

// tell says what becomes of tokens while keys cannot be fetched, and when they can again.
func (k *fetchedKeys) tell(failed, before error) {
	log := k.log.With("issuer", k.issuer)
	switch {
	case failed == nil && before != nil:
		log.InfoContext(k.ctx, "the keys of an issuer were fetched again")
	case failed == nil:
	case k.current() == nil:
		log.WarnContext(k.ctx, "the keys of an issuer cannot be fetched, and none are known: its tokens are refused as UNAVAILABLE until they can be", "error", failed)
	default:
		log.WarnContext(k.ctx, "the keys of an issuer cannot be fetched; those that were fetched before serve", "age", k.age().String(), "error", failed)
	}
}

// age is how long ago the keys were fetched that serve; without any, how long there are none.
func (k *fetchedKeys) age() time.Duration {
	at := k.began
	if set := k.set.Load(); set != nil {
		at = set.at
	}
	return max(k.clock().Sub(at), 0)
}

// fetch replaces the set by what the issuer has now. What is not a usable set
// does not replace it.
func (k *fetchedKeys) fetch() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	set, err := k.read()
	if err != nil {
		if k.ctx.Err() == nil {
			k.failures.Add(1)
		}
		return err
	}
	k.set.Store(set)
	return nil
}

// read is the set as the issuer has it. One that no token could be signed with, as when the
// issuer has just been set up anew, is a mistake of the issuer's, not the end of its tokens.
func (k *fetchedKeys) read() (*keys, error) {
	text, err := k.get()
	if err != nil {
		return nil, err
	}
	set, err := readSet(text, k.clock())
	if err == nil {
		err = set.usable(k.algorithms)
	}
	return set, err
}

func (k *fetchedKeys) get() ([]byte, error) {
	ctx, cancel := context.WithTimeout(k.ctx, k.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.address, nil)
	if err != nil {
		return nil, err
	}
	response, err := k.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the status is %d", response.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, k.maxBody+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > k.maxBody {
		return nil, fmt.Errorf("the key set is larger than %d bytes", k.maxBody)
	}
	return text, nil
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

func withoutRedirects(given *http.Client) *http.Client {
	var c http.Client
	if given != nil {
		c = *given
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}
