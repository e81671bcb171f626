package plot

import (
	"fmt"
	"image/color"
	"io"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/phasegrid/phasegrid/results"
)

// Figure is panels in rows, a colour bar or legend they share, and a caption.
type Figure struct {
	panels  []*plot.Plot
	bar     *plot.Plot // nil: none
	legend  []legendEntry
	caption string
}

// legendEntry explains a colour: a line, or an area.
type legendEntry struct {
	text   string
	color  color.Color
	dashes []vg.Length
	area   bool
}

const (
	panelWidth, panelHeight = 3.2 * vg.Inch, 2.7 * vg.Inch
	barWidth                = 0.9 * vg.Inch
	lineHeight              = 13 * vg.Length(1)
	maxColumns              = 3
)

func (f *Figure) grid() (rows, columns int) {
	columns = min(len(f.panels), maxColumns)
	return (len(f.panels) + columns - 1) / columns, columns
}

// Size is the figure's natural size.
func (f *Figure) Size() (width, height vg.Length) {
	rows, columns := f.grid()
	width, height = vg.Length(columns)*panelWidth, vg.Length(rows)*panelHeight
	if f.bar != nil {
		width += barWidth
	}
	return max(width, 4.5*vg.Inch), height + f.footHeight()
}

// footHeight is that of the legend and the caption.
func (f *Figure) footHeight() vg.Length {
	lines := 1 + strings.Count(f.caption, "\n")
	if len(f.legend) > 0 {
		lines += 1 + (len(f.legend)-1)/f.legendColumns()
	}
	return vg.Length(lines)*lineHeight + 6
}

func (f *Figure) legendColumns() int {
	_, columns := f.grid()
	return 2 + columns
}

// Write writes the figure as png (200 dots an inch), svg or pdf.
func (f *Figure) Write(w io.Writer, format string) error {
	width, height := f.Size()
	var canvas vg.CanvasWriterTo
	switch format {
	case "png":
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(200))}
	case "svg", "pdf":
		var err error
		if canvas, err = draw.NewFormattedCanvas(width, height, format); err != nil {
			return fmt.Errorf("plot: %w", err)
		}
	default:
		return fmt.Errorf("plot: unknown format %q; there are png, svg and pdf", format)
	}
	f.Draw(draw.NewCanvas(canvas, width, height))
	if _, err := canvas.WriteTo(w); err != nil {
		return fmt.Errorf("plot: write %s: %w", format, err)
	}
	return nil
}

// Draw draws the figure on a canvas.
func (f *Figure) Draw(c draw.Canvas) {
	c.FillPolygon(white, []vg.Point{c.Min, {X: c.Max.X, Y: c.Min.Y}, c.Max, {X: c.Min.X, Y: c.Max.Y}})
	body := draw.Crop(c, 0, 0, f.footHeight(), 0)
	if f.bar != nil {
		f.bar.Draw(draw.Crop(body, c.Max.X-c.Min.X-barWidth, -6, 0, -2))
		body = draw.Crop(body, 0, -barWidth, 0, 0)
	}
	rows, columns := f.grid()
	tiles := draw.Tiles{Rows: rows, Cols: columns, PadX: 8, PadY: 8, PadLeft: 4, PadRight: 6, PadTop: 4}
	table := make([][]*plot.Plot, rows)
	for i := range table {
		table[i] = make([]*plot.Plot, columns)
		copy(table[i], f.panels[i*columns:min(len(f.panels), (i+1)*columns)])
	}
	canvases := plot.Align(table, tiles, body)
	for i := range table {
		for j, panel := range table[i] {
			if panel != nil {
				panel.Draw(canvases[i][j])
			}
		}
	}
	f.drawFoot(draw.Crop(c, 8, -8, 0, -(c.Max.Y-c.Min.Y)+f.footHeight()))
}

// drawFoot draws legend and caption from the top of a canvas down.
func (f *Figure) drawFoot(c draw.Canvas) {
	style := textStyle(8)
	y := c.Max.Y - lineHeight
	width := (c.Max.X - c.Min.X) / vg.Length(f.legendColumns())
	for i, entry := range f.legend {
		if i > 0 && i%f.legendColumns() == 0 {
			y -= lineHeight
		}
		x := c.Min.X + vg.Length(i%f.legendColumns())*width
		if middle := y + 3; entry.area {
			c.FillPolygon(entry.color, []vg.Point{{X: x, Y: middle - 4}, {X: x + 16, Y: middle - 4}, {X: x + 16, Y: middle + 4}, {X: x, Y: middle + 4}})
		} else {
			c.StrokeLine2(draw.LineStyle{Color: entry.color, Width: 1.5, Dashes: entry.dashes}, x, middle, x+16, middle)
		}
		c.FillText(style, vg.Point{X: x + 20, Y: y}, entry.text)
	}
	if len(f.legend) > 0 {
		y -= lineHeight
	}
	style = textStyle(7)
	for _, line := range strings.Split(f.caption, "\n") {
		c.FillText(style, vg.Point{X: c.Min.X, Y: y}, line)
		y -= lineHeight
	}
}

func textStyle(size vg.Length) draw.TextStyle {
	return draw.TextStyle{Color: ink, Font: font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}, Handler: plot.DefaultTextHandler}
}

// newPanel is an empty panel in the project's style.
func newPanel(title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.Title.TextStyle = textStyle(10)
	p.Title.TextStyle.XAlign = draw.XCenter
	p.Title.Padding = 3
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		rotation, xalign, yalign := axis.Tick.Label.Rotation, axis.Tick.Label.XAlign, axis.Tick.Label.YAlign
		axis.Tick.Label = textStyle(8)
		axis.Tick.Label.Rotation, axis.Tick.Label.XAlign, axis.Tick.Label.YAlign = rotation, xalign, yalign
		rotation, xalign, yalign = axis.Label.TextStyle.Rotation, axis.Label.TextStyle.XAlign, axis.Label.TextStyle.YAlign
		axis.Label.TextStyle = textStyle(9)
		axis.Label.TextStyle.Rotation, axis.Label.TextStyle.XAlign, axis.Label.TextStyle.YAlign = rotation, xalign, yalign
		axis.LineStyle = draw.LineStyle{Color: ink, Width: 0.6}
		axis.Tick.LineStyle = draw.LineStyle{Color: ink, Width: 0.5}
		axis.Padding = 0
	}
	return p
}

// caption says which sweep the figure is of, what is held fixed, and how it was chosen.
func caption(set *results.Set, f *frame, o Options) string {
	name := "unfinished sweep " + filepath.Base(set.Dir())
	if m := set.Manifest(); m != nil {
		name = fmt.Sprintf("sweep %s (%.8s)", m.Name, m.Sweep)
	}
	text := fmt.Sprintf("%s, solver version %d; %d points", name, set.Schema().Options().SolverVersion, f.rows)
	if len(f.notes) > 0 {
		text += "; " + strings.Join(f.notes, ", ")
	}
	if o.Where != "" {
		text += "\nwhere " + o.Where
	}
	return text
}
