// Package config owns usher.yml: it reads the file strictly and hands out
// values that are ready to use. It refuses unknown and repeated keys, values
// of the wrong kind and secrets that stand in the file itself, and reports all
// of them at once, each with its line and column. What the data it describes
// means is for package catalog to judge; Locate finds the places of its
// problems in the file.
package config

import (
	_ "embed" // the schema for editors
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"usher/auth"
	"usher/catalog"
	"usher/dashboard"
	"usher/textfile"
	"usher/trace"
)

// Schema is the JSON Schema of usher.yml, for editors.
//
//go:embed usher.schema.json
var Schema []byte

// Config is usher.yml, read.
type Config struct {
	Server  Server
	Pools   Pools
	Control *Control          // nil: there is no control store
	Issuers []auth.IssuerSpec // in the order written

	Documents *Documents // nil: operations are not known beforehand

	Spec catalog.Spec

	Dashboards map[string]dashboard.Document // in files beside it, by name

	name       string
	tree       *node
	dashboards map[string]dashboardFile // by name
}

// Server is how usher listens and what it takes.
type Server struct {
	Listen        string           `yaml:"listen"`
	AdminListen   string           `yaml:"admin_listen"`      // for metrics, profiles and health; empty: nowhere
	TLS           *TLS             `yaml:"tls"`               // how listen answers as https; nil: it answers as http
	H2C           bool             `yaml:"h2c"`               // takes HTTP/2 without TLS as well, from balancers
	Secret        catalog.Secret   `yaml:"secret"`            // empty: one is made at start
	OtherSecrets  []catalog.Secret `yaml:"other_secrets"`     // under which cursors are opened, and none are sealed
	Numbers       string           `yaml:"numbers"`           // NumbersExact or NumbersString
	Misfits       string           `yaml:"misfits"`           // MisfitsRefuse or MisfitsLeaveOut
	Relay         bool             `yaml:"relay"`             // rows have ids, by which Relay finds them again
	Timeout       time.Duration    `yaml:"timeout"`           // of one request
	Drain         time.Duration    `yaml:"drain" zero:"true"` // from not being ready to taking no requests, at the end
	MaxBody       int64            `yaml:"max_body"`          // bytes of a request
	MaxTokens     int              `yaml:"max_tokens"`        // lexical tokens of a document
	MaxDepth      int              `yaml:"max_depth"`         // nested selections
	MaxAliases    int              `yaml:"max_aliases"`       // in an operation
	MaxRootFields int              `yaml:"max_root_fields"`   // of an operation
	MaxItems      int              `yaml:"max_items"`         // of lists in an operation's arguments
	MaxConditions int              `yaml:"max_conditions"`    // in an operation's arguments
	CacheBytes    int              `yaml:"cache_bytes"`       // of kept answers, of all datasets together
	MaxWaiting    int              `yaml:"max_waiting"`       // questions of one tenant in line for one account
	MaxWait       time.Duration    `yaml:"max_wait"`          // of one of them
	MaxBeside     int              `yaml:"max_beside"`        // requests of one tenant under way while others ask; default: as many as there are processors
	MaxHeld       int64            `yaml:"max_held"`          // bytes of rows and answers, of all requests together; default: as the memory allows

	MaxExports    int           `yaml:"max_exports"`    // under way at a time
	ExportTimeout time.Duration `yaml:"export_timeout"` // of one of them
	MaxImport     int64         `yaml:"max_import"`     // bytes of an import's body
	ImportTimeout time.Duration `yaml:"import_timeout"` // of one import

	AllowedOrigins []string `yaml:"allowed_origins"` // web origins whose pages may ask; "*" for all
	TrustedProxies []string `yaml:"trusted_proxies"` // networks whose X-Forwarded-For and -Prefix are believed
	PathPrefix     string   `yaml:"path_prefix"`     // below which everything is answered as well; empty: nowhere else
	Console        bool     `yaml:"console"`         // is served
	Playground     bool     `yaml:"playground"`      // the former name of console: what either leaves out is not served
	FrameAncestors []string `yaml:"frame_ancestors"` // web origins whose pages may show the console in a frame
	ExplainTokens  bool     `yaml:"explain_tokens"`  // says in answers why a token was refused
	TraceTenants   string   `yaml:"trace_tenants"`   // how spans name tenants: plain, hashed or off

	ProfileRates ProfileRates `yaml:"profile_rates"`
}

