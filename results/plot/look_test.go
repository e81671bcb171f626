package plot_test

import (
	"bytes"
	"image/png"
	"strings"
	"testing"

	"github.com/phasegrid/phasegrid/results/plot"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// replicated are runs with eight seeds in each cell.
func replicated() (runs []run) {
	for _, optimizer := range []string{"gd", "muon"} {
		for _, anisotropy := range []float64{1, 10, 100} {
			for seed := range int64(8) {
				runs = append(runs, run{
					optimizer: optimizer, dimension: 10, anisotropy: anisotropy, rate: 0.1,
					seed: seed, steps90: 10 + seed, alignment: 0.5 + float64(seed)/20,
				})
			}
		}
	}
	return runs
}

// write returns the bytes of a figure.
func bytesOf(t *testing.T, f *plot.Figure, format string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b, format); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestLooks: a figure has the asked size in each format, its title, and metadata that draw it
// again.
func TestLooks(t *testing.T) {
	set := write(t, replicated())
	asked := figure.Figure{
		Kind: figure.Curves, X: "anisotropy", Y: "1 - signal_alignment", Title: "A <title>", XLabel: "strength",
		Size: figure.Size{432, 288}, FontSize: 12, DPI: 100, NoCaption: true,
	}
	f, err := plot.Draw(t.Context(), set, asked)
	if err != nil {
		t.Fatal(err)
	}
	d := record(t, f)
	d.says(t, "A <title>", "strength", "1 - signal alignment")
	for _, text := range d.texts {
		if strings.Contains(text, "solver") {
			t.Errorf("a caption is drawn: %s", text)
		}
	}
	data := bytesOf(t, f, "png")
	if config, err := png.DecodeConfig(bytes.NewReader(data)); err != nil || config.Width != 600 ||
		config.Height != 400 {
		t.Errorf("got %d x %d dots, %v, want 600 x 400", config.Width, config.Height, err)
	}
	if _, err := png.Decode(bytes.NewReader(data)); err != nil {
		t.Errorf("the PNG with its texts cannot be read: %v", err)
	}
	const command = "--kind curves --x anisotropy --y '1 - signal_alignment'"
	if !bytes.Contains(data, []byte(command)) {
		t.Error("the PNG does not say how it was drawn")
	}
	svg := string(bytesOf(t, f, "svg"))
	for _, want := range []string{
		`width="432pt" height="288pt" viewBox="0 0 288 192"`, "<title>A &lt;title&gt;</title>", command,
	} {
		if !strings.Contains(svg, want) {
			t.Errorf("the SVG has no %s:\n%.600s", want, svg)
		}
	}
	pdf := bytesOf(t, f, "pdf")
	if !bytes.Contains(pdf, []byte("/MediaBox [0 0 432.00 288.00]")) || !bytes.Contains(pdf, []byte("/Title")) {
		t.Error("the PDF has another size, or no title")
	}
	again, err := plot.Draw(t.Context(), set, asked)
	if err != nil || !bytes.Equal(bytesOf(t, again, "png"), data) || !bytes.Equal(bytesOf(t, again, "pdf"), pdf) {
		t.Errorf("the same figure has other bytes: %v", err)
	}
}

func TestSizesThatCannotBeDrawn(t *testing.T) {
	set := write(t, replicated())
	for want, asked := range map[string]figure.Figure{
		"no room beside letters":       {Size: figure.Size{60, 60}},
		"choose a smaller size or dpi": {Size: figure.Size{7200, 7200}, DPI: 1200},
	} {
		f, err := plot.Draw(t.Context(), set, asked)
		if err == nil {
			err = f.Write(&bytes.Buffer{}, "png")
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestSeveralMetrics: they share an axis, and the legend tells them apart.
func TestSeveralMetrics(t *testing.T) {
	set := write(t, replicated())
	for kind, x := range map[figure.Kind]string{
		figure.Curves: "anisotropy", figure.Bars: "optimizer", figure.Trajectories: "",
	} {
		d := drawn(t, set, figure.Figure{Kind: kind, X: x, Y: "signal_alignment, 1 - spike_alignment"})
		d.says(t, "signal alignment", "1 - spike alignment")
	}
	for y, want := range map[string]string{
		"steps_to_90, loss":                  "got the time steps_to_90 beside another metric",
		"loss, loss":                         "got loss twice",
		"loss, no_such":                      "no such column",
		"loss + , signal_alignment":          "compute a column",
		"loss, optimizer":                    `"optimizer" is not a column of numbers`,
		"sqrt(loss), pow(signal_alignment,)": "compute a column",
	} {
		_, err := plot.Draw(t.Context(), set, figure.Figure{Kind: figure.Curves, X: "anisotropy", Y: y})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", y, err, want)
		}
	}
}

// TestBandsMayBeIntervals: of eight runs, the interval of the median is from the first to the
// eighth, and of five there is none.
func TestBandsMayBeIntervals(t *testing.T) {
	set := write(t, replicated())
	asked := figure.Figure{Kind: figure.Bars, X: "optimizer", Y: "signal_alignment", Where: "anisotropy == 1"}
	asked.Band = figure.Interval
	drawn(t, set, asked).says(t, "95 % confidence interval over 8 seeds")
	asked.Band = ""
	drawn(t, set, asked).says(t, "10-90 % band over 8 seeds")
}

func TestLimits(t *testing.T) {
	set := write(t, replicated())
	asked := figure.Figure{
		Kind: figure.Curves, X: "anisotropy", Y: "signal_alignment",
		XLim: figure.Limits{1, 50}, YLim: figure.Limits{0.6, 0.7},
	}
	d := drawn(t, set, asked)
	d.says(t, "0.6", "0.7", "20", "50")
	for _, text := range d.texts {
		if text == "100" {
			t.Error("the axis goes to 100")
		}
	}
	asked.XLim[0] = -1
	if _, err := plot.Draw(t.Context(), set, asked); err == nil || !strings.Contains(err.Error(), "log scale") {
		t.Errorf("got %v", err)
	}
	drawn(t, set, figure.Figure{Kind: figure.Phase, X: "anisotropy", Y: "dimension", YLim: figure.Limits{5, 20}})
}
