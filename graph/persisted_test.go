package graph_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"usher/graph"
	"usher/principal"
)

// byHash is a request for a text by its hash; the text itself is beside it or
// not.
func byHash(named, beside string) *graphql.RawParams {
	sum := sha256.Sum256([]byte(named))
	return &graphql.RawParams{Query: beside, Extensions: map[string]any{
		"persistedQuery": map[string]any{"version": json.Number("1"), "sha256Hash": hex.EncodeToString(sum[:])},
	}}
}

const unknownHash = "PERSISTED_QUERY_NOT_FOUND: PersistedQueryNotFound"

func TestPersistedQueries(t *testing.T) {
	t.Parallel()
	s := serve(t, shop(t, clerks()), empty, graph.Options{
		Saved: func(context.Context, principal.Principal, graph.SavedName) (string, map[string]any, error) {
			return `{ viewer { tenant } }`, nil, nil
		},
	})
	ann := principal.With(context.Background(), tenant("all"))
	ask := func(ctx context.Context, params *graphql.RawParams) string { return answerOf(ctx, s.Engine, params) }
	const text = `{ viewer { subject } }`
	const answered = `{"viewer":{"subject":"ann"}}`
	is := func(what, got, want string) {
		t.Helper()
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	is("before", ask(ann, byHash(text, "")), unknownHash)
	is("with the text", ask(ann, byHash(text, text)), answered)
	is("by the hash", ask(ann, byHash(text, "")), answered)
	is("in capitals", ask(ann, func() *graphql.RawParams {
		params := byHash(text, "")
		object := params.Extensions["persistedQuery"].(map[string]any)
		object["sha256Hash"] = strings.ToUpper(object["sha256Hash"].(string))
		return params
	}()), answered)

	// Whose text it is.
	other := tenant("all")
	other.Tenant, other.TenantKey = "bolt", "bolt"
	everybody := tenant("all")
	everybody.Tenant, everybody.TenantKey, everybody.AllTenants = "", "", true
	for name, who := range map[string]principal.Principal{"another tenant": other, "another view": tenant("clerk"), "all tenants": everybody} {
		is(name, ask(principal.With(context.Background(), who), byHash(text, "")), unknownHash)
	}

	// What is not valid is not kept, and what is another text is refused.
	is("invalid", ask(ann, byHash(`{ nothing }`, `{ nothing }`)), "GRAPHQL_VALIDATION_FAILED")
	is("invalid, by the hash", ask(ann, byHash(`{ nothing }`, "")), unknownHash)
	is("another text", ask(ann, byHash(text, `{ viewer { tenant } }`)), "is not the SHA-256 of the query")
	is("another text, by the hash", ask(ann, byHash(`{ viewer { tenant } }`, "")), unknownHash)
	is("by the hash, still", ask(ann, byHash(text, "")), answered)

	// Malformed ones.
	for _, extension := range []any{
		true, "x",
		[]any{},
		map[string]any{},
		map[string]any{"version": json.Number("1")},
		map[string]any{"version": json.Number("2"), "sha256Hash": strings.Repeat("0", 64)},
		map[string]any{"version": "1", "sha256Hash": strings.Repeat("0", 64)},
		map[string]any{"version": json.Number("1"), "sha256Hash": strings.Repeat("0", 63)},
		map[string]any{"version": json.Number("1"), "sha256Hash": strings.Repeat("0", 66)},
		map[string]any{"version": json.Number("1"), "sha256Hash": strings.Repeat("x", 64)},
		map[string]any{"version": json.Number("1"), "sha256Hash": nil},
	} {
		for _, beside := range []string{"", text} {
			is(fmt.Sprint(extension), ask(ann, &graphql.RawParams{Query: beside, Extensions: map[string]any{"persistedQuery": extension}}), "BAD_USER_INPUT")
		}
	}
	is("null", ask(ann, &graphql.RawParams{Query: text, Extensions: map[string]any{"persistedQuery": nil}}), answered)
	both := byHash(text, "")
	both.Extensions["savedQuery"] = map[string]any{"name": "x"}
	is("saved as well", ask(ann, both), "BAD_USER_INPUT")

	// A token for saved queries gets nothing else, by whatever name.
	saved := tenant("all")
	saved.Grant.SavedOnly = true
	is("saved queries only", ask(principal.With(context.Background(), saved), byHash(text, "")), "FORBIDDEN")
	is("saved queries only, with the text", ask(principal.With(context.Background(), saved), byHash(text, text)), "FORBIDDEN")
}

// Whoever has no token has nothing kept, and learns of nothing that is.
func TestPersistedQueriesOfTheAnonymous(t *testing.T) {
	t.Parallel()
	engine, _ := administered(t, graph.Options{})
	nobody := principal.WithAnonymous(context.Background())
	const text = `mutation { login(username: "ann", password: "right") { token } }`
	for range 2 {
		if got := answerOf(nobody, engine, byHash(text, "")); !strings.Contains(got, unknownHash) {
			t.Errorf("by the hash: %s", got)
		}
		if got := answerOf(nobody, engine, byHash(text, text)); !strings.Contains(got, `"token"`) {
			t.Errorf("with the text: %s", got)
		}
	}
	if got := answerOf(nobody, engine, byHash(`{ viewer { subject } }`, `{ viewer { subject } }`)); !strings.Contains(got, "UNAUTHENTICATED") {
		t.Errorf("what is not for the anonymous: %s", got)
	}
}

// However many texts there are, no more than a bound is kept, and what is asked
// in between stays.
func TestPersistedQueriesAreBounded(t *testing.T) {
	t.Parallel()
	s := serve(t, shop(t, clerks()), empty, graph.Options{})
	ann := principal.With(context.Background(), tenant("all"))
	known := func(text string) bool {
		return !strings.Contains(answerOf(ann, s.Engine, byHash(text, "")), unknownHash)
	}
	const used, long = `{ viewer { subject } }`, 30 << 10
	answerOf(ann, s.Engine, byHash(used, used))
	first := ""
	for i := range 300 {
		text := fmt.Sprintf("{ viewer { subject } } # %d %s", i, strings.Repeat("x", long))
		if i == 0 {
			first = text
		}
		answerOf(ann, s.Engine, byHash(text, text))
		if !known(text) || !known(used) {
			t.Fatalf("after %d texts the last one or the one in use is forgotten", i)
		}
	}
	if known(first) {
		t.Error("300 texts of 30 KiB are kept")
	}
	tooLong := used + " #" + strings.Repeat("x", 33<<10)
	if got := answerOf(ann, s.Engine, byHash(tooLong, tooLong)); !strings.Contains(got, `"ann"`) || known(tooLong) {
		t.Errorf("a long text: kept %t, %s", known(tooLong), got)
	}
}
