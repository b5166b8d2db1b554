package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

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
	// Load writes the rows of a body and tells which of them are in, after an error too.
	Load    func(ctx context.Context, asked ImportRequest, body io.Reader) (Imported, error)
	Metrics *FileMetrics
}

// ImportRequest is what an import is asked for beside its rows.
type ImportRequest struct {
	Dataset string
	Format  string   // csv or ndjson
	Columns []string // of NDJSON; none: those of its first line
	Batch   int64    // rows of a transaction; 0: all of them
	From    int64    // rows that are in already
	Beyond  []int64  // numbers of rows behind these that are in
	Tenant  string   // whose rows they are, where a principal of all tenants names one
	Key     string   // of an import that is made once, however often it is sent
	// In is told now and then how many rows of the file are in; nil: nobody asks.
	In func(rows int64)
}

// Imported says which rows of a file are in. Numbers of rows count from 1.
type Imported struct {
	Rows                    int64 // all before the first that is not
	Written                 int64 // by this import
	Beyond, Refused, Unsure []int64
}

// extensions tells it beside an error.
func (i Imported) extensions() map[string]any {
	out := map[string]any{"rows": i.Rows}
	for name, numbers := range map[string][]int64{"beyond": i.Beyond, "refused": i.Refused, "unsure": i.Unsure} {
		if len(numbers) > 0 {
			out[name] = numbers
		}
	}
	return out
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
	x := &exchange{handler: h.handler, w: w, share: share, r: r, ctx: client.With(ctx, r, h.options.Proxies)}
	x.trace()
	var in Imported
	defer func() {
		if recovered := recover(); recovered != nil {
			x.panicked(recovered)
		}
		x.log(time.Since(start))
		x.traced()
		h.imports.Metrics.ended(x.outcome, in.Written)
	}()
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Time{}) // the body has deadlines of its own
	refused := h.serve(x, &in)
	if refused != nil {
		_ = connection.SetReadDeadline(time.Now().Add(unreadFor))
	} else {
		_ = connection.SetReadDeadline(time.Time{})
	}
	_ = connection.SetWriteDeadline(time.Now().Add(h.options.Timeout))
	if refused != nil {
		x.refuse(refused)
		return
	}
	answer := []byte(`{"rows":` + strconv.FormatInt(in.Rows, 10) + "}\n")
	writeHead(w, plainJSON, http.StatusOK, len(answer))
	_, _ = w.Write(answer) // if the client has left, there is nobody to tell
	x.status, x.outcome = http.StatusOK, answered
}

func (h *importer) serve(x *exchange, rows *Imported) *refusal {
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
	if prefersRows(x.r) {
		tells := &rowsTold{exchange: x}
		defer tells.end()
		asked.In = tells.in
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
	if errors.Is(x.r.Context().Err(), context.Canceled) { // whatever has failed by it
		of := in.refused
		if of == nil {
			of = refuse(http.StatusBadRequest, senderGone).because(err)
		}
		gone := *of.err
		gone.Unknown = refused.err.Unknown
		refused = &refusal{status: of.status, err: &gone}
	}
	return &refusal{status: refused.status, err: inLog(refused.err, asked.Dataset, rows.Rows), more: rows.extensions()}
}

// inLog is the error of an import with what its line in the log has beside it.
func inLog(f *fault.Error, dataset string, rows int64) *fault.Error {
	if f.Code == fault.Unauthenticated { // its cause may be told
		return f
	}
	text := fmt.Sprintf("import of %.64q, %d rows are in", dataset, rows)
	if f.Line > 0 {
		text += fmt.Sprintf(", line %d", f.Line)
	}
	if cause := f.Unwrap(); cause != nil {
		return f.Because(fmt.Errorf("%s: %w", text, cause))
	}
	return f.Because(errors.New(text))
}

const (
	// RowsHeader says in interim answers how many rows of an import's file are in.
	RowsHeader = "Usher-Rows"
	// PreferRows is the preference by which a client asks for them.
	PreferRows = "usher-rows"
)

// prefersRows tells whether a client asks to be told how many rows are in, while they are written.
func prefersRows(r *http.Request) bool {
	return r.ProtoAtLeast(1, 1) && slices.ContainsFunc(strings.Split(strings.Join(r.Header.Values("Prefer"), ","), ","), func(p string) bool {
		return strings.EqualFold(strings.TrimSpace(p), PreferRows)
	})
}

// rowsTold tells in interim answers (102) how many rows are in, once a second.
type rowsTold struct {
	*exchange
	mu   sync.Mutex
	last time.Time
	most int64
}

func (t *rowsTold) in(rows int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if rows <= t.most || time.Since(t.last) < time.Second {
		return
	}
	t.last, t.most = time.Now(), rows
	_ = http.NewResponseController(t.w).SetWriteDeadline(t.last.Add(t.options.Timeout))
	t.w.Header().Set(RowsHeader, strconv.FormatInt(rows, 10))
	t.w.WriteHeader(http.StatusProcessing)
}

// end leaves the headers to the answer.
func (t *rowsTold) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.w.Header().Del(RowsHeader)
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
		case "beyond":
			if asked.Beyond, err = numbersOf(given[0]); err != nil {
				return asked, refuse(http.StatusBadRequest, "the parameter beyond is numbers of rows, with commas between")
			}
		case "tenant":
			if asked.Tenant = given[0]; asked.Tenant == "" {
				return asked, refuse(http.StatusBadRequest, "the parameter tenant is the id of a tenant")
			}
		default:
			return asked, refuse(http.StatusBadRequest, "the parameters of an import are format, columns, batch, from, beyond and tenant")
		}
	}
	key, refused := headerKey(r)
	if refused != nil {
		return asked, refused
	}
	if len(key) > 0 {
		if asked.Key = key[0]; asked.Key == "" {
			return asked, refuse(http.StatusBadRequest, "the header "+idempotencyHeader+" is empty")
		}
	}
	if slices.ContainsFunc(asked.Beyond, func(n int64) bool { return n <= asked.From }) {
		return asked, refuse(http.StatusBadRequest, "the parameter beyond names rows behind those of from")
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

// mostBeyond is how many rows may be named that are in behind one that is not.
const mostBeyond = 1000

// numbersOf are numbers of rows.
func numbersOf(text string) (out []int64, err error) {
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil || n < 1 || len(out) == mostBeyond {
			return nil, errors.New("these are no numbers of rows")
		}
		out = append(out, n)
	}
	return out, nil
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
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, new(net.Error)) || in.r.Context().Err() != nil: // the connection ended, or what is one of HTTP/2
		in.refused = refuse(http.StatusBadRequest, senderGone).because(err)
	default:
		in.refused = refuse(http.StatusBadRequest, "the body cannot be read").because(err)
	}
	return 0, in.refused.err
}

// senderGone is said of a body that ends with its connection: whoever sent it is not told, the log is.
const senderGone = "whoever sent the rows has gone"
