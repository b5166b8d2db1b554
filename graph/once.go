package graph

import (
	"encoding/json"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"usher/fault"
)

// idempotencyExtension is the member of a request's extensions with the key of a mutation
// that is made once, however often it is sent.
const idempotencyExtension = "idempotencyKey"

// maxIdempotencyKey bounds a key, in bytes.
const maxIdempotencyKey = 255

// idempotencyKey is the key of a request, or empty.
func idempotencyKey(extensions map[string]any) (string, error) {
	given, named := extensions[idempotencyExtension]
	if !named {
		return "", nil
	}
	key, _ := given.(string)
	return key, GoodKey(key)
}

// GoodKey refuses what is no idempotency key.
func GoodKey(key string) error {
	if key == "" || len(key) > maxIdempotencyKey || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fault.New(fault.BadUserInput, "an idempotency key has 1 to %d visible characters of ASCII", maxIdempotencyKey).WithHint("A random UUID is one.")
	}
	return nil
}

// told is all that a mutation says: its text, which operation of it, the values it was
// given, and how it wants numbers.
func (x *executable) told(op *graphql.OperationContext) string {
	k := x.key(op)
	text, err := json.Marshal([]any{op.RawQuery, op.OperationName, op.Operation.Name, k.variables, k.numbers})
	if err != nil {
		panic(err) // of texts and a number there is always JSON
	}
	return string(text)
}
