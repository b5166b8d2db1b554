package quota

import "io"

// Reading counts the bytes that are read.
func (a *Account) Reading(r io.Reader) io.Reader {
	if a == nil {
		return r
	}
	return reader{r, a}
}

type reader struct {
	io.Reader
	account *Account
}

// Read implements io.Reader.
func (r reader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.account.Spend(0, 0, n)
	return n, err
}
