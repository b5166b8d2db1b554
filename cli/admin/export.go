package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"usher/cli/term"
)

// ExportCommand is `usher export`.
type ExportCommand struct {
	server
	Dataset   string        `arg:"" help:"The dataset."`
	Query     string        `help:"The GraphQL document: one field of the dataset." placeholder:"TEXT" xor:"query"`
	File      string        `help:"File with the document." placeholder:"FILE" xor:"query"`
	Variables string        `help:"Values of its variables, as JSON." placeholder:"JSON"`
	Format    string        `help:"csv, ndjson or parquet; else the ending of --out says it, .csv, .ndjson or .parquet, or it is csv." placeholder:"FORMAT"`
	Out       string        `short:"o" help:"File to write; else the standard output." placeholder:"FILE"`
	Timeout   time.Duration `default:"1h" help:"The longest it may take (${default})."`
}

// Run writes the file. It has its name when it is whole: one that breaks off leaves
// nothing behind.
func (c ExportCommand) Run(ctx context.Context, s *term.IO) error {
	request, err := c.request(ctx, s)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	response, err := c.send(request.WithContext(ctx))
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, maxRemoteAnswer))
		if err := readAnswer(response.StatusCode, text, &struct{}{}); err != nil {
			return err
		}
		return fmt.Errorf("the server answered with the status %d", response.StatusCode)
	}
	if c.Out == "" {
		return c.copy(s, s.Stdout, response)
	}
	return replace(c.Out, func(to io.Writer) error { return c.copy(s, to, response) })
}

// request is that of the file.
func (c ExportCommand) request(ctx context.Context, s *term.IO) (*http.Request, error) {
	endpoint, err := c.endpoint()
	if err != nil {
		return nil, err
	}
	key, err := c.key(s)
	if err != nil {
		return nil, err
	}
	document, values := c.Query, map[string]any{}
	if c.File != "" {
		text, err := os.ReadFile(c.File)
		if err != nil {
			return nil, fmt.Errorf("cannot read the query: %w", err)
		}
		document = string(text)
	}
	if document == "" {
		return nil, errors.New("say what to export: --query '{ orders { id } }', or --file")
	}
	if c.Variables != "" && json.Unmarshal([]byte(c.Variables), &values) != nil {
		return nil, errors.New("--variables holds no JSON; quote it for the shell")
	}
	body, err := json.Marshal(map[string]any{"query": document, "variables": values})
	if err != nil {
		return nil, err
	}
	format := c.Format
	if format == "" {
		if format = strings.TrimPrefix(filepath.Ext(c.Out), "."); format == "" {
			format = "csv"
		}
		if !slices.Contains([]string{"csv", "ndjson", "parquet"}, format) {
			return nil, fmt.Errorf("the ending of %s says no format: .csv, .ndjson and .parquet are known; write --format beside it", c.Out)
		}
	}
	address := strings.TrimSuffix(endpoint, "graphql") + "export/" + url.PathEscape(c.Dataset) + "?format=" + url.QueryEscape(format)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	return request, nil
}

// exporting tells every second how much has come, to whom sees it.
const exporting = time.Second

// copy writes what comes, and tells how it goes on.
func (c ExportCommand) copy(s *term.IO, to io.Writer, from *http.Response) error {
	var bytes atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(exporting)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				fmt.Fprintf(s.Stderr, "usher: %.1f MB\n", float64(bytes.Load())/1e6)
			}
		}
	}()
	_, err := io.Copy(to, io.TeeReader(from.Body, count{&bytes}))
	close(stop)
	<-stopped
	if err != nil {
		return fmt.Errorf("the export has broken off after %.1f MB and is not whole: %w; the server's log has the reason, under the request id %s",
			float64(bytes.Load())/1e6, err, from.Header.Get("X-Request-Id"))
	}
	rows := from.Trailer.Get("X-Usher-Rows")
	if rows == "" {
		return errors.New("the export does not say how many rows it has: something in between has taken its trailers away, and may have cut it")
	}
	fmt.Fprintf(s.Stderr, "usher: %s rows, %.1f MB\n", rows, float64(bytes.Load())/1e6)
	if nulls := from.Trailer.Get("X-Usher-Nulls"); nulls != "0" {
		fmt.Fprintf(s.Stderr, "usher: %s values are null because the format cannot hold them\n", nulls)
	}
	return nil
}

type count struct{ n *atomic.Int64 }

func (c count) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}
