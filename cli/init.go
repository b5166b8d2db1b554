package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"usher/auth"
	"usher/catalog"
	"usher/cli/term"
	"usher/config"
	"usher/datasource"
	"usher/inspect"
	"usher/setup"
)

type initCommand struct {
	DSN          string   `name:"dsn" xor:"source" help:"A PostgreSQL database; the variable USHER_DSN may hold it instead." placeholder:"postgres://USER:PASSWORD@HOST/DATABASE"`
	Schema       string   `help:"Schema of the PostgreSQL database (public)." placeholder:"NAME"`
	Pooler       string   `enum:",session,transaction" default:"" help:"How the pooler before it, if any, shares connections out: session or transaction." placeholder:"KIND"`
	Files        []string `xor:"source" help:"Parquet, CSV or JSON files, each a table." placeholder:"FILE"`
	DuckDB       string   `name:"duckdb" xor:"source" help:"A DuckDB database." placeholder:"FILE"`
	Tenant       string   `help:"The column that says whose a row is; guessed from the names if left out." placeholder:"COLUMN"`
	Out          string   `default:"usher.yml" help:"The configuration to write (${default})." placeholder:"FILE"`
	IssuerSecret string   `help:"File with the secret that tokens are signed with; made if it is not there (usher.secret beside the configuration)." placeholder:"FILE"`
	Force        bool     `help:"Overwrite what is there; a secret is kept all the same."`
}

// The issuer of a first configuration.
const (
	firstIssuer   = "usher-init"
	firstAudience = "usher"
	firstLife     = 24 * time.Hour
)

// Run looks into a source and writes a configuration for it, then reads that
// back as `usher check` would.
func (c initCommand) Run(ctx context.Context, s *term.IO) error {
	first, err := c.source(s)
	if err != nil {
		return err
	}
	secretFile := c.IssuerSecret
	if secretFile == "" {
		secretFile = filepath.Join(filepath.Dir(c.Out), "usher.secret")
	}
	if err := c.vacant(first); err != nil {
		return err
	}
	draft, err := propose(ctx, first.Source, c.Tenant)
	if err != nil {
		return err
	}
	keys, err := tenantKeys(ctx, draft)
	if err != nil {
		return err
	}
	draft.Register(keys.all, keys.sample)
	tenant := draft.ID(keys.sample)
	text, err := draft.YAML(setup.Issuer{
		Issuer: firstIssuer, Audience: firstAudience, SecretFile: c.named(secretFile), Example: tenant,
	})
	if err != nil {
		return err
	}
	secret, err := haveSecret(secretFile)
	if err != nil {
		return err
	}
	if first.dsnFile != "" {
		if err := c.write(first.dsnFile, []byte(c.DSN+"\n")); err != nil {
			return err
		}
	}
	if err := c.write(c.Out, text); err != nil {
		return err
	}
	found, err := c.verify(ctx, s)
	if err != nil {
		return err
	}
	p := printer{out: s.Stdout, draft: draft, cat: found.Catalog, config: c.Out, keys: keys}
	if tenant != "" {
		if p.token, err = firstToken(secret, tenant, time.Now()); err != nil {
			return err
		}
		p.tenant = tenant
	}
	p.print()
	return nil
}

// verify reads what was written as any later command does.
func (c initCommand) verify(ctx context.Context, s *term.IO) (*inspect.Report, error) {
	cfg, err := config.Load(c.Out, s.Env)
	if err != nil {
		return nil, err
	}
	found, err := inspect.Check(ctx, cfg)
	if err == nil && len(found.Problems) > 0 {
		err = errors.New(strings.Join(found.Problems, "\n"))
	}
	if err != nil {
		return nil, fmt.Errorf("%s is written, but does not fit the data; correct it by hand:\n%w", c.Out, err)
	}
	return found, nil
}

// firstSource is the source to be written, and the file its secret goes to.
type firstSource struct {
	setup.Source
	dsnFile string // empty: there is no secret, or it stays in the environment
}

// sourceName is what the one source of a first configuration is called.
const sourceName = "main"