// TLS is by what usher shows who it is. The files may be replaced while it runs.
type TLS struct {
	Cert catalog.Path `yaml:"cert"` // PEM, with the certificates between it and an authority
	Key  catalog.Path `yaml:"key"`  // PEM
}

// ProfileRates are how much goes into those profiles of the Go runtime that cost
// something while nobody reads them.
type ProfileRates struct {
	Mutex int           `yaml:"mutex" zero:"true"` // one of so many waits for a lock; 0: none
	Block time.Duration `yaml:"block" zero:"true"` // one wait in so much time spent waiting; 0: none
}

// Proxies are the networks of trusted_proxies.
func (s Server) Proxies() []netip.Prefix {
	var out []netip.Prefix
	for _, text := range s.TrustedProxies {
		if n, err := proxyNetwork(text); err == nil {
			out = append(out, n)
		}
	}
	return out
}

// proxyNetwork reads a network, or one address. It must be written as what it
// is: a network has no bits beyond its length, and is not everybody.
func proxyNetwork(text string) (netip.Prefix, error) {
	n, err := netip.ParsePrefix(text)
	if ip, single := netip.ParseAddr(text); single == nil {
		n, err = netip.PrefixFrom(ip, ip.BitLen()), nil
		if ip.Zone() != "" {
			err = errors.New("has a zone")
		}
	}
	if err == nil && (n.Addr().Is4In6() || n.Bits() == 0 || n != n.Masked()) {
		err = errors.New("is no network")
	}
	return n, err
}

// Pools bound the accounts and connections of all databases together.
type Pools struct {
	Accounts    int           `yaml:"accounts"`    // of tenants' own, open at a time
	Connections int           `yaml:"connections"` // to databases
	PerHost     int           `yaml:"per_host"`    // to one host
	Idle        time.Duration `yaml:"idle"`        // after which what is unused is closed
	MaxAge      time.Duration `yaml:"max_age"`     // after which a connection is not used again

	DuckDBMemory int64 `yaml:"duckdb_memory"` // bytes, of the embedded engine and all files; default: as the memory allows
}

// DefaultPools is what a file without `pools` says.
func DefaultPools() Pools {
	return Pools{Accounts: 64, Connections: 100, PerHost: 40, Idle: 5 * time.Minute, MaxAge: 30 * time.Minute}
}

// How BigInt and Decimal are written in answers.
const (
	NumbersExact  = "exact"  // as numbers with all their digits
	NumbersString = "string" // as text, for clients that read numbers as doubles
)

// What becomes of a configuration of which a dataset does not fit what its source holds.
const (
	MisfitsRefuse   = "refuse"    // it is not served
	MisfitsLeaveOut = "leave_out" // it is served without that dataset
)

// DefaultServer is what a file without `server` says.
func DefaultServer() Server {
	return Server{
		Listen: "127.0.0.1:8080", Numbers: NumbersExact, Misfits: MisfitsRefuse, Timeout: 30 * time.Second, Drain: 5 * time.Second, MaxBody: 1 << 20,
		MaxTokens: 10_000, MaxDepth: 15, MaxAliases: 100, MaxRootFields: 50, MaxItems: 10_000, MaxConditions: 1000, CacheBytes: 64 << 20,
		MaxWaiting: 100, MaxWait: 10 * time.Second, MaxExports: 4, ExportTimeout: time.Hour, MaxImport: 1 << 30, ImportTimeout: time.Hour,
		Console: true, Playground: true, TraceTenants: trace.Plain,
	}
}

