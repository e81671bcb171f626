package solver

// Model says which gradient drives the dynamics. Metrics are always those of the population.
type Model uint8

const (
	Population   Model = iota // exact expectation over x
	FiniteSample              // Samples fixed pairs, drawn before step 0
	Online                    // a fresh batch of Samples pairs each step
	Minibatch                 // Batch of Samples fixed pairs each step, in random order by epochs
)

// InputLaw is the law of the entries of z in x = Rz, of mean 0 and variance 1. Metrics are those of
// Normal inputs whatever the law.
type InputLaw uint8

const (
	Normal     InputLaw = iota
	Rademacher          // ±1
	UniformLaw          // on [-√3, √3]
	Laplace             // density exp(-√2|z|)/√2
)

// Representation is how the iterate is stored. All of them follow the same dynamics (Online
// Subspace: the same law).
type Representation uint8

const (
	Reduced  Representation = iota // one coefficient per distinct eigenspace: W = Σ w_g P_g
	Subspace                       // W = B C in the span that W never leaves
	Dense                          // W, d x m
)

// Orthogonalizer is how Muon maps singular values.
type Orthogonalizer uint8

const (
	NewtonSchulz Orthogonalizer = iota
	PolarExpress
	ExactPolar
)

// Schedule scales the learning rate: lr_k = lr·s(k).
type Schedule uint8

const (
	Constant Schedule = iota // 1
	Linear                   // 1 - k/T
	Cosine                   // (1 + cos(πk/T))/2
	InvSqrt                  // 1/sqrt(1 + k/lr_warm)
)

// Init says how W_0 is made.
type Init uint8

const (
	Identity    Init = iota // α I (m = d)
	Gaussian                // α/√m N(0,1), row-major: E WWᵀ = α² I
	Orthonormal             // α H[:, :m], H the Householder reflection of Covariance.Rotate
	Sphere                  // α N/‖N‖_F, N(0,1) row-major: ‖W_0‖_F = α
)

// Run is an eigenvalue repeated Count times, in coordinate order.
type Run struct {
	Value float64
	Count int
}

// Covariance is Q. Diagonal in the coordinate basis unless AR1 or Rotate.
type Covariance struct {
	// Spectrum are the eigenvalues q_0, q_1, ... in coordinate order, run-length encoded; nil for
	// AR1. Read only.
	Spectrum []Run
	// AR1: Q_ij = Rho^|i-j|.
	AR1 bool
	Rho float64
	// Rotate: Q -> HQH, θ -> Hθ with H = I - 2hhᵀ/‖h‖², h_i = 1/(i+2).
	Rotate bool
}

// TeacherKind says how θ's direction is given.
type TeacherKind uint8

const (
	Eigen   TeacherKind = iota // e_Index
	Uniform                    // (1,...,1)/√d
	Mix                        // Σ Weight e_Index, normalised
	Random                     // d normals of Seed, normalised
)

// IndexWeight is one term of a Mix teacher.
type IndexWeight struct {
	Index  int
	Weight float64
}

// Teacher is θ, scaled to ‖θ‖² = Norm2.
type Teacher struct {
	Kind    TeacherKind
	Index   int
	Weights []IndexWeight
	Seed    uint64
	Norm2   float64
}

// Problem is one point: everything its Result depends on. All fields are resolved; nothing has a
// default here.
type Problem struct {
	Model          Model
	Representation Representation
	Dimension      int // d
	Width          int // m
	NegativeUnits  int // the last columns of W, whose weight in the second layer is -1
	Steps          int // T
	Samples        int // n; batch size for Online; 0 for Population
	Batch          int // of Minibatch
	Inputs         InputLaw
	LabelNoise     float64
	Covariance     Covariance
	Teacher        Teacher
	Init           Init
	InitScale      float64 // α
	Seed           uint64

	Optimizer      Optimizer
	LearningRate   float64
	Schedule       Schedule
	LRWarm         float64
	WeightDecay    float64
	Momentum       float64 // β of MomentumGD, Muon, DynMuon, Signum
	Nesterov       bool
	Orthogonalizer Orthogonalizer
	NSSteps        int
	Power          float64 // p of Power
	NormalizePower bool
	PowerMax       float64 // of DynMuon
	PowerMin       float64
	PowerMidpoint  float64
	PowerWidth     float64
	Beta1, Beta2   float64 // of Adam
	Epsilon        float64 // of Adam, Shampoo

	// Record are the steps at which a Sample is taken, rising, from 0 to T; empty: none. Read only,
	// shared in a batch.
	Record []int
	// Coefficients: samples carry w_g per group too (reduced only).
	Coefficients bool
}

// Shape is what the problem shares with the others of its batch.
func (p *Problem) Shape() Shape {
	s := Shape{
		Model: p.Model, Representation: p.Representation, Optimizer: p.Optimizer,
		Dimension: p.Dimension, Width: p.Width, Samples: p.Samples, Batch: p.Batch,
	}
	if p.Representation != Dense {
		s.Groups = len(eigenspaces(p))
	}
	return s
}
