package query_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"usher/query"
)

func TestReadJSON(t *testing.T) {
	t.Parallel()
	got, err := query.ReadJSON([]byte(` {"b": [1.50, -2e3, true, null, "é\n", "\ufffd\ud83d\ude00�"], "a": {}} `))
	want := query.Object{
		{Name: "b", Value: query.List{query.Number("1.50"), query.Number("-2e3"), query.Bool(true), query.Null{}, query.Text("é\n"), query.Text("�😀�")}},
		{Name: "a", Value: query.Object{}},
	}
	if diff := cmp.Diff(query.Value(want), got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if again := query.AppendJSON(nil, got); string(again) != `{"b":[1.50,-2e3,true,null,"é\n","�😀�"],"a":{}}` {
		t.Errorf("written as %s", again)
	}
	for _, text := range []string{
		"", "{", "{} {}", `{"a": 1, "a": 2}`, `{"a": {"b": 1, "b": 1}}`, `"\ud800"`, `{"\ud800": 1}`, "\"\xff\"", "nul", "01",
		strings.Repeat("[", 34) + strings.Repeat("]", 34), `"\ud800�"`,
	} {
		if v, err := query.ReadJSON([]byte(text)); !errors.Is(err, query.ErrJSON) {
			t.Errorf("%q is read as %v, %v", text, v, err)
		}
	}
}

func TestReadJSONSaysWhy(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"a": 1`:                   "it is no JSON that can be read",
		`{} {}`:                     "it is no JSON that can be read",
		`{"a/~": 1, "a\u002f~": 1}`: `it is no JSON that can be read: the name "a/~" is there twice`,
		`["\ud800"]`:                "it is no JSON that can be read: a text is not Unicode",
		strings.Repeat("[", 34) + strings.Repeat("]", 34): "it is no JSON that can be read: it is nested too deep",
	} {
		if _, err := query.ReadJSON([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}