// maxDrain is how long usher may be told to stay when it is told to end.
const maxDrain = 10 * time.Minute

// minSecret is how many bytes a secret that signs or encrypts must have.
const minSecret = 32

// maxOtherSecrets bounds how often a cursor is tried that nobody has sealed.
const maxOtherSecrets = 4

// file is the shape of usher.yml.
type file struct {
	Server       Server                           `yaml:"server"`
	Pools        Pools                            `yaml:"pools"`
	Control      Control                          `yaml:"control"`
	Documents    *Documents                       `yaml:"documents"`
	Issuers      catalog.Ordered[auth.IssuerSpec] `yaml:"issuers"`
	catalog.Spec `yaml:",inline"`
}

// Load reads a file. env looks up the variables that {env: NAME} refers to.
func Load(path string, env func(string) (string, bool)) (*Config, error) {
	data, err := textfile.Read(path, textfile.Most)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no file %s: name the configuration with -c, or write a first one with `usher init`", path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	return Parse(path, data, env)
}

// Parse reads the text of a file; relative paths in it start at the folder of
// the name. The error is an *Error, with every problem found.
func Parse(name string, data []byte, env func(string) (string, bool)) (*Config, error) {
	tree, problems := parseTree(data)
	if tree == nil {
		return nil, newError(name, problems)
	}
	f := file{Server: DefaultServer(), Pools: DefaultPools(), Control: DefaultControl()}
	d := &decoder{dir: filepath.Dir(name), env: env}
	d.decode(tree, &f)
	c := &Config{Server: f.Server, Pools: f.Pools, Documents: f.Documents, Spec: f.Spec, name: name, tree: tree}
	for _, e := range f.Issuers {
		e.Value.Name = e.Name
		c.Issuers = append(c.Issuers, e.Value)
	}
	found := slices.Concat(problems, d.problems)
	wrong := slices.Concat(f.Server.problems(), f.Pools.problems(), f.Documents.problems())
	if _, ok := tree.get("control"); ok {
		c.Control = &f.Control
		wrong = append(wrong, f.Control.problems()...)
		if slices.ContainsFunc(f.Issuers, func(e catalog.Entry[auth.IssuerSpec]) bool { return e.Name == storesOwn }) {
			wrong = append(wrong, catalog.Problem{
				Path: []string{"issuers", storesOwn}, Message: "this is the name of the control store's own tokens; name the issuer differently",
			})
		}
	}
	for _, p := range wrong {
		found = append(found, tree.locate(p))
	}
	if len(found) > 0 {
		return nil, newError(name, found)
	}
	if err := c.readDashboards(filepath.Dir(name)); err != nil {
		return nil, err
	}
	return c, nil
}

