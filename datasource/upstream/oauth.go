package upstream

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"golang.org/x/sync/singleflight"

	"usher/catalog"
	"usher/datasource/trouble"
	"usher/fault"
	"usher/plan"
)

const (
	maxTokens     = 1000 // clients whose tokens are kept
	maxTokenBytes = 16 << 10
)

// tokens fetches and keeps the access tokens of an API's clients. A token is
// found by everything it was asked for with, so that it is never another
// client's.
type tokens struct {
	spec       catalog.OAuth2
	id, secret template
	params     []named
	account    *account // the token endpoint's own
	recent     recent[string, *oauth2.Token]
	fetches    singleflight.Group
}

func newTokens(spec catalog.OAuth2, s *Source) (t *tokens, err error) {
	secured, err := grantingTLS(s.spec.API)
	if err != nil {
		return nil, err
	}
	client := newClient(s.spec.API.AllowPrivate, concurrent(s.spec.API), secured)
	t = &tokens{spec: spec, account: s.newAccount(client, newKept(0))}
	t.recent.limit = maxTokens
	if t.id, err = parseTemplate(spec.ClientID); err != nil {
		return nil, fmt.Errorf("client_id: %w", err)
	}
	if t.secret, err = parseTemplate(spec.ClientSecret); err != nil {
		return nil, fmt.Errorf("client_secret: %w", err)
	}
	t.params, err = parseTemplates("params", spec.Params)
	return t, err
}

// client is the credentials of whoever asks.
type client struct {
	config clientcredentials.Config
	key    string
}

func (t *tokens) client(id plan.Identity) (client, error) {
	c := client{config: clientcredentials.Config{TokenURL: t.spec.TokenURL, Scopes: t.spec.Scopes, EndpointParams: make(url.Values), AuthStyle: oauth2.AuthStyleInHeader}}
	if t.spec.InBody {
		c.config.AuthStyle = oauth2.AuthStyleInParams
	}
	var err error
	if c.config.ClientID, err = t.id.fill(id, inQuery); err != nil {
		return c, err
	}
	if c.config.ClientSecret, err = t.secret.fill(id, inQuery); err != nil {
		return c, err
	}
	for _, p := range t.params {
		text, err := p.value.fill(id, inQuery)
		if err != nil {
			return c, err
		}
		c.config.EndpointParams.Set(p.name, text)
	}
	sum := sha256.New()
	for _, part := range []string{c.config.ClientID, c.config.ClientSecret, c.config.EndpointParams.Encode()} {
		_, _ = fmt.Fprintf(sum, "%d:%s", len(part), part)
	}
	c.key = string(sum.Sum(nil))
	return c, nil
}

// authorized makes a call with the client's token, and with a new one if the
// API no longer takes the one that was kept.
func (t *tokens) authorized(ctx context.Context, tenant string, c client, a *account, call call) (reply, error) {
	for refreshed := false; ; refreshed = true {
		token, err := t.token(ctx, tenant, c)
		if err != nil {
			return reply{}, err
		}
		call.header = call.header.Clone()
		call.header.Set("Authorization", token.Type()+" "+token.AccessToken)
		r, err := a.do(ctx, tenant, call)
		if status := (*statusError)(nil); refreshed || !errors.As(err, &status) || status.code != http.StatusUnauthorized {
			return r, err
		}
		t.refuse(c, token)
	}
}

// token returns the kept token, or fetches one. Those who need the same one at
// the same time share a fetch, which is nobody's own: neither its first caller's
// deadline nor what that one's tenant is refused is another's.
func (t *tokens) token(ctx context.Context, tenant string, c client) (*oauth2.Token, error) {
	for {
		if token, ok := t.kept(c); ok {
			return token, nil
		}
		mine := false
		done := t.fetches.DoChan(c.key, func() (any, error) {
			mine = true
			if token, ok := t.kept(c); ok { // by the fetch just before
				return token, nil
			}
			own, cancel := withDeadlineOf(ctx)
			defer cancel(nil)
			token, err := t.fetch(own, tenant, c)
			if err == nil {
				t.recent.put(c.key, token, 1)
			}
			return token, err
		})
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case fetched := <-done:
			if (errors.Is(fetched.Err, context.DeadlineExceeded) || !mine && notAdmitted(fetched.Err)) && ctx.Err() == nil {
				continue
			}
			token, _ := fetched.Val.(*oauth2.Token)
			return token, fetched.Err
		}
	}
}

func (t *tokens) kept(c client) (*oauth2.Token, bool) {
	token, ok := t.recent.get(c.key)
	return token, ok && token.Valid()
}

// refuse forgets a token, unless a newer one has taken its place.
func (t *tokens) refuse(c client, old *oauth2.Token) {
	if now, ok := t.recent.get(c.key); ok && now.AccessToken == old.AccessToken {
		t.recent.remove(c.key)
	}
}

// fetch asks the token endpoint. Its errors repeat nothing that it answers.
func (t *tokens) fetch(ctx context.Context, tenant string, c client) (*oauth2.Token, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: endpoint{t.account, tenant}})
	token, err := c.config.Token(ctx)
	for _, known := range []error{errPaused, context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, known) {
			return nil, &tokenError{cause: known}
		}
	}
	var status *statusError
	var refused *fault.Error
	var failed *url.Error
	switch content := contentError(""); {
	case errors.As(err, &refused):
		return nil, refused
	case errors.As(err, &status):
		return nil, status.ofToken()
	case errors.As(err, &failed) && !errors.As(err, &content) && !errors.Is(err, errTooLarge):
		return nil, &tokenError{cmp.Or(trouble.Of(err), trouble.Unreachable), pauseFor, failed.Err}
	case err != nil:
		return nil, &tokenError{trouble.Answer, 0, contentError("it sent no token")}
	case len(token.AccessToken) > maxTokenBytes || hasControl(token.AccessToken+token.TokenType):
		return nil, &tokenError{trouble.Answer, 0, contentError("it sent what is no token")}
	}
	return token, nil
}

// tokenError is why there is no token. Nothing was asked of the API itself.
type tokenError struct {
	kind  trouble.Kind
	after time.Duration // when to try again; 0: that would not help
	cause error         // no *statusError, which would pass for the API's own
}

func (e *tokenError) Error() string { return "the token endpoint: " + e.cause.Error() }

func (e *tokenError) Unwrap() error { return e.cause }

// ofToken is what a status of the token endpoint means. Clients are refused with 400, too (RFC 6749, 5.2).
func (e *statusError) ofToken() *tokenError {
	t := &tokenError{trouble.Answer, e.after, contentError(e.Error())}
	switch {
	case e.code == http.StatusTooManyRequests, e.code == http.StatusServiceUnavailable:
		t.kind, t.after = trouble.Busy, cmp.Or(e.after, pauseFor)
	case e.code >= http.StatusInternalServerError:
		t.kind, t.after = trouble.Unreachable, cmp.Or(e.after, pauseFor)
	case e.code == http.StatusBadRequest, e.code == http.StatusUnauthorized, e.code == http.StatusForbidden:
		t.kind = trouble.Login
	}
	return t
}

// endpoint sends the requests for tokens with an account's bounds.
type endpoint struct {
	*account
	tenant string
}

// RoundTrip implements http.RoundTripper.
func (e endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	defer func() { _ = r.Body.Close() }()
	form, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	c := call{method: r.Method, url: r.URL, header: r.Header, body: form, idempotent: true, format: catalog.JSON}
	answer, err := e.do(r.Context(), e.tenant, c)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Header: answer.header, Body: answer.body(), Request: r}, nil
}
