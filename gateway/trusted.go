package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"

	"usher/config"
	"usher/graph"
	"usher/graph/documents"
	"usher/lru"
)

// toldBytes is of which total size the texts may be that the log has told of.
const toldBytes = 1 << 20

// trust reads the trusted documents, and says what becomes of others.
func trust(spec *config.Documents, log *slog.Logger, answering *graph.Options) (err error) {
	if spec == nil {
		return nil
	}
	if answering.Documents, err = documents.Load(spec.Files(), string(spec.Dir)); err != nil {
		return err
	}
	switch spec.Mode {
	case config.DocumentsOnly:
		answering.Trusting = graph.TrustOnly
	case config.DocumentsLog:
		answering.Trusting = graph.TrustTold
		told := lru.New[[sha256.Size]byte, struct{}](toldBytes)
		answering.Untrusted = func(ctx context.Context, operation, text string) {
			hash := sha256.Sum256([]byte(text))
			if _, known := told.Get(hash); known {
				return
			}
			told.Add(hash, struct{}{}, 2*sha256.Size)
			log.WarnContext(ctx, "an operation is not among the trusted documents", "operation", operation, "sha256", hex.EncodeToString(hash[:]))
		}
	}
	log.Info("trusted documents are known", "documents", answering.Documents.Len(), "mode", spec.Mode)
	return nil
}
