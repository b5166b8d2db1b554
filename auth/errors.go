package auth

import "errors"

// Why a token was refused, for the log; errors.Is finds them in what Verify
// and Authenticate return. The caller is never told which one it was.
var (
	ErrHeader         = errors.New("there must be exactly one Authorization header with one bearer token")
	ErrSize           = errors.New("the token is too long")
	ErrForm           = errors.New("the token is not three base64url parts")
	ErrJSON           = errors.New("header or claims are not a strict JSON object")
	ErrDuplicateClaim = errors.New("a name occurs twice in an object")
	ErrClaimCase      = errors.New("a name differs from a known one only in case")
	ErrCritical       = errors.New("the header demands an extension")
	ErrEmbeddedKey    = errors.New("the header brings or names its own key")
	ErrType           = errors.New("the token is of another type")
	ErrIssuer         = errors.New("the issuer is not trusted")
	ErrAlgorithm      = errors.New("the algorithm is not allowed for the issuer")
	ErrKey            = errors.New("the issuer has not exactly one such key")
	ErrSignature      = errors.New("the signature is wrong")
	ErrAudience       = errors.New("the token is for another audience")
	ErrNoExpiry       = errors.New("the token does not say when it expires")
	ErrExpired        = errors.New("the token has expired")
	ErrLifetime       = errors.New("the token lives longer than the issuer may let it")
	ErrNotBefore      = errors.New("the token is not valid yet")
	ErrIssuedAt       = errors.New("the token was issued in the future")
	ErrTenant         = errors.New("the token does not name exactly one tenant")
	ErrNotRegistered  = errors.New("the tenant is not registered")        // what Options.Tenants returns
	ErrSuspended      = errors.New("the tenant may not ask")              // likewise
	ErrForeignKey     = errors.New("the id is the key of another tenant") // likewise
	ErrRevoked        = errors.New("the token is revoked")
	ErrClaim          = errors.New("a claim cannot be used")
	ErrGrant          = errors.New("the issuer may not grant this")
)
