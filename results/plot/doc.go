// Package plot draws result sets: phase diagrams, stability maps, curves, trajectories and bars.
//
// Draw reads a results.Set and returns a Figure, which can be written as PNG, SVG or PDF. Options
// that are not given are chosen from the axes of the set. The invariants:
//
//   - A figure shows one slice of the sweep: parameters that vary besides its axes are held at a
//     middle value, which the caption names. Only replicates are summarized, by median and
//     quantiles, with the conventions of the views.
//   - Diverged and censored points are marked. What is left out (values that a logarithmic axis
//     cannot show, lines beyond ten, unstable steps in a comparison of best learning rates) is
//     counted in the caption.
//   - The panels of a figure share their axes and colours. A line of theory is drawn in a panel
//     only if its assumptions hold for runs that the panel shows.
//   - Colours suit colour-blind readers: viridis for numbers, those of Okabe and Ito for names. A
//     name has the same colour in every figure of a set; that of an optimizer is in every set that
//     of its row in the table of optimizers.
//   - Whatever the numbers are, coordinates are finite, and cells of equal colour are one path.
package plot
