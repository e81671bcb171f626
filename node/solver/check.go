package solver

import (
	"errors"
	"fmt"
)

// check returns why a problem cannot be solved; nil if it can.
func check(p *Problem) error {
	switch {
	case p.Dimension < 1 || p.Width < 1:
		return fmt.Errorf("dimension, width: got %d, %d, want at least 1", p.Dimension, p.Width)
	case p.NegativeUnits < 0 || p.NegativeUnits >= p.Width:
		return fmt.Errorf("negative units: got %d, want 0..%d", p.NegativeUnits, p.Width-1)
	case !p.Optimizer.known():
		return fmt.Errorf("optimizer: got %d, want one of the table", p.Optimizer)
	case p.Steps < 0:
		return fmt.Errorf("steps: got %d, want at least 0", p.Steps)
	case p.Init == Identity && p.Width != p.Dimension:
		return fmt.Errorf("width: got %d, want dimension %d with identity init", p.Width, p.Dimension)
	case p.Init == Orthonormal && p.Width > p.Dimension:
		return fmt.Errorf("width: got %d, want at most dimension %d with orthonormal init", p.Width, p.Dimension)
	case p.Model != Population && p.Samples < 1:
		return fmt.Errorf("samples: got %d, want at least 1", p.Samples)
	case p.Model == Minibatch && (p.Batch < 1 || p.Batch > p.Samples):
		return fmt.Errorf("batch size: got %d, want 1..%d", p.Batch, p.Samples)
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
			return fmt.Errorf("rho: got %v, want > -1 and < 1", p.Covariance.Rho)
		}
		return nil
	}
	count := 0
	for _, run := range p.Covariance.Spectrum {
		if run.Count < 1 || run.Count > p.Dimension-count {
			return fmt.Errorf("spectrum: got count %d, want counts >= 1 with sum %d", run.Count, p.Dimension)
		}
		if !finite(run.Value) || run.Value < 0 {
			return fmt.Errorf("spectrum: got eigenvalue %v, want a finite number >= 0", run.Value)
		}
		count += run.Count
	}
	if count != p.Dimension {
		return fmt.Errorf("spectrum: got %d eigenvalues, want dimension %d", count, p.Dimension)
	}
	return nil
}

func checkTeacher(p *Problem) error {
	t := &p.Teacher
	if !(t.Norm2 > 0) || !finite(t.Norm2) {
		return fmt.Errorf("teacher_norm2: got %v, want a finite number > 0", t.Norm2)
	}
	switch t.Kind {
	case Eigen:
		if t.Index < 0 || t.Index >= p.Dimension {
			return fmt.Errorf("teacher index: got %d, want 0..%d", t.Index, p.Dimension-1)
		}
	case Mix:
		for _, w := range t.Weights {
			if w.Index < 0 || w.Index >= p.Dimension {
				return fmt.Errorf("teacher index: got %d, want 0..%d", w.Index, p.Dimension-1)
			}
		}
	}
	return nil
}

// checkReduced checks the conditions under which W = Σ w_g P_g is exact.
func checkReduced(p *Problem) error {
	switch {
	case p.Model != Population:
		return errors.New("reduced representation: not exact for sampled models; use dense")
	case p.Covariance.AR1:
		return errors.New("reduced representation: not exact for an ar1 covariance; use dense")
	case p.Teacher.Kind != Eigen:
		return errors.New("reduced representation: not exact unless the teacher is an eigenvector; use dense")
	case p.Init != Identity:
		return errors.New("reduced representation: not exact unless init is identity; use dense")
	case p.NegativeUnits > 0:
		return errors.New("reduced representation: not exact with negative units; use dense")
	case p.Covariance.Rotate && p.Optimizer.row().basisDependent:
		return errors.New(
			"reduced representation: not exact for a basis-dependent optimizer and a rotated covariance; use dense",
		)
	}
	return nil
}
