package catalog

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
)

// Destinations are where a tenant's accounts may lead, as its record says. They
// only narrow what the sources allow. Nil is all of that.
type Destinations struct {
	hosts Hosts
	urls  []*url.URL
}

// AllDestinations, alone in a list, is all that the sources allow.
const AllDestinations = "*"

// ParseDestinations reads what a record allows: hosts as in `allow_hosts`, for
// databases and APIs, and base URLs, for APIs at them or below. A nil list allows all
// that the sources do, an empty one nothing.
func ParseDestinations(list []string) (*Destinations, error) {
	if list == nil || slices.Equal(list, []string{AllDestinations}) {
		return nil, nil
	}
	d := &Destinations{hosts: Hosts{names: make(map[string]bool)}}
	for _, text := range list {
		if strings.Contains(text, "://") {
			u := plainURL(text)
			if u == nil {
				return nil, fmt.Errorf("%q is no base URL of scheme, host and path alone", text)
			}
			d.urls = append(d.urls, u)
		} else if !d.hosts.add(text) {
			return nil, fmt.Errorf("%q is no host name, *.example for all names below one, address, block of addresses or base URL", text)
		}
	}
	return d, nil
}

// allowsHost tells whether a database may be at a host.
// Of several hosts each must be allowed.
func (d *Destinations) allowsHost(host string) bool {
	if d == nil {
		return true
	}
	servers, err := Servers(host, defaultPort)
	return err == nil && !slices.ContainsFunc(servers, func(s Server) bool { return !d.hosts.Allow(s.Host) })
}

// allowsURL tells whether an API may be at a base URL.
func (d *Destinations) allowsURL(base string) bool {
	if d == nil {
		return true
	}
	u := plainURL(base)
	if u == nil {
		return false
	}
	return d.hosts.Allow(u.Hostname()) || slices.ContainsFunc(d.urls, func(root *url.URL) bool {
		return u.Scheme == root.Scheme && u.Host == root.Host && (u.Path == root.Path || root.Path == "/" || strings.HasPrefix(u.Path, root.Path+"/"))
	})
}

// plainURL reads a URL that has one spelling: in lower case as far as that does
// not matter, with its port, its path without anything that leads back up or is
// written in another way. Nil: it has none.
func plainURL(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.Opaque != "" || u.User != nil ||
		u.RawQuery != "" || u.ForceQuery || strings.ContainsAny(text, `%{}#\`) {
		return nil
	}
	clean := path.Clean("/" + u.Path)
	if clean != "/"+strings.Trim(u.Path, "/") {
		return nil
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Hostname()) + ":" + port, Path: clean}
}
