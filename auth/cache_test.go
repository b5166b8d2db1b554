package auth

import (
	"context"
	"errors"
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
	if v.cache.Len() != 0 {
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
	if n := v.cache.Len(); n != 0 {
		t.Errorf("%d refused tokens are remembered", n)
	}
}
