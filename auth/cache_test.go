package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// turningKeys is a key set whose one key can be exchanged.
type turningKeys struct {
	key   atomic.Pointer[[]byte]
	asked atomic.Int64
}

func (k *turningKeys) Key(context.Context, string, string) (any, error) {
	k.asked.Add(1)
	key := k.key.Load()
	if key == nil {
		return nil, errors.New("no key")
	}
	return *key, nil
}

func (k *turningKeys) turn(secret string) {
	key := []byte(secret)
	k.key.Store(&key)
}

func TestCacheEndsWithTheToken(t *testing.T) {
	t.Parallel()
	c := newClock()
	v := verifier(t, Options{Clock: c.now}, shop())
	token := shopDraft().sign()
	accepted(t, v, token)
	c.advance(time.Hour + 29*time.Second)
	accepted(t, v, token)
	c.advance(time.Second)
	refused(t, v, token, ErrExpired)
	if len(v.cache.entries) != 0 {
		t.Error("an expired token is still remembered")
	}
}

func TestCacheEndsWithTheKey(t *testing.T) {
	t.Parallel()
	v := verifier(t, Options{}, shop())
	keys := &turningKeys{}
	keys.turn(shopSecret)
	v.issuers["https://shop.example"].keys = keys
	token := shopDraft().sign()
	accepted(t, v, token)
	accepted(t, v, token)
	keys.turn(globalSecret)
	refused(t, v, token, ErrSignature)
	keys.turn(shopSecret)
	accepted(t, v, token)
	keys.key.Store(nil)
	refused(t, v, token, ErrKey)
}

func TestCacheKnowsWholeTokensOnly(t *testing.T) {
	t.Parallel()
	v := verifier(t, Options{}, shop())
	token := shopDraft().sign()
	accepted(t, v, token)
	refused(t, v, token[:len(token)-1], ErrForm)
	d := shopDraft().with(map[string]any{"tenant": "globex"})
	p, err := v.Verify(t.Context(), d.sign())
	if err != nil || p.Tenant != "globex" {
		t.Errorf("got %q, %v", p.Tenant, err)
	}
}

func TestCacheRemembersNoRefusals(t *testing.T) {
	t.Parallel()
	v := verifier(t, Options{}, shop())
	for _, c := range refusals {
		d := shopDraft()
		c.change(d)
		_, _ = v.Verify(t.Context(), d.sign())
	}
	if n := len(v.cache.entries); n != 0 {
		t.Errorf("%d refused tokens are remembered", n)
	}
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	c := newCache()
	for n := range 2 * maxCached {
		c.put(sha256.Sum256([]byte(strconv.Itoa(n))), verification{until: now.Add(time.Duration(n%2) * time.Hour)}, now)
	}
	if n := len(c.entries); n > maxCached || n < maxCached/2 {
		t.Errorf("%d entries", n)
	}
	last := sha256.Sum256([]byte(strconv.Itoa(2*maxCached - 1)))
	if _, ok := c.get(last); !ok {
		t.Error("the latest entry is gone")
	}
}
