package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

func aHolding() *holding {
	h := &holding{data: full.data, tenant: "t0001", number: 3}
	for i := range int64(1000) {
		h.ids = append(h.ids, 5*i+1)
	}
	return h
}

// Every request of every workload is one that HTTP and JSON know.
func TestRequests(t *testing.T) {
	t.Parallel()
	for _, w := range append(append([]workload{}, workloads...), writing...) {
		for k := range w.documents {
			a, err := newAsker(&server{kind: k, address: "127.0.0.1:1"}, w, "one", "token", aHolding())
			if err != nil {
				t.Fatal(err)
			}
			for n := range 3 {
				text := a.request(nil, n)
				if w.pages {
					text = a.with(nil, []byte(`"cursor"`))
				}
				request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(text)))
				if err != nil {
					t.Fatalf("%s of %s: %v", w.name, k, err)
				}
				body, err := io.ReadAll(request.Body)
				if err != nil || int64(len(body)) != request.ContentLength {
					t.Fatalf("%s of %s: %d bytes, %v", w.name, k, len(body), err)
				}
				if w.path == "" && !json.Valid(body) {
					t.Errorf("%s of %s is no JSON: %s", w.name, k, body)
				}
				if bytes.ContainsRune(body, '@') {
					t.Errorf("%s of %s has no value: %s", w.name, k, body)
				}
			}
		}
	}
}

// No question of a workload that says so is put twice, or there would be
// something to coalesce and to keep.
func TestValuesDiffer(t *testing.T) {
	t.Parallel()
	const askers = 200
	for _, w := range workloads {
		if w.value == nil || w.name == "Documents" {
			continue
		}
		holdings := make([]*holding, askers)
		for i := range holdings {
			holdings[i] = aHolding()
		}
		seen := make(map[string]bool)
		for n := range 100_000 {
			who := n % askers
			key := string(w.value([]byte{byte(who)}, holdings[who], n))
			if seen[key] {
				t.Errorf("%s: question %d was put before: %s", w.name, n, key[1:])
				break
			}
			seen[key] = true
		}
	}
}

func TestCursor(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		`{"data":{"orders":{"nodes":[],"pageInfo":{"hasNextPage":true,"endCursor":"abc"}}}}`:  `"abc"`,
		`{"data":{"orders":{"nodes":[],"pageInfo":{"hasNextPage":false,"endCursor":"abc"}}}}`: `null`,
		`{"data":null}`: `null`,
	} {
		if got := string(endCursor([]byte(answer))); got != want {
			t.Errorf("%s ends at %s", answer, got)
		}
	}
	a, b := []byte(`{"hasNextPage":true,"endCursor":"abc"}`), []byte(`{"hasNextPage":true,"endCursor":"x"}`)
	if !bytes.Equal(withoutCursor(a), withoutCursor(b)) {
		t.Errorf("%s and %s differ", withoutCursor(a), withoutCursor(b))
	}
}

// A peer's answers are the same if they say the same, and only then.
func TestCompare(t *testing.T) {
	t.Parallel()
	w := workloads[0]
	want := answers{"one": []byte(`{"data":{"orders":[{"id":7,"amount":1.20,"orderedAt":"2024-01-01T00:00:00.5Z"}]}}`)}
	peers := &server{name: "peer", kind: postgraphile}
	same := `{"data":{"orders":[{"id":"7","amount":"1.20","orderedAt":"2024-01-01T01:00:00.500000+01:00"}]}}`
	if err := peers.compare(w, want, answers{"one": []byte(same)}); err != nil {
		t.Error(err)
	}
	for _, other := range []string{
		strings.Replace(same, `"7"`, `"8"`, 1), strings.Replace(same, "1.20", "1.2", 1), strings.Replace(same, ".500000", ".500001", 1),
		`{"data":{"orders":[]}}`, `{"errors":[{"message":"no"}],"data":null}`,
	} {
		if err := peers.compare(w, want, answers{"one": []byte(other)}); err == nil {
			t.Errorf("%s is taken for the same", other)
		}
	}
	if err := (&server{name: "usher", kind: ofUsher}).compare(w, want, answers{"one": []byte(same)}); err == nil {
		t.Error("usher's answers are not compared byte for byte")
	}
}

// An answer that is asked for again has the same data, whatever stands beside it.
func TestBegun(t *testing.T) {
	t.Parallel()
	first := answers{"a": []byte(`{"data":{"n":[1,2]},"extensions":{"age":0}}`)}
	begun, err := first.begun()
	if err != nil {
		t.Fatal(err)
	}
	for text, same := range map[string]bool{
		`{"data":{"n":[1,2]},"extensions":{"age":17}}`: true,
		`{"data":{"n":[1,2]}}`:                         true,
		`{"data":{"n":[1,3]},"extensions":{"age":0}}`:  false,
		`{"data":{"n":[1,2],"m":1}}`:                   false,
	} {
		if bytes.HasPrefix([]byte(text), begun["a"]) != same {
			t.Errorf("%s: not %t", text, same)
		}
	}
	if _, err := (answers{"a": []byte(`{"errors":[]}`)}).begun(); err == nil {
		t.Error("an answer without data begins with some")
	}
}
