package transport

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"

	"github.com/99designs/gqlgen/graphql"

	"usher/fault"
	"usher/query"
)

// naming are the members of a request's extensions that may stand for its
// query: the name of a saved one, the hash of a persisted one, the id of a trusted
// document.
var naming = [...]string{"savedQuery", "persistedQuery", documentID}

// documentID names a trusted document, as a member of the request, by either of
// two names, the second of which is Relay's.
const documentID, docID = "documentId", "doc_id"

// The key of a mutation that is made once is a header, or a member of a request's
// extensions.
const (
	idempotencyHeader    = "Idempotency-Key"
	idempotencyExtension = "idempotencyKey"
)

// readPost reads the parameters of a POST. The refusal's status says which
// part of the request is wrong.
func readPost(w http.ResponseWriter, r *http.Request, limit int64) (*graphql.RawParams, *refusal) {
	value, refused := readBody(w, r, limit, "a query")
	if refused != nil {
		return nil, refused
	}
	switch members := value.(type) {
	case query.Object:
		return envelopeOf(members).read()
	case query.List:
		return nil, refuse(http.StatusBadRequest, "batches are not answered: send one operation in a request")
	default:
		return nil, refuse(http.StatusBadRequest, "the body must be a JSON object with a query")
	}
}

// readBody reads a body of JSON, which is to be an object with something.
func readBody(w http.ResponseWriter, r *http.Request, limit int64, with string) (query.Value, *refusal) {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return nil, refuse(http.StatusUnsupportedMediaType, "an encoded body is not accepted: send it without Content-Encoding")
	}
	if !isJSON(r.Header.Values("Content-Type")) {
		return nil, refuse(http.StatusUnsupportedMediaType, "the body must be sent as Content-Type: application/json")
	}
	body, err := readAll(http.MaxBytesReader(w, r.Body, limit), min(r.ContentLength, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, &refusal{status: http.StatusRequestEntityTooLarge, err: fault.New(fault.TooComplex, "the body is larger than %d bytes", limit)}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &refusal{status: http.StatusRequestTimeout, err: fault.New(fault.Timeout, "the body did not arrive in time")}
	case err != nil:
		return nil, refuse(http.StatusBadRequest, "the body could not be read").because(err)
	case len(body) == 0:
		return nil, refuse(http.StatusBadRequest, "the body is empty: send a JSON object with "+with)
	}
	value, err := decodeStrict(body)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the body cannot be read as JSON: "+err.Error())
	}
	return value, nil
}

// maxRoom is for how many bytes room is made at once before they have come.
const maxRoom = 64 << 10

// readAll reads to the end of what is expected to have so many bytes; below zero: nobody knows.
func readAll(from io.Reader, size int64) ([]byte, error) {
	if size < 0 || size > maxRoom {
		return io.ReadAll(from)
	}
	to := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	_, err := to.ReadFrom(from)
	return to.Bytes(), err
}

// readGet reads the parameters of a GET from its query string.
func readGet(r *http.Request, limit int64) (*graphql.RawParams, *refusal) {
	if int64(len(r.URL.RawQuery)) > limit {
		return nil, &refusal{status: http.StatusRequestURITooLong, err: fault.New(fault.TooComplex, "the query string is larger than %d bytes", limit)}
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the query string cannot be read")
	}
	var e envelope
	for _, name := range []string{"query", "operationName", documentID, docID, "variables", "extensions"} {
		given := values[name]
		if len(given) > 1 {
			return nil, refuse(http.StatusBadRequest, "the parameter "+name+" is given twice")
		}
		if len(given) == 0 || given[0] == "" {
			continue
		}
		if name != "variables" && name != "extensions" {
			e.set(name, query.Text(given[0]))
			continue
		}
		value, err := decodeStrict([]byte(given[0]))
		if err != nil {
			return nil, refuse(http.StatusBadRequest, "the parameter "+name+" cannot be read as JSON: "+err.Error())
		}
		e.set(name, value)
	}
	return e.read()
}

// envelope is what a request asks, as its members were given: nil where there is none, or null. Members of other names are
// ignored, as the specification wants.
type envelope struct {
	query, operationName, documentID, docID, variables, extensions query.Value
}

func envelopeOf(members query.Object) (e envelope) {
	for _, m := range members {
		e.set(m.Name, m.Value)
	}
	return e
}

func (e *envelope) set(name string, v query.Value) {
	if _, null := v.(query.Null); null {
		v = nil
	}
	switch name {
	case "query":
		e.query = v
	case "operationName":
		e.operationName = v
	case documentID:
		e.documentID = v
	case docID:
		e.docID = v
	case "variables":
		e.variables = v
	case "extensions":
		e.extensions = v
	}
}

