package config

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"usher/catalog"
)

// Control is where the control store is and what holds for it.
type Control struct {
	Postgres       *ControlPostgres `yaml:"postgres"` // exactly one of Postgres and Path
	Path           catalog.Path     `yaml:"path"`     // of a DuckDB file, made if it is missing
	Key            *ControlKey      `yaml:"key"`      // encrypts credentials at rest
	OldKeys        []ControlKey     `yaml:"old_keys"` // with which some may still be encrypted
	MaxStale       time.Duration    `yaml:"max_stale"`
	TokenLife      time.Duration    `yaml:"token_life"`
	MaxTokenLife   time.Duration    `yaml:"max_token_life"`
	SessionLife    time.Duration    `yaml:"session_life"`
	SessionIdle    time.Duration    `yaml:"session_idle"`
	Audit          string           `yaml:"audit"` // AuditSoon or AuditStrict
	AuditRetention time.Duration    `yaml:"audit_retention"`
	AuditReads     string           `yaml:"audit_reads"`           // ReadsAll or ReadsNone
	ReadsRetention time.Duration    `yaml:"audit_reads_retention"` // of entries that tell of questions; at most AuditRetention
	MinPassword    int              `yaml:"min_password"`          // characters
	FreeAttempts   int              `yaml:"free_attempts"`         // failed logins of one name before waiting begins
	MaxLockout     time.Duration    `yaml:"max_lockout"`           // the longest wait
}

// When entries of the audit log are written that tell of changed rows.
const (
	AuditSoon   = "soon"   // when there is time: nobody waits for it
	AuditStrict = "strict" // before COMMIT and after it: without it nothing is changed
)

// Which questions are in the audit log.
const (
	ReadsAll  = "all"
	ReadsNone = "none" // but those of whoever acts as a tenant
)

// ControlPostgres is the account of the control store's database.
type ControlPostgres struct {
	Host     string         `yaml:"host"`
	Port     int            `yaml:"port"`  // 0: 5432
	Hosts    []ControlHost  `yaml:"hosts"` // instead of Host: a primary and its standbys
	Database string         `yaml:"database"`
	User     string         `yaml:"user"`
	Password catalog.Secret `yaml:"password"`
	SSLMode  string         `yaml:"sslmode"`   // disable, require, verify-ca or verify-full; empty: verify-full
	RootCert catalog.Path   `yaml:"root_cert"` // empty: the system's
	Schema   string         `yaml:"schema"`    // empty: usher
}

// ControlHost is one of several servers that hold the store. Which is the primary is
// found out; nothing is read from the others.
type ControlHost struct {
	Host string `yaml:"host"`
	Port int    `yaml:"port"` // 0: the port beside hosts
}

// ControlKey encrypts credentials that the control store keeps.
type ControlKey struct {
	ID     string         `yaml:"id"`
	Secret catalog.Secret `yaml:"secret"` // 32 bytes in base64
}

// keyBytes is what a ControlKey's secret must have.
const keyBytes = 32

// Bytes are the key itself.
func (k ControlKey) Bytes() ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(k.Secret)))
	if err != nil || len(key) != keyBytes {
		return nil, fmt.Errorf("must be %d bytes in base64; `openssl rand -base64 %[1]d` makes them", keyBytes)
	}
	return key, nil
}

const day = 24 * time.Hour

// DefaultControl is what a file says that names nothing but the store's place.
func DefaultControl() Control {
	return Control{
		MaxStale: 10 * time.Second, TokenLife: day, MaxTokenLife: 365 * day, SessionLife: 12 * time.Hour, SessionIdle: 30 * time.Minute,
		Audit: AuditSoon, AuditRetention: 400 * day, AuditReads: ReadsAll, ReadsRetention: 400 * day, MinPassword: 12, FreeAttempts: 5, MaxLockout: 15 * time.Minute,
	}
}

