package tenancy

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"strings"

	"usher/principal"
)

// Kind is a kind of opaque token, as it stands in its text.
type Kind = principal.Kind

// The kinds.
const (
	EmbedToken = principal.EmbedToken
	ServiceKey = principal.ServiceKey
	Session    = principal.Session
)

// Prefix begins the text of every token the store makes.
const Prefix = "usher_"

// alphabet leaves out the letters that are mistaken for others.
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

var encoding = base32.NewEncoding(alphabet).WithPadding(base32.NoPadding)

func spell(b []byte) string { return encoding.EncodeToString(b) }

const (
	idLength     = 16 // of 80 bits
	secretLength = 26 // of 128 bits
)

// opaque is the text of a token, taken apart.
type opaque struct {
	kind       Kind
	id, secret string
}

func newOpaque(kind Kind) opaque {
	return opaque{kind: kind, id: newID(), secret: spell(randomBytes(16))}
}

func (o opaque) text() string { return Prefix + string(o.kind) + "_" + o.id + "_" + o.secret }

// hash is what is stored of the secret. It needs no salt: the secret is random.
func (o opaque) hash() string {
	sum := sha256.Sum256([]byte(o.secret))
	return hex.EncodeToString(sum[:])
}

func (o opaque) matches(hash string) bool {
	return subtle.ConstantTimeCompare([]byte(o.hash()), []byte(hash)) == 1
}

// parseOpaque takes exactly the form that text writes.
func parseOpaque(raw string) (opaque, bool) {
	rest, ok := strings.CutPrefix(raw, Prefix)
	if !ok || len(rest) != 2+1+idLength+1+secretLength || rest[2] != '_' || rest[3+idLength] != '_' {
		return opaque{}, false
	}
	o := opaque{kind: Kind(rest[:2]), id: rest[3 : 3+idLength], secret: rest[4+idLength:]}
	if o.kind != EmbedToken && o.kind != ServiceKey && o.kind != Session {
		return opaque{}, false
	}
	return o, strings.Trim(o.id+o.secret, alphabet) == ""
}
