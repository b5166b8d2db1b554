package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// How old the rows of a standby may be that is read from.
const (
	DefaultMaxLag = 10 * time.Second
	MinMaxLag     = 2 * time.Second
)

// Server is one of the servers that hold the same data.
type Server struct {
	Host    string
	Port    int
	Replica bool // reads may go there while it is a standby
}

// maxServers is how many servers one source can have.
const maxServers = 16

const replicaSuffix = "/replica"

// ServersText is how several servers are written where there is room for one host: as
// host:port,host:port/replica. One server is its host.
func ServersText(servers []Server) string {
	if len(servers) == 1 {
		return servers[0].Host
	}
	out := make([]string, len(servers))
	for i, s := range servers {
		out[i] = net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
		if s.Replica {
			out[i] += replicaSuffix
		}
	}
	return strings.Join(out, ",")
}

// Servers reads one host, or several as ServersText writes them. Those that name no
// port have the one given.
func Servers(text string, port int) ([]Server, error) {
	if !strings.Contains(text, ",") {
		return []Server{{Host: text, Port: port}}, nil
	}
	var out []Server
	seen := make(map[string]bool)
	for part := range strings.SplitSeq(text, ",") {
		s := Server{Port: port}
		part, s.Replica = strings.CutSuffix(strings.TrimSpace(part), replicaSuffix)
		if err := s.read(part); err != nil {
			return nil, err
		}
		at := net.JoinHostPort(strings.ToLower(s.Host), strconv.Itoa(s.Port))
		if seen[at] {
			return nil, fmt.Errorf("server %s is named twice", s.Host)
		}
		seen[at] = true
		out = append(out, s)
	}
	if len(out) > maxServers {
		return nil, fmt.Errorf("there are more than %d servers", maxServers)
	}
	return out, nil
}

func (s *Server) read(text string) error {
	s.Host = text
	if host, port, err := net.SplitHostPort(text); err == nil {
		s.Host = host
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			return errors.New("a port must be from 1 to 65535")
		}
		s.Port = n
	}
	s.Host = strings.Trim(s.Host, "[]")
	if _, err := netip.ParseAddr(s.Host); err != nil && (s.Host == "" || strings.ContainsAny(s.Host, ":/@[]{} \t\r\n\x00")) {
		return errors.New("a server is a host name or an address, with :port behind it if it has another")
	}
	return nil
}

// The roles of hosts, as they are written.
const (
	rolePrimary = "primary"
	roleReplica = "replica"
)

// serversOf reads `hosts`: what stands for them in the place of one host, and its
// port.
func serversOf(at place, hosts []HostSpec, port int) (string, int) {
	servers := make([]Server, len(hosts))
	for i, h := range hosts {
		at := at.in(strconv.Itoa(i))
		switch {
		case h.Host == "" || strings.ContainsAny(h.Host, ",/@ {}"):
			at.in("host").problem("must be one host name or address")
		case h.Port < 0 || h.Port > 65535:
			at.in("port").problem("must be from 1 to 65535")
		case h.Role != "" && h.Role != rolePrimary && h.Role != roleReplica:
			at.in("role").problem("must be primary or replica")
		}
		servers[i] = Server{Host: h.Host, Port: cmp.Or(h.Port, port), Replica: h.Role == roleReplica}
	}
	if len(servers) == 1 {
		return servers[0].Host, servers[0].Port
	}
	text := ServersText(servers)
	if _, err := Servers(text, port); err != nil {
		at.problem("cannot be used: %s", err)
	}
	return text, port
}

// cutHosts takes the hosts out of a DSN that has several: they are no URL's.
func cutHosts(dsn string) (text, hosts string) {
	scheme, rest, ok := strings.Cut(dsn, "://")
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	at := strings.LastIndexByte(authority, '@')
	hosts = authority[at+1:]
	if !ok || !strings.Contains(hosts, ",") {
		return dsn, ""
	}
	return scheme + "://" + authority[:at+1] + "several" + rest[len(authority):], hosts
}

// hostsOfDSN reads several hosts of a DSN and which of them is meant, in libpq's
// words. What usher would not do as libpq does is refused.
func hostsOfDSN(at place, hosts string, args url.Values, out *PostgresSpec) bool {
	attrs, given := args["target_session_attrs"]
	delete(args, "target_session_attrs")
	if hosts == "" {
		if given && (len(attrs) != 1 || attrs[0] != "any") {
			at.problem("target_session_attrs chooses among several hosts, and there is one")
		}
		return true
	}
	servers, err := Servers(hosts, defaultPort)
	if err != nil {
		at.problem("its hosts cannot be used: %s", err)
		return false
	}
	replicas := false
	switch {
	case !given:
	case len(attrs) != 1:
		at.problem("target_session_attrs is given twice")
	case attrs[0] == "any" || attrs[0] == "prefer-standby":
		replicas = true
	case attrs[0] == "standby" || attrs[0] == "read-only":
		at.problem("target_session_attrs=%s would ask no primary even when no standby is fresh; write prefer-standby", attrs[0])
	case attrs[0] != rolePrimary && attrs[0] != "read-write":
		at.problem("target_session_attrs must be primary, read-write, prefer-standby or any")
	}
	for i := range servers {
		servers[i].Replica = replicas
	}
	out.Host, out.Port = ServersText(servers), 0
	return true
}
