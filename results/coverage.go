package results

// coverage compares the points of a part with those that it must have, and reports the missing ones
// as ranges of indices.
type coverage struct {
	verifier *partVerifier
	part     *Part // nil if the manifest does not have the part
	complete bool  // which indices are points is known, so that missing ones can be found
	next     int64 // first index that was not checked
	missing  IndexRange
}

func newCoverage(p *partVerifier) *coverage {
	c := &coverage{verifier: p, part: p.listed()}
	if c.part == nil {
		return c
	}
	c.next = c.part.First
	c.complete = p.set.present != nil || c.part.Points+c.quarantined() == c.part.End-c.part.First
	return c
}

// quarantined counts the part's indices whose shards are quarantined.
func (c *coverage) quarantined() int64 {
	n := int64(0)
	for _, m := range c.verifier.set.manifest.Missing {
		n += max(0, min(m.End, c.part.End)-max(m.First, c.part.First))
	}
	return n
}

// has reports whether a point may be in the part.
func (c *coverage) has(point int64) bool {
	if c.part == nil {
		present := c.verifier.set.present
		return present == nil || present(point)
	}
	return point >= c.part.First && point < c.part.End && c.isPoint(point)
}

// isPoint reports whether an index is a point whose shard is not quarantined.
func (c *coverage) isPoint(index int64) bool {
	for _, m := range c.verifier.set.manifest.Missing {
		if index >= m.First && index < m.End {
			return false
		}
	}
	present := c.verifier.set.present
	return present == nil || present(index)
}

// add adds a point that has a row. Calls must be in rising order.
func (c *coverage) add(point int64) {
	c.skip(point)
	c.next = point + 1
}

// skip reports the points before end that have no row.
func (c *coverage) skip(end int64) {
	if !c.complete {
		return
	}
	for ; c.next < end; c.next++ {
		if !c.isPoint(c.next) {
			continue
		}
		if c.missing.End != c.next {
			c.flush()
			c.missing.First = c.next
		}
		c.missing.End = c.next + 1
	}
}

// flush reports the current range of missing points.
func (c *coverage) flush() {
	if m := c.missing; m.End > m.First {
		c.verifier.set.add(MissingPoint, PartName(Points, c.verifier.part), "%d points in [%d, %d)",
			m.End-m.First, m.First, m.End)
	}
	c.missing = IndexRange{}
}

// finish reports the missing points at the end of the part and compares the number of points with
// the manifest.
func (c *coverage) finish(count int64) {
	if c.part == nil {
		return
	}
	c.skip(c.part.End)
	c.flush()
	if count != c.part.Points {
		c.verifier.set.add(BadManifest, PartName(Points, c.verifier.part), "got %d points, the manifest has %d",
			count, c.part.Points)
	}
}
