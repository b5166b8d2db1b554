package main

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// machine is what the numbers depend on.
type machine struct {
	processor string
	cores     int
	memory    int64
	system    string
	postgres  string
	goVersion string
	usher     string
	busy      string // load average at the start
}

func describe(ctx context.Context, s *stage) (machine, error) {
	m := machine{cores: runtime.NumCPU(), goVersion: runtime.Version(), system: runtime.GOOS + "/" + runtime.GOARCH}
	m.processor = field("/proc/cpuinfo", "model name")
	kilobytes, err := strconv.ParseInt(strings.TrimSuffix(field("/proc/meminfo", "MemTotal"), " kB"), 10, 64)
	if err != nil {
		return m, err
	}
	m.memory = kilobytes << 10
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.busy, _, _ = strings.Cut(string(text), " ")
	}
	err = s.cluster.do("postgres", func(db *sql.DB) error {
		return db.QueryRowContext(ctx, "SHOW server_version").Scan(&m.postgres)
	})
	if err != nil {
		return m, err
	}
	text, err := exec.CommandContext(ctx, s.usher, "version").Output() //nolint:gosec // the program under test
	first, _, _ := bytes.Cut(text, []byte("\n"))                       // what it is made of follows
	m.usher = string(bytes.TrimSpace(first))
	return m, err
}

// field returns the first value of a name in a file of lines `name : value`.
func field(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
