package catalog

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Defaults of sources, as docs/configuration.md states them.
const (
	defaultPort       = 5432
	defaultSchema     = "public"
	defaultSSLMode    = "verify-full"
	defaultMaxConns   = 10
	defaultSQLTimeout = 30 * time.Second
	defaultAPITimeout = 10 * time.Second
	defaultAPIRows    = 500_000
	defaultAPIBytes   = 256 << 20
	defaultPageSize   = 1000
	defaultPages      = 1000
	defaultConcurrent = 16
	minWebhookSecret  = 32
)

// Sources makes the sources of a spec, so that they can be opened and asked
// for their tables before Compile. The problems are a part of Compile's.
func Sources(spec Spec) (map[string]*Source, []Problem) {
	var problems []Problem
	out := make(map[string]*Source, len(spec.Sources))
	for _, name := range slices.Sorted(maps.Keys(spec.Sources)) {
		at := place{path: []string{"sources", name}, to: &problems}
		if bad := badPlain(name); bad != "" {
			at.problem("%s", bad)
		}
		out[name] = source(at, name, spec)
	}
	return out, problems
}

func source(at place, name string, all Spec) *Source {
	spec := all.Sources[name]
	s := &Source{Name: name, Kind: SourceKind(spec.Kind), Template: spec.Template, Webhook: string(spec.Webhook.Secret)}
	switch s.Kind {
	case Postgres:
		s.Postgres = postgresSource(at, spec)
		s.Timeout = said(spec.Timeout, defaultSQLTimeout)
	case DuckDB:
		s.DuckDB = duckdbSource(at, spec)
		s.Timeout = said(spec.Timeout, defaultSQLTimeout)
	case API:
		s.API = apiSource(at, name, all)
		s.Timeout = said(spec.Timeout, defaultAPITimeout)
	default:
		at.in("kind").problem("must be postgres, duckdb or api")
		return s
	}
	if s.Timeout <= 0 {
		at.in("timeout").problem("must be longer than nothing")
	}
	if n := len(spec.Webhook.Secret); n > 0 && n < minWebhookSecret {
		at.in("webhook", "secret").problem("has %d bytes; at least %d are needed", n, minWebhookSecret)
	}
	s.Hosts = allowedHosts(at.in("allow_hosts"), spec.AllowHosts)
	refuseForeignKeys(at, spec)
	return s
}

// refuseForeignKeys reports keys that belong to another kind of source: what
// is written and has no effect is a mistake.
func refuseForeignKeys(at place, spec SourceSpec) {
	v := reflect.ValueOf(spec)
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !v.Field(i).IsZero() && !slices.Contains(strings.Fields(field.Tag.Get("kind")), spec.Kind) {
			at.in(field.Tag.Get("yaml")).problem("is no key of `kind: %s`", spec.Kind)
		}
	}
}