func (c initCommand) source(s *term.IO) (firstSource, error) {
	first := firstSource{Source: setup.Source{Name: sourceName}}
	if c.Schema != "" && (c.DuckDB != "" || len(c.Files) > 0) {
		return first, errors.New("--schema belongs to --dsn")
	}
	if c.Pooler != "" && (c.DuckDB != "" || len(c.Files) > 0) {
		return first, errors.New("--pooler belongs to --dsn")
	}
	switch {
	case c.DuckDB != "":
		first.Spec = catalog.SourceSpec{Kind: string(catalog.DuckDB), Path: catalog.Path(c.DuckDB)}
		first.Lines = []string{"kind: duckdb", "path: " + setup.Scalar(c.named(c.DuckDB))}
	case len(c.Files) > 0:
		tables, err := fileTables(c.Files)
		if err != nil {
			return first, err
		}
		first.Spec = catalog.SourceSpec{Kind: string(catalog.DuckDB), Files: tables}
		first.Lines = []string{"kind: duckdb", "files:"}
		for _, file := range c.Files {
			first.Lines = append(first.Lines, "  "+setup.Scalar(tableOf(file))+": "+setup.Scalar(c.named(file)))
		}
	default:
		dsn, from := c.DSN, ""
		if dsn == "" {
			from, _ = s.Env("USHER_DSN")
			dsn = from
		}
		if dsn == "" {
			return first, errors.New("say what to look into: --dsn postgres://…, --files a.parquet,b.csv or --duckdb FILE")
		}
		first.Spec = catalog.SourceSpec{Kind: string(catalog.Postgres), DSN: catalog.Secret(dsn), Schema: c.Schema}
		first.Lines = []string{"kind: postgres", "dsn: {env: USHER_DSN}"}
		if from == "" {
			first.dsnFile = filepath.Join(filepath.Dir(c.Out), "usher.dsn")
			first.Lines[1] = "dsn: {file: usher.dsn}"
		}
		if onThisMachine(dsn) {
			first.Spec.SSLMode = "disable"
			first.Lines = append(first.Lines, "sslmode: disable   # it is on this machine; elsewhere the default, verify-full, is right")
		}
		if first.Spec.Pooler = c.Pooler; c.Pooler != "" {
			first.Lines = append(first.Lines, "pooler: "+c.Pooler)
		}
		if c.Schema != "" {
			first.Lines = append(first.Lines, "schema: "+setup.Scalar(c.Schema))
		}
	}
	return first, nil
}

// onThisMachine tells whether the server is, and the DSN leaves TLS open.
func onThisMachine(dsn string) bool {
	u, err := url.Parse(dsn)
	if err != nil || u.Query().Has("sslmode") {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

func fileTables(files []string) (map[string]catalog.Path, error) {
	tables := make(map[string]catalog.Path, len(files))
	for _, file := range files {
		name := tableOf(file)
		if other, taken := tables[name]; taken {
			return nil, fmt.Errorf("%s and %s would both be the table %s; rename one", other, file, name)
		}
		tables[name] = catalog.Path(file)
	}
	return tables, nil
}

func tableOf(file string) string {
	return strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
}

// named is a file as the configuration names it: relative files start at the
// folder of the configuration.
func (c initCommand) named(file string) string {
	if filepath.IsAbs(file) {
		return file
	}
	if rel, err := filepath.Rel(filepath.Dir(c.Out), file); err == nil {
		return rel
	}
	return file
}

// vacant refuses to overwrite.
func (c initCommand) vacant(first firstSource) error {
	for _, file := range []string{c.Out, first.dsnFile} {
		if file == "" || c.Force {
			continue
		}
		if _, err := os.Lstat(file); err == nil {
			return fmt.Errorf("%s is there already; --force overwrites it, --out chooses another name", file)
		}
	}
	return nil
}

// write makes a file that its owner alone may read.
func (c initCommand) write(file string, text []byte) error {
	flag := os.O_EXCL
	if c.Force {
		flag = os.O_TRUNC
	}
	return writeFile(file, text, flag)
}

func writeFile(file string, text []byte, flag int) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|flag, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

// haveSecret reads the secret, or makes it.
func haveSecret(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		random := make([]byte, 32)
		if _, err := rand.Read(random); err != nil {
			return nil, err
		}
		text = []byte(base64.RawURLEncoding.EncodeToString(random) + "\n")
		err = writeFile(file, text, os.O_EXCL)
	}
	return bytes.TrimRight(text, "\r\n"), err
}

func propose(ctx context.Context, source setup.Source, tenant string) (*setup.Draft, error) {
	sources, problems := catalog.Sources(catalog.Spec{Sources: map[string]catalog.SourceSpec{source.Name: source.Spec}})
	if len(problems) > 0 {
		var errs []error
		for _, p := range problems {
			errs = append(errs, errors.New(p.Message))
		}
		return nil, fmt.Errorf("the source cannot be used: %w", errors.Join(errs...))
	}
	var err error
	if source.Tables, err = datasource.Introspect(ctx, sources[source.Name]); err != nil {
		if source.Spec.Kind == string(catalog.Postgres) && strings.Contains(err.Error(), "SSL") {
			err = fmt.Errorf("%w; a server without TLS is reached with ?sslmode=disable in the DSN", err)
		}
		return nil, fmt.Errorf("the source could not be looked into: %w", err)
	}
	return setup.Propose(source, tenant)
}

// firstToken signs a token for a tenant, to try the configuration with.
func firstToken(secret []byte, tenant string, now time.Time) (string, error) {
	return auth.SignHS256(secret, map[string]any{
		"iss": firstIssuer, "aud": firstAudience, "sub": "init|" + tenant, "tenant": tenant,
		"iat": now.Unix(), "exp": now.Add(firstLife).Unix(),
	})
}
