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
		if err != nil {
			return "", nil, err
		}
		variables, err := keptWith(found)
		return found.Document, variables, err
	}
}

// keptWith are the values that are kept with a query.
func keptWith(q tenancy.SavedQuery) (variables map[string]any, err error) {
	if len(q.Variables) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(q.Variables))
	d.UseNumber()
	if err := d.Decode(&variables); err != nil {
		return nil, fault.New(fault.Internal, "the variables of a saved query cannot be read").Because(err)
	}
	return variables, nil
}

// Operations judges saved queries in the views of the engine that answers now.
func Operations(current func() *graph.Engine) tenancy.Operations { return operations{current} }

type operations struct{ engine func() *graph.Engine }

func (o operations) CheckWritten(writer principal.Principal, document string, closed bool) error {
	if knowsAll(writer) {
		return o.engine().CheckSavedWhole(document)
	}
	return o.engine().CheckSaved(writer, document, closed)
}

func (o operations) Shows(viewer principal.Principal, q tenancy.SavedQuery) bool {
	kept, err := keptWith(q)
	return knowsAll(viewer) || err == nil && o.engine().ShowsSaved(viewer, q.Document, kept)
}

func (o operations) Hides(viewer principal.Principal, q tenancy.SavedQuery) bool {
	kept, err := keptWith(q)
	return !knowsAll(viewer) && (err != nil || o.engine().HidesSaved(viewer, q.Document, kept))
}
