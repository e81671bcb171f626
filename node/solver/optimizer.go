package solver

import (
	"fmt"

	"github.com/phasegrid/phasegrid/node/solver/simd"
)

// Optimizer maps the gradient G to the update U of W <- W(1 - lr_k wd) - lr_k U. It is an index
// into the table of optimizers.
type Optimizer uint8

const (
	GD Optimizer = iota
	MomentumGD
	NGD
	SpecGD
	NucSpec
	Muon
	Power
	DynMuon
	SignGD
	Signum
	Adam
	Shampoo
	Lion
)

// optimizer is a row of the table: what the representations need of an optimizer.
type optimizer struct {
	name string
	// basisDependent: U(H G) is not H U(G) for every orthogonal H.
	basisDependent bool
	// buffers counts the matrices of W's shape that are kept from step to step.
	buffers int
	// onlineDense: an online run leaves every small subspace.
	onlineDense bool
	// matrix makes the update of a dense or a subspace run. The buffers have a.size()
	// zeros each.
	matrix func(p *Problem, a algebra, buffers [][]float64) rule
	// lanes is the update of a reduced run.
	lanes simd.Rule
	// share sets what points that run in the same vectors must agree on. nil: nothing.
	share func(l *law, p *Problem)
	// decay is the lanes' beta. nil: Problem.Momentum.
	decay func(p *Problem) float64
	// power is the lanes' exponent at step k. nil: Problem.Power, at every step.
	power func(p *Problem, k int) float64
}

// rule is an optimizer at work: it maps the gradient G of step k to the update U and keeps its own
// buffers, which start at 0.
type rule interface {
	update(u, g []float64, k int) error
}

// table is in the order of the constants.
var table = [...]optimizer{
	GD:         {name: "gd", matrix: newGD, lanes: simd.GD},
	MomentumGD: {name: "momentum", buffers: 1, matrix: newMomentum, lanes: simd.Momentum, share: shareMomentum},
	NGD:        {name: "ngd", matrix: newNGD, lanes: simd.NGD},
	SpecGD:     {name: "specgd", matrix: newSpecGD, lanes: simd.SpecGD},
	NucSpec:    {name: "nucspec", matrix: newNucSpec, lanes: simd.NucSpec},
	Muon:       {name: "muon", buffers: 1, matrix: newMuon, lanes: simd.Muon, share: shareMuon},
	Power:      {name: "power", matrix: newPower, lanes: simd.Power, share: sharePower},
	DynMuon: {
		name: "dynmuon", buffers: 1,
		matrix: newDynMuon, lanes: simd.DynMuon, share: sharePower, power: (*Problem).dynamicPower,
	},
	SignGD: {name: "signgd", basisDependent: true, matrix: newSignGD, lanes: simd.SignGD},
	Signum: {name: "signum", basisDependent: true, buffers: 1, matrix: newSignum, lanes: simd.Signum},
	Adam: {
		name: "adam", basisDependent: true, buffers: 2,
		matrix: newAdam, lanes: simd.Adam, decay: firstMoment,
	},
	Shampoo: {name: "shampoo", onlineDense: true, matrix: newShampoo, lanes: simd.Shampoo},
	Lion: {
		name: "lion", basisDependent: true, buffers: 1,
		matrix: newLion, lanes: simd.Lion, decay: firstMoment,
	},
}

// known reports whether the optimizer has a row.
func (o Optimizer) known() bool { return int(o) < len(table) && table[o].matrix != nil }

// row is the optimizer's, which must be known.
func (o Optimizer) row() *optimizer { return &table[o] }

// String is the optimizer's name in sweep files.
func (o Optimizer) String() string {
	if !o.known() {
		return fmt.Sprintf("Optimizer(%d)", uint8(o))
	}
	return o.row().name
}

// OptimizerTraits is what others may know of an optimizer. A table of sweep parameters has to
// agree.
type OptimizerTraits struct {
	Name           string
	BasisDependent bool // U(H G) is not H U(G) for every orthogonal H
	Buffers        int  // matrices of W's shape that are kept from step to step
	OnlineDense    bool // an online run leaves every small subspace
}

// Optimizers returns the traits of all optimizers, each at its index.
func Optimizers() []OptimizerTraits {
	all := make([]OptimizerTraits, len(table))
	for i, row := range table {
		all[i] = OptimizerTraits{row.name, row.basisDependent, row.buffers, row.onlineDense}
	}
	return all
}

// newRule makes the optimizer's update of matrices in a's space, with its buffers at 0.
func newRule(p *Problem, a algebra, ws *workspace) (rule, [][]float64) {
	row := p.Optimizer.row()
	buffers := make([][]float64, row.buffers)
	for i := range buffers {
		buffers[i] = ws.take(a.size())
	}
	return row.matrix(p, a, buffers), buffers
}
