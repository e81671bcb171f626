// Package plot draws result sets: phase diagrams, stability maps, curves and trajectories.
//
// Draw reads a results.Set and returns a Figure, which can be written as PNG, SVG or PDF. Options
// that are not given are chosen from the axes of the set. The invariants:
//
//   - A figure shows one slice of the sweep: parameters that vary besides its axes are held at a
//     middle value, which the caption names. Only replicates are summarized, by median and
//     quantiles.
//   - Diverged and censored points are marked, never left out.
//   - Colours suit colour-blind readers: viridis for numbers, those of Okabe and Ito for names.
package plot
