package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"usher/fault"
	"usher/principal"
)

const ownToken = "usher_et_0123456789abcdef_0123456789abcdefghjkmnpqrs"

// maker stands for a control store: it has made one token.
type maker struct {
	asked []string
	err   error
}

func (s *maker) opaque(_ context.Context, raw string) (principal.Principal, error) {
	s.asked = append(s.asked, raw)
	switch {
	case s.err != nil:
		return principal.Principal{Subject: "a refused token's"}, s.err
	case raw != ownToken:
		return principal.Principal{}, fault.New(fault.Unauthenticated, "of another kind").WithHint("a hint").Because(errors.New("unknown"))
	}
	return principal.Principal{Subject: "browser", Tenant: "acme", TenantKey: "4711", Kind: principal.EmbedToken}, nil
}

func TestOwnTokens(t *testing.T) {
	t.Parallel()
	s := &maker{}
	v := verifier(t, Options{Opaque: s.opaque}, shop())
	p, err := v.Verify(t.Context(), ownToken)
	if err != nil || p.Subject != "browser" || p.TenantKey != "4711" {
		t.Errorf("got %+v, %v", p, err)
	}
	// Each use is judged anew: nothing is remembered here.
	if _, err := v.Verify(t.Context(), ownToken); err != nil || len(s.asked) != 2 {
		t.Errorf("asked %d times, %v", len(s.asked), err)
	}
	cause := errors.New("the rate")
	busy := fault.New(fault.TooManyRequests, "too often").Because(cause)
	busy.RetryAfter = time.Second
	for _, c := range []struct {
		err  error
		code fault.Code
	}{
		{fault.New(fault.Unavailable, "silent"), fault.Unavailable},
		{busy, fault.TooManyRequests},
		{errors.New("a failure nobody knows"), fault.Internal},
	} {
		s.err = c.err
		p, err := v.Verify(t.Context(), ownToken)
		wait := fault.From(c.err).RetryAfter
		if c.code == fault.Unavailable {
			wait = silence
		}
		if got := fault.From(err); got.Code != c.code || got.RetryAfter != wait || p.Subject != "" {
			t.Errorf("%v becomes %v, %+v", c.err, err, p)
		}
	}
}

// Whatever a store says of a token that is not its own, the caller is told
// what is told of any token.
func TestForeignOwnTokens(t *testing.T) {
	t.Parallel()
	s := &maker{}
	withStore, without := verifier(t, Options{Opaque: s.opaque}, shop()), verifier(t, Options{}, shop())
	valid := shopDraft().sign()
	for _, c := range []struct {
		raw   string
		asked bool
		want  error
	}{
		{"usher_", true, nil},
		{"usher_et_", true, nil},
		{ownToken + "x", true, nil},
		{strings.ToUpper(ownToken), false, ErrForm},
		{"Usher_" + ownToken[6:], false, ErrForm},
		{" " + ownToken, false, ErrForm},
		{ownToken[1:], false, ErrForm},
		{"usher_" + valid, true, nil},
		{valid + ownToken, false, ErrSignature},
		{ownToken + strings.Repeat("x", maxToken), false, ErrSize},
		{"usher_" + strings.Repeat(".", 1_000_000), false, ErrSize},
	} {
		s.asked = nil
		p, err := withStore.Verify(t.Context(), c.raw)
		if (len(s.asked) > 0) != c.asked {
			t.Errorf("%.60s: the store was asked for %d", c.raw, len(s.asked))
		}
		want := c.want
		if want == nil {
			want = err // any refusal
		}
		checkRefused(t, p, err, want)
		if p, err := without.Verify(t.Context(), c.raw); true {
			checkRefused(t, p, err, err)
		}
	}
	p, err := without.Verify(t.Context(), ownToken)
	checkRefused(t, p, err, ErrForm)
}

func TestRevokedJWT(t *testing.T) {
	t.Parallel()
	var judged []principal.Principal
	revoked := false
	v := verifier(t, Options{Revoked: func(p principal.Principal) bool {
		judged = append(judged, p)
		return revoked
	}}, shop())
	token := shopDraft().sign()
	for range 2 { // the second time it is remembered
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	revoked = true
	for range 2 {
		p, err := v.Verify(t.Context(), token)
		checkRefused(t, p, err, ErrRevoked)
	}
	if len(judged) != 4 {
		t.Fatalf("judged %d times", len(judged))
	}
	for _, p := range judged {
		if p.Issuer != "shop" || p.Tenant != "acme" || p.Subject != "alice" || p.TokenID != "t-1" || !p.Issued.Equal(now.Add(-issueSkew)) {
			t.Errorf("judged is %+v", p)
		}
	}
	revoked = false
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("a mark that is gone: %v", err)
	}
}

