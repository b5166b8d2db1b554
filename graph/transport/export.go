package transport

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"usher/fault"
	"usher/graph/client"
	"usher/principal"
	"usher/query"
	"usher/quota"
)

// ExportOptions are those of the endpoint of exports.
type ExportOptions struct {
	// Timeout bounds an export, from its request to its last byte. Zero means an
	// hour. A piece of it must be taken within Options.Timeout.
	Timeout time.Duration
	// Read is what an operation's field of a dataset asks for, and Prepare makes the
	// export of it.
	Read    func(ctx context.Context, op *graphql.OperationContext, dataset string) (context.Context, query.Request, error)
	Prepare func(ctx context.Context, asked query.Request, format string) (Export, error)
	Metrics *FileMetrics
}

// Export is a file that is ready to be written.
type Export interface {
	// Write writes it and tells of how many rows it is, and how many values are
	// null because the format cannot hold them. After an error it is no file.
	Write(ctx context.Context, to io.Writer) (rows, nulls int64, err error)
}

// Trailers tell a complete export how many rows it has, and how many values of
// them are null because the format cannot hold what the source has.
const (
	RowsTrailer  = "X-Usher-Rows"
	NullsTrailer = "X-Usher-Nulls"
)

// fileType is a format of exports. The first media type is the one that is sent.
type fileType struct {
	name  string
	media []string
	plain bool // is compressed as it is
}

func fileTypes() []fileType {
	return []fileType{
		{name: "csv", media: []string{"text/csv"}},
		{name: "ndjson", media: []string{"application/x-ndjson", "application/ndjson", "application/jsonl"}},
		{name: "parquet", media: []string{"application/vnd.apache.parquet"}, plain: true},
	}
}

type exporter struct {
	*handler
	export ExportOptions
}

// NewExport returns the handler of exports, whose path has the dataset's name as
// {dataset}. What they ask is read as New's is. An export that breaks off ends its
// connection, so that nobody takes a part for the whole.
func NewExport(exec graphql.GraphExecutor, authenticate Authenticate, options Options, export ExportOptions) http.Handler {
	options = options.withDefaults()
	options.Anonymous = false
	if export.Timeout == 0 {
		export.Timeout = time.Hour
	}
	if export.Metrics == nil {
		export.Metrics = NewExportMetrics()
	}
	h := &handler{exec: exec, authenticate: authenticate, options: options, encoders: newEncoders()}
	return Identify(crossOrigin(options.AllowedOrigins, &exporter{h, export}))
}

func (h *exporter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	ctx, cancel := context.WithDeadline(r.Context(), start.Add(h.export.Timeout))
	defer cancel()
	ctx, share := h.options.Held.Begin(ctx)
	defer share.End()
	x := &exchange{handler: h.handler, w: w, share: share, maxBody: h.options.MaxBody, r: r, ctx: client.With(ctx, r, h.options.Proxies)}
	x.trace()
	out := &outlet{exchange: x, checked: start}
	defer func() {
		recovered := recover()
		if recovered != nil && !out.begun {
			x.panicked(recovered)
		}
		x.log(time.Since(start))
		x.traced()
		h.export.Metrics.ended(x.outcome, out.rows)
		if recovered != nil && out.begun || out.broken {
			out.abandon()
			panic(http.ErrAbortHandler)
		}
	}()
	refused := h.serve(x, out, start)
	if refused != nil && !out.begun {
		x.refuse(refused)
	}
}

func (h *exporter) serve(x *exchange, out *outlet, start time.Time) *refusal {
	if err := x.identifyCaller(); err != nil {
		return refusalOf(err)
	}
	if x.r.Method != http.MethodGet && x.r.Method != http.MethodPost {
		x.w.Header().Set("Allow", allowedMethods)
		return refuse(http.StatusMethodNotAllowed, "only GET and POST are answered here")
	}
	if !x.r.ProtoAtLeast(1, 1) { // its answers end as connections do: nobody could tell a part from the whole
		return refuse(http.StatusHTTPVersionNotSupported, "an export needs HTTP/1.1: a proxy in between may have to be told so")
	}
	file, refused := fileOf(x.r)
	if refused != nil {
		return refused
	}
	params, refused := x.read(start)
	if refused != nil {
		return refused
	}
	// The time that the server gives to requests is over long before an export is.
	_ = http.NewResponseController(x.w).SetReadDeadline(time.Time{})
	ctx := x.ctx
	operation, errs := x.exec.CreateOperationContext(ctx, params)
	if errs != nil {
		return x.answer(graphqlResponse, x.exec.DispatchError(graphql.WithOperationContext(ctx, operation), errs))
	}
	x.operation, x.kind = operation.Operation.Name, operation.Operation.Operation
	dataset := x.r.PathValue("dataset")
	ctx, asked, err := h.export.Read(ctx, operation, dataset)
	if err != nil {
		return refusalOf(err)
	}
	prepared, err := h.export.Prepare(ctx, asked, file.name)
	if err != nil {
		return refusalOf(err)
	}
	out.file, out.name = file, dataset
	return out.send(ctx, prepared)
}

