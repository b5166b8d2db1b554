package transport

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"usher/held"
)

const (
	// minEncoded is from how many bytes on an answer is compressed: what is
	// shorter fits one packet as it is.
	minEncoded = 1 << 10
	// encoderMemory is about what a compressor takes while it is at work.
	encoderMemory = 1 << 20
	// window is how far back zstd looks for what repeats. Rows repeat within a
	// few hundred bytes; a larger one costs memory for each request.
	window = 128 << 10
)

// encoders compress answers, the first of them rather than the others where a
// client leaves the choice. Both work at their fastest level, which makes rows six
// to seven times shorter; gzip's level 5 takes three times as long for a tenth more.
type encoders []*encoding

// encoding is a content coding, and its compressors that nobody uses.
type encoding struct {
	name string
	idle sync.Pool // of compressor
}

type compressor interface {
	io.WriteCloser
	Reset(to io.Writer)
}

func newEncoders() encoders {
	return encoders{
		{name: "zstd", idle: sync.Pool{New: func() any {
			w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
				zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true))
			if err != nil {
				panic("transport: " + err.Error()) // the options are constants
			}
			return compressor(w)
		}}},
		{name: "gzip", idle: sync.Pool{New: func() any {
			w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
			if err != nil {
				panic("transport: " + err.Error())
			}
			return compressor(w)
		}}},
	}
}

// choose returns the coding that the Accept-Encoding headers prefer, or nil for
// none. Without such a header there is none: it would allow any, but so say
// clients that know nothing of codings.
func (e encoders) choose(accept []string) *encoding {
	if len(accept) == 0 {
		return nil
	}
	plain, plainNamed := 0.0, false
	rest := 0.0
	named := make([]float64, len(e))
	for i := range named {
		named[i] = -1
	}
	for _, header := range accept {
		for element := range strings.SplitSeq(header, ",") {
			name, quality, ok := parseCoding(element)
			switch {
			case !ok:
				continue
			case name == "*":
				rest = quality
			case name == "identity":
				plain, plainNamed = quality, true
			}
			for i, coding := range e {
				if name == coding.name || name == "x-"+coding.name {
					named[i] = quality
				}
			}
		}
	}
	var best *encoding
	most := 0.0
	for i, coding := range e {
		quality := named[i]
		if quality < 0 {
			quality = rest
		}
		if quality > most {
			best, most = coding, quality
		}
	}
	if plainNamed && plain > most {
		return nil
	}
	return best
}

// parseCoding reads one element of an Accept-Encoding header, such as
// gzip;q=0.5.
func parseCoding(element string) (name string, quality float64, ok bool) {
	name, parameters, weighted := strings.Cut(element, ";")
	name = strings.ToLower(strings.TrimSpace(name))
	if !weighted {
		return name, 1, name != ""
	}
	key, value, _ := strings.Cut(parameters, "=")
	quality, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	return name, quality, err == nil && quality >= 0 && quality <= 1 && strings.EqualFold(strings.TrimSpace(key), "q")
}

// begin readies an answer of so many bytes to be compressed: w gets its header.
// It returns nil where it is sent as it is, because it is short, because nobody
// wants it otherwise, or because there is no memory for a compressor.
func (e encoders) begin(w http.ResponseWriter, r *http.Request, share *held.Share, length int) *encoded {
	if length < minEncoded {
		return nil
	}
	coding := e.choose(r.Header["Accept-Encoding"])
	if coding == nil || share.Take(encoderMemory) != nil {
		return nil
	}
	w.Header().Set("Content-Encoding", coding.name)
	out := &encoded{compressor: coding.idle.Get().(compressor), of: coding, share: share}
	out.Reset(w)
	return out
}

// encoded is an answer that is being compressed.
type encoded struct {
	compressor
	of    *encoding
	share *held.Share
}

// end writes what is left and puts the compressor back, without what it wrote
// to. When a write fails the client has left, and the compressor is not used again:
// HTTP/2 gives up on a stream that was reset while its bytes may still be on their way, and
// whoever compresses next would write over them.
func (e *encoded) end() {
	if e.Close() == nil {
		e.Reset(nil)
		e.of.idle.Put(e.compressor)
	}
	e.share.Give(encoderMemory)
}
