package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"usher/cli/admin"
	"usher/cli/term"
	"usher/config"
	"usher/console"
	"usher/demo"
	"usher/gateway"
	"usher/logsink"
)

type demoCommand struct {
	Listen string `default:"127.0.0.1:8080" env:"USHER_LISTEN" help:"Address to listen on (${default})." placeholder:"HOST:PORT"`
	Data   string `default:"./usher-demo" help:"Folder of the sample data; a second start uses it again (${default})." placeholder:"DIR"`
	Orders int    `default:"200000" help:"How many orders the burrito chain has (${default})."`
}

// Run makes the sample data, starts the API that serves it too, and serves all
// of it until ctx ends.
func (c demoCommand) Run(ctx context.Context, s *term.IO) error {
	data, err := demo.Prepare(ctx, c.Data, demo.Options{Orders: c.Orders, Reference: time.Now(), Progress: s.Stdout})
	if err != nil {
		return err
	}
	api, err := demo.ServeUpstream(ctx, data, "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { _ = api.Close() }()
	file := filepath.Join(data.Dir, "usher.yml")
	if err := os.WriteFile(file, append(demo.Config(data, api.URL), demo.Control...), 0o600); err != nil {
		return fmt.Errorf("cannot write the demo's configuration: %w", err)
	}
	if err := demo.WriteDashboards(data); err != nil {
		return err
	}
	cfg, err := config.Load(file, s.Env)
	if err != nil {
		return err
	}
	cfg.Server.ExplainTokens = true
	if err := admin.Employ(ctx, cfg, data); err != nil {
		return err
	}
	listener, err := listen(ctx, c.Listen)
	if err != nil {
		return err
	}
	base := "http://" + listener.Addr().String()
	sink := logsink.New(s.Stderr, logsink.Text(slog.LevelWarn))
	defer sink.Close()
	log := sink.Logger()
	samples := func() []byte {
		tokens, err := demo.Tokens(data, time.Now())
		if err != nil {
			return []byte("{}")
		}
		text, _ := json.Marshal(demo.TokenFile{GraphQL: base + "/graphql", Tokens: tokens, Queries: demo.Queries(data), People: demo.People(data)})
		return text
	}
	g, err := gateway.New(ctx, cfg, gateway.Options{Console: console.Options{Demo: samples}, Log: log})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	tokens := filepath.Join(data.Dir, "tokens.json")
	if err := demo.WriteTokens(tokens, data, base+"/graphql", time.Now()); err != nil {
		return errors.Join(err, listener.Close(), g.Close())
	}
	_, _ = fmt.Fprintf(s.Stdout, welcome, base, tokens, api.URL, demo.Queries(data)[0].Query, signIns(demo.People(data)))
	return errors.Join(serveHTTP(ctx, &door{Listener: listener}, g.Handler(), log), g.Close())
}

const welcome = `
The burrito chain is open.

  Console      %[1]s/console   (sign in as one of these, or choose a sample token)
%[5]s  GraphQL      %[1]s/graphql
  Tokens       %[2]s
  The API that serves the same rows, for tokens with the strategy "api":  %[3]s

A query to start with; the same text works with every token:

%[4]s
Press Ctrl-C to close.
`

// signIns are the people who may sign in, a line each.
func signIns(people []demo.Person) string {
	var out strings.Builder
	for _, p := range people {
		name := p.Username
		if p.Tenant != "" {
			name = p.Tenant + "|" + name
		}
		_, _ = fmt.Fprintf(&out, "                 %-18s %s  (%s)\n", name, p.Password, p.Does)
	}
	return out.String()
}