// fileOf is the format that is asked for: by name, by Accept, or else CSV.
func fileOf(r *http.Request) (fileType, *refusal) {
	types := fileTypes()
	if named := r.URL.Query()["format"]; len(named) > 0 {
		i := slices.IndexFunc(types, func(t fileType) bool { return t.name == named[0] })
		if i < 0 || len(named) > 1 {
			return fileType{}, refuse(http.StatusBadRequest, "the parameter format is one of csv, ndjson and parquet")
		}
		return types[i], nil
	}
	accept := r.Header.Values("Accept")
	if len(accept) == 0 {
		return types[0], nil
	}
	best, most := fileType{}, 0.0
	ranges := parseAccept(strings.Join(accept, ","))
	for _, t := range types {
		for _, media := range t.media {
			if quality, _ := preference(ranges, mediaType(media)); quality > most {
				best, most = t, quality
			}
		}
	}
	if most == 0 {
		return fileType{}, refuse(http.StatusNotAcceptable, "exports are text/csv, application/x-ndjson or application/vnd.apache.parquet")
	}
	return best, nil
}

// outlet is where the bytes of an export leave: nothing is sent before the first
// of them are there, so what fails until then is refused like any request.
type outlet struct {
	*exchange
	file    fileType
	name    string
	begun   bool
	broken  bool // off, with bytes sent
	rows    int64
	body    io.Writer
	encoded *encoded
	checked time.Time // who asks, for the last time
}

const (
	// exportBuffer is how much of an export is gathered before it leaves.
	exportBuffer = 64 << 10
	// exportPiece is what a reader has to take within the time of a request.
	exportPiece = 32 << 10
	// recheck is how often it is asked whether the token is still good for it.
	recheck = time.Second
)

func (o *outlet) send(ctx context.Context, export Export) *refusal {
	if err := o.share.Take(exportBuffer); err != nil {
		return refusalOf(err)
	}
	buffered := bufio.NewWriterSize(o, exportBuffer)
	rows, nulls, err := export.Write(ctx, buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		o.finish()
	}
	o.rows = rows
	if err != nil {
		return o.failed(ctx, err)
	}
	o.status, o.outcome = http.StatusOK, answered
	o.w.Header().Set(RowsTrailer, strconv.FormatInt(rows, 10))
	o.w.Header().Set(NullsTrailer, strconv.FormatInt(nulls, 10))
	return nil
}

// failed is the end of an export that is not whole.
func (o *outlet) failed(ctx context.Context, err error) *refusal {
	if o.broken = o.begun; !o.broken && ctx.Err() == nil {
		return refusalOf(err)
	}
	o.status, o.outcome = http.StatusOK, erred
	switch {
	case errors.Is(ctx.Err(), context.Canceled), errors.Is(err, errStalled):
		o.status, o.outcome = statusClientLeft, left
	case !o.begun:
		return refusalOf(err)
	}
	o.cause = fault.From(err)
	o.options.Metrics.failed(o.cause.Code)
	return nil
}

// errStalled is the end of an export that its reader does not take.
var errStalled = errors.New("the client does not take what is sent")

// Write implements io.Writer.
func (o *outlet) Write(p []byte) (int, error) {
	if time.Since(o.checked) >= recheck {
		if err := o.still(); err != nil {
			return 0, err
		}
		o.checked = time.Now()
	}
	if !o.begun {
		o.begin()
	}
	connection, sent := http.NewResponseController(o.w), 0
	for sent < len(p) {
		piece := p[sent:min(len(p), sent+exportPiece)]
		_ = connection.SetWriteDeadline(time.Now().Add(o.options.Timeout))
		n, err := o.body.Write(piece)
		if sent += n; err != nil {
			return sent, fault.New(fault.Timeout, "the client has not taken the export").Because(fmt.Errorf("%w: %w", errStalled, err))
		}
	}
	return sent, nil
}

// still refuses to go on for who may no longer.
func (o *outlet) still() error { return o.stillMay(principal.ExportData) }

// stillMay asks whether the token is good for what takes long: it has to be to the end, and
// to mean what it meant in the beginning.
func (x *exchange) stillMay(scope principal.Scope) error {
	now, err := x.authenticate(quota.Again(x.ctx), x.r)
	if err != nil {
		return err
	}
	if !slices.Contains(now.Scopes, scope) || string(now.AppendRights(nil)) != string(x.caller.AppendRights(nil)) {
		return fault.New(fault.Forbidden, "the rights of the token have changed")
	}
	return nil
}

func (o *outlet) begin() {
	o.begun, o.body = true, o.w
	if !o.file.plain {
		if o.encoded = o.encoders.begin(o.w, o.r, o.share, minEncoded); o.encoded != nil {
			o.body = o.encoded
		}
	}
	header := o.w.Header()
	header.Set("Trailer", RowsTrailer+", "+NullsTrailer)
	header.Set("Content-Disposition", `attachment; filename="`+o.name+"."+o.file.name+`"`) // a GraphQL name: nothing to quote
	writeHead(o.w, mediaType(o.file.media[0]), http.StatusOK, unknownLength)
}

// finish writes what comes last. An export always has bytes: names at least, or it
// is NDJSON of no rows.
func (o *outlet) finish() {
	if !o.begun {
		o.begin()
	}
	if o.encoded != nil {
		encoded := o.encoded
		o.encoded = nil
		encoded.end()
	}
}

// abandon puts the compressor back without the end of what it wrote.
func (o *outlet) abandon() {
	if o.encoded != nil {
		o.encoded.Reset(io.Discard)
		o.encoded.end()
	}
}
