package postgres

// planMode is for whom the server plans prepared statements. Its own way is to plan
// for the arguments of the first five runs, and then for any if that seems as good.
//
// A session keeps its mode, so a change is written before the statement that wants
// it, in the same message. Both are one transaction: when it fails, the mode is what
// it was before, and the next statement writes its own. Behind a pooler the mode is
// part of the preamble.
type planMode uint8

const (
	asEver      planMode = iota // as the server or its owner has it
	generic                     // for any arguments
	unknownMode                 // a session's, after a failure
)

// setting is the value of plan_cache_mode; empty: it is not set.
func (m planMode) setting() string {
	if m == generic {
		return "force_generic_plan"
	}
	return ""
}

// sendPlanMode writes a change of the session's mode.
func (c *conn) sendPlanMode(m planMode) {
	text := "RESET plan_cache_mode"
	if m == generic {
		text = "SET plan_cache_mode = force_generic_plan"
	}
	c.wire.Parse("", text)
	c.wire.Execute("", nil)
}

// switches tells whether a statement's mode is another than the session's.
func (c *conn) switches(mode planMode) bool { return !c.pooling.pooled() && c.mode != mode }

// switched reads the answer to a change of mode.
func (c *conn) switched(mode planMode) error {
	if err := c.wire.Completed(nil); err != nil {
		return err
	}
	c.mode = mode
	return nil
}
