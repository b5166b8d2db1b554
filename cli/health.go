package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"usher/cli/term"
)

type healthCommand struct {
	Server  string        `default:"http://127.0.0.1:8080" env:"USHER_SERVER" help:"Where usher serves, or its operators look (${default})." placeholder:"URL"`
	Live    bool          `help:"Ask only whether the process answers."`
	Timeout time.Duration `default:"5s" help:"How long to wait for an answer (${default})."`
}

// maxHealth bounds what is read of an answer.
const maxHealth = 64 << 10

// Run asks what a balancer asks: it is for images that hold no other program.
func (c healthCommand) Run(ctx context.Context, s *term.IO) error {
	base, err := url.Parse(c.Server)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" || base.User != nil {
		return fmt.Errorf("--server %q is no address: write it as https://usher.example or http://127.0.0.1:8080", c.Server)
	}
	page := "ready"
	if c.Live {
		page = "live"
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath("health", page).String(), nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		if failed := (*url.Error)(nil); errors.As(err, &failed) {
			err = failed.Err
		}
		return fmt.Errorf("usher does not answer at %s: %w", c.Server, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxHealth))
	if err != nil {
		return fmt.Errorf("the answer of %s breaks off: %w", c.Server, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("usher at %s is not %s (status %d): %s", c.Server, page, response.StatusCode, reasonIn(body))
	}
	fmt.Fprintln(s.Stdout, strings.TrimSpace(string(body)))
	return nil
}

// reasonIn is why usher is not ready, which the operators' listener says.
func reasonIn(body []byte) string {
	var said struct {
		Reason string `json:"reason"`
	}
	if json.Unmarshal(body, &said) != nil || said.Reason == "" {
		return "its log says why, and its admin_listen"
	}
	return said.Reason
}
