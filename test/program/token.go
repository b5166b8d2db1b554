package program

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"usher/auth"
)

// Sign makes a token of claims, with those that every token needs. Times are
// relative to now, and "$secret" is another secret to sign with.
func Sign(tb testing.TB, text string) string {
	tb.Helper()
	claims := map[string]any{"iss": "tests", "aud": "usher", "sub": "ann", "iat": "0s", "exp": "1h"}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&claims); err != nil {
		tb.Fatalf("the claims %q: %v", text, err)
	}
	for _, name := range []string{"iat", "nbf", "exp"} {
		if relative, ok := claims[name].(string); ok {
			span, err := time.ParseDuration(relative)
			if err != nil {
				tb.Fatal(err)
			}
			claims[name] = time.Now().Add(span).Unix()
		} else if claims[name] == nil {
			delete(claims, name)
		}
	}
	key := Secret
	if other, ok := claims["$secret"].(string); ok {
		key = other
		delete(claims, "$secret")
	}
	signed, err := auth.SignHS256([]byte(key), claims)
	if err != nil {
		tb.Fatal(err)
	}
	return signed
}
