package config_test

import (
	"fmt"
	"strings"
	"testing"

	"usher/config"
)

// Each number that a file may say has a range in which it is nearly always; beyond it there is a note with its place.
func TestUnusual(t *testing.T) {
	t.Parallel()
	const usual = `
server: {timeout: 30s, max_wait: 10s, max_body: 1048576, cache_bytes: 67108864, max_held: 268435456, max_beside: 4, max_depth: 15, max_waiting: 100}
pools: {accounts: 64, connections: 100, per_host: 40, idle: 5m, max_age: 30m}
control: {path: control.duckdb, free_attempts: 5}
limits: {rows: 50, max_rows: 1000}
sources:
  shop: {kind: postgres, host: db.example, database: shop, user: usher, password: {env: PASSWORD}, max_conns: 10, timeout: 30s}
  atlas: {kind: api, base_url: "https://atlas.example", max_rows: 10000, max_concurrent: 8}
`
	for _, c := range []struct{ key, value, want string }{
		{"timeout", "30s", ""},
		{"timeout", "30h", "server.timeout: it is 30h0m0s; more than 10m0s bounds nothing"},
		{"max_wait", "40s", "server.max_wait: nobody waits for longer than 30s: `server.timeout` is that"},
		{"max_body", "1", "server.max_body: it is 1 bytes; hardly anything"},
		{"max_body", "10485760000", "server.max_body: it is 10485760000 bytes; more than 67108864 bytes"},
		{"cache_bytes", "1000000000000000", "server.cache_bytes: it is 1000000000000000 bytes; more than"},
		{"max_held", "1048576", "server.max_held: it is 1048576 bytes; hardly anything"},
		{"max_beside", "100000", "server.max_beside: it is 100000; more than 10000"},
		{"max_depth", "1", "server.max_depth: it is 1; hardly anything"},
		{"max_waiting", "100000000", "server.max_waiting: it is 100000000; more than 100000"},
		{"accounts", "100000000", "pools.accounts: it is 100000000; more than 100000"},
		{"connections", "100000000", "pools.connections: it is 100000000; more than 10000"},
		{"per_host", "200", "pools.per_host: no more than 100 are ever open: `pools.connections` is that"},
		{"idle", "10ms", "pools.idle: it is 10ms; hardly anything"},
		{"max_age", "1000h", "pools.max_age: it is 1000h0m0s; more than 24h0m0s"},
		{"free_attempts", "100000", "control.free_attempts: it is 100000; more than 100"},
		{"rows", "10000000", "limits.rows: it is 10000000; more than 100000"},
		{"max_conns", "100000000", "sources.shop.max_conns: no more than 40 are ever open: `pools.per_host` is that"},
		{"max_concurrent", "100000", "sources.atlas.max_concurrent: it is 100000; more than 1000"},
	} {
		at := strings.Index(usual, c.key+": ")
		end := at + strings.IndexAny(usual[at:], ",}")
		text := usual[:at] + c.key + ": " + c.value + usual[end:]
		parsed, err := config.Parse("usher.yml", []byte(text), environment)
		if err != nil {
			t.Errorf("%s: %s: %v", c.key, c.value, err)
			continue
		}
		notes := parsed.Notes(parsed.Unusual())
		line := strings.Count(text[:at], "\n") + 1
		switch {
		case c.want == "" && len(notes) > 0:
			t.Errorf("%s: %s: %q", c.key, c.value, notes)
		case c.want != "" && (len(notes) != 1 || !strings.HasPrefix(notes[0], fmt.Sprintf("usher.yml:%d:", line)) || !strings.Contains(notes[0], ": "+c.want)):
			t.Errorf("%s: %s: %q\nwant %s", c.key, c.value, notes, c.want)
		}
	}
	for _, text := range []string{"server: {max_held: 1}", "server: {max_held: -5}"} {
		if _, err := config.Parse("usher.yml", []byte(text), environment); err == nil || !strings.Contains(err.Error(), "server.max_held: must be at least 1048576") {
			t.Errorf("%s: %v", text, err)
		}
	}
	// What a file does not say, nobody has to mean.
	for _, text := range []string{"server: {timeout: 5s}", "pools: {connections: 20}"} {
		parsed, err := config.Parse("usher.yml", []byte(text), environment)
		if err != nil {
			t.Fatal(err)
		}
		if notes := parsed.Notes(parsed.Unusual()); len(notes) > 0 {
			t.Errorf("%s: %q", text, notes)
		}
	}
}
