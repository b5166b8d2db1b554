package upstream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"usher/catalog"
	"usher/fault"
	"usher/trace"
)

// call is one request to an API as it is sent, and what its reply must be.
type call struct {
	method     string
	url        *url.URL
	header     http.Header
	body       []byte
	idempotent bool // twice does what once does: it may be repeated, and shared with equal calls
	format     catalog.Format
	writes     bool         // it writes a row: it is nobody else's, and its reply may be empty
	repeatable bool         // of one that writes: the API knows it again by its key
	sent       *atomic.Bool // of one that writes: set when the API may have it
}

// key is the same for equal calls only: everything that is sent is in it, the
// credentials first of all.
func (c call) key() string {
	h := sha256.New()
	part := func(text string) {
		_, _ = fmt.Fprintf(h, "%d:%s", len(text), text)
	}
	part(c.method)
	part(c.url.String())
	part(string(c.format))
	for _, name := range slices.Sorted(maps.Keys(c.header)) {
		part(name)
		for _, v := range c.header[name] {
			part(v)
		}
		part("")
	}
	part(string(c.body))
	return string(h.Sum(nil))
}

// maxShared bounds the replies that are held in memory as a whole. They can be
// read by several; longer ones are read from the connection, by one.
const maxShared = 1 << 20

// reply is an API's answer with status 200 and the right kind of content.
type reply struct {
	header http.Header
	head   []byte        // the reply, or as much as maxShared of it
	rest   io.ReadCloser // what follows, read from the connection; nil: nothing does
	asOf   time.Time     // when it was current, if it no longer is
}

// body reads the reply. Close ends the call.
func (r reply) body() io.ReadCloser {
	if r.rest == nil {
		return io.NopCloser(bytes.NewReader(r.head))
	}
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(r.head), r.rest), r.rest}
}

// close ends a call whose reply nobody reads.
func (r reply) close() {
	if r.rest != nil {
		_ = r.rest.Close()
	}
}

// onClose adds what is to happen when the reply's body is closed.
func (r reply) onClose(f func()) reply {
	r.rest = closing{r.rest, f}
	return r
}

// closing calls after once it is closed.
type closing struct {
	io.ReadCloser
	after func()
}

func (c closing) Close() error {
	defer c.after()
	return c.ReadCloser.Close()
}

// send makes the call and reads the beginning of its reply. The error holds no
// part of the URL but the host: queries carry credentials.
func send(ctx context.Context, client *http.Client, c call) (reply, error) {
	ctx, span := trace.Call(ctx, c.method)
	defer span.End() // of its beginning: who reads the rest takes their time
	r, status, err := c.send(ctx, client)
	if span.Recorded() {
		if status != 0 {
			span.Status(status)
		}
		if err != nil {
			span.Failed(string(fault.Unavailable))
		}
	}
	return r, err
}

// send returns the status that the call was answered with, too; 0: with none.
func (c call) send(ctx context.Context, client *http.Client) (_ reply, status int, _ error) {
	request, err := http.NewRequestWithContext(ctx, c.method, "", bytes.NewReader(c.body))
	if err != nil {
		return reply{}, 0, err
	}
	request.URL, request.Host, request.Header = c.url, c.url.Host, c.header.Clone()
	trace.Inject(ctx, request.Header)
	if len(c.body) == 0 {
		request.Body, request.GetBody, request.ContentLength = nil, nil, 0
	}
	if c.sent != nil {
		sent := c.sent
		request = request.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }}))
	}
	response, err := client.Do(request)
	if err != nil {
		if outer := (*url.Error)(nil); errors.As(err, &outer) {
			err = outer.Err
		}
		return reply{}, 0, err
	}
	r, err := begin(response, c)
	if err != nil {
		_ = response.Body.Close()
		return reply{}, response.StatusCode, err
	}
	return r, response.StatusCode, nil
}

// begin reads as much of a response as is held in memory.
func begin(response *http.Response, c call) (reply, error) {
	accepted := acceptable
	if c.writes {
		accepted = acknowledged
	}
	if err := accepted(response, c.format); err != nil {
		return reply{}, err
	}
	var head bytes.Buffer
	if n := response.ContentLength; n > 0 {
		head.Grow(int(min(n, maxShared)) + bytes.MinRead)
	}
	n, err := io.Copy(&head, io.LimitReader(response.Body, maxShared))
	r := reply{header: response.Header, head: head.Bytes()}
	switch {
	case err != nil:
		return reply{}, &brokenError{err}
	case n == maxShared:
		r.rest = response.Body
	default:
		_ = response.Body.Close()
	}
	return r, nil
}

// statusError is an answer with a status other than 200.
type statusError struct {
	code  int
	after time.Duration // what Retry-After says
}

func (e *statusError) Error() string {
	if e.code >= 300 && e.code < 400 {
		return fmt.Sprintf("status %d: redirects are not followed; write where the API is into base_url", e.code)
	}
	return fmt.Sprintf("status %d", e.code)
}

// busy tells the statuses that say nothing about the call itself.
func (e *statusError) busy() bool {
	switch e.code {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusTooManyRequests:
		return true
	}
	return false
}

// refuses tells the statuses that say of a call that writes that nothing was done. All others but those of success
// say neither yes nor no: what is led elsewhere may have been done, and so may what was not waited for.
func (e *statusError) refuses() bool {
	return e.code >= 400 && e.code < 500 && e.code != http.StatusRequestTimeout
}

// brokenError is a reply that ended too early.
type brokenError struct{ cause error }

func (e *brokenError) Error() string { return "the reply broke off: " + e.cause.Error() }
func (e *brokenError) Unwrap() error { return e.cause }

// contentError is a reply that cannot hold rows.
type contentError string

func (e contentError) Error() string { return string(e) }

// acceptable refuses every response that cannot be what was asked for.
func acceptable(r *http.Response, format catalog.Format) error {
	if r.StatusCode != http.StatusOK {
		return &statusError{r.StatusCode, retryAfter(r.Header)}
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || !isMedia(media, format) {
		return contentError("the reply's Content-Type is not that of " + string(format))
	}
	if r.Header.Get("Content-Encoding") != "" { // gzip that was asked for is unpacked by now
		return contentError("the reply has a Content-Encoding that was not asked for")
	}
	if format != catalog.JSON && r.ProtoMajor == 1 && r.ContentLength < 0 && !r.Uncompressed && !slices.Contains(r.TransferEncoding, "chunked") {
		return contentError("the reply ends with its connection, so half of it would look like all of it")
	}
	return nil
}

// acknowledged refuses every response to a call that writes but that it is done. 202 says
// that it is not, or not yet.
func acknowledged(r *http.Response, _ catalog.Format) error {
	switch r.StatusCode {
	case http.StatusOK, http.StatusCreated, http.StatusNoContent:
		return nil
	}
	return &statusError{r.StatusCode, retryAfter(r.Header)}
}

func isMedia(media string, format catalog.Format) bool {
	name, application := strings.CutPrefix(media, "application/")
	switch format {
	case catalog.CSVs:
		return media == "text/csv" || name == "csv"
	case catalog.NDJSON:
		return slices.Contains([]string{"x-ndjson", "ndjson", "jsonl", "x-jsonlines", "jsonlines", "stream+json"}, name)
	case catalog.JSON:
	}
	return application && (name == "json" || strings.HasSuffix(name, "+json"))
}

// retryAfter is how long the answer asks to wait; 0 when it does not say.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(min(max(seconds, 0), 1<<30)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}
