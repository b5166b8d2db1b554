package transport

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"usher/fault"
	"usher/graph/client"
	"usher/principal"
)

// ImportOptions are those of the endpoint of imports.
type ImportOptions struct {
	// Timeout bounds an import, from its request to its answer. Zero means an
	// hour. A piece of it must arrive within Options.Timeout.
	Timeout time.Duration
	// MaxBytes bounds the body, as it is sent and as what it is when it is
	// decompressed. Zero means 1 GiB.
	MaxBytes int64
	// Load writes the rows of a body and tells how many of them are in, after an error too.
	Load    func(ctx context.Context, asked ImportRequest, body io.Reader) (rows int64, err error)
	Metrics *ImportMetrics
}

// ImportRequest is what an import is asked for beside its rows.
type ImportRequest struct {
	Dataset string
	Format  string   // csv or ndjson
	Columns []string // of NDJSON; none: those of its first line
	Batch   int64    // rows of a transaction; 0: all of them
	From    int64    // rows that are in already
	Tenant  string   // whose rows they are, where a principal of all tenants names one
}

// maxBatch is how many rows a transaction may be asked to have.
const maxBatch = 1_000_000

type importer struct {
	*handler
	imports ImportOptions
}

// NewImport returns the handler of imports, whose path has the dataset's name as {dataset}.
func NewImport(authenticate Authenticate, options Options, imports ImportOptions) http.Handler {
	options = options.withDefaults()
	options.Anonymous = false
	if imports.Timeout == 0 {
		imports.Timeout = time.Hour
	}
	if imports.MaxBytes == 0 {
		imports.MaxBytes = 1 << 30
	}
	if imports.Metrics == nil {
		imports.Metrics = NewImportMetrics()
	}
	h := &handler{authenticate: authenticate, options: options, encoders: newEncoders()}
	return Identify(crossOrigin(options.AllowedOrigins, &importer{h, imports}))
}

func (h *importer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	ctx, cancel := context.WithDeadline(r.Context(), start.Add(h.imports.Timeout))
	defer cancel()
	ctx, share := h.options.Held.Begin(ctx)
	defer share.End()
	x := &exchange{handler: h.handler, w: w, share: share, r: r, ctx: client.With(graphql.StartOperationTrace(ctx), r, h.options.Proxies)}
	x.trace()
	rows := int64(0)
	defer func() {
		if recovered := recover(); recovered != nil {
			x.panicked(recovered)
		}
		x.log(time.Since(start))
		x.traced()
		h.imports.Metrics.ended(x.outcome, rows)
	}()
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Time{}) // the body has deadlines of its own
	refused := h.serve(x, &rows)
	_ = connection.SetReadDeadline(time.Time{})
	_ = connection.SetWriteDeadline(time.Now().Add(h.options.Timeout))
	if refused != nil {
		x.refuse(refused)
		return
	}
	answer := []byte(`{"rows":` + strconv.FormatInt(rows, 10) + "}\n")
	writeHead(w, plainJSON, http.StatusOK, len(answer))
	_, _ = w.Write(answer) // if the client has left, there is nobody to tell
	x.status, x.outcome = http.StatusOK, answered
}

func (h *importer) serve(x *exchange, rows *int64) *refusal {
	if err := x.identifyCaller(); err != nil {
		return refusalOf(err)
	}
	if x.r.Method != http.MethodPost {
		x.w.Header().Set("Allow", "POST, OPTIONS")
		return refuse(http.StatusMethodNotAllowed, "only POST is answered here")
	}
	asked, refused := importOf(x.r)
	if refused != nil {
		return refused
	}
	if x.r.ContentLength > h.imports.MaxBytes {
		return tooLarge(h.imports.MaxBytes)
	}
	in := &inlet{exchange: x, most: h.imports.MaxBytes, checked: time.Now()}
	if refused := in.open(); refused != nil {
		return refused
	}
	defer in.close()
	var err error
	*rows, err = h.imports.Load(x.ctx, asked, in)
	if err == nil {
		return nil
	}
	refused = refusalOf(err)
	if in.refused != nil && in.refused.err == refused.err { // it was the body
		refused = in.refused
	}
	refused.more = map[string]any{"rows": *rows}
	return refused
}

func tooLarge(most int64) *refusal {
	return &refusal{status: http.StatusRequestEntityTooLarge, err: fault.New(fault.TooComplex, "the body is larger than %d bytes", most).
		WithHint("Send it in parts, or have server.max_import raised.")}
}