func (s Server) problems() []catalog.Problem {
	var out []catalog.Problem
	add := func(key, format string, args ...any) {
		out = append(out, catalog.Problem{Path: []string{"server", key}, Message: fmt.Sprintf(format, args...)})
	}
	for _, at := range []struct{ key, address, example string }{{"listen", s.Listen, "127.0.0.1:8080"}, {"admin_listen", s.AdminListen, "127.0.0.1:9090"}} {
		if at.key == "admin_listen" && at.address == "" {
			continue
		}
		if _, port, err := net.SplitHostPort(at.address); err != nil {
			add(at.key, "must be host:port, such as %s", at.example)
		} else if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
			add(at.key, "the port must be from 0 to 65535")
		}
	}
	if s.AdminListen != "" && s.AdminListen == s.Listen && !strings.HasSuffix(s.Listen, ":0") {
		add("admin_listen", "must be another address than listen: whoever reaches it needs no token")
	}
	if s.TLS != nil && (s.TLS.Cert == "" || s.TLS.Key == "") {
		add("tls", "needs both cert and key, each a file in PEM")
	}
	if s.TLS != nil && s.H2C {
		add("h2c", "is HTTP/2 without TLS: with tls HTTP/2 is there anyway")
	}
	if s.Secret != "" && len(s.Secret) < minSecret {
		add("secret", "must have at least %d bytes; `openssl rand -base64 32` makes one", minSecret)
	}
	if len(s.OtherSecrets) > maxOtherSecrets {
		add("other_secrets", "%d are too many, at most %d", len(s.OtherSecrets), maxOtherSecrets)
	}
	if s.Secret == "" && len(s.OtherSecrets) > 0 {
		add("other_secrets", "opens what was sealed under a secret before `secret`: name that one as well")
	}
	for i, other := range s.OtherSecrets {
		if len(other) < minSecret {
			add("other_secrets", "each must have at least %d bytes; number %d has fewer", minSecret, i+1)
		}
	}
	if s.Numbers != NumbersExact && s.Numbers != NumbersString {
		add("numbers", "must be %s or %s", NumbersExact, NumbersString)
	}
	if s.Misfits != MisfitsRefuse && s.Misfits != MisfitsLeaveOut {
		add("misfits", "must be %s or %s", MisfitsRefuse, MisfitsLeaveOut)
	}
	if s.TraceTenants != trace.Plain && s.TraceTenants != trace.Hashed && s.TraceTenants != trace.Off {
		add("trace_tenants", "must be plain, hashed or off")
	}
	if s.Timeout <= 0 {
		add("timeout", "must be longer than nothing, such as 30s")
	}
	if s.Drain < 0 || s.Drain > maxDrain {
		add("drain", "must be from 0s to %.0fm", maxDrain.Minutes())
	}
	if s.MaxWait <= 0 {
		add("max_wait", "must be longer than nothing, such as 10s")
	}
	if s.ExportTimeout <= 0 {
		add("export_timeout", "must be longer than nothing, such as 1h")
	}
	if s.ImportTimeout <= 0 {
		add("import_timeout", "must be longer than nothing, such as 1h")
	}
	for _, limit := range []struct {
		key string
		n   int64
	}{
		{"max_body", s.MaxBody},
		{"max_import", s.MaxImport},
		{"max_tokens", int64(s.MaxTokens)},
		{"max_depth", int64(s.MaxDepth)},
		{"max_aliases", int64(s.MaxAliases)},
		{"max_root_fields", int64(s.MaxRootFields)},
		{"max_items", int64(s.MaxItems)},
		{"max_conditions", int64(s.MaxConditions)},
		{"cache_bytes", int64(s.CacheBytes)},
		{"max_waiting", int64(s.MaxWaiting)},
		{"max_exports", int64(s.MaxExports)},
	} {
		if limit.n < 1 {
			add(limit.key, "must be at least 1")
		}
	}
	if s.ProfileRates.Mutex < 0 || s.ProfileRates.Block < 0 {
		add("profile_rates", "must not be negative; 0 keeps a profile empty")
	}
	if s.MaxBeside < 0 {
		add("max_beside", "must be at least 1")
	}
	if s.MaxHeld != 0 && s.MaxHeld < minHeld {
		add("max_held", "must be at least %d", minHeld)
	}
	for _, origin := range s.AllowedOrigins {
		if !isOrigin(origin) {
			add("allowed_origins", "%q is no origin: write scheme and host, such as https://app.example, or * for all", origin)
		}
	}
	for _, origin := range s.FrameAncestors {
		if origin == "*" || !isOrigin(origin) {
			add("frame_ancestors", "%q is no origin: write scheme and host, such as https://app.example", origin)
		}
	}
	if s.PathPrefix != "" && !isPath(s.PathPrefix) {
		add("path_prefix", "%q is no path: write it with a slash before it and none after it, such as /usher", s.PathPrefix)
	}
	for _, text := range s.TrustedProxies {
		if _, err := proxyNetwork(text); err != nil {
			add("trusted_proxies", "%q is no network: write an address, or the first one and a length, such as 10.0.0.0/8", text)
		}
	}
	return out
}