func postgresSource(at place, spec SourceSpec) PostgresSpec {
	out := PostgresSpec{
		Host: spec.Host, Port: spec.Port, Database: spec.Database, User: spec.User, Password: string(spec.Password),
		Schema: cmp.Or(spec.Schema, defaultSchema), SSLMode: spec.SSLMode, RootCert: string(spec.RootCert),
		MaxConns: said(spec.MaxConns, defaultMaxConns), AllowPrivate: spec.AllowPrivate,
		Session: session(at.in("session"), spec.Session), Pooler: Pooler(spec.Pooler), MaxLag: said(spec.MaxLag, DefaultMaxLag),
		SearchPath: spec.SearchPath, ShowRaised: spec.ShowRaised, TraceSQL: spec.TraceSQL,
		NoPipelining: spec.Pipelining != nil && !*spec.Pipelining,
	}
	for i, schema := range spec.SearchPath {
		if schema == "" || len(schema) > MaxName || strings.Contains(schema, "\x00") {
			at.in("search_path", strconv.Itoa(i)).problem("must be the name of a schema")
		}
	}
	if len(spec.Hosts) > 0 {
		if spec.Host != "" || spec.DSN != "" {
			at.in("hosts").problem("name the servers already; leave out `host` and `dsn`")
		}
		out.Host, out.Port = serversOf(at.in("hosts"), spec.Hosts, cmp.Or(spec.Port, defaultPort))
	}
	if spec.DSN == "" || fromDSN(at.in("dsn"), spec, &out) {
		if out.Host == "" && len(spec.Cells) == 0 {
			at.problem("has no host; write `host`, `hosts` or a `dsn`")
		}
		if out.Database == "" && len(spec.Cells) == 0 {
			at.problem("has no database; write `database`, or a `dsn`")
		}
		if out.User == "" && len(spec.Cells) == 0 {
			at.problem("has no user; write `user`, or a `dsn`")
		}
	}
	if strings.ContainsAny(spec.Host, ", \t\n{}") {
		at.in("host").problem("must be one host name or address; several are written under `hosts`")
	}
	if out.MaxLag < MinMaxLag {
		at.in("max_lag").problem("must be at least %s: servers are asked once a second how far they are", MinMaxLag)
	}
	out.Writer = Writer{User: spec.Writer.User, Password: string(spec.Writer.Password)}
	switch at := at.in("writer"); {
	case out.Writer.User == "" && out.Writer.Password != "":
		at.problem("has no user")
	case out.Writer.User != "" && (strings.Contains(out.Writer.User, "{") || strings.Contains(out.User, "{")):
		at.problem("is one account for all tenants; leave it out where each of them has its own user")
	case out.Writer.User != "" && out.Writer.User == out.User:
		at.problem("is the account that reads; leave it out, and that one writes")
	}
	out.Port = cmp.Or(out.Port, defaultPort)
	if out.Port < 1 || out.Port > 65535 {
		at.in("port").problem("must be from 1 to 65535")
	}
	if out.MaxConns < 1 {
		at.in("max_conns").problem("must be at least 1")
	}
	if !slices.Contains([]Pooler{NoPooler, SessionPooler, TransactionPooler}, out.Pooler) {
		at.in("pooler").problem("must be session or transaction, or be left out where no pooler stands before the server")
	}
	out.SSLMode = cmp.Or(out.SSLMode, defaultSSLMode)
	if !slices.Contains([]string{"disable", "require", "verify-ca", "verify-full"}, out.SSLMode) {
		at.in("sslmode").problem("must be verify-full, verify-ca, require or disable")
	}
	if strings.HasPrefix(out.Host, "/") && out.SSLMode != "disable" {
		at.in("sslmode").problem("a socket has no TLS; write `sslmode: disable`")
	}
	if len(spec.Cells) > 0 && out.Host != "" && (out.Database == "" || out.User == "") {
		at.problem("has a host of its own beside its cells, and no database or user there")
	}
	out.Cells = cells(at.in("cells"), spec, out)
	tenantOnly(at.in("database"), spec.Template, out.Database)
	tenantOnly(at.in("schema"), spec.Template, out.Schema)
	tenantOnly(at.in("user"), spec.Template, out.User)
	return out
}

// fromDSN reads postgres://user:password@host:port/database?sslmode=…
// strictly and tells whether it has that form. No message repeats any of it,
// since it holds the password.
func fromDSN(at place, spec SourceSpec, out *PostgresSpec) bool {
	if spec.Host != "" || spec.Port != 0 || spec.Database != "" || spec.User != "" || spec.Password != "" {
		at.problem("says the host, port, database, user and password already; write either the dsn or those keys")
		return false
	}
	text, hosts := cutHosts(string(spec.DSN))
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Opaque != "" || u.User == nil {
		at.problem("is not of the form postgres://user:password@host:port/database?sslmode=verify-full")
		return false
	}
	if u.Fragment != "" {
		at.problem("ends in a fragment; write # in a password as %%23")
	}
	out.Host = u.Hostname()
	out.Database = strings.TrimPrefix(u.Path, "/")
	out.User = u.User.Username()
	out.Password, _ = u.User.Password()
	if port := u.Port(); port != "" {
		if out.Port, err = strconv.Atoi(port); err != nil {
			at.problem("the port is no number")
		}
	}
	args, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		at.problem("the part after ? is malformed")
		return false
	}
	if !hostsOfDSN(at, hosts, args, out) {
		return false
	}
	for _, key := range slices.Sorted(maps.Keys(args)) {
		switch {
		case key != "sslmode":
			at.problem("has a parameter that is not known; only sslmode and target_session_attrs are, the rest are keys of the source")
		case len(args[key]) != 1 || spec.SSLMode != "":
			at.problem("sslmode is given twice")
		default:
			out.SSLMode = args[key][0]
		}
	}
	return true
}

