package results

import "github.com/apache/arrow/go/v15/arrow/memory"

// NewBuilderWith is NewBuilder with an allocator that tests can check.
func (s *Schema) NewBuilderWith(mem memory.Allocator) *Builder { return s.newBuilder(mem) }
