package sweep

import "slices"

// Summary is the size and cost of a sweep before anything is solved.
type Summary struct {
	Indices int64
	// Points are what `where` leaves of the indices; an estimate from a sample unless Exact.
	Points int64
	Exact  bool
	Shards int64
	Parts  int64
	// Shapes in the order of the first index that has them; MoreShapes: not all of them are listed.
	Shapes     []Shape
	MoreShapes bool
	// Flops is the static cost of the points.
	Flops float64
	// PointBytes bounds the memory of the largest point.
	PointBytes int64
	// Arrow are the estimated sizes of the tables in flight; ParquetBytes of the result set on
	// disk.
	Arrow        TableBytes
	ParquetBytes int64
}

// parquetPart is the approximate ratio of Parquet to Arrow size of rows of metrics (zstd,
// dictionaries).
const parquetPart = 0.4

// Summary adds up the plan. Costs and sizes are scaled by the part of the indices that `where`
// leaves.
func (p *Plan) Summary() Summary {
	s := Summary{
		Indices: p.spec.Size(), Shards: p.Shards(), Parts: p.Parts(), Shapes: slices.Clone(p.shapes),
		MoreShapes: p.unnamed,
		PointBytes: p.largest,
	}
	s.Points, s.Exact = p.spec.Count()
	kept := float64(s.Points) / float64(max(1, s.Indices))
	s.Flops = kept * p.flops
	s.Arrow = TableBytes{
		Points:       int64(kept * float64(p.bytes.Points)),
		Trajectories: int64(kept * float64(p.bytes.Trajectories)),
		Coefficients: int64(kept * float64(p.bytes.Coefficients)),
	}
	s.ParquetBytes = int64(parquetPart * float64(s.Arrow.total()))
	return s
}

// maxShapes bounds the shapes that a summary names.
const maxShapes = 1000

// Shape is what points that are solved side by side share, with their number and cost, points that
// `where` leaves out included.
type Shape struct {
	Model, Representation, Optimizer string
	Dimension, Width, Samples        int64 // Samples: fixed pairs, or those of a batch; 0 for the population
	Groups                           int64 // bound on the coefficients of a reduced run; 0 otherwise
	First                            int64 // index of the first one
	Points                           int64
	Flops                            float64
	Costs                            Costs // Flops by what they are for
	// Steps of all points, and iterates of which they have all metrics.
	Steps, Recorded float64
}

// shapeOf is the shape of a resolved point.
func shapeOf(a Assignment) Shape {
	s := Shape{
		Model: a[Model].text, Representation: a[Representation].text, Optimizer: a[Optimizer].text,
		Dimension: a[Dimension].i, Width: a[Width].i, Samples: max(a[Samples].i, a[BatchSize].i),
	}
	if s.Representation == "reduced" {
		s.Groups = groups(a)
	}
	return s
}

// account adds a run of points that record so many steps to the totals of the plan.
func (c *cutter) account(r run, records, cost, memory int64, rows TableBytes) {
	a, n := r.a, r.end-r.first
	p, flops := c.plan, float64(float64(n)*float64(cost))
	p.flops += flops
	p.largest = max(p.largest, memory)
	p.bytes.add(rows, n)
	shape := shapeOf(a)
	i, known := c.shapes[shape]
	if !known {
		if i = len(p.shapes); i == maxShapes {
			p.unnamed = true
			return
		}
		c.shapes[shape] = i
		shape.First = r.first
		p.shapes = append(p.shapes, shape)
	}
	s := &p.shapes[i]
	s.Points += n
	s.Flops += flops
	s.Costs.add(costOf(a, records), float64(n))
	s.Steps += float64(float64(n) * a[Steps].Float())
	s.Recorded += float64(float64(n) * float64(records+1))
}