func duckdbSource(at place, spec SourceSpec) DuckDBSpec {
	out := DuckDBSpec{Path: string(spec.Path), Files: make(map[string]string, len(spec.Files))}
	if (spec.Path == "") == (len(spec.Files) == 0) {
		at.problem("needs either `path`, a database file, or `files`, tables that are files")
	}
	if filepath.Base(out.Path) == ":memory:" {
		at.in("path").problem("a database in memory holds nothing; name a file, or use `files`")
	}
	tenantOnly(at.in("path"), spec.Template, out.Path)
	for _, table := range slices.Sorted(maps.Keys(spec.Files)) {
		file := string(spec.Files[table])
		tenantOnly(at.in("files", table), spec.Template, file)
		if !slices.Contains([]string{".parquet", ".csv", ".json", ".ndjson"}, strings.ToLower(filepath.Ext(file))) {
			at.in("files", table).problem("must end in .parquet, .csv, .json or .ndjson")
		}
		out.Files[table] = file
	}
	return out
}

// tenantOnly checks a name that may hold {tenant} and no other brace.
func tenantOnly(at place, template bool, text string) {
	rest := strings.ReplaceAll(text, "{tenant}", "")
	if strings.ContainsAny(rest, "{}") {
		at.problem("knows the placeholder {tenant} only")
	}
	if !template && rest != text {
		at.problem("holds {tenant}; add `template: true`, so that nobody is served from the name itself")
	}
}

