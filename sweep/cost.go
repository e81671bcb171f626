package sweep

import "math"

// costRelevant reports whether a parameter decides the cost, memory, representation or row sizes of
// a point. Points that share these parameters cost the same, so that shards are cut by arithmetic.
func costRelevant(id ParameterID) bool {
	switch id {
	case Model, Representation, Optimizer, Dimension, Width, NegativeUnits, Steps, Samples,
		BatchSize, Inputs,
		Covariance, Spikes, Blocks, Eigenvalues, Rotate, Teacher, Init, Orthogonalizer, NSSteps:
		return true
	}
	return false
}

// Cost is the static count of floating-point operations of a resolved point (multiply and add are
// two), which records rows at `records` steps. It depends on cost-relevant parameters alone,
// ignores early divergence, and is 1 for a point that cannot be solved. The formulas belong to the
// plan version: shards are cut by them.
func Cost(a Assignment, records int64) int64 {
	c := costOf(a, records)
	flops := math.Ceil(c.Setup + c.Steps + c.Metrics)
	if !(flops >= 1) {
		return 1
	}
	return int64(min(flops, 1<<53))
}

// Costs are the operations of points by what they are for.
type Costs struct {
	Setup   float64 // before the first step
	Steps   float64
	Metrics float64 // of recorded steps and the last one
}

func (c *Costs) add(d Costs, n float64) {
	c.Setup += float64(n * d.Setup)
	c.Steps += float64(n * d.Steps)
	c.Metrics += float64(n * d.Metrics)
}

// costOf is the cost of a resolved point, nothing for one that cannot be solved.
func costOf(a Assignment, records int64) Costs {
	var setup, step, record float64
	switch a[Representation].text {
	case "reduced":
		r := float64(groups(a))
		setup, step, record = 20*r, r*(10+8+ruleOf(a).flops(a).Coefficient), 36*r
	case "subspace":
		setup, step, record = subspaceCost(a)
	case "dense":
		setup, step, record = denseCost(a)
	}
	return Costs{setup, a[Steps].Float() * step, (float64(records) + 1) * record}
}

// denseCost is the cost of a d x m run: before the first step, of a step, and of a recorded step. Q
// is applied without being formed, also where it is rotated or correlated.
func denseCost(a Assignment) (setup, step, record float64) {
	d, m := a[Dimension].Float(), a[Width].Float()
	rotated, correlated := a[Rotate].text != "none", !familyOf(a).Diagonal
	product := float64(d * m) // M = QW
	if rotated || correlated {
		product += float64(8 * d * m)
	}
	loss := product + float64(2*d*m*m) + float64(4*d*m) // S = WᵀM, Wᵀq, T
	step = loss + float64(2*d*m*m) + float64(2*d)
	if a[Model].text != "population" {
		n, drawn := stepSamples(a), drawnSamples(a)
		draw := float64(40*drawn*d) + float64(drawn*d)
		if rotated {
			draw += float64(drawn * d * d) // the Cholesky factor of Q
			setup += d * d * d / 3
		}
		step = loss + float64(4*n*d*m) + float64(3*n*m)
		if a[Model].text == "online" {
			step += draw
		} else {
			setup += draw
		}
	}
	if correlated {
		setup += float64(9 * d * d * d) // eigenvectors above the teacher's variance, up to half of them
		step += float64(d * d * m)
	} else {
		step += float64(4 * d * m)
	}
	if drawsStart(a) {
		setup += float64(40 * d * m)
	}
	return setup, step + ruleOf(a).flops(a).matrix(d, m), recordCost(d, m)
}

// stepSamples is the number of pairs that a step of a sampled model takes.
func stepSamples(a Assignment) float64 {
	if a[BatchSize].IsNull() {
		return a[Samples].Float()
	}
	return a[BatchSize].Float()
}

// drawnSamples is the number of pairs that are drawn at once.
func drawnSamples(a Assignment) float64 {
	if a[Samples].IsNull() {
		return a[BatchSize].Float()
	}
	return a[Samples].Float()
}

// recordCost is the cost of the metrics of a recorded step: the eigenvalues of the smaller Gram
// matrix of W, the gradient, which a step on samples does not have, and its polar factor for the
// nuclear rank.
func recordCost(rows, columns float64) float64 {
	high, low := max(rows, columns), min(rows, columns)
	gram := float64(2*high*low*low) + float64(9*low*low*low)
	return gram + float64(2*rows*columns*columns) + Flops{Polar: 1}.matrix(rows, columns)
}

