package sweep

// What tests of package sweep_test look at.
var (
	ErrOtherSweep  = errOtherSweep
	ErrPlanVersion = errPlanVersion
)
