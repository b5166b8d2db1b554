package client

import (
	"net"
	"net/http"
	"strings"
)

// Prefix is the path below which proxies have published what a request is for,
// such as /usher, or empty. The header that says so counts only from a proxy
// that is trusted, and only where it says nothing else than a path.
func (p Proxies) Prefix(r *http.Request) string {
	values := r.Header["X-Forwarded-Prefix"]
	if len(values) == 0 || len(p.trusted) == 0 {
		return ""
	}
	remote := r.RemoteAddr
	if host, _, err := net.SplitHostPort(remote); err == nil {
		remote = host
	}
	if !p.trusts(remote) {
		return ""
	}
	var path strings.Builder
	for part := range strings.SplitSeq(strings.Join(values, ","), ",") { // of several proxies, the outer one's first
		part = strings.TrimSuffix(strings.TrimSpace(part), "/")
		if part == "" {
			continue
		}
		if !isPath(part) {
			return ""
		}
		path.WriteString(part)
	}
	return path.String()
}

// isPath tells whether a text is a path of plain segments. What begins with two
// slashes would be a host to a browser.
func isPath(text string) bool {
	rest, rooted := strings.CutPrefix(text, "/")
	for segment := range strings.SplitSeq(rest, "/") {
		if segment == "" || segment[0] == '.' || strings.Trim(segment, plain) != "" {
			return false
		}
	}
	return rooted
}

const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"
