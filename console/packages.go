package console

import "net/http"

// Packages serves the elements and the client as npm packages, for applications
// with a bundler: `npm install https://usher.example/packages/client.tgz`. No registry
// has them, so each holds what it has of the others.
func Packages() http.Handler {
	mux := http.NewServeMux()
	for name, a := range assets("dist/packages") {
		mux.Handle("GET /packages/"+name, a)
	}
	return foreign(mux)
}