// minHeld is with how much memory for rows and answers requests are answered at all: one may hold half of it.
const minHeld = 1 << 20

// isPath tells whether a text is a path of plain segments, such as /usher.
func isPath(text string) bool {
	rest, rooted := strings.CutPrefix(text, "/")
	for segment := range strings.SplitSeq(rest, "/") {
		if segment == "" || segment[0] == '.' || strings.Trim(segment, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~") != "" {
			return false
		}
	}
	return rooted
}

// isOrigin tells whether a text is an origin as browsers write it: without a
// path, in lower case, and without a port that the scheme implies.
func isOrigin(text string) bool {
	if text == "*" {
		return true
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || text != strings.ToLower(text) {
		return false
	}
	implied := u.Scheme == "http" && u.Port() == "80" || u.Scheme == "https" && u.Port() == "443"
	return !implied && text == u.Scheme+"://"+u.Host
}

// minDuckDB is with how much memory the embedded engine and a few files answer
// anything at all.
const minDuckDB = 128 << 20

func (p Pools) problems() []catalog.Problem {
	var out []catalog.Problem
	for _, limit := range []struct {
		key string
		n   int
	}{{"accounts", p.Accounts}, {"connections", p.Connections}, {"per_host", p.PerHost}} {
		if limit.n < 1 {
			out = append(out, catalog.Problem{Path: []string{"pools", limit.key}, Message: "must be at least 1"})
		}
	}
	if p.DuckDBMemory != 0 && p.DuckDBMemory < minDuckDB {
		out = append(out, catalog.Problem{Path: []string{"pools", "duckdb_memory"}, Message: fmt.Sprintf("must be at least %d", minDuckDB)})
	}
	if p.Idle <= 0 {
		out = append(out, catalog.Problem{Path: []string{"pools", "idle"}, Message: "must be longer than nothing, such as 5m"})
	}
	if p.MaxAge <= 0 {
		out = append(out, catalog.Problem{Path: []string{"pools", "max_age"}, Message: "must be longer than nothing, such as 30m"})
	}
	return out
}

// Locate turns what catalog.Compile reports into one *Error with lines and
// columns; notes are left out. It is nil when nothing is wrong.
func (c *Config) Locate(problems []catalog.Problem) error {
	var found []problem
	for _, p := range problems {
		if !p.Note {
			found = append(found, c.tree.locate(p))
		}
	}
	if len(found) == 0 {
		return nil
	}
	return newError(c.name, found)
}

// Notes are the notes among the problems, with lines and columns.
func (c *Config) Notes(problems []catalog.Problem) []string {
	var found []problem
	for _, p := range problems {
		if p.Note {
			found = append(found, c.tree.locate(p))
		}
	}
	if len(found) == 0 {
		return nil
	}
	return newError(c.name, found).Lines
}

// Error is everything that is wrong with a file.
type Error struct {
	Lines []string // file:line:column: keys: message, in the file's order
}

func (e *Error) Error() string { return strings.Join(e.Lines, "\n") }

// problem is a message about a place in the file.
type problem struct {
	line, column int
	path         string
	message      string
}

func newError(name string, problems []problem) *Error {
	slices.SortStableFunc(problems, func(a, b problem) int {
		return slices.Compare([]int{a.line, a.column}, []int{b.line, b.column})
	})
	e := &Error{}
	for _, p := range problems {
		line := fmt.Sprintf("%s:%d:%d: ", name, p.line, p.column)
		if p.path != "" {
			line += p.path + ": "
		}
		e.Lines = append(e.Lines, line+p.message)
	}
	e.Lines = slices.Compact(e.Lines)
	return e
}
