package inspect

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"usher/catalog"
	"usher/datasource/address"
)

// closed are notes of APIs that the file has at an address which is refused where one is dialed. Names are judged then,
// by what they lead to, but for the one that is this machine everywhere.
func closed(cat *catalog.Catalog) (notes []string) {
	for _, name := range slices.Sorted(maps.Keys(cat.Sources)) {
		api := cat.Sources[name].API
		if cat.Sources[name].Kind != catalog.API || api.AllowPrivate {
			continue
		}
		for _, at := range []struct{ key, url string }{{"base_url", api.BaseURL}, {"oauth2.token_url", api.OAuth2.TokenURL}} {
			if u, err := url.Parse(at.url); err == nil && private(u.Hostname()) {
				notes = append(notes, fmt.Sprintf("sources.%s.%s: calls to %s are refused: it is not a public address; where it is meant, say `allow_private: true`", name, at.key, u.Hostname()))
			}
		}
	}
	return notes
}

func private(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && !address.Public(ip)
}
