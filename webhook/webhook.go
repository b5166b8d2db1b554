// Package webhook owns how a source tells that its rows have changed: POST
// /hooks/<source>, signed with the source's secret. It believes nothing that
// is not signed, nothing that was signed more than five minutes ago, and no
// body that says anything but which rows of which dataset have changed. What
// follows from a change is the business of whoever takes it; to be told twice
// does no harm.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Headers of a call.
const (
	TimestampHeader = "X-Usher-Timestamp" // when it was signed, in seconds since 1970
	SignatureHeader = "X-Usher-Signature" // sha256= and the HMAC-SHA256 of timestamp, a point and the body, in hex
)

const (
	window  = 5 * time.Minute
	maxBody = 1 << 20
	maxList = 10_000 // tenants or keys of one change
)

// Change tells that rows of a dataset are no longer what they were.
type Change struct {
	Source  string
	Dataset string
	Tenants []string // whose rows; nil: anybody's
	Keys    []string // which rows, by their key; nil: any of them
}

// Source is a source that tells of changes.
type Source struct {
	Secret   []byte
	Datasets []string // what it has
}

// Options are what a handler needs besides.
type Options struct {
	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // nil: slog.Default
}

// UnknownTenantsError refuses a change that names tenants there are not. Those that
// there are have been told of all the same.
type UnknownTenantsError []string

// maxUnknown is how many of them the answer repeats.
const maxUnknown = 10

func (e UnknownTenantsError) Error() string {
	text := strings.Join(e[:min(len(e), maxUnknown)], ", ")
	if more := len(e) - maxUnknown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return "tenants names what is no tenant here: " + text + "; the change was taken for the others"
}

type handler struct {
	sources map[string]Source
	changed func(context.Context, Change) error
	now     func() time.Time
	refused *refusals
}

// New returns the handler of POST /hooks/{source}. Changed is called before
// the call is answered. Whoever has signed is told which tenants are unknown;
// any other error is answered 503, so that the call is made again.
func New(sources map[string]Source, changed func(context.Context, Change) error, opts Options) http.Handler {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	h := &handler{sources: sources, changed: changed, now: opts.Now, refused: &refusals{log: opts.Logger, now: opts.Now}}
	mux := http.NewServeMux()
	mux.Handle("POST /hooks/{source}", h)
	return mux
}

// Sign returns the signature of a body.
func Sign(secret []byte, at time.Time, body []byte) (timestamp, signature string) {
	timestamp = strconv.FormatInt(at.Unix(), 10)
	return timestamp, "sha256=" + hex.EncodeToString(mac(secret, timestamp, body))
}

func mac(secret []byte, timestamp string, body []byte) []byte {
	h := hmac.New(sha256.New, secret)
	_, _ = io.WriteString(h, timestamp+".")
	_, _ = h.Write(body)
	return h.Sum(nil)
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("source")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		http.Error(w, "the body has more than 1 MiB", http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		http.Error(w, "the body ended too early", http.StatusBadRequest)
		return
	}
	source, known := h.sources[name]
	if !h.signed(r.Header, source.Secret, body) || !known { // an unknown source is refused like a wrong signature
		h.refused.refused(r.Context(), name)
		http.Error(w, "the signature is missing, wrong or older than five minutes", http.StatusUnauthorized)
		return
	}
	change, err := decode(body)
	if err == nil && !slices.Contains(source.Datasets, change.Dataset) {
		err = errors.New("dataset is none that this source has")
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	change.Source = name
	var unknown UnknownTenantsError
	switch err := h.changed(r.Context(), change); {
	case errors.As(err, &unknown):
		http.Error(w, unknown.Error(), http.StatusBadRequest)
	case err != nil:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "not every gateway could be told of the change; make the call again", http.StatusServiceUnavailable)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// signed tells whether a body was signed with the secret, and lately.
func (h *handler) signed(header http.Header, secret, body []byte) bool {
	timestamps, signatures := header.Values(TimestampHeader), header.Values(SignatureHeader)
	if len(secret) == 0 || len(timestamps) != 1 || len(signatures) != 1 {
		return false
	}
	at, err := strconv.ParseInt(timestamps[0], 10, 64)
	if err != nil {
		return false
	}
	if age := h.now().Unix() - at; age > int64(window.Seconds()) || age < -int64(window.Seconds()) {
		return false
	}
	text, ok := bytes.CutPrefix([]byte(signatures[0]), []byte("sha256="))
	given := make([]byte, hex.DecodedLen(len(text)))
	if _, err := hex.Decode(given, text); err != nil || !ok {
		return false
	}
	return hmac.Equal(given, mac(secret, timestamps[0], body))
}

// tenantID is the form of principal.IsTenantID, which this package does not
// know; a test compares them.
var tenantID = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// decode reads a body. Names are taken as they are written, each once, and
// nothing may be left over.
func decode(body []byte) (Change, error) {
	var c Change
	members, err := object(body)
	if err != nil {
		return c, err
	}
	for name, text := range members {
		switch name {
		case "dataset":
			err = strict(text, &c.Dataset)
		case "tenants":
			err = strict(text, &c.Tenants)
		case "keys":
			c.Keys, err = keys(text)
		default:
			return c, errors.New("the body has a member that is none of dataset, tenants and keys")
		}
		if err != nil {
			return c, fmt.Errorf("%s is not what it must be: dataset is text, tenants a list of ids or null, keys a list of texts and whole numbers", name)
		}
	}
	switch {
	case c.Dataset == "":
		return c, errors.New("dataset is missing")
	case members["tenants"] == nil:
		return c, errors.New("tenants is missing; null stands for all of them")
	case c.Tenants != nil && len(c.Tenants) == 0:
		return c, errors.New("tenants is empty; null stands for all of them")
	case len(c.Tenants) > maxList || len(c.Keys) > maxList:
		return c, fmt.Errorf("a list has more than %d items; leave the keys out", maxList)
	case slices.ContainsFunc(c.Tenants, func(id string) bool { return !tenantID.MatchString(id) }):
		return c, errors.New("tenants holds what is no tenant id")
	}
	return c, nil
}

var errObject = errors.New("the body is no JSON object, or has a member twice")

// object splits a JSON object into its members.
func object(body []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errObject
	}
	members := make(map[string]json.RawMessage)
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		var text json.RawMessage
		if err != nil || !ok || members[name] != nil || d.Decode(&text) != nil {
			return nil, errObject
		}
		members[name] = text
	}
	if _, err := d.Token(); err != nil {
		return nil, errObject
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errObject
	}
	return members, nil
}

// strict reads a value; null is nothing, but no item of a list.
func strict(text json.RawMessage, into any) error {
	if list, ok := into.(*[]string); ok && string(text) != "null" {
		var items []*string
		if err := json.Unmarshal(text, &items); err != nil {
			return err
		}
		*list = make([]string, len(items))
		for i, item := range items {
			if item == nil {
				return errors.New("null")
			}
			(*list)[i] = *item
		}
		return nil
	}
	return json.Unmarshal(text, into)
}

var wholeNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// keys reads texts and whole numbers as texts.
func keys(text json.RawMessage) ([]string, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(text, &items); err != nil || items == nil {
		return nil, err
	}
	out := make([]string, len(items))
	for i, item := range items {
		if wholeNumber.Match(item) {
			out[i] = string(item)
			continue
		}
		if string(item) == "null" {
			return nil, errors.New("null")
		}
		if err := json.Unmarshal(item, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}