var (
	keyIDForm  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)
	schemaForm = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,47}$`)
)

func (c Control) problems() []catalog.Problem {
	var out []catalog.Problem
	add := func(path, format string, args ...any) {
		keys := append([]string{"control"}, strings.Split(path, ".")...)
		out = append(out, catalog.Problem{Path: keys, Message: fmt.Sprintf(format, args...)})
	}
	switch {
	case c.Postgres != nil && c.Path != "":
		add("path", "a store is in PostgreSQL or in a file: leave one of them out")
	case c.Postgres == nil && c.Path == "":
		add("postgres", "missing; name a PostgreSQL database, or a file with `path`")
	}
	if c.Postgres != nil {
		c.Postgres.problems(add)
	}
	ids := make(map[string]bool)
	key := func(path string, k ControlKey) {
		switch {
		case !keyIDForm.MatchString(k.ID):
			add(path+".id", "must be a name of 1 to 32 letters, digits, _ and -")
		case ids[k.ID]:
			add(path+".id", "another key has this id; what is encrypted with one could not be told from the other's")
		}
		ids[k.ID] = true
		if _, err := k.Bytes(); err != nil {
			add(path+".secret", "%s", err)
		}
	}
	if c.Key != nil {
		key("key", *c.Key)
	}
	for i, k := range c.OldKeys {
		key("old_keys."+strconv.Itoa(i), k)
	}
	for _, t := range []struct {
		key         string
		value       time.Duration
		least, most time.Duration
	}{
		{"max_stale", c.MaxStale, time.Second, time.Hour},
		{"token_life", c.TokenLife, time.Minute, c.MaxTokenLife},
		{"max_token_life", c.MaxTokenLife, time.Minute, 365 * day},
		{"session_life", c.SessionLife, time.Minute, 365 * day},
		{"session_idle", c.SessionIdle, time.Minute, 365 * day},
		{"audit_retention", c.AuditRetention, day, 100 * 365 * day},
		{"audit_reads_retention", c.ReadsRetention, time.Hour, 100 * 365 * day},
		{"max_lockout", c.MaxLockout, time.Second, day},
	} {
		if t.value < t.least || t.value > t.most {
			add(t.key, "must be from %s to %s", t.least, t.most)
		}
	}
	if c.Audit != AuditSoon && c.Audit != AuditStrict {
		add("audit", "must be soon or strict")
	}
	if c.AuditReads != ReadsAll && c.AuditReads != ReadsNone {
		add("audit_reads", "must be all or none")
	}
	if c.MinPassword < 8 || c.MinPassword > 128 {
		add("min_password", "must be from 8 to 128")
	}
	if c.FreeAttempts < 1 {
		add("free_attempts", "must be at least 1")
	}
	return out
}

func (p ControlPostgres) problems(add func(path, format string, args ...any)) {
	for _, text := range []struct{ key, value string }{{"database", p.Database}, {"user", p.User}} {
		if text.value == "" {
			add("postgres."+text.key, "missing")
		}
	}
	switch {
	case len(p.Hosts) == 0 && p.Host == "":
		add("postgres.host", "missing")
	case len(p.Hosts) > 0 && p.Host != "":
		add("postgres.hosts", "name the servers already; leave out `host`")
	case strings.ContainsAny(p.Host, "/@, "):
		add("postgres.host", "must be the name or address of one server; several are written under `hosts`")
	}
	for i, h := range p.Hosts {
		at := "postgres.hosts." + strconv.Itoa(i)
		if h.Host == "" || strings.ContainsAny(h.Host, "/@, ") {
			add(at+".host", "must be the name or address of one server")
		}
		if h.Port < 0 || h.Port > 65535 {
			add(at+".port", "must be from 1 to 65535")
		}
	}
	if p.Port < 0 || p.Port > 65535 {
		add("postgres.port", "must be from 1 to 65535")
	}
	switch p.SSLMode {
	case "", "disable", "require", "verify-ca", "verify-full":
	default:
		add("postgres.sslmode", "must be disable, require, verify-ca or verify-full")
	}
	if p.Schema != "" && !schemaForm.MatchString(p.Schema) {
		add("postgres.schema", "must be a name of at most 48 of a-z, 0-9 and _, not beginning with a digit")
	}
}

// storesOwn is the issuer of the control store's own tokens.
const storesOwn = "usher"
