package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// asker is somebody who asks one server one workload: a request with a place
// for the value, and what the values are made of.
type asker struct {
	name    string
	tenant  string
	holding *holding
	head    string   // up to the length of the body
	body    []string // around the value
	value   values
}

// newAsker makes the requests of a token. Headers are as common clients send
// them.
func newAsker(v *server, w workload, name, token string, of *holding) (asker, error) {
	head := "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nAccept: application/json\r\nContent-Type: %s\r\nContent-Length: "
	a := asker{name: name, tenant: of.tenant, holding: of, value: w.value}
	if w.path != "" {
		a.head = fmt.Sprintf(head, w.path, v.address, token, "application/x-ndjson")
		a.body = strings.Split(w.documents[v.kind], "@")
		return a, nil
	}
	document, variables := w.document(v.kind)
	body, err := json.Marshal(map[string]string{"operationName": w.name, "query": document})
	if err != nil {
		return a, err
	}
	text := string(body)
	if variables != "" {
		text = strings.TrimSuffix(text, "}") + `,"variables":` + variables + "}"
	}
	a.head, a.body = fmt.Sprintf(head, "/graphql", v.address, token, "application/json"), strings.Split(text, "@")
	return a, nil
}

// request appends the n-th request; without values it is always the same.
func (a *asker) request(out []byte, n int) []byte {
	if a.value == nil {
		return a.with(out, nil)
	}
	var room [1024]byte
	return a.with(out, a.value(room[:0], a.holding, n))
}

// with appends the request with a value.
func (a *asker) with(out, value []byte) []byte {
	length := (len(a.body) - 1) * len(value)
	for _, part := range a.body {
		length += len(part)
	}
	out = append(out, a.head...)
	out = strconv.AppendInt(out, int64(length), 10)
	out = append(out, "\r\n\r\n"...)
	for i, part := range a.body {
		if i > 0 {
			out = append(out, value...)
		}
		out = append(out, part...)
	}
	return out
}

// data returns the bytes of an answer's data.
func data(answer []byte) ([]byte, error) {
	var envelope struct {
		Data   json.RawMessage `json:"data"`
		Errors json.RawMessage `json:"errors"`
	}
	if err := json.Unmarshal(answer, &envelope); err != nil {
		return nil, err
	}
	if envelope.Errors != nil {
		return nil, fmt.Errorf("errors: %.500s", envelope.Errors)
	}
	return envelope.Data, nil
}

// begun is how answers begin, up to the end of their data.
func (a answers) begun() (answers, error) {
	out := make(answers, len(a))
	for name, answer := range a {
		d, err := data(answer)
		if err != nil {
			return nil, err
		}
		if out[name] = append([]byte(`{"data":`), d...); !bytes.HasPrefix(answer, out[name]) {
			return nil, fmt.Errorf("%s is answered %.100s: %w", name, answer, errShape)
		}
	}
	return out, nil
}

// answered tells whether an answer has data and no errors, at a glance.
func answered(answer []byte) bool {
	return bytes.HasPrefix(answer, []byte(`{"data":{`)) && !bytes.Contains(answer, []byte(`"errors":`))
}

// endCursor is where a page ends, as JSON, or null behind the last one.
func endCursor(answer []byte) []byte {
	const key = `"endCursor":`
	at := bytes.LastIndex(answer, []byte(key))
	if at < 0 || !bytes.Contains(answer, []byte(`"hasNextPage":true`)) {
		return []byte("null")
	}
	rest := answer[at+len(key):]
	end := bytes.IndexAny(rest, "},")
	return bytes.Clone(rest[:max(end, 0)])
}
