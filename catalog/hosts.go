package catalog

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// Hosts are the hosts that overrides of a source may name. The zero value
// allows none.
type Hosts struct {
	names    map[string]bool
	suffixes []string // each starts with a dot
	blocks   []netip.Prefix
}

// Allow tells whether a host is one of them. Names are compared as they are
// written and addresses as addresses; what a name resolves to is for the
// connection to judge.
func (h Hosts) Allow(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		for _, block := range h.blocks {
			if a.Zone() == "" && block.Contains(a.Unmap()) {
				return true
			}
		}
		return false
	}
	host = strings.ToLower(host)
	if !isHostName(host) {
		return false
	}
	if h.names[host] {
		return true
	}
	for _, suffix := range h.suffixes {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}

var hostName = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$`)

// isHostName tells a name from what is neither name nor address, and from the
// other spellings of addresses, such as 127.1 and 0x7f000001.
func isHostName(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	_, err := strconv.ParseUint(last, 0, 64)
	return err != nil && len(host) <= 253 && hostName.MatchString(host)
}

// allowedHosts reads names, *.suffix, addresses and blocks of addresses.
func allowedHosts(at place, list []string) Hosts {
	h := Hosts{names: make(map[string]bool)}
	for i, text := range list {
		if !h.add(text) {
			at.in(strconv.Itoa(i)).problem("must be a host name, *.example for all names below one, an address or a block of addresses such as 10.1.0.0/16")
		}
	}
	return h
}

// add reads one of them, if it is one.
func (h *Hosts) add(text string) bool {
	name := strings.ToLower(text)
	suffix, wild := strings.CutPrefix(name, "*")
	if block, err := netip.ParsePrefix(name); err == nil && block == block.Masked() {
		h.blocks = append(h.blocks, block)
	} else if a, err := netip.ParseAddr(name); err == nil && a.Zone() == "" {
		a = a.Unmap()
		h.blocks = append(h.blocks, netip.PrefixFrom(a, a.BitLen()))
	} else if wild && strings.HasPrefix(suffix, ".") && isHostName(suffix[1:]) {
		h.suffixes = append(h.suffixes, suffix)
	} else if isHostName(name) {
		h.names[name] = true
	} else {
		return false
	}
	return true
}
