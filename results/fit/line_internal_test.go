package fit

import (
	"math"
	"math/rand/v2"
	"testing"
)

func near(got, want, tolerance float64) bool {
	return math.IsNaN(got) && math.IsNaN(want) || math.Abs(got-want) <= tolerance*math.Max(1, math.Abs(want))
}

func expectLine(t *testing.T, name string, got, want Line, tolerance float64) {
	t.Helper()
	for _, c := range []struct {
		field     string
		got, want float64
	}{
		{"slope", got.Slope, want.Slope}, {"intercept", got.Intercept, want.Intercept},
		{"standard error", got.StandardError, want.StandardError}, {"low", got.Low, want.Low},
		{"high", got.High, want.High}, {"R2", got.R2, want.R2},
	} {
		if !near(c.got, c.want, tolerance) {
			t.Errorf("%s: got %s %v, want %v", name, c.field, c.got, c.want)
		}
	}
}

// The points of TestLinesOfSciPy: nearly a line; ties in x and y, and an outlier; replicates at
// each x, so many ties that they narrow the interval of Theil-Sen.
var (
	replicates = [2][]float64{
		{0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3},
		{
			0.276, 0.657, 0.264, 0.276, 0.724, 1.357, 0.57, 0.57, 1.292, 1.235,
			2.023, 2.437, 1.411, 1.87, 1.614, 3.479, 3.032, 2.766, 2.374, 2.794,
		},
	}
	straight = [2][]float64{{1, 2, 3, 5, 8, 13, 21, 34}, {2.1, 3.9, 6.2, 9.7, 16.4, 25.8, 42.5, 66.0}}
	tied     = [2][]float64{{1, 1, 2, 2, 3, 4, 6, 6, 9, 12}, {0.5, 0.9, 0.5, 1.4, 1.1, 2.0, 1.6, 30, 2.2, 3.1}}
)

// TestLinesOfSciPy compares with SciPy 1.17.1:
//
//	r = stats.linregress(x, y); t = stats.t.ppf((1 + confidence)/2, len(x) - 2)
//	r.slope, r.intercept, r.stderr, r.slope - t*r.stderr, r.slope + t*r.stderr, r.rvalue**2
//	stats.theilslopes(y, x, alpha=confidence, method='separate')
func TestLinesOfSciPy(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name       string
		points     [2][]float64
		confidence float64
		least, sen Line
	}{
		{
			"straight, 95 %", straight, 0.95,
			Line{1.9537586347013407, 0.32787484762291896, 0.02073919426296858, 1.903011654476085,
				2.0045056149265963, 0.999324384392777},
			Line{1.9829545454545454, 0.16079545454545396, nan, 1.9076923076923078, 2.05, nan},
		},
		{
			"straight, 80 %", straight, 0.8,
			Line{1.9537586347013407, 0.32787484762291896, 0.02073919426296858, 1.9238992605675833,
				1.983618008835098, 0.999324384392777},
			Line{1.9829545454545454, 0.16079545454545396, nan, 1.933333333333333, 2.031578947368421, nan},
		},
		{
			"tied, 95 %", tied, 0.95,
			Line{0.5308970099667775, 1.887873754152824, 0.8549652607539435, -1.440656416787724,
				2.502450436721279, 0.04598223698487729},
			Line{0.22929292929292927, 0.6974747474747476, nan, 0.11428571428571432, 0.6, nan},
		},
		{
			"tied, 80 %", tied, 0.8,
			Line{0.5308970099667775, 1.887873754152824, 0.8549652607539435, -0.6633315555534868,
				1.7251255754870418, 0.04598223698487729},
			Line{0.22929292929292927, 0.6974747474747476, nan, 0.16666666666666666, 0.3, nan},
		},
		{
			"replicates, 95 %", replicates, 0.95,
			Line{0.8215, 0.3188, 0.07288927218733907, 0.6683653215644914, 0.9746346784355089,
				0.8758831440751015},
			Line{0.83, 0.1389999999999998, nan, 0.666, 1.016, nan},
		},
	} {
		expectLine(t, c.name, LeastSquares(c.points[0], c.points[1], c.confidence), c.least, 1e-12)
		got := theilSen(c.points[0], c.points[1], c.confidence)
		got.R2 = nan // SciPy has none
		expectLine(t, c.name+", Theil-Sen", got, c.sen, 1e-12)
	}
}

