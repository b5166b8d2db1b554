package plugin

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Options of a plugin's service.
type Options struct {
	Secret  string       // of the plugin, which every request must show; at least 16 bytes
	MaxBody int64        // bytes of a request at most; default 4 MiB
	Ignore  []string     // members of a query that are not known here and may be left out
	Logger  *slog.Logger // of failures; default: none
}

const (
	leastSecret    = 16
	defaultMaxBody = 4 << 20
)

type handler struct {
	plugin  Plugin
	secret  [sha256.Size]byte
	maxBody int64
	ignored []string
	log     *slog.Logger
}

// Handler serves a plugin at /authorize, /datasets and /query. Protocol 1
// reads datasets with GET and protocol 2 with POST; both are answered. It
// fails without a secret: nothing would keep others from asking.
func Handler(p Plugin, o Options) (http.Handler, error) {
	if len(o.Secret) < leastSecret {
		return nil, errors.New("plugin: the secret has less than 16 bytes; generate one and give it to the gateway and the plugin")
	}
	h := &handler{
		plugin: p, secret: sha256.Sum256([]byte(o.Secret)), maxBody: cmp.Or(o.MaxBody, defaultMaxBody),
		ignored: o.Ignore, log: o.Logger,
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /authorize", h.guarded(h.authorize))
	mux.HandleFunc("GET /datasets", h.guarded(h.datasets))
	mux.HandleFunc("POST /datasets", h.guarded(h.datasets))
	mux.HandleFunc("POST /query", h.guarded(h.rows))
	return mux, nil
}

// Serve serves a plugin on a listener until the context ends, and then finishes
// what it has begun.
func Serve(ctx context.Context, listener net.Listener, p Plugin, o Options) error {
	h, err := Handler(p, o)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute}
	ended := make(chan error, 1)
	go func() {
		<-ctx.Done()
		finishing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		ended <- server.Shutdown(finishing)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-ended
}

// guarded serves requests that show the secret. Hashes are compared, so that
// the time taken does not even tell how long the secret is.
func (h *handler) guarded(serve func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		shown := sha256.Sum256([]byte(r.Header.Get("X-Secret")))
		if subtle.ConstantTimeCompare(shown[:], h.secret[:]) != 1 {
			Errorf(http.StatusForbidden, "X-Secret is not the secret of this plugin").write(w)
			return
		}
		if err := serve(w, r); err != nil {
			h.failed(w, r, err)
		}
	}
}

// failed answers with an error, and logs those that are the plugin's own.
func (h *handler) failed(w http.ResponseWriter, r *http.Request, err error) {
	var told *Error
	if !errors.As(err, &told) {
		h.log.ErrorContext(r.Context(), "the plugin failed", "path", r.URL.Path, "error", err)
		told = Errorf(http.StatusInternalServerError, "the plugin failed")
	}
	told.write(w)
}

func (h *handler) authorize(w http.ResponseWriter, r *http.Request) error {
	members, err := h.body(w, r, "id", "name", "email", "metadata", "host", "key", "token")
	if err != nil {
		return err
	}
	c := callerOf(r.Header)
	all, err := json.Marshal(members)
	if err != nil {
		return err
	}
	if c.User, err = h.user(all); err != nil {
		return err
	}
	for name, into := range map[string]*string{"host": &c.Host, "key": &c.Key, "token": &c.Token} {
		if text := members[name]; len(text) > 0 && json.Unmarshal(text, into) != nil {
			return Errorf(http.StatusBadRequest, "%s is no text", name)
		}
	}
	if a, ok := h.plugin.(Authorizer); ok {
		if err := a.Authorize(r.Context(), c); err != nil {
			return err
		}
	}
	return reply(w, struct{}{})
}

func (h *handler) datasets(w http.ResponseWriter, r *http.Request) error {
	c := callerOf(r.Header)
	if r.Method == http.MethodPost {
		members, err := h.body(w, r, "user", "options")
		if err != nil {
			return err
		}
		if c.User, err = h.user(members["user"]); err != nil {
			return err
		}
	}
	datasets, err := h.plugin.Datasets(r.Context(), c)
	if err != nil {
		return err
	}
	type localized map[string]string
	type column struct {
		ID      string    `json:"id"`
		Name    localized `json:"name"`
		Type    Type      `json:"type"`
		Subtype string    `json:"subtype,omitempty"`
	}
	type dataset struct {
		ID          string    `json:"id"`
		Name        localized `json:"name"`
		Description localized `json:"description"`
		Columns     []column  `json:"columns"`
	}
	out := make([]dataset, 0, len(datasets))
	for _, d := range datasets {
		wire := dataset{
			ID: d.ID, Name: localized{"en": cmp.Or(d.Name, d.ID)}, Description: localized{"en": d.Description},
			Columns: make([]column, 0, len(d.Columns)),
		}
		for _, c := range d.Columns {
			wire.Columns = append(wire.Columns, column{ID: c.ID, Name: localized{"en": cmp.Or(c.Name, c.ID)}, Type: c.Type, Subtype: c.Subtype})
		}
		out = append(out, wire)
	}
	return reply(w, out)
}

func reply(w http.ResponseWriter, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text) // a caller that left is told nothing
	return nil
}

// rows answers POST /query. A failure after rows were sent ends the connection
// before the answer is complete, so that nobody takes a part for all of it.
func (h *handler) rows(w http.ResponseWriter, r *http.Request) error {
	q, err := h.query(w, r)
	if err != nil {
		return err
	}
	rows := newRows(w, q)
	err = h.plugin.Query(r.Context(), q, rows)
	if err == nil {
		err = rows.end()
	}
	if err != nil && rows.to.begun {
		h.log.ErrorContext(r.Context(), "the plugin failed amid its rows", "path", r.URL.Path, "error", err)
		panic(http.ErrAbortHandler)
	}
	return err
}
