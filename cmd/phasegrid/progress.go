package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

// barScale is the total of a bar: costs are floats, and a bar counts in integers.
const barScale = 10000

// lineEvery is the interval of lines where there is no terminal.
const lineEvery = 5 * time.Second

// progress shows a sweep's progress: as a bar on a terminal, elsewhere as lines. One goroutine uses
// it.
type progress struct {
	w    io.Writer
	draw bool          // w is a terminal
	bars *mpb.Progress // nil before the first show, and without a terminal
	bar  *mpb.Bar
	text atomic.Pointer[string] // after the bar, which another goroutine draws
	last client.Sweep

	printed  time.Time
	lastLine string
}

// newProgress shows progress on w: as lines if w is not a terminal, or NO_COLOR or TERM=dumb is
// set.
func newProgress(w io.Writer) *progress {
	draw := terminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return &progress{w: w, draw: draw, printed: time.Now()}
}

// show shows the present state of the sweep.
func (p *progress) show(v client.Sweep) {
	p.last = v
	if !p.draw {
		p.line(false)
		return
	}
	text := describe(v)
	p.text.Store(&text)
	if p.bars == nil {
		p.bars = mpb.New(mpb.WithOutput(p.w), mpb.WithWidth(40))
		p.bar = p.bars.AddBar(barScale,
			mpb.PrependDecorators(decor.Name(v.Name+" "), decor.Any(func(s decor.Statistics) string {
				return fmt.Sprintf("%3d%%", s.Current*100/barScale)
			})),
			mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return *p.text.Load() })))
	}
	p.bar.SetCurrent(int64(fraction(v) * barScale))
}

// close ends the bar, which stays on the screen.
func (p *progress) close() {
	if !p.draw {
		p.line(true)
		return
	}
	if p.bars == nil {
		return
	}
	if p.last.Phase == client.PhaseDone {
		p.bar.SetCurrent(barScale)
	} else {
		p.bar.Abort(false)
	}
	p.bars.Wait()
}

// line prints a line every lineEvery, and one at the end.
func (p *progress) line(end bool) {
	if p.last.ID == "" || (!end && time.Since(p.printed) < lineEvery) {
		return
	}
	text := fmt.Sprintf("%s %3.0f%% %s", p.last.Name, 100*fraction(p.last), describe(p.last))
	if text != p.lastLine {
		fmt.Fprintln(p.w, text)
	}
	p.printed, p.lastLine = time.Now(), text
}

// fraction is the fraction of the work that is done: of the cost, if that is known.
func fraction(v client.Sweep) float64 {
	p := v.Progress
	switch {
	case v.Phase == client.PhaseDone:
		return 1
	case p.CostTotal > 0:
		return min(p.CostDone/p.CostTotal, 1)
	case p.Shards > 0:
		return float64(p.ShardsDone) / float64(p.Shards)
	}
	return 0
}

// describe is the text after the percentage.
func describe(v client.Sweep) string {
	p := v.Progress
	parts := []string{
		fmt.Sprintf("%s/%s", humanize.Comma(p.ShardsDone), counted(p.Shards, "shard")),
		counted(p.PointsDone, "point"),
	}
	switch {
	case v.Phase != client.PhaseRunning:
		parts = append(parts, v.Phase)
	case p.Waiting != "":
		parts = append(parts, p.Waiting)
	case p.ETA > 0:
		parts = append(parts, "ETA "+duration(p.ETA))
	}
	if p.ShardsQuarantined > 0 {
		parts = append(parts, fmt.Sprintf("%d quarantined", p.ShardsQuarantined))
	}
	for _, alarm := range p.Alarms {
		parts = append(parts, "ALARM "+alarm[:min(len(alarm), maxAlarmText)])
	}
	return strings.Join(parts, ", ")
}

// maxAlarmText is the number of bytes of an alarm that a progress line shows.
const maxAlarmText = 80

// duration rounds for people; "-" if there is none.
func duration(d time.Duration) string {
	switch {
	case d <= 0:
		return "-"
	case d < time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d < 10*time.Minute:
		return d.Round(time.Second).String()
	}
	return d.Round(time.Minute).String()
}

// percent is the ratio of part to whole; "-" if there is nothing.
func percent(part, whole int64) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f%%", 100*float64(part)/float64(whole))
}
