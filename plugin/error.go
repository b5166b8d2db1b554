package plugin

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// Error is a failure that the caller is told, with an HTTP status of 400 or
// more.
type Error struct {
	Code    int
	Message string
}

// Errorf makes an Error.
func Errorf(code int, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string { return e.Message }

// status is the code, or 500 where it is none of a failure.
func (e *Error) status() int {
	if e.Code < 400 || e.Code > 599 {
		return http.StatusInternalServerError
	}
	return e.Code
}

// write answers with the error.
func (e *Error) write(w http.ResponseWriter) {
	var body struct {
		Type struct {
			Code        int    `json:"code"`
			Description string `json:"description"`
		} `json:"type"`
		Message string `json:"message"`
	}
	body.Type.Code, body.Type.Description, body.Message = e.status(), http.StatusText(e.status()), e.Message
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.status())
	_ = json.NewEncoder(w).Encode(body) // a caller that left is told nothing
}
