package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"usher/catalog"
)

// ErrRefused is that a plugin answered and does not take its connection.
var ErrRefused = errors.New("the plugin refuses the connection")

// Authorize tries a plugin's connection, as the protocol has it: POST
// /authorize with the credentials, older ones in the body too. A plugin
// without that call takes any. Other APIs, and plugins whose headers or
// properties need to know who asks, are not asked.
func Authorize(ctx context.Context, source *catalog.Source) error {
	if source.API.Plugin == nil || personal(source.API.Headers) || personal(source.API.Plugin.Properties) {
		return nil
	}
	s, err := Open(source, Options{})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	ctx, cancel := context.WithTimeout(ctx, min(source.Timeout, authorizeFor))
	defer cancel()
	return s.authorize(ctx, s.plugin.base(s.request, s.impersonal()))
}

// authorizeFor bounds the trying of a connection.
const authorizeFor = 10 * time.Second

// impersonal is what the headers say when their templates are texts.
func (s *Source) impersonal() http.Header {
	h := make(http.Header)
	for _, n := range s.request.headers {
		h.Set(n.name, n.value[0]) // a template without placeholders is one text
	}
	for _, n := range s.plugin.properties {
		h.Set(propertyPrefix+n.name, n.value[0])
	}
	return h
}

// authorize makes the call. Plugins answer it with any text, so nothing but the
// status counts, and an address where somebody would have to consent.
func (s *Source) authorize(ctx context.Context, c call) error {
	body, err := json.Marshal(struct {
		ID    string `json:"id"`
		Host  string `json:"host,omitempty"`
		Key   string `json:"key,omitempty"`
		Token string `json:"token,omitempty"`
	}{"usher", c.header.Get("X-Host"), c.header.Get("X-Key"), c.header.Get("X-Token")})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url.JoinPath("authorize").String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header = c.header
	response, err := s.client.Do(request)
	if err != nil {
		if outer := (*url.Error)(nil); errors.As(err, &outer) {
			err = outer.Err
		}
		return fmt.Errorf("POST /authorize has no answer: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	switch status := response.StatusCode; {
	case status == http.StatusNotFound: // it has no such call
		return nil
	case status < 200 || status > 299:
		return fmt.Errorf("%w: POST /authorize was answered with status %d; look at its secret and its credentials", ErrRefused, status)
	}
	var told struct {
		AuthURL string `json:"auth_url"`
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err == nil && json.Unmarshal(text, &told) == nil && told.AuthURL != "" {
		return fmt.Errorf("%w: it wants somebody's consent by OAuth2, which usher cannot ask for; give it credentials of its own", ErrRefused)
	}
	return err
}