func TestExactPowerLaws(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		slope, intercept := 6*random.Float64()-3, 20*random.Float64()-10
		var x, y []float64
		for i := range 3 + random.IntN(40) {
			at := math.Log(float64(1 + i*i))
			x, y = append(x, at), append(y, intercept+slope*at)
		}
		for name, line := range map[string]Line{
			"least squares": LeastSquares(x, y, 0.95), "Theil-Sen": theilSen(x, y, 0.95),
		} {
			if !near(line.Slope, slope, 1e-12) || !near(line.Intercept, intercept, 1e-12) || !near(line.R2, 1, 1e-12) {
				t.Fatalf("%s: got %+v, want slope %v and intercept %v", name, line, slope, intercept)
			}
			if len(x) > 4 && !(near(line.Low, slope, 1e-11) && near(line.High, slope, 1e-11)) {
				t.Fatalf("%s: got %+v, want no interval around %v", name, line, slope)
			}
		}
	}
}

// TestIntervalsCover counts how often 80 % intervals have the true slope in them, over normal noise
// and, for Theil-Sen, over noise without a variance. The limits are four standard deviations of the
// binomial distribution, 4 sqrt(0.8 0.2/2000) = 0.036.
func TestIntervalsCover(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	const rounds, slope = 2000, -1.5
	least, sen, heavy := 0, 0, 0
	covers := func(l Line) int {
		if l.Low <= slope && slope <= l.High {
			return 1
		}
		return 0
	}
	for range rounds {
		var x, y, z []float64
		for i := range 20 {
			at := math.Sqrt(float64(i))
			x, y = append(x, at), append(y, 2+slope*at+0.3*random.NormFloat64())
			z = append(z, 2+slope*at+0.3*math.Tan(math.Pi*(random.Float64()-0.5)))
		}
		least += covers(LeastSquares(x, y, 0.8))
		sen += covers(theilSen(x, y, 0.8))
		heavy += covers(theilSen(x, z, 0.8))
	}
	for name, n := range map[string]int{"least squares": least, "Theil-Sen": sen, "Theil-Sen, Cauchy": heavy} {
		if share := float64(n) / rounds; math.Abs(share-0.8) > 0.036 {
			t.Errorf("%s: %.3f of the intervals cover the slope, want 0.8", name, share)
		}
	}
}

func TestWhatPointsDoNotDetermineIsNaN(t *testing.T) {
	nan := math.NaN()
	none := Line{nan, nan, nan, nan, nan, nan}
	for _, c := range []struct {
		name       string
		x, y       []float64
		least, sen Line
	}{
		{"no points", nil, nil, none, none},
		{"one point", []float64{1}, []float64{2}, none, none},
		{"one x", []float64{1, 1, 1}, []float64{2, 3, 4}, none, none},
		{"two points", []float64{1, 3}, []float64{2, 8},
			Line{3, -1, nan, nan, nan, 1}, Line{3, -1, nan, nan, nan, 1}},
		{"constant", []float64{1, 2, 3, 4, 5}, []float64{7, 7, 7, 7, 7},
			Line{0, 7, 0, 0, 0, nan}, Line{0, 7, nan, 0, 0, nan}},
		{"four points", []float64{0, 1, 2, 3}, []float64{0, 1, 2, 4},
			Line{1.3, -0.2, 0.17320508075688773, 0.5547586864749028,
				2.0452413135250973, 0.9657142857142857},
			Line{7. / 6, -0.25, nan, nan, nan, 0.926984126984127}}, // all six slopes are no 95 % interval
	} {
		expectLine(t, c.name, LeastSquares(c.x, c.y, 0.95), c.least, 1e-12)
		expectLine(t, c.name+", Theil-Sen", theilSen(c.x, c.y, 0.95), c.sen, 1e-12)
	}
}
