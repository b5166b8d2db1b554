package graph

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"

	"usher/fault"
	"usher/principal"
)

// persistedExtension is the member of a request's extensions that names a text
// by its SHA-256: {"version": 1, "sha256Hash": "…"}. Clients know it as automatic
// persisted queries: they send the hash alone, and the text with it when they are
// told that nobody knows it.
const persistedExtension = "persistedQuery"

// Texts are kept by their hash up to a total of bytes, and none that is so long
// that a few of them would drive out all others.
const (
	persistedBytes = 8 << 20
	persistedText  = 32 << 10
	persistedEntry = 256 // what keeping one takes besides
)

// persistedKey is whose text it is. To know a hash is to know the text, but not
// that somebody has asked it: so one tenant's texts are not another's, and what
// is valid in one view is unknown in the others.
type persistedKey struct {
	view   uint64
	tenant string
	all    bool // of a principal of all tenants
	hash   [sha256.Size]byte
}

// persistedHash reads the extension. Without one, named is false.
func persistedHash(extensions map[string]any) (hash [sha256.Size]byte, named bool, err error) {
	extension := extensions[persistedExtension]
	if extension == nil {
		return hash, false, nil
	}
	object, _ := extension.(map[string]any)
	if version, _ := object["version"].(json.Number); version != "1" {
		return hash, false, fault.New(fault.BadUserInput, "the extension %s must be an object of version 1", persistedExtension)
	}
	text, _ := object["sha256Hash"].(string)
	if len(text) == 2*sha256.Size {
		_, err = hex.Decode(hash[:], []byte(text))
	}
	if err != nil || len(text) != 2*sha256.Size {
		return hash, false, fault.New(fault.BadUserInput, "the extension %s: sha256Hash must be a SHA-256 in hexadecimal digits", persistedExtension)
	}
	return hash, true, nil
}

// persisted is the text of a request that may name it by its hash, and the key
// to keep it under once it is known to be valid, or nil. The text is that of a
// request without the extension.
func (e *Engine) persisted(ctx context.Context, x *viewExecutor, params *graphql.RawParams, text string) (string, *persistedKey, error) {
	hash, named, err := persistedHash(params.Extensions)
	if !named || err != nil {
		return text, nil, err
	}
	if params.Extensions[savedExtension] != nil {
		return "", nil, fault.New(fault.BadUserInput, "the request names a persisted and a saved query: only one of them can be meant")
	}
	if text != "" && sha256.Sum256([]byte(text)) != hash {
		return "", nil, fault.New(fault.BadUserInput, "the extension %s: sha256Hash is not the SHA-256 of the query", persistedExtension).
			WithHint("Hash the text exactly as it is sent, in UTF-8.")
	}
	var key *persistedKey
	if !principal.IsAnonymous(ctx) {
		who, err := principal.From(ctx)
		if err != nil {
			return "", nil, err
		}
		key = &persistedKey{view: x.number, tenant: who.Tenant, all: who.AllTenants, hash: hash}
	}
	if text != "" {
		return text, key, nil
	}
	if key != nil {
		if kept, ok := e.texts.Get(*key); ok {
			return kept, nil, nil
		}
	}
	// Clients know it by this message.
	return "", nil, fault.New(fault.PersistedQueryNotFound, "PersistedQueryNotFound").
		WithHint("Send the query beside its hash once.")
}

// keep keeps a text that was found to be valid.
func (e *Engine) keep(key *persistedKey, text string) {
	if key != nil && len(text) <= persistedText {
		e.texts.Add(*key, text, len(text)+persistedEntry)
	}
}
