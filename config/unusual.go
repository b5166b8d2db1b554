package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"usher/catalog"
	"usher/held"
)

// number is a number that a file may say, and between what it is nearly always: beyond it a unit is too small or too
// large as a rule, or there is a digit too many. It is served as it is.
type number struct {
	path        string
	n           int64
	least, most int64
	text        func(int64) string
}

func amount(path string, n int, least, most int64) number {
	return number{path, int64(n), least, most, func(n int64) string { return strconv.FormatInt(n, 10) }}
}

func bytesOf(path string, n, least, most int64) number {
	return number{path, n, least, most, func(n int64) string { return strconv.FormatInt(n, 10) + " bytes" }}
}

func span(path string, n, least, most time.Duration) number {
	return number{path, int64(n), int64(least), int64(most), func(n int64) string { return time.Duration(n).String() }}
}

func maybe(path string, n *int, least, most int64) number {
	if n == nil {
		return number{}
	}
	return amount(path, *n, least, most)
}

// numbers are those that the file may say, of all that have a range.
func (c *Config) numbers() []number {
	s, p, here := c.Server, c.Pools, held.Memory()
	all := []number{
		span("server.timeout", s.Timeout, time.Second, 10*time.Minute),
		span("server.max_wait", s.MaxWait, 100*time.Millisecond, 5*time.Minute),
		span("server.export_timeout", s.ExportTimeout, time.Minute, 7*day),
		span("server.import_timeout", s.ImportTimeout, time.Minute, 7*day),
		bytesOf("server.max_body", s.MaxBody, 1<<10, 64<<20),
		bytesOf("server.max_import", s.MaxImport, 64<<10, 1<<40),
		bytesOf("server.cache_bytes", int64(s.CacheBytes), 1<<20, here),
		bytesOf("server.max_held", s.MaxHeld, 16<<20, here),
		amount("server.max_tokens", s.MaxTokens, 100, 1_000_000),
		amount("server.max_depth", s.MaxDepth, 3, 100),
		amount("server.max_aliases", s.MaxAliases, 1, 10_000),
		amount("server.max_root_fields", s.MaxRootFields, 1, 10_000),
		amount("server.max_items", s.MaxItems, 100, 1_000_000),
		amount("server.max_conditions", s.MaxConditions, 10, 100_000),
		amount("server.max_waiting", s.MaxWaiting, 2, 100_000),
		amount("server.max_beside", s.MaxBeside, 1, 10_000),
		amount("server.max_exports", s.MaxExports, 1, 1000),
		amount("pools.accounts", p.Accounts, 2, 100_000),
		amount("pools.connections", p.Connections, 4, 10_000),
		amount("pools.per_host", p.PerHost, 2, 10_000),
		span("pools.idle", p.Idle, time.Second, day),
		span("pools.max_age", p.MaxAge, 10*time.Second, day),
		bytesOf("pools.duckdb_memory", p.DuckDBMemory, minDuckDB, here),
		maybe("limits.rows", c.Spec.Limits.Rows, 1, 100_000),
		maybe("limits.max_rows", c.Spec.Limits.MaxRows, 10, 1_000_000),
	}
	if c.Control != nil {
		all = append(all, amount("control.free_attempts", c.Control.FreeAttempts, 2, 100))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Spec.Sources)) {
		source, at := c.Spec.Sources[name], "sources."+name+"."
		if source.Timeout != nil {
			all = append(all, span(at+"timeout", *source.Timeout, 100*time.Millisecond, 10*time.Minute))
		}
		if source.MaxLag != nil {
			all = append(all, span(at+"max_lag", *source.MaxLag, time.Second, time.Hour))
		}
		if source.MaxBytes != nil {
			all = append(all, bytesOf(at+"max_bytes", *source.MaxBytes, 1<<10, here))
		}
		all = append(all,
			maybe(at+"max_conns", source.MaxConns, 1, int64(p.PerHost)),
			maybe(at+"max_rows", source.MaxRows, 10, 10_000_000),
			maybe(at+"max_concurrent", source.MaxConcurrent, 1, 1000),
			maybe(at+"pages.max", source.Pages.Max, 1, 100_000),
		)
	}
	return all
}

// Unusual are notes on numbers that the file says and hardly anybody means, or that others leave without effect.
func (c *Config) Unusual() []catalog.Problem {
	var out []catalog.Problem
	note := func(path, format string, args ...any) {
		out = append(out, catalog.Problem{Path: strings.Split(path, "."), Message: fmt.Sprintf(format, args...), Note: true})
	}
	for _, n := range c.numbers() {
		switch {
		case n.path == "" || !c.says(n.path):
		case n.n < n.least:
			note(n.path, "it is %s; hardly anything is served with less than %s", n.text(n.n), n.text(n.least))
		case n.n > n.most && strings.HasSuffix(n.path, ".max_conns"):
			note(n.path, "no more than %s are ever open: `pools.per_host` is that", n.text(n.most))
		case n.n > n.most:
			note(n.path, "it is %s; more than %s bounds nothing, or more than there is", n.text(n.n), n.text(n.most))
		}
	}
	if c.says("pools.per_host") && c.Pools.PerHost > c.Pools.Connections {
		note("pools.per_host", "no more than %d are ever open: `pools.connections` is that", c.Pools.Connections)
	}
	if c.says("server.max_wait") && c.Server.MaxWait > c.Server.Timeout {
		note("server.max_wait", "nobody waits for longer than %s: `server.timeout` is that", c.Server.Timeout)
	}
	return out
}

// says tells whether the file has a key, whose names have no dots.
func (c *Config) says(path string) bool {
	n := c.tree
	for key := range strings.SplitSeq(path, ".") {
		m, ok := n.spelled(key)
		if !ok {
			return false
		}
		n = m.value
	}
	return true
}
