package auth

import (
	"time"

	"usher/lru"
	"usher/principal"
)

// maxCached is how many verified tokens are remembered.
const maxCached = 4096

// verification is what was found out about a token, and with which key. It
// holds until the token expires and while the issuer still has that very key.
// Requests that show the token share it: it is read-only.
type verification struct {
	issuer     *issuer
	kid, alg   string
	key        any
	principal  principal.Principal // without what the registry says of its tenant
	externalID string              // what the issuer calls its tenant, if not by its id
	until      time.Time
}

// newCache remembers verified tokens by their SHA-256. Only tokens of trusted
// issuers get in, so strangers cannot push others out.
func newCache() *lru.Cache[[32]byte, *verification] {
	return lru.New[[32]byte, *verification](maxCached)
}
