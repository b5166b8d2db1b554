package transport

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"usher/graph/client"
	"usher/graph/requestid"
	"usher/query"
)

// DashboardOptions are what the endpoint of dashboards answers with.
type DashboardOptions struct {
	// List are the dashboards that whoever asks may open, as JSON.
	List func(ctx context.Context) (json.RawMessage, error)
	// Page is what is drawn of a dashboard.
	Page func(ctx context.Context, name string) (json.RawMessage, error)
	// Run answers tiles of it, all for nil, with the values of its parameters.
	Run func(ctx context.Context, name string, parameters query.Object, tiles []string) (page json.RawMessage, ids []string, answers []*graphql.Response, err error)
}

type boards struct {
	*handler
	board DashboardOptions
}

// NewDashboards returns the handler of dashboards, whose path has the name as
// {dashboard}: GET answers what is drawn, POST that and the answers of the tiles. Without
// a name GET lists those that may be opened.
func NewDashboards(authenticate Authenticate, options Options, board DashboardOptions) http.Handler {
	options = options.withDefaults()
	options.Anonymous = false
	h := &handler{authenticate: authenticate, options: options, encoders: newEncoders()}
	return Identify(crossOrigin(options.AllowedOrigins, &boards{h, board}))
}

func (h *boards) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	ctx, cancel := context.WithDeadline(r.Context(), start.Add(h.options.Timeout))
	defer cancel()
	ctx, share := h.options.Held.Begin(ctx)
	defer share.End() // when the answer has been written
	x := &exchange{handler: h.handler, w: w, share: share, maxBody: h.options.MaxBody, r: r, ctx: client.With(ctx, r, h.options.Proxies)}
	x.trace()
	defer func() {
		if recovered := recover(); recovered != nil {
			x.panicked(recovered)
		}
		took := time.Since(start)
		x.measure(took)
		x.log(took)
		x.traced()
	}()
	if refused := h.serve(x, start); refused != nil {
		x.refuse(refused)
	}
}

func (h *boards) serve(x *exchange, start time.Time) *refusal {
	if err := x.identifyCaller(); err != nil {
		return refusalOf(err)
	}
	media, acceptable := negotiate(x.r.Header.Values("Accept"))
	name := x.r.PathValue("dashboard")
	switch {
	case x.r.Method != http.MethodGet && x.r.Method != http.MethodPost:
		x.w.Header().Set("Allow", allowedMethods)
		return refuse(http.StatusMethodNotAllowed, "only GET and POST are answered here")
	case !acceptable:
		return refuse(http.StatusNotAcceptable, "answers are application/json")
	case name == "" && x.r.Method != http.MethodGet:
		x.w.Header().Set("Allow", http.MethodGet)
		return refuse(http.StatusMethodNotAllowed, "only GET lists dashboards; POST asks one of them")
	case name == "":
		all, err := h.board.List(x.ctx)
		if err != nil {
			return refusalOf(err)
		}
		return x.whole(all)
	case x.r.Method == http.MethodGet:
		page, err := h.board.Page(x.ctx, name)
		if err != nil {
			return refusalOf(err)
		}
		return x.page(media, page, nil, nil)
	}
	connection := http.NewResponseController(x.w)
	_ = connection.SetReadDeadline(start.Add(x.options.Timeout))
	body, refused := readBody(x.w, x.r, x.maxBody, "parameters, or {}")
	if refused != nil {
		return refused
	}
	_ = connection.SetReadDeadline(time.Time{})
	parameters, tiles, refused := readBoard(body)
	if refused != nil {
		return refused
	}
	x.operation = name
	x.options.Metrics.begun(ast.Query)
	if err := x.takeTurn(); err != nil {
		return refusalOf(err)
	}
	defer x.turn.Leave()
	page, ids, answers, err := h.board.Run(x.ctx, name, parameters, tiles)
	if err == nil {
		err = x.share.Refused()
	}
	if err != nil {
		x.share.End() // what there is of the answer is nothing without the rest
		return refusalOf(err)
	}
	return x.page(media, page, ids, answers)
}

