package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"usher/cli/term"
)

type healthCommand struct {
	Server  string        `default:"http://127.0.0.1:8080" env:"USHER_SERVER" help:"Where usher serves, or its operators look (${default})." placeholder:"URL"`
	Live    bool          `help:"Ask only whether the process answers." xor:"page"`
	Sources bool          `help:"Ask the operators' listener, at each address that the host of --server has, whether those that are ready have reached all sources." xor:"page"`
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
	switch {
	case c.Sources:
		return c.askEach(ctx, s, base)
	case c.Live:
		return c.askFor(ctx, s, base, "live")
	}
	return c.askFor(ctx, s, base, "ready")
}

func (c healthCommand) askFor(ctx context.Context, s *term.IO, base *url.URL, page string) error {
	status, body, err := c.ask(ctx, http.DefaultClient, base.JoinPath("health", page))
	if err != nil {
		return fmt.Errorf("usher does not answer at %s: %w", c.Server, err)
	}
	if status != http.StatusOK {
		return fmt.Errorf("usher at %s is not %s (status %d): %s", c.Server, page, status, healthIn(body).reason())
	}
	fmt.Fprintln(s.Stdout, strings.TrimSpace(string(body)))
	return nil
}

// askEach asks all that one name stands for, such as pods. Those that are not ready are sent no requests, so what they reach
// is no matter: as one that begins, or one of before that is about to end. One that is ready has to be there.
func (c healthCommand) askEach(ctx context.Context, s *term.IO, base *url.URL) error {
	addresses, err := net.DefaultResolver.LookupHost(ctx, base.Hostname())
	if err != nil {
		return fmt.Errorf("--server %q has no address: %w", c.Server, err)
	}
	var unreached, unready []error
	reached := 0
	for _, address := range addresses {
		status, body, err := c.ask(ctx, clientAt(address), base.JoinPath("health", "sources"))
		said := healthIn(body)
		switch {
		case err != nil:
			unready = append(unready, fmt.Errorf("usher does not answer at %s: %w", address, err))
		case status == http.StatusNotFound:
			unready = append(unready, fmt.Errorf("%s is not where this version's operators look (status 404): --server has to be server.admin_listen", address))
		case status == http.StatusOK && said.Status == "reached":
			reached++
		case said.Status == "unreached":
			unreached = append(unreached, fmt.Errorf("usher at %s has not reached %s: its log says why", address, strings.Join(said.Unreached, ", ")))
		default:
			unready = append(unready, fmt.Errorf("usher at %s is not ready (status %d): %s", address, status, said.reason()))
		}
	}
	if len(unreached) > 0 || reached == 0 {
		return errors.Join(append(unreached, unready...)...)
	}
	for _, err := range unready {
		fmt.Fprintln(s.Stdout, "note:", err)
	}
	fmt.Fprintf(s.Stdout, "ok: %s, with all sources reached\n", count(reached, "gateway"))
	return nil
}

// clientAt connects to an address, whatever else the name of its URL stands for.
func clientAt(address string) *http.Client {
	dial := func(ctx context.Context, network, to string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(to)
		if err != nil {
			return nil, err
		}
		return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(address, port))
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
}

func (c healthCommand) ask(ctx context.Context, client *http.Client, page *url.URL) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, page.String(), nil)
	if err != nil {
		return 0, nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		if failed := (*url.Error)(nil); errors.As(err, &failed) {
			err = failed.Err
		}
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(response.Body, maxHealth))
	if err != nil {
		return 0, nil, fmt.Errorf("the answer breaks off: %w", err)
	}
	return response.StatusCode, body, nil
}

// health is what a page says.
type health struct {
	Status    string   `json:"status"`
	Reason    string   `json:"reason"`
	Unreached []string `json:"unreached"`
}

func healthIn(body []byte) health {
	var said health
	if json.Unmarshal(body, &said) != nil {
		return health{}
	}
	return said
}

// reason is why usher is not ready, which the operators' listener says.
func (h health) reason() string {
	if h.Reason == "" {
		return "its log says why, and its admin_listen"
	}
	return h.Reason
}
