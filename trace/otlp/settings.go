package otlp

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"usher/textfile"
)

// settings are what the environment says that OpenTelemetry's packages leave to whoever
// uses them. They read the rest of it themselves.
type settings struct {
	on    bool
	grpc  bool
	joins bool // requests bring traces
}

// Check tells what is wrong with the environment variables that Open reads.
func Check(env func(string) (string, bool)) error {
	_, err := read(env)
	return err
}

// read reads them. What nobody would notice otherwise is an error: OpenTelemetry goes on with a
// default in its place.
func read(env func(string) (string, bool)) (settings, error) {
	get := func(names ...string) (name, text string) {
		for _, name := range names {
			if text, _ := env(name); strings.TrimSpace(text) != "" { // empty is not set
				return name, strings.ToLower(strings.TrimSpace(text))
			}
		}
		return names[0], ""
	}
	var s settings
	_, disabled := get("OTEL_SDK_DISABLED")
	name, exporter := get("OTEL_TRACES_EXPORTER")
	if exporter != "" && exporter != "otlp" && exporter != "none" {
		return s, fmt.Errorf("%s is %q: traces are sent by otlp, or with none not at all", name, exporter)
	}
	where, endpoint := get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
	if disabled == "true" || exporter == "none" || exporter == "" && endpoint == "" {
		return s, nil
	}
	if u, err := url.Parse(endpoint); endpoint != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "") {
		return s, fmt.Errorf("%s is %q: it is an address such as http://collector:4318", where, endpoint)
	}
	s.on = true
	switch name, protocol := get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"); protocol {
	case "grpc":
		s.grpc = true
	case "", "http/protobuf":
	default:
		return s, fmt.Errorf("%s is %q: it is grpc or http/protobuf", name, protocol)
	}
	name, propagators := get("OTEL_PROPAGATORS")
	for _, p := range strings.Split(propagators, ",") {
		switch strings.TrimSpace(p) {
		case "tracecontext", "":
			s.joins = s.joins || p != "" || propagators == ""
		case "baggage", "none": // baggage goes nowhere
		default:
			return s, fmt.Errorf("%s has %q: traces come and go as tracecontext, or with none not at all", name, p)
		}
	}
	name, sampler := get("OTEL_TRACES_SAMPLER")
	if !slices.Contains([]string{"", "always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"}, sampler) {
		return s, fmt.Errorf("%s is %q: it is always_on, always_off or traceidratio, or one of these after parentbased_", name, sampler)
	}
	if name, ratio := get("OTEL_TRACES_SAMPLER_ARG"); strings.HasSuffix(sampler, "traceidratio") && ratio != "" {
		if n, err := strconv.ParseFloat(ratio, 64); err != nil || !(n >= 0 && n <= 1) {
			return s, fmt.Errorf("%s is %q: it is the part of the requests that are traced, from 0 to 1", name, ratio)
		}
	}
	return s, unread(env)
}

// unread tells what of the exporter's own variables it would leave out, which it writes to the process's output as it stands:
// headers may be secret. It reads those of traces and those of all signals.
func unread(env func(string) (string, bool)) error {
	for _, prefix := range []string{"OTEL_EXPORTER_OTLP_", "OTEL_EXPORTER_OTLP_TRACES_"} {
		get := func(key string) (string, bool) {
			text, _ := env(prefix + key)
			text = strings.TrimSpace(text)
			return text, text != ""
		}
		if text, ok := get("HEADERS"); ok && !headers(text) {
			return fmt.Errorf("%sHEADERS is no list of name=value with commas between them, in which blanks and other characters of a value are escaped as in addresses, such as Authorization=Bearer%%20xyz", prefix)
		}
		if text, ok := get("TIMEOUT"); ok {
			if n, err := strconv.Atoi(text); err != nil || n <= 0 {
				return fmt.Errorf("%sTIMEOUT is %q: it is a number of milliseconds", prefix, text)
			}
		}
		if text, ok := get("COMPRESSION"); ok && text != "gzip" && text != "none" {
			return fmt.Errorf("%sCOMPRESSION is %q: it is gzip or none", prefix, text)
		}
		if err := certificates(prefix, get); err != nil {
			return err
		}
	}
	return nil
}

// headers tells whether a text is read without anything being left out.
func headers(text string) bool {
	for _, pair := range strings.Split(text, ",") {
		name, value, ok := strings.Cut(pair, "=")
		if _, err := url.PathUnescape(value); !ok || err != nil || !headerName.MatchString(strings.TrimSpace(name)) {
			return false
		}
	}
	return true
}

var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// certificates tells which files of certificates and keys cannot be used.
func certificates(prefix string, get func(string) (string, bool)) error {
	// The exporters read the files themselves, once more, and would wait for whoever writes to a pipe.
	for _, name := range []string{"CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"} {
		file, ok := get(name)
		if info, err := os.Stat(file); ok && err == nil && !info.Mode().IsRegular() {
			return fmt.Errorf("%s%s: %s is no regular file, and it is read twice", prefix, name, file)
		}
	}
	if file, ok := get("CERTIFICATE"); ok {
		text, err := textfile.Read(file, textfile.Most)
		if err == nil && !x509.NewCertPool().AppendCertsFromPEM(text) {
			err = fmt.Errorf("%s holds no certificate in PEM", file)
		}
		if err != nil {
			return fmt.Errorf("%sCERTIFICATE: %w", prefix, err)
		}
	}
	cert, shown := get("CLIENT_CERTIFICATE")
	key, signed := get("CLIENT_KEY")
	if shown != signed {
		return fmt.Errorf("%sCLIENT_CERTIFICATE and %[1]sCLIENT_KEY are named together", prefix)
	}
	if shown {
		if _, err := textfile.KeyPair(cert, key); err != nil {
			return fmt.Errorf("%sCLIENT_CERTIFICATE: %w", prefix, err)
		}
	}
	return nil
}
