package postgres

import (
	"context"

	"usher/trace"
)

// told is a statement that says which trace it is of, if that is sampled and the source
// wants to know. The text is another one each time, so it is prepared without a name: it takes
// nobody's place among the statements that a connection keeps, and needs no name behind poolers.
// Statements of savepoints are known by how they begin.
func (c *conn) told(ctx context.Context, text string) string {
	if !c.traces || ofSavepoint(text) {
		return text
	}
	return trace.Comment(ctx) + text
}
