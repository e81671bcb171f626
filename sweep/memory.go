package sweep

import "math"

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
		words = (8+matrices)*rows*max(rows, m) + 3*d
		if a[Model].text == "online" {
			words += stepSamples(a) * (rows + 3*m)
		}
	case "dense":
		words = (5+matrices)*d*m + 4*m*m + 16*d
		if !familyOf(a).Diagonal {
			words += 3 * d * d // eigenvectors
		}
		words += rule.Memory.Squares * (d*d + m*m)
		rotated := a[Rotate].text != "none"
		if rotated {
			words += 2 * d * m
		}
		if a[Model].text != "population" {
			words += drawnSamples(a)*(2*d+3*m) + stepSamples(a)*d
			if rotated {
				words += 2 * d * d // Q and its Cholesky factor
			}
		}
	}
	rows := arrowBytes(a, r)
	return int64(min(pointOverhead+8*words+float64(rows.total()), math.MaxInt64/2))
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
	if float64(sum)+float64(x)*float64(n) > math.MaxInt64/4 {
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
