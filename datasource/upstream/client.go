package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// newClient makes a client of its own for one source, with nothing from the
// process's environment: no proxy, no cookies. It follows no redirect, since
// headers would go along to wherever that leads.
func newClient(allowPrivate bool) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	if !allowPrivate {
		dialer.ControlContext = publicOnly
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    5 * time.Second,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    maxCalls,
			MaxConnsPerHost:        maxCalls,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// reply is the body of a page. Close ends the call.
type reply struct {
	io.ReadCloser
	leave func()
}

func (r reply) Close() error {
	defer r.leave()
	return r.ReadCloser.Close()
}

// get asks for one page. The error holds no part of the URL but the host:
// queries carry credentials.
func (s *Source) get(ctx context.Context, to *url.URL, header http.Header) (io.ReadCloser, error) {
	select {
	case s.calls <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("all %d calls of the source are taken: %w", maxCalls, ctx.Err())
	}
	leave := func() { <-s.calls }
	body, err := s.call(ctx, to, header)
	if err != nil {
		leave()
		return nil, err
	}
	return reply{body, leave}, nil
}

func (s *Source) call(ctx context.Context, to *url.URL, header http.Header) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "", nil)
	if err != nil {
		return nil, err
	}
	request.URL, request.Host, request.Header = to, to.Host, header
	response, err := s.client.Do(request)
	if err != nil {
		if outer := (*url.Error)(nil); errors.As(err, &outer) {
			err = outer.Err
		}
		return nil, err
	}
	if err := acceptable(response); err != nil {
		_ = response.Body.Close()
		return nil, err
	}
	return response.Body, nil
}

// acceptable refuses every response that cannot be JSON rows.
func acceptable(r *http.Response) error {
	if r.StatusCode >= 300 && r.StatusCode < 400 {
		return fmt.Errorf("status %d: redirects are not followed; write where the API is into base_url", r.StatusCode)
	}
	if r.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", r.StatusCode)
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	json := media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")
	if err != nil || !json {
		return errors.New("the reply's Content-Type is not JSON")
	}
	if r.Header.Get("Content-Encoding") != "" { // gzip that was asked for is unpacked by now
		return errors.New("the reply has a Content-Encoding that was not asked for")
	}
	return nil
}

// errTooLarge ends the reading of replies that hold more than the source's
// max_bytes.
var errTooLarge = errors.New("the replies are larger than max_bytes")

// capped counts the unpacked bytes of all pages.
type capped struct {
	from io.Reader
	left *int64
}

func (c capped) Read(p []byte) (int, error) {
	if *c.left < 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > *c.left+1 { // one byte more tells a full reply from a larger one
		p = p[:*c.left+1]
	}
	n, err := c.from.Read(p)
	if *c.left -= int64(n); *c.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}
