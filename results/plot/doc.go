// Package plot draws result sets: phase diagrams, trajectories, crossover curves, step-size
// stability maps.
//
// Draw reads a results.Set and returns a Figure, which is written as PNG, SVG or PDF. What is not
// asked for is chosen from the axes of the set. The invariants:
//
//   - A figure shows one slice of the sweep: parameters that vary beside its axes are held at a
//     middle value, and the caption says which. Only the seed is averaged over, as median and
//     quantiles.
//   - Points that diverged and points that never reached the metric (censored) are marked, never
//     left out.
//   - Colours can be told apart by the colour-blind: viridis for numbers, Okabe and Ito's for
//     names.
package plot
