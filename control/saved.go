package control

import (
	"bytes"
	"context"
	"encoding/json"

	"usher/fault"
	"usher/graph"
	"usher/principal"
	"usher/tenancy"
)

// SavedOperations finds operations that are kept in the store.
func SavedOperations(store *tenancy.Store) func(context.Context, principal.Principal, graph.SavedName) (string, map[string]any, error) {
	return func(ctx context.Context, who principal.Principal, name graph.SavedName) (string, map[string]any, error) {
		find, which := store.SavedQuery, name.Name
		if name.ID != "" {
			find, which = store.SavedQueryByID, name.ID
		}
		found, err := find(ctx, who, which)
		if err != nil || len(found.Variables) == 0 {
			return found.Document, nil, err
		}
		var variables map[string]any
		d := json.NewDecoder(bytes.NewReader(found.Variables))
		d.UseNumber()
		if err := d.Decode(&variables); err != nil {
			return "", nil, fault.New(fault.Internal, "the variables of a saved query cannot be read").Because(err)
		}
		return found.Document, variables, nil
	}
}
