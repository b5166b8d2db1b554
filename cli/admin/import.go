package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
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
	Batch   int64         `help:"Rows of a transaction; 0, or not said: all or nothing." placeholder:"ROWS"`
	From    int64         `help:"Rows that are in already, with --batch." placeholder:"ROWS"`
	Beyond  string        `help:"Numbers of rows behind these that are in as well, with commas between: an API takes several at a time." placeholder:"NUMBERS"`
	Tenant  string        `help:"Id of the tenant whose rows they are, with a key that sees all tenants." placeholder:"TENANT"`
	Once    string        `name:"idempotency-key" help:"Key by which the import is made once, however often it is sent: with --batch it goes on behind the rows that are in." placeholder:"KEY"`
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
	if c.Once != "" {
		request.Header.Set("Idempotency-Key", c.Once)
	}
	if encoding != "" {
		request.Header.Set("Content-Encoding", encoding)
	}
	var rows atomic.Int64
	request.Header.Set("Prefer", preferRows)
	request = request.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
		if n, err := strconv.ParseInt(h.Get(rowsHeader), 10, 64); err == nil {
			rows.Store(n)
		}
		return nil
	}}))
	stop := progress(s.Stderr, &sent, size, &rows)
	response, err := c.send(request)
	stop()
	if err != nil {
		return c.lost(err, rows.Load())
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxRemoteAnswer))
	if err != nil {
		return err
	}
	return c.answered(s, response.StatusCode, text)
}

// An import tells how many rows are in by interim answers, if it is asked to.
const (
	preferRows = "usher-rows"
	rowsHeader = "Usher-Rows"
)

// lost is the error of an import whose answer did not come, after which so many rows were said to be in.
func (c ImportCommand) lost(err error, rows int64) error {
	if errors.Is(err, context.Canceled) {
		err = errors.New("the import was stopped")
	}
	switch {
	case c.Once != "":
		return fmt.Errorf("%w; the same command may be run again", err)
	case c.Batch == 0:
		return fmt.Errorf("%w; no row is in, unless all of them had been sent", err)
	}
	return fmt.Errorf("%w; %d rows are in at least: count them, and continue with --batch %d and --from that number", err, max(rows, c.From), c.Batch)
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
	switch {
	case c.Batch < 0:
		return nil, "", errors.New("--batch is a number of rows")
	case c.Batch > 0:
		values.Set("batch", strconv.FormatInt(c.Batch, 10))
	}
	if c.Tenant != "" {
		values.Set("tenant", c.Tenant)
	}
	if c.From > 0 {
		values.Set("from", strconv.FormatInt(c.From, 10))
	}
	if c.Beyond != "" {
		values.Set("beyond", c.Beyond)
	}
	return values, encoding, nil
}

// stood is what became of the rows of an import that failed.
type stood struct {
	Line, Rows      int64
	Beyond, Refused []int64
	Unsure          []int64
}

// answered says how many rows are in, or what is wrong with which line.
func (c ImportCommand) answered(s *term.IO, status int, text []byte) error {
	var done struct {
		Rows   *int64
		Errors []struct{ Extensions stood }
	}
	err := json.Unmarshal(text, &done)
	if status == http.StatusOK && err == nil && done.Rows != nil {
		fmt.Fprintf(s.Stderr, "usher: %d rows are in\n", *done.Rows)
		return nil
	}
	if err == nil && len(done.Errors) > 0 {
		c.stopped(s.Stderr, done.Errors[0].Extensions)
	}
	if err := readAnswer(status, bytes.TrimSpace(text), &struct{}{}); err != nil {
		return err
	}
	return fmt.Errorf("the server answered with the status %d", status)
}

// stopped says which rows are in, and how it goes on.
func (c ImportCommand) stopped(to io.Writer, at stood) {
	if at.Line > 0 {
		fmt.Fprintf(to, "usher: line %d\n", at.Line)
	}
	unsure := "perhaps in, perhaps not: look for them, and add those that are in to --beyond"
	if c.Once != "" {
		unsure = "perhaps in, perhaps not: the same command writes those that are not, by the same key"
	}
	for _, of := range []struct {
		rows []int64
		what string
	}{
		{at.Refused, "refused"},
		{at.Unsure, unsure},
	} {
		if len(of.rows) > 0 {
			fmt.Fprintf(to, "usher: of the rows of the file these are %s: %s\n", of.what, commas(of.rows))
		}
	}
	switch {
	case c.Once != "" && c.Batch > 0:
		fmt.Fprintf(to, "usher: %d rows are in; the same command goes on behind them\n", at.Rows)
	case len(at.Beyond) > 0:
		fmt.Fprintf(to, "usher: the first %d rows are in, and of those behind them %s; continue with --batch %d --from %d --beyond %s\n", at.Rows, commas(at.Beyond), c.Batch, at.Rows, commas(at.Beyond))
	case c.Batch > 0:
		fmt.Fprintf(to, "usher: %d rows are in; continue with --batch %d --from %d\n", at.Rows, c.Batch, at.Rows)
	default:
		fmt.Fprintln(to, "usher: no row is in")
	}
}

// commas are numbers with commas between.
func commas(numbers []int64) string {
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		texts[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(texts, ",")
}

// width is that of a bar of progress.
const width = 30

// progress tells every second how much has been sent, and how many rows are in where that is known, until
// it is stopped.
func progress(to io.Writer, sent *atomic.Int64, size int64, rows *atomic.Int64) (stop func()) {
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
				in := ""
				if n := rows.Load(); n > 0 {
					in = fmt.Sprintf(", %d rows are in", n)
				}
				fmt.Fprintf(to, "usher: %s%s\n", bar(sent.Load(), size), in)
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
