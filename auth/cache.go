package auth

import (
	"sync"
	"time"

	"usher/principal"
)

// maxCached is how many verified tokens are remembered.
const maxCached = 4096

// verification is what was found out about a token, and with which key. It
// holds until the token expires and while the issuer still has that very key.
type verification struct {
	issuer    *issuer
	kid, alg  string
	key       any
	principal principal.Principal // without what the registry says of its tenant
	until     time.Time
}

// cache remembers verified tokens by their SHA-256. Only tokens of trusted
// issuers get in, so strangers cannot push others out.
type cache struct {
	mu      sync.RWMutex
	entries map[[32]byte]verification
}

func newCache() *cache { return &cache{entries: map[[32]byte]verification{}} }

func (c *cache) get(digest [32]byte) (verification, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	v, ok := c.entries[digest]
	return v, ok
}

func (c *cache) remove(digest [32]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, digest)
}

// put makes room, when there is none, by dropping what has expired among a few
// entries, or else one of them.
func (c *cache) put(digest [32]byte, v verification, now time.Time) {
	const looked = 8
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= maxCached {
		n := 0
		for d, old := range c.entries {
			n++
			if n == 1 || !now.Before(old.until) {
				delete(c.entries, d)
			}
			if n == looked {
				break
			}
		}
	}
	c.entries[digest] = v
}