// readBoard reads what is asked of a dashboard. Nothing in it is null: what is left
// out has a meaning.
func readBoard(body query.Value) (parameters query.Object, tiles []string, refused *refusal) {
	object, ok := body.(query.Object)
	if !ok {
		return nil, nil, refuse(http.StatusBadRequest, "the body must be a JSON object with parameters and tiles")
	}
	for _, m := range object {
		switch m.Name {
		case "parameters":
			if parameters, ok = m.Value.(query.Object); !ok {
				return nil, nil, refuse(http.StatusBadRequest, "parameters must be an object: leave it out for their defaults")
			}
		case "tiles":
			list, ok := m.Value.(query.List)
			tiles = make([]string, len(list))
			for i, id := range list {
				text, isText := id.(query.Text)
				tiles[i], ok = string(text), ok && isText
			}
			if !ok {
				return nil, nil, refuse(http.StatusBadRequest, "tiles must be a list of ids: leave it out for all of them")
			}
		default:
			return nil, nil, refuse(http.StatusBadRequest, "the body has parameters and tiles, and nothing else")
		}
	}
	return parameters, tiles, nil
}

// page writes what is drawn, and the answers of the tiles beside it. Tiles that nothing could be
// answered of for now are refused together: the status says so.
func (x *exchange) page(media mediaType, page json.RawMessage, ids []string, answers []*graphql.Response) *refusal {
	if errors.Is(x.ctx.Err(), context.Canceled) {
		x.status, x.outcome = statusClientLeft, left
		return nil
	}
	parts := [][]byte{[]byte(`{"dashboard":`), page}
	x.status, x.outcome = http.StatusOK, answered
	seconds, later := 0, len(answers) > 0
	if answers != nil || x.r.Method == http.MethodPost {
		parts = append(parts, []byte(`,"tiles":{`))
	}
	for i, a := range answers {
		if i > 0 {
			parts = append(parts, []byte(","))
		}
		part, err := x.tile(ids[i], a)
		if err != nil {
			return refusalOf(err)
		}
		parts = append(parts, part...)
		if len(a.Errors) > 0 {
			x.outcome, x.code = erred, codeOf(a.Errors[0])
			x.options.Metrics.erred(a.Errors)
		}
		after := retryAfter(a)
		seconds, later = max(seconds, after), later && a.Data == nil && after > 0
	}
	if answers != nil || x.r.Method == http.MethodPost {
		parts = append(parts, []byte("}"))
	}
	parts = append(parts, []byte("}"))
	if later {
		x.status = responseStatus(media, answers[0])
		x.w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
	length := 0
	for _, part := range parts {
		length += len(part)
	}
	var body io.Writer = x.w
	if encoded := x.encoders.begin(x.w, x.r, x.share, length); encoded != nil {
		defer encoded.end()
		body, length = encoded, unknownLength
	}
	writeHead(x.w, plainJSON, x.status, length)
	for _, part := range parts {
		_, _ = body.Write(part) // a failing write means the client left
	}
	return nil
}

// whole writes an answer as it is.
func (x *exchange) whole(answer []byte) *refusal {
	x.status, x.outcome = http.StatusOK, answered
	var body io.Writer = x.w
	length := len(answer)
	if encoded := x.encoders.begin(x.w, x.r, x.share, length); encoded != nil {
		defer encoded.end()
		body, length = encoded, unknownLength
	}
	writeHead(x.w, plainJSON, x.status, length)
	_, _ = body.Write(answer) // a failing write means the client left
	return nil
}

// tile is the answer of one tile, as a GraphQL response. Its data is not copied.
func (x *exchange) tile(id string, a *graphql.Response) ([][]byte, error) {
	parts := [][]byte{[]byte(strconv.Quote(id) + `:{`)} // of a-z, 0-9 and -
	comma := ""
	if a.Data != nil {
		parts, comma = append(parts, []byte(`"data":`), a.Data), ","
	}
	if len(a.Errors) > 0 {
		errs, err := json.Marshal(identified(a.Errors, requestid.From(x.ctx)))
		if err != nil {
			return nil, err
		}
		parts, comma = append(parts, []byte(comma+`"errors":`), errs), ","
	}
	if len(a.Extensions) > 0 {
		extensions, err := json.Marshal(a.Extensions)
		if err != nil {
			return nil, err
		}
		parts = append(parts, []byte(comma+`"extensions":`), extensions)
	}
	return append(parts, []byte("}")), nil
}
