package auth

import (
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

func BenchmarkVerify(b *testing.B) {
	d := shopDraft()
	written(`"filters":` + filtersText)(d)
	f := func(name string, v *Verifier, token string, cached bool) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !cached {
					v.cache.Remove(func([32]byte, *verification) bool { return true })
				}
				if _, err := v.Verify(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	f("HS256/cold", verifier(b, Options{}, shop()), d.sign(), false)
	f("HS256/cached", verifier(b, Options{}, shop()), d.sign(), true)

	k := private()
	s := serveKeys(b, body(setOf(jwk("a", k.rsa, nil), jwk("b", k.otherRSA, nil))))
	token := keyed("b", jwt.SigningMethodRS256, k.otherRSA)
	f("RS256/cold", remoteVerifier(b, s, fixedClock, standardFetching()), token, false)
	f("RS256/cached", remoteVerifier(b, s, fixedClock, standardFetching()), token, true)
}
