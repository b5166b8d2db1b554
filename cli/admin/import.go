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
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"usher/cli/term"
)

// ImportCommand is `usher import`.
type ImportCommand struct {
	server
	Dataset string        `arg:"" help:"The dataset."`
	File    string        `arg:"" help:"File with the rows: .csv, .ndjson or .jsonl, compressed as .gz or .zst; - is the standard input."`
	Format  string        `help:"csv or ndjson; else the ending of the file says it." placeholder:"FORMAT"`
	Columns string        `help:"Columns of NDJSON, with commas between; what a line does not have is null. Else its first line names them." placeholder:"NAMES"`
	Batch   int64         `help:"Rows of a transaction; else all or nothing." placeholder:"ROWS"`
	From    int64         `help:"Rows that are in already, with --batch." placeholder:"ROWS"`
	Timeout time.Duration `default:"1h" help:"The longest it may take (${default})."`
}

// Run sends the file, and says how many rows are in.
func (c ImportCommand) Run(ctx context.Context, s *term.IO) error {
	endpoint, err := c.endpoint()
	if err != nil {
		return err
	}
	key, err := c.key(s)
	if err != nil {
		return err
	}
	values, encoding, err := c.parameters()
	if err != nil {
		return err
	}
	from, size := s.Stdin, int64(0)
	if c.File != "-" {
		file, err := os.Open(c.File)
		if err != nil {
			return fmt.Errorf("cannot read the file: %w", err)
		}
		defer func() { _ = file.Close() }()
		info, err := file.Stat()
		if err != nil {
			return fmt.Errorf("cannot read the file: %w", err)
		}
		from, size = file, info.Size()
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	var sent atomic.Int64
	address := strings.TrimSuffix(endpoint, "graphql") + "import/" + url.PathEscape(c.Dataset) + "?" + values.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, io.TeeReader(from, count{&sent}))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/octet-stream") // the parameter says what it is
	request.Header.Set("Expect", "100-continue")                   // who may not is told before anything is sent
	if encoding != "" {
		request.Header.Set("Content-Encoding", encoding)
	}
	stop := progress(s.Stderr, &sent, size)
	response, err := c.send(request)
	stop()
	if err != nil {
		return fmt.Errorf("%w; of an import in batches, those before are in", err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxRemoteAnswer))
	if err != nil {
		return err
	}
	return c.answered(s, response.StatusCode, text)
}

// parameters are those of the request, and how its body is compressed.
func (c ImportCommand) parameters() (values url.Values, encoding string, err error) {
	values = url.Values{}
	name, format := c.File, c.Format
	switch filepath.Ext(name) {
	case ".gz":
		encoding, name = "gzip", strings.TrimSuffix(name, ".gz")
	case ".zst":
		encoding, name = "zstd", strings.TrimSuffix(name, ".zst")
	}
	if format == "" {
		switch filepath.Ext(name) {
		case ".csv":
			format = "csv"
		case ".ndjson", ".jsonl":
			format = "ndjson"
		default:
			return nil, "", errors.New("say what the file is: --format csv, or ndjson")
		}
	}
	values.Set("format", format)
	if c.Columns != "" {
		values.Set("columns", c.Columns)
	}
	if c.Batch > 0 {
		values.Set("batch", strconv.FormatInt(c.Batch, 10))
	}
	if c.From > 0 {
		values.Set("from", strconv.FormatInt(c.From, 10))
	}
	return values, encoding, nil
}

// answered says how many rows are in, or what is wrong with which line.
func (c ImportCommand) answered(s *term.IO, status int, text []byte) error {
	var done struct {
		Rows   *int64
		Errors []struct {
			Extensions struct{ Line, Rows int64 }
		}
	}
	err := json.Unmarshal(text, &done)
	if status == http.StatusOK && err == nil && done.Rows != nil {
		fmt.Fprintf(s.Stderr, "usher: %d rows are in\n", *done.Rows)
		return nil
	}
	if err == nil && len(done.Errors) > 0 {
		at := done.Errors[0].Extensions
		if at.Line > 0 {
			fmt.Fprintf(s.Stderr, "usher: line %d\n", at.Line)
		}
		if c.Batch > 0 {
			fmt.Fprintf(s.Stderr, "usher: %d rows are in; continue with --batch %d --from %d\n", at.Rows, c.Batch, at.Rows)
		} else {
			fmt.Fprintln(s.Stderr, "usher: no row is in")
		}
	}
	if err := readAnswer(status, bytes.TrimSpace(text), &struct{}{}); err != nil {
		return err
	}
	return fmt.Errorf("the server answered with the status %d", status)
}

// width is that of a bar of progress.
const width = 30

// progress tells every second how much has been sent, until it is stopped.
func progress(to io.Writer, sent *atomic.Int64, size int64) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(exporting)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				fmt.Fprintf(to, "usher: %s\n", bar(sent.Load(), size))
			}
		}
	}()
	return func() {
		close(end)
		<-ended
	}
}

// bar is how much of a file has been sent; of one of unknown size, how much that is.
func bar(sent, size int64) string {
	text := fmt.Sprintf("%.1f MB", float64(sent)/1e6)
	if size <= 0 {
		return text
	}
	full := int(min(sent, size) * width / size)
	return fmt.Sprintf("[%s%s] %3d %% %s", strings.Repeat("#", full), strings.Repeat(".", width-full), min(sent, size)*100/size, text)
}
