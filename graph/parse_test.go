package graph_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"usher/answer"
	"usher/graph"
	"usher/query"
)

// region is what a document asks of regions, as the resolver is given it.
func region(_ context.Context, r query.Request) (graph.Outcome, error) {
	where, _ := r.Field.Args.Get("where")
	object, _ := where.(query.Object)
	comparison, _ := object.Get("region")
	operand, _ := comparison.(query.Object)
	text, ok := operand.Get("eq")
	if !ok {
		return graph.Outcome{}, errors.New("no region")
	}
	return graph.Outcome{Answer: answer.Of(query.AppendJSON(nil, text))}, nil
}

func TestEscapes(t *testing.T) {
	t.Parallel()
	s := serve(t, shop(t, nil), region, graph.Options{})
	for literal, want := range map[string]string{
		`"plain"`:                "plain",
		`"\u00e9 \u20AC"`:        "é €",
		`"\uD83D\uDE00"`:         "😀",
		`"a\ud83d\ude00b"`:       "a😀b",
		`"\u{1F600}"`:            "😀",
		`"\u{0000001f600}"`:      "😀",
		`"\u{e9}\u{20ac}"`:       "é€",
		`"\u{2F}\u0041\u{41}"`:   "/AA",
		`"\uFFFD"`:               "\uFFFD",
		`"\uFEFFa"`:              "\uFEFFa",
		`"😀"`:                    "😀",
		`"\\uD800"`:              `\uD800`,
		`"\\\uD83D\uDE00"`:       `\😀`,
		`"""\uD800 \u{zz}"""`:    `\uD800 \u{zz}`,
		`"""a\"""\uD800""""`:     `a"""\uD800"`,
		`"" # " \uD800`:          "",
		`"#\u{41}"`:              "#A",
		`"""#""", gte: "\u{41}"`: "#",
	} {
		got := s.ask(t, tenant(), "{ orders(where: {region: {eq: "+literal+"\n}}) { id } }")
		var answer struct{ Data struct{ Orders string } }
		if err := json.Unmarshal([]byte(got), &answer); err != nil || answer.Data.Orders != want || strings.Contains(got, "errors") {
			t.Errorf("%s is %s, want %q", literal, got, want)
		}
	}
	for _, literal := range []string{
		`"\uD800"`, `"\uDC00"`, `"\uD83Dx"`, `"\uD83D\u0041"`, `"\uDE00\uD83D"`, `"\uD83D\uD83D\uDE00"`, `"\uD83D\u{DE00}"`,
		`"\u{D800}"`, `"\u{110000}"`, `"\u{}"`, `"\u{zz}"`, `"\u{+41}"`, `"\u{41"`, `"\u{FFFFFFFFFFFFFFFFFF41}"`, `"\u{1_F}"`,
		`"\u12"`, `"\u+041"`, `"\uD83D`, `"\`, `"\u`, "\"\xff\"", "\"\x00\"", "\"\xed\xa0\x80\"",
	} {
		got := s.ask(t, tenant(), "{ orders(where: {region: {eq: "+literal+"\n}}) { id } }")
		if !strings.Contains(got, `"code":"GRAPHQL_PARSE_FAILED"`) {
			t.Errorf("%s: %s", literal, got)
		}
	}
	check(t, s.ask(t, tenant(), "{\r\n a: orders(where: {region: {eq: \"é\\uD800\"}}) { id } }"),
		`{"errors":[{"message":"Invalid Unicode escape sequence: it is no character.","locations":[{"line":2,"column":35}],"extensions":{"code":"GRAPHQL_PARSE_FAILED","requestId":"r-1"}}]}`)
	check(t, s.ask(t, tenant(), "\uFEFF{ orders(where: {region: {eq: \"a\"}}) { id } }"), `{"data":{"orders":"a"}}`)
}

func FuzzEscapes(f *testing.F) {
	for _, text := range []string{`{a(b:"\u{41}")}`, `{a(b:"\uD83D\uDE00")}`, `{a(b:"""\"""\u{""")} # "`, `"\u`, `"\u{`, `#`} {
		f.Add(text)
	}
	s := serve(f, shop(f, nil), empty, graph.Options{})
	f.Fuzz(func(t *testing.T, text string) {
		if _, _, errs := s.create(tenant(), text, ""); errs == nil && strings.ContainsRune(text, 0) {
			t.Errorf("%q is a document", text)
		}
	})
}
