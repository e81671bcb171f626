package plot_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/results/plot"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// TestCaptionCountsWhatIsDrawn: of random sets with competing learning rates, the caption counts
// the runs at the best one as drawn, and the others as tried. Runs last 10,000 steps.
func TestCaptionCountsWhatIsDrawn(t *testing.T) {
	random, figures := rand.New(rand.NewPCG(28, 29)), 0
	for range 40 {
		rates := []float64{0.01, 0.1, 1, 10}[:2+random.IntN(3)]
		seeds := 1 + random.IntN(4)
		var runs []run
		var want struct{ drawn, diverged, unstable, triedDiverged, empty, cells int }
		for _, optimizer := range []string{"gd", "specgd"} {
			for _, lambda := range []float64{1, 3} {
				best, drawn, diverged := math.Inf(1), 0, 0
				for _, rate := range rates {
					unstable := random.IntN(6) == 0
					var held []float64
					lost := 0
					for seed := range seeds {
						r := run{optimizer: optimizer, dimension: 9, anisotropy: lambda, rate: rate, seed: int64(seed),
							unstable: unstable, steps90: -1}
						rank := math.Inf(1)
						if random.IntN(4) > 0 {
							r.steps90 = int64(1 + random.IntN(10000))
						}
						if random.IntN(5) == 0 {
							r.status = results.StatusDiverged
							lost++
						} else if r.steps90 > 0 && r.steps90 <= 9000 {
							rank = float64(r.steps90)
						}
						held = append(held, rank)
						runs = append(runs, r)
					}
					slices.Sort(held)
					if unstable {
						want.unstable += seeds
						continue
					}
					want.triedDiverged += lost
					if median := held[(seeds+1)/2-1]; median < best {
						best, drawn, diverged = median, seeds, lost
					}
				}
				want.cells++
				want.drawn += drawn
				want.diverged += diverged
				if drawn == 0 {
					want.empty++
				}
			}
		}
		o := figure.Figure{Kind: figure.Curves, X: "anisotropy", Y: "held_90_step", Color: "optimizer"}
		picture, err := plot.Draw(context.Background(), write(t, runs), o)
		if err != nil {
			continue // nothing gets there
		}
		figures++
		texts := []string{
			fmt.Sprintf("; %d point", want.drawn), fmt.Sprintf("the best of %d learning rates", len(rates)),
			fmt.Sprintf("%d points tried", len(runs)),
		}
		for text, n := range map[string]int{
			"%d of them with an unstable step excluded":   want.unstable,
			"%d of them diverged":                         want.triedDiverged,
			"no learning rate gets there in %d of 4 cell": want.empty,
			"%d of these runs diverged":                   want.diverged,
		} {
			if all := strings.Join(record(t, picture).texts, " "); n > 0 {
				texts = append(texts, fmt.Sprintf(text, n))
			} else if strings.Contains(all, strings.TrimPrefix(text, "%d ")) {
				t.Errorf("none are: %s in %s", text, all)
			}
		}
		record(t, picture).says(t, texts...)
	}
	if figures < 30 {
		t.Errorf("%d figures; want more to look at", figures)
	}
}
