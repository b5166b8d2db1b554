package demo

import (
	"bytes"
	_ "embed"
	"text/template"
)

//go:embed usher.yml.tmpl
var configText string

// Config is the text of the usher.yml that serves the data: three strategies
// and a fourth, where the API is told the tenant. It belongs into d.Dir, since
// its paths start there; upstreamURL is where the API is.
func Config(d *Data, upstreamURL string) []byte {
	var out bytes.Buffer
	t := template.Must(template.New("usher.yml").Parse(configText))
	if err := t.Execute(&out, struct{ Upstream string }{upstreamURL}); err != nil {
		panic("demo: the configuration's template is broken: " + err.Error())
	}
	return out.Bytes()
}
