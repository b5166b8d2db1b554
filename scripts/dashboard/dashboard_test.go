package main

import "testing"

func TestRules(t *testing.T) {
	t.Parallel()
	got, err := rulesOf([]byte(`{"panels": [{"type": "row"}, {"targets": [{"expr": "sum(rate(a{job=~\"$job\"}[$__rate_interval]))"}, {"expr": "b"}]}]}`))
	const want = `{"groups":[{"name":"dashboard","rules":[{"record":"dashboard:question:0","expr":"sum(rate(a{job=~\".*\"}[5m]))"},{"record":"dashboard:question:1","expr":"b"}]}]}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
	if _, err := rulesOf([]byte(`{"panels": [{"title": "A", "targets": [{"expr": "a{x=\"$y\"}"}]}]}`)); err == nil {
		t.Error("a variable that nobody knows is taken")
	}
}
