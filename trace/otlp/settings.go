package otlp

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// settings are what the environment says that OpenTelemetry's packages leave to whoever
// uses them. They read the rest of it themselves.
type settings struct {
	on    bool
	grpc  bool
	joins bool // requests bring traces
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
	return s, nil
}
