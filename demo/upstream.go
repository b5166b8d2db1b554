package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"
)

// Upstream is the chain's HTTP API, a stand-in for somebody else's service:
//
//	GET /v1/<dataset>?page=1&per_page=1000   {"data":[{…}],"meta":{"page":1,"next":2}}
//	GET /stats                               {"requests":7}
//
// Datasets are distributors, orders, order_items, reviews, products and
// promotions. Rows come ordered by distributor and id; next is null on the last page.
// It returns everybody's rows, or those of one distributor if the parameter
// distributor_id or the header X-Tenant names it; of an unknown distributor
// there are none. limit bounds the rows of all pages together. Parameters it
// does not know are refused rather than ignored. Decimals are JSON strings.
type Upstream struct {
	URL string // without a slash at the end

	server   *http.Server
	rows     map[string]*jsonRows
	requests atomic.Int64
	served   chan error
}

const (
	defaultPerPage = 1000
	maxPerPage     = 10000
	closeWithin    = 5 * time.Second
)

// ServeUpstream reads the rows of all tenants into memory and serves them on a
// loopback address such as 127.0.0.1:0 until Close. ctx bounds the reading.
func ServeUpstream(ctx context.Context, d *Data, listen string) (*Upstream, error) {
	rows, err := loadRows(ctx, d.Shared())
	if err != nil {
		return nil, fmt.Errorf("cannot read the sample data for its API: %w", err)
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("cannot serve the sample API: %w", err)
	}
	if addr, ok := l.Addr().(*net.TCPAddr); !ok || !addr.IP.IsLoopback() {
		_ = l.Close()
		return nil, fmt.Errorf("the sample API has no passwords: %s is not a loopback address", listen)
	}
	u := &Upstream{URL: "http://" + l.Addr().String(), rows: rows, served: make(chan error, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/{dataset}", u.page)
	mux.HandleFunc("GET /stats", u.stats)
	u.server = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
	}
	go func() { u.served <- u.server.Serve(l) }()
	return u, nil
}

// Requests is how many pages were asked for, refused ones included.
func (u *Upstream) Requests() int64 { return u.requests.Load() }

// Close ends the API: requests that have begun are finished, for five seconds
// at most.
func (u *Upstream) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	err := u.server.Shutdown(ctx)
	if err != nil {
		_ = u.server.Close()
	}
	if served := <-u.served; !errors.Is(served, http.ErrServerClosed) && err == nil {
		err = served
	}
	u.served <- http.ErrServerClosed // for a further Close
	return err
}

func (u *Upstream) stats(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]int64{"requests": u.Requests()})
}

func (u *Upstream) page(w http.ResponseWriter, r *http.Request) {
	u.requests.Add(1)
	rows := u.rows[r.PathValue("dataset")]
	if rows == nil {
		reply(w, http.StatusNotFound, map[string]string{"error": "unknown dataset"})
		return
	}
	a, err := readAsk(r.URL.Query(), rows.common)
	if err != nil {
		reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	page, next := a.cut(rows.visible(r.Header.Get("X-Tenant"), a.distributor))
	text := rows.encoded(page)
	const head = `{"data":[`
	tail := fmt.Sprintf(`],"meta":{"page":%d,"next":%s}}`, a.page, next)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(head)+len(text)+len(tail)))
	for _, part := range [][]byte{[]byte(head), text, []byte(tail)} {
		if _, err := w.Write(part); err != nil {
			return // the client has gone
		}
	}
}

// visible returns the rows of the caller's tenant, if it named one, and of
// the distributor, if it asked for one. Common rows are everybody's.
func (r *jsonRows) visible(tenant, distributor string) span {
	switch {
	case r.common || tenant == "" && distributor == "":
		return r.all()
	case tenant == "":
		return r.tenants[distributor]
	case distributor == "" || distributor == tenant:
		return r.tenants[tenant]
	default:
		return span{}
	}
}

// ask is what the parameters of a request say.
type ask struct {
	page, perPage int
	limit         int // -1: none
	distributor   string
}

func readAsk(query url.Values, common bool) (ask, error) {
	a := ask{page: 1, perPage: defaultPerPage, limit: -1}
	for name, values := range query {
		if len(values) != 1 {
			return a, fmt.Errorf("%s is given more than once", name)
		}
		var err error
		switch {
		case name == "page":
			a.page, err = number(name, values[0], 1, 1<<30)
		case name == "per_page":
			a.perPage, err = number(name, values[0], 1, maxPerPage)
		case name == "limit":
			a.limit, err = number(name, values[0], 0, 1<<30)
		case name == "distributor_id" && !common && values[0] != "":
			a.distributor = values[0]
		default:
			err = fmt.Errorf("parameter %s is not one of this dataset, or is empty", name)
		}
		if err != nil {
			return a, err
		}
	}
	return a, nil
}

func number(name, text string, low, high int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("%s is a number from %d to %d", name, low, high)
	}
	return n, nil
}

// cut returns the page of the rows, and the number of the next one as JSON.
func (a ask) cut(s span) (span, string) {
	if a.limit >= 0 {
		s.last = min(s.last, s.first+a.limit)
	}
	first := s.first + (a.page-1)*a.perPage
	page := span{first, min(first+a.perPage, s.last)}
	if page.last < s.last && page.first < s.last {
		return page, strconv.Itoa(a.page + 1)
	}
	return page, "null"
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone
}
