package auth

import (
	"fmt"

	"github.com/golang-jwt/jwt/v5"
)

// SignHS256 signs claims with a secret. usher signs no tokens for production:
// this is for the demo, which is its own issuer, and for tests.
func SignHS256(secret []byte, claims map[string]any) (string, error) {
	if err := checkSecret(string(secret)); err != nil {
		return "", err
	}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims(claims)).SignedString(secret)
	if err != nil {
		return "", fmt.Errorf("sign the claims: %w", err)
	}
	return signed, nil
}
