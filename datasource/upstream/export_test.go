package upstream

// ForeignRows is how many requests failed because the API returned a row of
// another tenant.
func (s *Source) ForeignRows() int64 { return s.foreign.Load() }
