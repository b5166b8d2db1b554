package upstream

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"usher/datasource/address"
)

// newClient makes a client of its own for one source, with nothing from the
// process's environment: no proxy, no cookies. It follows no redirect, since
// headers and bodies would go along to wherever that leads.
func newClient(allowPrivate bool, idle int, config *tls.Config) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	if !allowPrivate {
		dialer.Control = address.PublicOnly
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSClientConfig:        config,
			TLSHandshakeTimeout:    5 * time.Second,
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           4 * idle,
			MaxIdleConnsPerHost:    idle,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
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