// Whatever a token says of when it was issued, no token that was accepted before
// a revocation passes for one from after it.
func TestNoTokenIsFromAfterItsRevocation(t *testing.T) {
	t.Parallel()
	exact := shop()
	exact.Leeway = 2 * time.Second
	for _, spec := range []IssuerSpec{shop(), exact} {
		c := newClock()
		var mark time.Time
		v := verifier(t, Options{Clock: c.now, Revoked: func(p principal.Principal) bool { return p.Issued.Before(mark) }}, spec)
		accepted := make(map[time.Duration]string)
		for ahead := -time.Minute; ahead <= time.Minute; ahead += time.Second {
			token := shopDraft().with(map[string]any{"iat": in(ahead)}).sign()
			if _, err := v.Verify(t.Context(), token); err == nil {
				accepted[ahead] = token
			}
		}
		if len(accepted) < 61 || len(accepted) > 61+int(issueSkew/time.Second) {
			t.Fatalf("accepted are %d", len(accepted))
		}
		mark = now.Add(time.Microsecond)
		for _, passed := range []time.Duration{0, time.Second, time.Minute} {
			c.advance(passed)
			other := verifier(t, Options{Clock: c.now, Revoked: func(p principal.Principal) bool { return p.Issued.Before(mark) }}, spec)
			for ahead, token := range accepted {
				for _, v := range []*Verifier{v, other} { // where it was seen before, and where it was not
					if _, err := v.Verify(t.Context(), token); !errors.Is(err, ErrRevoked) {
						t.Errorf("issued %s after now, %s after its revocation: %v", ahead, passed, err)
					}
				}
			}
		}
		if _, err := v.Verify(t.Context(), shopDraft().with(map[string]any{"iat": in(issueSkew + time.Second)}).sign()); err != nil {
			t.Errorf("a token from after the revocation: %v", err)
		}
	}
}

// The log tells a token that does not say when it was issued from others that
// are revoked: all of its kind are, from the first revocation on.
func TestRevokedForWantOfATime(t *testing.T) {
	t.Parallel()
	v := verifier(t, Options{Revoked: func(p principal.Principal) bool { return p.Issued.Before(now) }}, shop())
	d := shopDraft()
	delete(d.claims, "iat")
	p, err := v.Verify(t.Context(), d.sign())
	checkRefused(t, p, err, ErrRevoked)
	if cause := errors.Unwrap(err); cause == nil || !strings.Contains(cause.Error(), "no iat") {
		t.Errorf("the cause is %v", cause)
	}
	p, err = v.Verify(t.Context(), shopDraft().sign())
	checkRefused(t, p, err, ErrRevoked)
	if cause := errors.Unwrap(err); cause == nil || strings.Contains(cause.Error(), "no iat") {
		t.Errorf("the cause is %v", cause)
	}
}

func TestSuspendedTenant(t *testing.T) {
	t.Parallel()
	registered := shop()
	registered.Tenants = "registered"
	for _, spec := range []IssuerSpec{shop(), registered} {
		suspended := false
		v := verifier(t, Options{Tenants: func(_ context.Context, id string) (string, principal.Routing, error) {
			if suspended {
				return "", principal.Routing{}, ErrSuspended
			}
			return id, principal.Routing{}, nil
		}}, spec)
		token := shopDraft().sign()
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		suspended = true
		p, err := v.Verify(t.Context(), token)
		checkRefused(t, p, err, ErrSuspended)
	}
}

// A store that is silent for too long takes every token along: each may have
// been revoked meanwhile, those of all tenants first of all.
func TestSilentStore(t *testing.T) {
	t.Parallel()
	registered, trusted, everybody := shop(), idp(), global()
	registered.Tenants = "registered"
	silent := fault.New(fault.Unavailable, "silent").WithHint("later")
	var ready error
	v := verifier(t, Options{
		Ready: func() error { return ready },
		Tenants: func(_ context.Context, id string) (string, principal.Routing, error) {
			if id == "elsewhere" {
				return "", principal.Routing{}, fmt.Errorf("read: %w", silent)
			}
			return id, principal.Routing{}, nil
		},
	}, registered, trusted, everybody)
	byRegistration, all := shopDraft().sign(), allTenants(globalDraft()).sign()
	byTrust := globalDraft().sign()
	elsewhere := globalDraft().with(map[string]any{"tenant": "elsewhere"}).sign()
	check := func(token string, code fault.Code) {
		t.Helper()
		_, err := v.Verify(t.Context(), token)
		if code == "" && err != nil || code != "" && (err == nil || fault.From(err).Code != code || fault.From(err).RetryAfter < time.Second) {
			t.Errorf("got %v, want %q and when to ask again", err, code)
		}
	}
	check(byRegistration, "")
	check(elsewhere, fault.Unavailable)
	ready = silent
	check(byRegistration, fault.Unavailable)
	check(elsewhere, fault.Unavailable)
	check(byTrust, fault.Unavailable)
	check(all, fault.Unavailable)
	forged := globalDraft()
	forged.key = []byte(shopSecret)
	p, err := v.Verify(t.Context(), forged.sign())
	checkRefused(t, p, err, ErrSignature)
	ready = nil
	for _, token := range []string{byRegistration, byTrust, all} {
		check(token, "")
	}
}

func TestOwnIssuerIsNobodyElses(t *testing.T) {
	t.Parallel()
	spec := shop()
	spec.Name = ownIssuer
	if _, err := New([]IssuerSpec{spec}, Options{Opaque: (&maker{}).opaque}); err == nil || !strings.Contains(err.Error(), "issuers.usher") {
		t.Errorf("got %v", err)
	}
	if v, err := New([]IssuerSpec{spec}, Options{}); err != nil {
		t.Error(err)
	} else {
		v.Close()
	}
}
