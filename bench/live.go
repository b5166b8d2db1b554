package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	liveName  = "Live"
	liveTitle = "a subscription of each tenant to its newest entries; from a mutation's answer to its news"
	liveTries = 200
	liveWait  = 10 * time.Second
)

// live subscribes in the name of every tenant, changes a row of one after the
// other, and looks how long the news takes.
func (s *stage) live(ctx context.Context, v *server) (string, error) {
	can := v != nil
	if can {
		var err error
		if can, err = s.offers(ctx, v, "subscriptionType", "entries"); err != nil {
			return "", err
		}
	}
	if !can {
		return "not yet: usher's schema has no subscriptions", nil
	}
	ctx, cancel := context.WithCancel(ctx)
	var readers sync.WaitGroup
	defer readers.Wait()
	defer cancel()
	w := workload{name: liveName, documents: map[kind]string{ofUsher: `subscription Live { entries(orderBy: [{reference: ASC}], limit: 20) { id quantity } }`}}
	change := workload{
		name: "Change", value: func(out []byte, of *holding, n int) []byte { return fmt.Appendf(out, "%d", n) }, variables: `{"quantity":@}`,
		documents: map[kind]string{ofUsher: `mutation Change($quantity: Int!) { updateEntries(where: {reference: {eq: "ref0"}}, set: {quantity: $quantity}) { affected } }`},
	}
	askers, err := s.askersOf(v, change)
	if err != nil {
		return "", err
	}
	news := make([]chan time.Time, len(askers))
	for i := range askers {
		body, err := s.subscribe(ctx, v, w, askers[i].tenant)
		if err != nil {
			return "", err
		}
		news[i] = make(chan time.Time, 16)
		readers.Go(func() { readEvents(body, news[i]) })
		if _, err := awaitNews(ctx, news[i]); err != nil { // what there is
			return "", err
		}
	}
	c, err := dial(ctx, v.address)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.close() }()
	var delays []time.Duration
	for n := range liveTries {
		i := n % len(askers)
		answer, err := c.ask(askers[i].request(nil, 1_000_000+n))
		if err != nil || !answered(answer) {
			return "", errors.Join(err, fmt.Errorf("a change is answered %.200s", answer))
		}
		done := time.Now()
		at, err := awaitNews(ctx, news[i])
		if err != nil {
			return "", err
		}
		delays = append(delays, max(0, at.Sub(done)))
	}
	slices.Sort(delays)
	return fmt.Sprintf("%d subscriptions: p50 %.1f ms, p99 %.1f ms", len(askers), ms(delays[len(delays)/2]), ms(delays[len(delays)*99/100])), nil
}

// subscribe opens a stream of server-sent events.
func (s *stage) subscribe(ctx context.Context, v *server, w workload, tenant string) (io.ReadCloser, error) {
	body := fmt.Sprintf(`{"query":%q}`, w.documents[ofUsher])
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+v.address+"/graphql", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header = http.Header{
		"Authorization": {"Bearer " + s.tokens[tenant][0]}, "Content-Type": {"application/json"}, "Accept": {"text/event-stream"},
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 500))
		return nil, errors.Join(fmt.Errorf("a subscription is answered %s: %s", response.Status, text), response.Body.Close())
	}
	return response.Body, nil
}

// readEvents tells when each event with data has come, until the stream ends.
func readEvents(body io.ReadCloser, news chan<- time.Time) {
	defer close(news)
	defer func() { _ = body.Close() }()
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if rest, ok := bytes.CutPrefix(lines.Bytes(), []byte("data:")); ok && len(bytes.TrimSpace(rest)) > 0 {
			news <- time.Now()
		}
	}
}

func awaitNews(ctx context.Context, news <-chan time.Time) (time.Time, error) {
	select {
	case at, ok := <-news:
		if !ok {
			return at, errors.New("a subscription ended")
		}
		return at, nil
	case <-time.After(liveWait):
		return time.Time{}, fmt.Errorf("no news of a change within %s", liveWait)
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
}
