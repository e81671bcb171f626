package results

// UlpsBetween is what comparisons measure with.
var UlpsBetween = ulpsBetween

// SetWindow bounds the bytes of the rows that the comparison has in memory.
func (c *Comparison) SetWindow(bytes int64) { c.window = bytes }