// importOf reads what is asked for.
func importOf(r *http.Request) (ImportRequest, *refusal) {
	asked := ImportRequest{Dataset: r.PathValue("dataset")}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return asked, refuse(http.StatusBadRequest, "the query string cannot be read")
	}
	for name, given := range values {
		if len(given) > 1 {
			return asked, refuse(http.StatusBadRequest, "a parameter is given twice")
		}
		switch name {
		case "format":
			if asked.Format = given[0]; asked.Format != "csv" && asked.Format != "ndjson" {
				return asked, refuse(http.StatusBadRequest, "the parameter format is csv or ndjson")
			}
		case "columns":
			asked.Columns = strings.Split(given[0], ",")
		case "batch":
			if asked.Batch, err = strconv.ParseInt(given[0], 10, 64); err != nil || asked.Batch < 1 || asked.Batch > maxBatch {
				return asked, refuse(http.StatusBadRequest, "the parameter batch is a number of rows from 1 to "+strconv.Itoa(maxBatch))
			}
		case "from":
			if asked.From, err = strconv.ParseInt(given[0], 10, 64); err != nil || asked.From < 0 {
				return asked, refuse(http.StatusBadRequest, "the parameter from is a number of rows")
			}
		case "tenant":
			if asked.Tenant = given[0]; asked.Tenant == "" {
				return asked, refuse(http.StatusBadRequest, "the parameter tenant is the id of a tenant")
			}
		default:
			return asked, refuse(http.StatusBadRequest, "the parameters of an import are format, columns, batch, from and tenant")
		}
	}
	if asked.From > 0 && asked.Batch == 0 {
		return asked, refuse(http.StatusBadRequest, "from continues an import in batches: say batch as well")
	}
	if asked.Format == "" {
		media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
		i := slices.IndexFunc(fileTypes(), func(t fileType) bool {
			return !t.plain && slices.Contains(t.media, strings.ToLower(strings.TrimSpace(media)))
		})
		if i < 0 {
			return asked, refuse(http.StatusUnsupportedMediaType, "an import is text/csv or application/x-ndjson, by its Content-Type or the parameter format")
		}
		asked.Format = fileTypes()[i].name
	}
	return asked, nil
}

const (
	// importPiece is what a sender has to send within the time of a request.
	importPiece = 32 << 10
	// importWindow is how far back zstd may look for what repeats, and so what
	// decompressing holds.
	importWindow = 8 << 20
)

// inlet is where the bytes of an import come in: as they are, of which no more are read
// than allowed and no slower, and decompressed, no more than that either.
type inlet struct {
	*exchange
	most     int64
	plain    io.Reader
	closing  func()
	raw, out int64         // bytes so far
	waited   time.Duration // for a piece
	piece    int64         // bytes of it
	checked  time.Time     // who asks, for the last time
	refused  *refusal      // what is wrong with the body
}

// open finds out how the body is compressed.
func (in *inlet) open() *refusal {
	in.closing = func() {}
	switch encoding := strings.ToLower(strings.Join(in.r.Header.Values("Content-Encoding"), ",")); encoding {
	case "", "identity":
		in.plain = source{in}
	case "gzip", "zstd":
		if err := in.share.Take(importWindow); err != nil {
			return refusalOf(err)
		}
		if encoding == "gzip" {
			in.plain = &lateGzip{from: source{in}}
			return nil
		}
		z, err := zstd.NewReader(source{in}, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(importWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return refusalOf(err)
		}
		in.plain, in.closing = z, z.Close
	default:
		return refuse(http.StatusUnsupportedMediaType, "the body may be compressed by gzip or zstd, once")
	}
	return nil
}

func (in *inlet) close() { in.closing() }

// lateGzip reads the head of the stream when it is read: the sender may take its time.
type lateGzip struct {
	from io.Reader
	*gzip.Reader
}

func (g *lateGzip) Read(p []byte) (int, error) {
	if g.Reader == nil {
		r, err := gzip.NewReader(g.from)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
		g.Reader = r
	}
	return g.Reader.Read(p)
}

// Read implements io.Reader. The end is the end only for whom the token is still good.
func (in *inlet) Read(p []byte) (int, error) {
	if in.refused != nil {
		return 0, in.refused.err
	}
	if time.Since(in.checked) >= recheck {
		if err := in.still(); err != nil {
			return 0, err
		}
	}
	n, err := in.plain.Read(p)
	in.out += int64(n)
	switch {
	case in.refused != nil: // of what is compressed
	case in.out > in.most:
		in.refused = tooLarge(in.most)
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		if err := in.still(); err != nil {
			return 0, err
		}
		return n, io.EOF
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		in.refused = refuse(http.StatusBadRequest, "the body is compressed with a larger window than 8 MiB").because(err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		in.refused = refuse(http.StatusBadRequest, "the body ends before its end").because(err)
	default:
		in.refused = refuse(http.StatusBadRequest, "the body cannot be decompressed").because(err)
	}
	return 0, in.refused.err
}

// still refuses to go on for who may no longer.
func (in *inlet) still() error {
	in.checked = time.Now()
	return in.stillMay(principal.WriteData)
}

// source is the body as it is sent.
type source struct{ in *inlet }

func (s source) Read(p []byte) (int, error) {
	in := s.in
	began := time.Now()
	deadline := began.Add(in.options.Timeout - in.waited)
	if all, ok := in.ctx.Deadline(); ok && all.Before(deadline) {
		deadline = all
	}
	_ = http.NewResponseController(in.w).SetReadDeadline(deadline)
	n, err := in.r.Body.Read(p)
	in.raw, in.piece, in.waited = in.raw+int64(n), in.piece+int64(n), in.waited+time.Since(began)
	if in.piece >= importPiece {
		in.piece, in.waited = 0, 0
	}
	switch {
	case in.raw > in.most:
		in.refused = tooLarge(in.most)
	case err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return n, err
	case errors.Is(err, os.ErrDeadlineExceeded):
		in.refused = &refusal{status: http.StatusRequestTimeout, err: fault.New(fault.Timeout, "the body did not arrive in time").Because(err)}
	default:
		in.refused = refuse(http.StatusBadRequest, "the body ends before its end").because(err)
	}
	return 0, in.refused.err
}
