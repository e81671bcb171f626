package solver

import (
	"errors"
	"fmt"
)

// check returns why a problem cannot be solved; nil if it can.
func check(p *Problem) error {
	switch {
	case p.Dimension < 1 || p.Width < 1:
		return fmt.Errorf("dimension %d and width %d must be at least 1", p.Dimension, p.Width)
	case !p.Optimizer.known():
		return fmt.Errorf("optimizer %d is unknown", p.Optimizer)
	case p.Steps < 0:
		return fmt.Errorf("steps %d must not be negative", p.Steps)
	case p.Init == Identity && p.Width != p.Dimension:
		return fmt.Errorf("identity init needs width = dimension, not %d and %d", p.Width, p.Dimension)
	case p.Init == Orthonormal && p.Width > p.Dimension:
		return fmt.Errorf("orthonormal init needs width %d <= dimension %d", p.Width, p.Dimension)
	case p.Model != Population && p.Samples < 1:
		return fmt.Errorf("samples %d must be at least 1", p.Samples)
	}
	if err := checkCovariance(p); err != nil {
		return err
	}
	if err := checkTeacher(p); err != nil {
		return err
	}
	switch p.Representation {
	case Reduced:
		return checkReduced(p)
	case Subspace:
		return checkSubspace(p)
	}
	return nil
}

func checkCovariance(p *Problem) error {
	if p.Covariance.AR1 {
		if !(p.Covariance.Rho > -1 && p.Covariance.Rho < 1) {
			return fmt.Errorf("rho %v must lie between -1 and 1", p.Covariance.Rho)
		}
		return nil
	}
	count := 0
	for _, run := range p.Covariance.Spectrum {
		if run.Count < 1 || run.Count > p.Dimension-count {
			return fmt.Errorf("the spectrum's counts must be positive and add up to dimension %d", p.Dimension)
		}
		if !finite(run.Value) || run.Value < 0 {
			return fmt.Errorf("eigenvalue %v must be a number that is not negative", run.Value)
		}
		count += run.Count
	}
	if count != p.Dimension {
		return fmt.Errorf("the spectrum has %d eigenvalues for dimension %d", count, p.Dimension)
	}
	return nil
}

func checkTeacher(p *Problem) error {
	t := &p.Teacher
	if !(t.Norm2 > 0) || !finite(t.Norm2) {
		return fmt.Errorf("teacher_norm2 %v must be a positive number", t.Norm2)
	}
	switch t.Kind {
	case Eigen:
		if t.Index < 0 || t.Index >= p.Dimension {
			return fmt.Errorf("teacher index %d is outside 0..%d", t.Index, p.Dimension-1)
		}
	case Mix:
		for _, w := range t.Weights {
			if w.Index < 0 || w.Index >= p.Dimension {
				return fmt.Errorf("teacher index %d is outside 0..%d", w.Index, p.Dimension-1)
			}
		}
	}
	return nil
}

// checkReduced checks the conditions under which W = Σ w_g P_g is exact.
func checkReduced(p *Problem) error {
	switch {
	case p.Model != Population:
		return errors.New("the reduced representation needs the population model")
	case p.Covariance.AR1:
		return errors.New("the reduced representation needs a covariance with a known spectrum, not ar1")
	case p.Teacher.Kind != Eigen:
		return errors.New("the reduced representation needs an eigenvector as teacher")
	case p.Init != Identity:
		return errors.New("the reduced representation needs identity init")
	case p.Covariance.Rotate && p.Optimizer.row().basisDependent:
		return errors.New(
			"the reduced representation of an optimizer that acts on coordinates needs an unrotated covariance",
		)
	}
	return nil
}