// subspaceCost is denseCost for the run in a subspace; no step depends on the dimension.
func subspaceCost(a Assignment) (setup, step, record float64) {
	rows, m := float64(subspaceRows(a)), a[Width].Float()
	if a[Init].text == "identity" {
		m = rows // W = B C Bᵀ + c(I - BBᵀ)
	}
	loss := float64(2*rows*rows*m) + float64(2*rows*m*m) + float64(4*rows*m)
	if a[Model].text != "online" {
		setup = float64(4 * a[Dimension].Float() * rows * rows)
		if drawsStart(a) {
			setup += float64(40 * a[Dimension].Float() * m)
		}
		return setup, loss + float64(4*rows*m*m) + ruleOf(a).flops(a).matrix(rows, m), recordCost(rows, m)
	}
	n, frame := stepSamples(a), float64(onlineFrame(a))
	seen := 1 + float64(special(a)) + frame // coordinates of x that enter the predictions
	step = loss + float64(
		n*(float64(40*seen)+float64(4*seen*m)+float64(3*m)),
	) + float64(
		4*n*m*m,
	) + float64(
		4*rows*frame*frame,
	) + float64(
		2*rows*frame*m,
	)
	return 40 * frame * m, step + ruleOf(a).flops(a).matrix(rows, m), recordCost(rows, m)
}

// drawsStart reports whether W_0 is random.
func drawsStart(a Assignment) bool { return a[Init].text == "gaussian" || a[Init].text == "sphere" }

// pointOverhead is the memory of a point in addition to its numbers.
const pointOverhead = 64 << 10

// rankMatrices is how many d x m matrices the nuclear rank of the gradient takes, which the last
// iterate of every run has.
const rankMatrices = 8

// PointBytes bounds the memory that one resolved point needs while it is solved, its rows included.
func PointBytes(a Assignment, r Record) int64 {
	d, m := a[Dimension].Float(), a[Width].Float()
	words, rule := 0.0, ruleOf(a)
	matrices := max(rule.Memory.Matrices, float64(rule.Buffers)+rankMatrices)
	switch a[Representation].text {
	case "reduced":
		words = float64(groups(a)) * (96 + float64(r.Count(a[Steps].i)))
	case "subspace":
		rows := float64(subspaceRows(a))
		if a[Init].text == "identity" {
			m = rows
		}
		words = float64((8+matrices)*rows*max(rows, m)) + float64(3*d)
		if a[Model].text == "online" {
			words += float64(stepSamples(a) * (rows + float64(3*m)))
		}
	case "dense":
		words = float64((5+matrices)*d*m) + float64(4*m*m) + float64(16*d)
		if !familyOf(a).Diagonal {
			words += float64(3 * d * d) // eigenvectors
		}
		words += float64(rule.Memory.Squares * (float64(d*d) + float64(m*m)))
		rotated := a[Rotate].text != "none"
		if rotated {
			words += float64(2 * d * m)
		}
		if a[Model].text != "population" {
			words += float64(drawnSamples(a)*(float64(2*d)+float64(3*m))) + float64(stepSamples(a)*d)
			if rotated {
				words += float64(2 * d * d) // Q and its Cholesky factor
			}
		}
	}
	rows := arrowBytes(a, r)
	return int64(min(pointOverhead+float64(8*words)+float64(rows.total()), math.MaxInt64/2))
}

// TableBytes are estimated sizes as Arrow record batches, by table.
type TableBytes struct{ Points, Trajectories, Coefficients int64 }

// total is the sum over the tables, or a huge number.
func (b TableBytes) total() int64 {
	return addProduct(addProduct(b.Points, b.Trajectories, 1), b.Coefficients, 1)
}

// add adds the rows of n points that have rows each.
func (b *TableBytes) add(rows TableBytes, n int64) {
	b.Points = addProduct(b.Points, rows.Points, n)
	b.Trajectories = addProduct(b.Trajectories, rows.Trajectories, n)
	b.Coefficients = addProduct(b.Coefficients, rows.Coefficients, n)
}

// addProduct is sum + x·n for numbers from 0, or a huge number where that is beyond int64.
func addProduct(sum, x, n int64) int64 {
	if float64(sum)+float64(float64(x)*float64(n)) > math.MaxInt64/4 {
		return math.MaxInt64 / 4
	}
	return sum + x*n
}

// Sizes of one row in Arrow in bytes: columns of eight bytes, their validity bits, words and ids.
// They belong to the plan version.
const (
	pointRowBytes       = 608
	listNumberBytes     = 20 // a list stands in its row as text
	trajectoryRowBytes  = 144
	coefficientRowBytes = 56
	variableBytes       = maxWord + 5 // the offset and the validity of a word
)

// arrowBytes are the estimated sizes of a point's rows.
func arrowBytes(a Assignment, r Record) TableBytes {
	lists := len(a[Spikes].list) + len(a[Blocks].list) + len(a[Eigenvalues].list)
	b := TableBytes{Points: pointRowBytes + listNumberBytes*int64(lists) + variableBytes*int64(len(a)-NumParameters)}
	records := r.Count(a[Steps].i)
	b.Trajectories = addProduct(0, trajectoryRowBytes, records)
	if r.Coefficients && a[Representation].text == "reduced" {
		b.Coefficients = addProduct(0, addProduct(0, coefficientRowBytes, records), groups(a))
	}
	return b
}
