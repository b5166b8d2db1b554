package demo

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"usher/auth"
	"usher/catalog"
	"usher/config"
)

// sample is the part of the configuration that the data must agree with.
type sample struct {
	Sources map[string]struct {
		Path    string `yaml:"path"`
		BaseURL string `yaml:"base_url"`
	} `yaml:"sources"`
	Strategies map[string]struct {
		Source string `yaml:"source"`
	} `yaml:"strategies"`
	Issuers map[string]struct {
		Issuer   string   `yaml:"issuer"`
		Audience []string `yaml:"audience"`
		Keys     struct {
			Secret struct {
				File string `yaml:"file"`
			} `yaml:"secret"`
		} `yaml:"keys"`
	} `yaml:"issuers"`
	Datasets map[string]struct {
		Tenant    string         `yaml:"tenant"`
		Key       string         `yaml:"key"`
		Columns   map[string]any `yaml:"columns"`
		Relations map[string]struct {
			To      string            `yaml:"to"`
			Through string            `yaml:"through"`
			On      map[string]string `yaml:"on"`
			ToOn    map[string]string `yaml:"to_on"`
		} `yaml:"relations"`
		Bind map[string]struct {
			Table string `yaml:"table"`
			Path  string `yaml:"path"`
		} `yaml:"bind"`
	} `yaml:"datasets"`
}

func readSample(t *testing.T, d *Data) sample {
	t.Helper()
	var s sample
	if err := yaml.NewDecoder(bytes.NewReader(Config(d, "http://127.0.0.1:9000"))).Decode(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// stored returns a configured column's name in the sources and its type,
// written as the engine's.
func stored(name string, spec any) (column, native string, null bool) {
	column = name
	typ, _ := spec.(string)
	if m, ok := spec.(map[string]any); ok {
		typ = m["type"].(string)
		if c, ok := m["column"].(string); ok {
			column = c
		}
		if m["precision"] != nil {
			defer func() { native = fmt.Sprintf("DECIMAL(%v,%v)", m["precision"], m["scale"]) }()
		}
	}
	typ, required := strings.CutSuffix(typ, "!")
	native = map[string]string{
		"BigInt": "BIGINT", "Int": "INTEGER", "String": "VARCHAR", "Boolean": "BOOLEAN", "UUID": "UUID", "Float": "DOUBLE",
		"Date": "DATE", "Timestamp": "TIMESTAMP WITH TIME ZONE", "LocalTimestamp": "TIMESTAMP",
	}[typ]
	return column, native, !required
}

func TestConfigurationFitsTheTables(t *testing.T) {
	t.Parallel()
	d := prepare(t, t.TempDir(), 100, noon())
	conn, s := open(t, d.Shared()), readSample(t, d)
	if len(s.Datasets) != len(apiDatasets()) {
		t.Errorf("%d datasets are configured, %d exist", len(s.Datasets), len(apiDatasets()))
	}
	for name, dataset := range s.Datasets {
		table := name
		if bound := dataset.Bind["shop"].Table; bound != "" {
			table = bound
		}
		var got []string
		for column, spec := range dataset.Columns {
			c, native, null := stored(column, spec)
			got = append(got, fmt.Sprintf("%q|%q|%q|", c, native, fmt.Sprint(null)))
		}
		want := lines(t, conn, `SELECT column_name, data_type, is_nullable FROM duckdb_columns() WHERE table_name = ?`, table)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: columns\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		named := []string{dataset.Key}
		if dataset.Tenant != "" {
			named = append(named, dataset.Tenant)
			for _, source := range []string{"partner", "partner_scoped"} {
				if want := "/v1/" + table; dataset.Bind[source].Path != want {
					t.Errorf("%s: path %q of %s, want %q", name, dataset.Bind[source].Path, source, want)
				}
			}
		}
		for relation, r := range dataset.Relations {
			first := r.To
			if r.Through != "" {
				first = r.Through
			}
			for from, to := range r.On {
				named = append(named, from)
				if s.Datasets[first].Columns[to] == nil {
					t.Errorf("%s.%s leads to %s.%s, which is none", name, relation, first, to)
				}
			}
			for from, to := range r.ToOn {
				if s.Datasets[r.Through].Columns[from] == nil || s.Datasets[r.To].Columns[to] == nil {
					t.Errorf("%s.%s pairs %s.%s with %s.%s, one of which is none", name, relation, r.Through, from, r.To, to)
				}
			}
		}
		for _, column := range named {
			if dataset.Columns[column] == nil {
				t.Errorf("%s names a column %q that it does not have", name, column)
			}
		}
	}
}

func TestConfigurationNamesTheFiles(t *testing.T) {
	t.Parallel()
	d := prepare(t, t.TempDir(), 100, noon())
	s := readSample(t, d)
	if got := d.Dir + "/" + s.Sources["shop"].Path; got != d.Shared() {
		t.Errorf("shared database %s, want %s", got, d.Shared())
	}
	if got := d.Dir + "/" + strings.ReplaceAll(s.Sources["silo"].Path, "{tenant}", "el-camino"); got != d.TenantFile("el-camino") {
		t.Errorf("tenant's database %s, want %s", got, d.TenantFile("el-camino"))
	}
	if got := d.Dir + "/" + s.Issuers["demo"].Keys.Secret.File; got != d.SecretFile() {
		t.Errorf("secret %s, want %s", got, d.SecretFile())
	}
	for _, source := range []string{"partner", "partner_scoped"} {
		if got := s.Sources[source].BaseURL; got != "http://127.0.0.1:9000" {
			t.Errorf("base URL of %s: %s", source, got)
		}
	}
}

// What usher itself makes of the configuration and of the tokens.
func TestUsherTakesTheConfigurationAndTheTokens(t *testing.T) {
	t.Parallel()
	d := prepare(t, t.TempDir(), 100, noon())
	c, err := config.Parse(filepath.Join(d.Dir, "usher.yml"), Config(d, "http://127.0.0.1:9000"), noEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	if _, problems := catalog.Compile(c.Spec, nil); len(problems) > 0 {
		t.Fatal(c.Locate(problems), c.Notes(problems))
	}
	verifier, err := auth.New(c.Issuers, auth.Options{Clock: noon})
	if err != nil {
		t.Fatal(err)
	}
	defer verifier.Close()
	tokens, err := Tokens(d, noon())
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range tokens {
		p, err := verifier.Verify(t.Context(), token.Token)
		if err != nil {
			t.Errorf("%s: %v", token.Name, errors.Unwrap(err))
			continue
		}
		if p.Tenant != token.Tenant || p.AllTenants != (token.Tenant == "") || p.Grant.Strategy != token.Strategy {
			t.Errorf("%s is taken for %+v", token.Name, p)
		}
	}
}

func noEnvironment(string) (string, bool) { return "", false }
