package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
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
	DSN          string   `name:"dsn" xor:"source" help:"A PostgreSQL database as libpq names one: a URL, 'host=… dbname=…' or service=…; USHER_DSN, or PGHOST, PGSERVICE and the like, may hold it instead." placeholder:"DSN"`
	Schema       []string `help:"A schema to look into, if not the usual one; several with commas between them." placeholder:"NAME"`
	Pooler       string   `enum:",session,transaction" default:"" help:"How the pooler before it, if any, shares connections out: session or transaction." placeholder:"KIND"`
	Files        []string `xor:"source" help:"Parquet, CSV or JSON files, each a table." placeholder:"FILE"`
	DuckDB       string   `name:"duckdb" xor:"source" help:"A DuckDB database." placeholder:"FILE"`
	Tenant       string   `help:"The column that says whose a row is; guessed from the names if left out." placeholder:"COLUMN"`
	Naming       string   `enum:"keep,camel" default:"keep" help:"keep the names of tables and columns, or serve all of them in camel case (${default})." placeholder:"CASE"`
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

// Run looks into a source and makes a configuration for it. It is put in place
// once it has passed what `usher serve` asks of it.
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
	draft, err := c.propose(ctx, s, first.Source)
	if err != nil {
		return err
	}
	over := s.Waiting("still asking the data which tenants and keys there are")
	err = findKeys(ctx, draft)
	var keys foundKeys
	if err == nil {
		keys, err = tenantKeys(ctx, draft)
	}
	over()
	if err != nil {
		return err
	}
	draft.Register(keys.all, keys.sample)
	tenant := draft.ID(keys.sample)
	secret, made, err := haveSecret(secretFile)
	if err != nil {
		return err
	}
	w := &writing{
		initCommand: c, draft: draft, first: first, secret: secret,
		issuer: setup.Issuer{Issuer: firstIssuer, Audience: firstAudience, SecretFile: c.named(secretFile), Example: tenant},
	}
	over = s.Waiting("still checking the configuration")
	found, err := w.starts(ctx, s.Env)
	over()
	if err != nil {
		return err
	}
	if made {
		if err := writeFile(secretFile, append(secret, '\n'), os.O_EXCL); err != nil {
			return err
		}
	}
	if first.secretFile != "" {
		if err := c.write(first.secretFile, []byte(first.secret+"\n")); err != nil {
			return err
		}
	}
	if err := c.write(c.Out, w.text); err != nil {
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

// writing is a configuration before it is in its place.
type writing struct {
	initCommand
	draft  *setup.Draft
	first  firstSource
	issuer setup.Issuer
	secret []byte // that signs tokens
	text   []byte // what usher.yml will hold
}

// Where the secrets are while the files that will hold them are not written.
const (
	heldSource = "USHER_INIT_SOURCE"
	heldSigner = "USHER_INIT_SIGNER"
)

// starts makes the text and reads it as any later command does. What of it is
// refused is left out of it, with the reason, so that the rest starts.
func (w *writing) starts(ctx context.Context, env func(string) (string, bool)) (*inspect.Report, error) {
	held := func(name string) (string, bool) {
		switch name {
		case heldSource:
			return w.first.secret, true
		case heldSigner:
			return string(w.secret), true
		}
		return env(name)
	}
	for {
		var err error
		if w.text, err = w.draft.YAML(w.issuer); err != nil {
			return nil, err
		}
		cfg, err := config.Parse(w.Out, w.unplaced(), held)
		if err != nil {
			return nil, broken(err)
		}
		_, problems := catalog.Compile(cfg.Spec, w.draft.Introspected())
		if catalog.Refused(problems) {
			if !w.draft.Omit(problems) {
				return nil, broken(cfg.Locate(problems))
			}
			continue
		}
		found, err := inspect.Check(ctx, cfg)
		if err == nil && len(found.Problems) > 0 {
			err = errors.New(strings.Join(found.Problems, "\n"))
		}
		if err != nil {
			return nil, broken(err)
		}
		return found, nil
	}
}

func broken(err error) error {
	return fmt.Errorf("no configuration is written, since it would not start:\n%w", err)
}

// unplaced is the text with its secrets in the environment.
func (w *writing) unplaced() []byte {
	text := bytes.Replace(w.text, []byte("{file: "+setup.Scalar(w.issuer.SecretFile)+"}"), []byte("{env: "+heldSigner+"}"), 1)
	if w.first.secretFile != "" {
		text = bytes.Replace(text, []byte("{file: "+filepath.Base(w.first.secretFile)+"}"), []byte("{env: "+heldSource+"}"), 1)
	}
	return text
}

// firstSource is the source to be written, and the file its secret goes to.
type firstSource struct {
	setup.Source
	secretFile, secret string // empty: there is no secret, or it stays in the environment
}

// sourceName is what the one source of a first configuration is called.
const sourceName = "main"

func (c initCommand) source(s *term.IO) (firstSource, error) {
	first := firstSource{Source: setup.Source{Name: sourceName, Schemas: c.Schema}}
	if len(c.Schema) > 0 && len(c.Files) > 0 {
		return first, errors.New("--schema belongs to --dsn and --duckdb")
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
		return c.postgres(s)
	}
	return first, nil
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
	rel, err := filepath.Rel(filepath.Dir(c.Out), file)
	if err != nil || filepath.IsAbs(file) && strings.HasPrefix(rel, "..") {
		return file
	}
	return rel
}

// vacant refuses to overwrite.
func (c initCommand) vacant(first firstSource) error {
	for _, file := range []string{c.Out, first.secretFile} {
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

// haveSecret reads the secret, or makes it; then it is to be written.
func haveSecret(file string) (secret []byte, made bool, err error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		random := make([]byte, 32)
		if _, err := rand.Read(random); err != nil {
			return nil, false, err
		}
		return []byte(base64.RawURLEncoding.EncodeToString(random)), true, nil
	}
	return bytes.TrimRight(text, "\r\n"), false, err
}

// propose looks into the source, whose tables it notes.
func (c initCommand) propose(ctx context.Context, s *term.IO, source setup.Source) (*setup.Draft, error) {
	sources, problems := catalog.Sources(catalog.Spec{Sources: map[string]catalog.SourceSpec{source.Name: source.Spec}})
	if len(problems) > 0 {
		var errs []error
		for _, p := range problems {
			errs = append(errs, errors.New(p.Message))
		}
		return nil, fmt.Errorf("the source cannot be used: %w", errors.Join(errs...))
	}
	defer s.Waiting("still looking into the source")()
	var err error
	if source.Tables, err = datasource.Introspect(ctx, sources[source.Name], source.Schemas...); err != nil {
		if source.Spec.Kind == string(catalog.Postgres) && strings.Contains(err.Error(), "SSL") {
			err = fmt.Errorf("%w; a server without TLS is reached with ?sslmode=disable in the DSN", err)
		}
		return nil, fmt.Errorf("the source could not be looked into: %w", err)
	}
	return setup.Propose(source, setup.Options{Tenant: c.Tenant, Naming: c.Naming})
}

// firstToken signs a token for a tenant, to try the configuration with.
func firstToken(secret []byte, tenant string, now time.Time) (string, error) {
	return auth.SignHS256(secret, map[string]any{
		"iss": firstIssuer, "aud": firstAudience, "sub": "init|" + tenant, "tenant": tenant,
		"iat": now.Unix(), "exp": now.Add(firstLife).Unix(),
	})
}
