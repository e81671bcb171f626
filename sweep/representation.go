package sweep

import "fmt"

// subspaceGain is how much smaller than the dimension the subspace must be before auto takes it.
// Below that the dense run is cheap enough, and its numbers are those of the definition draw by
// draw.
const subspaceGain = 4

// resolveRepresentation turns auto into the cheapest representation that is exact for the point,
// from its parameters alone, and says why an explicit one is not exact; "" when it is.
func resolveRepresentation(a Assignment) string {
	switch a[Representation].text {
	case "auto":
		chosen := "dense"
		if notReduced(a) == "" {
			chosen = "reduced"
		} else if notSubspace(a) == "" && gains(a) {
			chosen = "subspace"
		}
		a[Representation] = textValue(chosen)
	case "reduced":
		if why := notReduced(a); why != "" {
			return "representation: reduced is not exact: " + why + "; use auto"
		}
	case "subspace":
		if why := notSubspace(a); why != "" {
			return "representation: subspace is not exact: " + why + "; use auto"
		}
	}
	return ""
}

// gains reports whether the subspace is small enough for auto. Online it is asked for an optimizer
// with a buffer, whatever the optimizer is: the subspace run draws other random numbers than the
// dense one, and points of equal seed share theirs across optimizers.
func gains(a Assignment) bool {
	rows := subspaceRows(a)
	if a[Model].text == "online" {
		m := a[Width].i
		rows = 1 + special(a) + 2*m + min(a[BatchSize].i, m)
	}
	return rows*subspaceGain <= a[Dimension].i
}

// unpaired reports whether auto takes the dense run only because of the optimizer, where others
// take the subspace run, with other random numbers. a is resolved.
func unpaired(a Assignment) bool {
	return a[Model].text == "online" && a[Representation].text == "dense" && notSubspaceProblem(a) == "" && gains(a)
}

// notReduced says why W = sum of w_g P_g over the eigenspaces does not follow the dynamics exactly;
// "" when it does.
func notReduced(a Assignment) string {
	switch {
	case a[Model].text != "population":
		return "model: " + a[Model].text + " draws random inputs"
	case !familyOf(a).Diagonal:
		return "the eigenvectors of covariance: " + a[Covariance].text + " are not coordinates"
	case a[Teacher].text != "eigen":
		return "teacher: " + a[Teacher].text + " is not an eigenvector"
	case a[Init].text != "identity":
		return "init: " + a[Init].text + " is not a multiple of the identity"
	case a[NegativeUnits].i > 0:
		return "negative_units are not zero"
	case a[Rotate].text != "none" && ruleOf(a).BasisDependent:
		return "optimizer " + a[Optimizer].text + " depends on the basis, and rotate: householder changes it"
	}
	return ""
}

// notSubspace says why the columns of W leave every small subspace, or why the subspace is no
// smaller than the space; "" when the subspace run is exact (population) or exact in law: online it
// draws other random numbers than the dense run, so that the two agree as distributions over seeds,
// not seed by seed.
func notSubspace(a Assignment) string {
	if why := notSubspaceProblem(a); why != "" {
		return why
	}
	rule := ruleOf(a)
	switch {
	case rule.BasisDependent:
		return "optimizer " + a[Optimizer].text + " depends on the basis"
	case a[Model].text == "online" && rule.OnlineDense != "":
		return rule.OnlineDense
	}
	if rows, d := subspaceRows(a), a[Dimension].i; rows >= d {
		return fmt.Sprintf("its %d directions are not fewer than dimension %d", rows, d)
	}
	return ""
}

// notSubspaceProblem is notSubspace as far as the optimizer does not matter.
func notSubspaceProblem(a Assignment) string {
	switch {
	case familyOf(a).special == nil:
		return "covariance: " + a[Covariance].text + " has no large isotropic block"
	case a[Model].text == "finite_sample" || a[Model].text == "minibatch":
		return "model: " + a[Model].text + " has as many directions as samples"
	case a[Init].text == "identity" && a[NegativeUnits].i > 0:
		return "init: identity with negative_units is not a multiple of the identity outside it"
	case a[Inputs].text != "" && a[Inputs].text != "gaussian":
		return "inputs: " + a[Inputs].text + " are not invariant under rotations"
	}
	return ""
}

// subspaceRows bounds the rows of the subspace run: span(theta, special directions, W_0) for the
// population; online span(theta, special directions), the frame of the buffers' bulk parts and the
// new directions of one batch.
func subspaceRows(a Assignment) int64 {
	signal, m := 1+special(a), a[Width].i
	if a[Model].text == "online" {
		return signal + onlineFrame(a) + min(a[BatchSize].i, m)
	}
	if a[Init].text == "identity" {
		return signal
	}
	return signal + m
}

// onlineFrame is the number of bulk directions that the state of an online run spans: those of W,
// and of the optimizer's buffers.
func onlineFrame(a Assignment) int64 {
	rule := ruleOf(a)
	if rule.BasisDependent { // not exact: such a point is counted, but not solved
		return a[Width].i
	}
	return int64(1+rule.Buffers) * a[Width].i
}
