package auth

import (
	"encoding/base64"
	"fmt"
	"strings"

	"usher/query"
)

// maxToken is how long a token may be, in bytes.
const maxToken = 8 << 10

// token is a JWT taken apart; nothing of it is believed yet.
type token struct {
	header    query.Object
	claims    query.Object
	signed    string // header and claims as they were signed
	signature []byte
}

func checkSize(raw string) error {
	if len(raw) > maxToken {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrSize, len(raw), maxToken)
	}
	return nil
}

func parse(raw string) (token, error) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return token{}, fmt.Errorf("%w: %d parts", ErrForm, len(parts))
	}
	header, err := decodeObject(parts[0])
	if err != nil {
		return token{}, fmt.Errorf("header: %w", err)
	}
	claims, err := decodeObject(parts[1])
	if err != nil {
		return token{}, fmt.Errorf("claims: %w", err)
	}
	signature, err := decodePart(parts[2])
	if err != nil {
		return token{}, fmt.Errorf("signature: %w", err)
	}
	return token{
		header:    header,
		claims:    claims,
		signed:    raw[:len(parts[0])+1+len(parts[1])],
		signature: signature,
	}, nil
}

// decodePart is stricter than the decoder, which skips line ends.
func decodePart(part string) ([]byte, error) {
	if strings.ContainsAny(part, "\r\n") {
		return nil, ErrForm
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	return text, nil
}

func decodeObject(part string) (query.Object, error) {
	text, err := decodePart(part)
	if err != nil {
		return nil, err
	}
	v, err := parseJSON(text)
	if err != nil {
		return nil, err
	}
	object, ok := v.(query.Object)
	if !ok {
		return nil, fmt.Errorf("%w: not an object", ErrJSON)
	}
	return object, nil
}
