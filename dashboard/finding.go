package dashboard

// Finding is what is worth knowing of a document that may be kept all the same: what
// stands at a place of it does nothing, or not what is meant.
type Finding struct {
	Problem
	Fails bool // the tile shows an error or nothing when somebody opens the dashboard
}

// Tile is the id of the tile that a place of the document is in, if it is in one.
func (d Document) Tile(at []string) (id string, ok bool) {
	if len(at) < 2 || at[0] != "tiles" {
		return "", false
	}
	for i, t := range d.Tiles {
		if at[1] == number(i) {
			return t.ID, true
		}
	}
	return "", false
}