func apiSource(at place, name string, all Spec) APISpec {
	spec, params := all.Sources[name], all.Parameters
	out := APISpec{
		BaseURL: strings.TrimSuffix(spec.BaseURL, "/"), AllowPrivate: spec.AllowPrivate, Isolation: Isolation(spec.Isolation),
		Headers: make(map[string]string, len(spec.Headers)), Query: make(map[string]string, len(spec.Query)), Rows: spec.Rows,
		Pushdown: Pushdown{Filters: spec.Pushdown.Filters, Limit: spec.Pushdown.Limit, Order: spec.Pushdown.Order},
		MaxRows:  said(spec.MaxRows, defaultAPIRows), MaxBytes: said(spec.MaxBytes, defaultAPIBytes),
		RootCert: string(spec.RootCert), ClientCert: string(spec.ClientCert), ClientKey: string(spec.ClientKey),
	}
	u, err := url.Parse(spec.BaseURL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		at.in("base_url").problem("must be an http or https URL with a host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(spec.BaseURL, "{}"):
		at.in("base_url").problem("must be scheme, host and path alone; the rest belongs in `headers` and `query`")
	}
	for key, path := range map[string]Path{"root_cert": spec.RootCert, "client_cert": spec.ClientCert} {
		if path != "" && !strings.HasPrefix(spec.BaseURL, "https:") {
			at.in(key).problem("belongs to a base_url of https")
		}
	}
	if (spec.ClientCert == "") != (spec.ClientKey == "") {
		at.in("client_cert").problem("and client_key belong together")
	}
	named := templates(at.in("headers"), spec.Headers, params, out.Headers)
	named = templates(at.in("query"), spec.Query, params, out.Query) || named
	headers(at.in("headers"), out.Headers)
	named = call(at, spec, params, &out) || named
	named = oauth2(at.in("oauth2"), spec, params, &out) || named
	named = pluginSource(at, spec, params, &out) || named
	replies(at, spec, &out)
	switch out.Isolation {
	case ByUpstream:
		if !named && !pathsName(name, all) {
			at.in("isolation").problem("upstream: no header, query, body or path value holds a placeholder such as {tenant}, " +
				"so the API cannot know whose rows to send")
		}
	case ByGateway:
	default:
		at.in("isolation").problem("must be upstream (the API returns the rows of the tenant it is told) or " +
			"gateway (it returns everybody's rows and usher filters)")
	}
	pointer(at.in("rows"), spec.Rows)
	out.Pages = pages(at.in("pages"), spec.Pages)
	pointedAt(at, out)
	for _, col := range slices.Sorted(maps.Keys(spec.Pushdown.Filters)) {
		for i, op := range spec.Pushdown.Filters[col] {
			if !slices.Contains([]string{"eq", "in", "gt", "gte", "lt", "lte"}, op) {
				at.in("pushdown", "filters", col, strconv.Itoa(i)).problem("must be one of eq, in, gt, gte, lt, lte")
			}
		}
	}
	if out.MaxRows < 1 {
		at.in("max_rows").problem("must be at least 1")
	}
	if out.MaxBytes < 1 {
		at.in("max_bytes").problem("must be at least 1")
	}
	return out
}

func pages(at place, spec PagesSpec) Pages {
	out := Pages{
		Kind: PageKind(cmp.Or(spec.Kind, string(NoPages))), Param: spec.Param, Size: spec.Size,
		Limit: said(spec.Limit, defaultPageSize), Next: spec.Next, Max: said(spec.Max, defaultPages),
	}
	switch out.Kind {
	case NoPages:
		if spec != (PagesSpec{Kind: spec.Kind}) {
			at.in("kind").problem("without pages nothing else may be said about them; " +
				"write `kind: page`, `offset`, `cursor` or `link`")
		}
		return Pages{Kind: NoPages, Max: 1}
	case PageNumber, PageOffset:
		if spec.Next != "" {
			at.in("next").problem("belongs to `kind: cursor` or `link`")
		}
	case PageCursor:
		if spec.Next == "" {
			at.in("next").problem("must be the JSON pointer of the next cursor, such as /meta/next")
		}
		pointer(at.in("next"), spec.Next)
	case PageLink:
		if spec.Param != "" {
			at.in("param").problem("belongs to `kind: page`, `offset` or `cursor`; a link says all by itself")
		}
		pointer(at.in("next"), spec.Next)
	default:
		at.in("kind").problem("must be none, page, offset, cursor or link")
	}
	if out.Param == "" && out.Kind != PageLink {
		at.in("param").problem("must name the parameter of the %s", out.Kind)
	}
	if out.Max < 1 {
		at.in("max").problem("must be at least 1")
	}
	if out.Limit < 1 || out.Limit > maxPageSize {
		at.in("limit").problem("must be from 1 to %d", maxPageSize)
	}
	return out
}

var placeholder = regexp.MustCompile(`\{([^{}]*)\}`)

// templates copies header or query templates and tells whether any holds a
// placeholder.
func templates(at place, in map[string]Template, params map[string]ParameterSpec, out map[string]string) bool {
	named := false
	for _, name := range slices.Sorted(maps.Keys(in)) {
		out[name] = string(in[name])
		named = placeholders(at.in(name), out[name], params) || named
	}
	return named
}

// placeholders checks a template and tells whether it holds a placeholder.
// Messages do not repeat the text, which may come from a secret.
func placeholders(at place, text string, params map[string]ParameterSpec) bool {
	named := false
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		named = true
		param, isParam := strings.CutPrefix(m[1], "parameters.")
		meta, isMeta := strings.CutPrefix(m[1], "metadata.")
		_, known := params[param]
		switch {
		case m[1] == "tenant" || m[1] == "tenant_key" || m[1] == "subject" || isMeta && meta != "":
		case isParam && known:
		case isParam:
			at.problem("names a parameter that is not declared under `parameters`")
		default:
			at.problem("knows the placeholders {tenant}, {tenant_key}, {subject}, {metadata.NAME} and {parameters.NAME} only")
		}
	}
	if strings.ContainsAny(placeholder.ReplaceAllString(text, ""), "{}\r\n\x00") {
		at.problem("holds a brace without its partner, or a line break")
	}
	return named
}

var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

func headers(at place, in map[string]string) {
	seen := make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(in)) {
		canonical := http.CanonicalHeaderKey(name)
		if bad := badHeader(name); bad != "" {
			at.in(name).problem("%s", bad)
		} else if seen[canonical] {
			at.in(name).problem("is given twice; header names ignore case")
		}
		seen[canonical] = true
	}
}

// badHeader says why a name cannot be a header's, or "".
func badHeader(name string) string {
	switch {
	case !headerName.MatchString(name):
		return "is no header name"
	case slices.Contains([]string{"Host", "Content-Length", "Transfer-Encoding", "Connection"}, http.CanonicalHeaderKey(name)):
		return "is set by the connection itself"
	}
	return ""
}

// pointer checks a JSON pointer; empty means the whole document.
func pointer(at place, text string) {
	if text != "" && !strings.HasPrefix(text, "/") {
		at.problem("must be a JSON pointer such as /data/items")
	}
}
