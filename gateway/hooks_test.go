package gateway

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/catalog"
	"usher/webhook"
)

// Only sources with a secret take calls, about datasets of theirs.
func TestHooks(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("s", 32)
	cat := &catalog.Catalog{
		Sources:  map[string]*catalog.Source{"told": {Webhook: secret}, "quiet": {}},
		Datasets: []*catalog.Dataset{{Name: "orders", Bindings: map[string]*catalog.Binding{"told": {}}}, {Name: "notes", Bindings: map[string]*catalog.Binding{"quiet": {}}}},
	}
	var log bytes.Buffer
	var told []string
	changed := func(_ context.Context, c webhook.Change) error {
		told = append(told, fmt.Sprint(c.Source, " ", c.Dataset, " ", c.Tenants))
		return nil
	}
	h := hooks(cat, changed, slog.New(slog.NewTextHandler(&log, nil)))
	for _, c := range []struct {
		source, dataset string
		status          int
	}{{"told", "orders", 204}, {"told", "notes", 400}, {"quiet", "notes", 401}} {
		body := `{"dataset":"` + c.dataset + `","tenants":["acme"]}`
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hooks/"+c.source, strings.NewReader(body))
		timestamp, signature := webhook.Sign([]byte(secret), time.Now(), []byte(body))
		r.Header.Set(webhook.TimestampHeader, timestamp)
		r.Header.Set(webhook.SignatureHeader, signature)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s %s: %d %s", c.source, c.dataset, w.Code, w.Body)
		}
	}
	if text := log.String(); strings.Count(text, "rows have changed") != 1 || !strings.Contains(text, "source=told dataset=orders tenants=1") || strings.Contains(text, secret) {
		t.Errorf("logged %s", text)
	}
	if !slices.Equal(told, []string{"told orders [acme]"}) {
		t.Errorf("told of %q", told)
	}
	if hooks(&catalog.Catalog{Sources: map[string]*catalog.Source{"quiet": {}}}, changed, slog.Default()) != nil {
		t.Error("a handler for nothing")
	}
}