// read takes the parameters out. Values of variables stay as they were asked. The
// request's headers are not passed on: they hold the token.
func (e envelope) read() (*graphql.RawParams, *refusal) {
	extensions, isObject := plainObject(e.extensions)
	if !isObject {
		return nil, refuse(http.StatusBadRequest, "the parameter extensions must be an object")
	}
	extensions, refused := e.withDocumentID(extensions)
	if refused != nil {
		return nil, refused
	}
	text, isString := textOf(e.query)
	if !isString || e.query == nil && !named(extensions) {
		return nil, refuse(http.StatusBadRequest, "the parameter query is missing or no string")
	}
	name, isString := textOf(e.operationName)
	if !isString {
		return nil, refuse(http.StatusBadRequest, "the parameter operationName must be a string")
	}
	given, isObject := e.variables.(query.Object)
	if !isObject && e.variables != nil {
		return nil, refuse(http.StatusBadRequest, "the parameter variables must be an object")
	}
	params := &graphql.RawParams{Query: text, OperationName: name, Extensions: extensions}
	if e.variables != nil {
		params.Variables = make(map[string]any, len(given))
	}
	for _, v := range given {
		params.Variables[v.Name] = v.Value
	}
	return params, nil
}

// textOf is a text; none is an empty one.
func textOf(v query.Value) (text string, ok bool) {
	given, ok := v.(query.Text)
	return string(given), ok || v == nil
}

// plainObject is an object; none is nil.
func plainObject(v query.Value) (object map[string]any, ok bool) {
	if v == nil {
		return nil, true
	}
	object, ok = query.Plain(v).(map[string]any)
	return object, ok
}

// withDocumentID puts the id of a document where the executor looks for what stands
// for a query.
func (e envelope) withDocumentID(extensions map[string]any) (map[string]any, *refusal) {
	id := ""
	for _, given := range []struct {
		name string
		id   query.Value
	}{{documentID, e.documentID}, {docID, e.docID}} {
		text, isText := textOf(given.id)
		switch {
		case given.id == nil:
			continue
		case !isText || text == "":
			return nil, refuse(http.StatusBadRequest, "the parameter "+given.name+" must be the id of a document, as a string")
		case id != "" && id != text:
			return nil, refuse(http.StatusBadRequest, "the parameters "+documentID+" and "+docID+" differ")
		}
		id = text
	}
	if id == "" {
		return extensions, nil
	}
	if extensions == nil {
		extensions = make(map[string]any, 1)
	}
	if beside, isText := extensions[documentID].(string); extensions[documentID] != nil && (!isText || beside != id) {
		return nil, refuse(http.StatusBadRequest, "the parameter "+documentID+" and the extension of that name differ")
	}
	extensions[documentID] = id
	return extensions, nil
}

// readIdempotencyKey puts the header with the key of a mutation where a body may have it.
func readIdempotencyKey(r *http.Request, params *graphql.RawParams) *refusal {
	given, refused := headerKey(r)
	if len(given) == 0 || refused != nil {
		return refused
	}
	beside, both := params.Extensions[idempotencyExtension]
	switch {
	case both && beside != given[0]:
		return refuse(http.StatusBadRequest, "the header "+idempotencyHeader+" and the extension "+idempotencyExtension+" differ")
	case params.Extensions == nil:
		params.Extensions = make(map[string]any, 1)
	}
	params.Extensions[idempotencyExtension] = given[0]
	return nil
}

// headerKey is the header with the key of a mutation or an import, if there is one.
func headerKey(r *http.Request) (given []string, refused *refusal) {
	if given = r.Header.Values(idempotencyHeader); len(given) > 1 {
		refused = refuse(http.StatusBadRequest, "the header "+idempotencyHeader+" is given twice")
	}
	return given, refused
}

// named tells whether a request's extensions name an operation, which stands for a query.
// What it names is for the executor to read.
func named(extensions map[string]any) bool {
	for _, member := range naming {
		if extensions[member] != nil {
			return true
		}
	}
	return false
}

// isJSON says whether the Content-Type is application/json in UTF-8. It is the
// only one a page of another origin cannot send without being asked about it
// first (a preflight), which is what keeps forged form posts out.
func isJSON(contentType []string) bool {
	if len(contentType) != 1 {
		return false
	}
	if contentType[0] == string(plainJSON) {
		return true
	}
	media, parameters, err := mime.ParseMediaType(contentType[0])
	return err == nil && media == string(plainJSON) && isUTF8(parameters["charset"])
}
