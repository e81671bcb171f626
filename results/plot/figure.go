package plot

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"math"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/phasegrid/phasegrid/results"
)

// Figure is a grid of panels with a shared colour bar or legend and a caption.
type Figure struct {
	panels  []*panel
	bar     *panel // nil: none
	legend  []legendEntry
	caption string
	look    look
}

// panel is one plot and the labels of its axes. The library would place a label near the end of a
// logarithmic axis instead of its middle, so the panel draws them.
type panel struct {
	*plot.Plot
	xLabel, yLabel string
}

// draw draws the panel with its labels.
func (p *panel) draw(c draw.Canvas) {
	style := textStyle(9)
	style.XAlign, style.YAlign = draw.XCenter, draw.YTop
	below := vg.Length(0)
	if p.xLabel != "" {
		below = lineHeight
	}
	inner := draw.Crop(c, lineHeight, 0, below, 0)
	data := p.DataCanvas(inner)
	c.FillText(style, vg.Point{X: (data.Min.X + data.Max.X) / 2, Y: c.Min.Y + lineHeight}, p.xLabel)
	style.Rotation = math.Pi / 2
	c.FillText(style, vg.Point{X: c.Min.X, Y: (data.Min.Y + data.Max.Y) / 2}, p.yLabel)
	p.Draw(inner)
}

// legendEntry explains the colour of a line or an area.
type legendEntry struct {
	text   string
	color  color.Color
	dashes []vg.Length
	area   bool // a filled box instead of a line
	cross  bool // a cross instead of a line
}

const (
	panelWidth, panelHeight = 3.2 * vg.Inch, 2.7 * vg.Inch
	barWidth                = 0.9 * vg.Inch
	lineHeight              = 13 * vg.Length(1)
	captionSize             = 7
	legendSize              = 8
	legendMark              = 20 // width of the mark before an entry's text
	titleSize               = 12
	titleHeight             = 22 * vg.Length(1)
	leastPanel              = 0.8 * vg.Inch // sides of a panel that can be read
	maxColumns              = 3
)

// grid returns the numbers of rows and columns of panels.
func (f *Figure) grid() (rows, columns int) {
	columns = min(len(f.panels), maxColumns)
	return (len(f.panels) + columns - 1) / columns, columns
}

// Size returns the size of the figure: that which was asked for, or the natural one.
func (f *Figure) Size() (width, height vg.Length) {
	if f.look.size != ([2]vg.Length{}) {
		return f.look.size[0], f.look.size[1]
	}
	width, height = f.drawnSize()
	zoom := vg.Length(f.look.zoom)
	return zoom * width, zoom * height
}

// drawnSize returns the size in which the figure is drawn before it is zoomed.
func (f *Figure) drawnSize() (width, height vg.Length) {
	width, height = f.panelSize()
	return width, height + f.headHeight() + f.footHeight()
}

// headHeight returns the height of the title.
func (f *Figure) headHeight() vg.Length {
	if f.look.title == "" {
		return 0
	}
	return titleHeight
}

// panelSize returns the size without title, legend and caption.
func (f *Figure) panelSize() (width, height vg.Length) {
	if size, zoom := f.look.size, vg.Length(f.look.zoom); size != ([2]vg.Length{}) {
		return size[0] / zoom, size[1]/zoom - f.headHeight() - f.footHeight()
	}
	rows, columns := f.grid()
	width, height = vg.Length(columns)*panelWidth, vg.Length(rows)*panelHeight
	if f.bar != nil {
		width += barWidth
	}
	return max(width, 4.5*vg.Inch), height
}

// footHeight returns the height of legend and caption.
func (f *Figure) footHeight() vg.Length {
	lines := len(f.captionLines())
	if n := len(f.legend); n > 0 {
		lines += 1 + f.legendPositions()[n-1].line
	}
	return vg.Length(lines)*lineHeight + 6
}

// position is the position of a legend entry.
type position struct {
	line int
	x    vg.Length
}

// legendPositions breaks the legend into lines of the figure's width.
func (f *Figure) legendPositions() []position {
	width := f.width()
	style := textStyle(legendSize)
	var positions []position
	at := position{}
	for _, entry := range f.legend {
		room := legendMark + style.Width(entry.text) + 12
		if at.x > 0 && at.x+room > width-16 {
			at = position{line: at.line + 1}
		}
		positions = append(positions, at)
		at.x += room
	}
	return positions
}

// Write writes the figure as png (200 dots an inch), svg or pdf.
func (f *Figure) Write(w io.Writer, format string) error {
	width, height := f.drawnSize()
	if err := f.checkDots(format); err != nil {
		return err
	}
	zoom := f.look.zoom
	var canvas vg.CanvasWriterTo
	switch format {
	case "png":
		dots := int(math.Round(f.look.dpi * zoom))
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dots))}
	case "svg":
		canvas = vgsvg.New(width, height)
	case "pdf":
		canvas = newPDF(width, height, zoom, f.look.about)
	default:
		return fmt.Errorf("plot: got format %q, want png, svg or pdf", format)
	}
	f.Draw(draw.NewCanvas(canvas, width, height))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return fmt.Errorf("plot: write %s: %w", format, err)
	}
	data := b.Bytes()
	switch format {
	case "svg":
		data = bytes.ReplaceAll(data, []byte(svgFont), []byte(svgFonts))
		data = f.look.about.describeSVG(zoomSVG(data, width, height, zoom))
	case "png":
		data = f.look.about.describePNG(data)
	}
	if _, err := w.Write(data); err != nil {
		return fmt.Errorf("plot: write %s: %w", format, err)
	}
	return nil
}

// checkRoom refuses sizes in which panels cannot be read.
func (f *Figure) checkRoom() error {
	rows, columns := f.grid()
	width, height := f.panelSize()
	if f.bar != nil {
		width -= barWidth
	}
	if width/vg.Length(columns) < leastPanel || height/vg.Length(rows) < leastPanel {
		return fmt.Errorf("plot: draw a figure of %d x %d panels: no room beside letters and caption; "+
			"choose a larger size, a smaller font size, or no caption", columns, rows)
	}
	return nil
}

// checkDots refuses a PNG of too many dots before they take memory.
func (f *Figure) checkDots(format string) error {
	w, h := f.Size()
	if dots := float64(w/vg.Inch) * float64(h/vg.Inch) * f.look.dpi * f.look.dpi; format == "png" && dots > maxDots {
		return fmt.Errorf("plot: draw a PNG: got %.3g dots, want at most %.3g; choose a smaller size or dpi",
			dots, float64(maxDots))
	}
	return nil
}

// width is the width of the figure before it is zoomed.
func (f *Figure) width() vg.Length {
	if f.look.size != ([2]vg.Length{}) {
		return f.look.size[0] / vg.Length(f.look.zoom)
	}
	width, _ := f.panelSize()
	return width
}

// svgFont is the font of the library's SVG, which few readers have. Arial, the next one of
// svgFonts, has the same widths.
const (
	svgFont  = "font-family:Liberation Sans;font-variant:normal;font-weight:normal;font-style:normal"
	svgFonts = "font-family:Liberation Sans,Arial,Helvetica,sans-serif"
)

// Draw draws the figure on a canvas.
func (f *Figure) Draw(c draw.Canvas) {
	c.FillPolygon(white, []vg.Point{c.Min, {X: c.Max.X, Y: c.Min.Y}, c.Max, {X: c.Min.X, Y: c.Max.Y}})
	if f.look.title != "" {
		style := textStyle(titleSize)
		style.XAlign, style.YAlign = draw.XCenter, draw.YTop
		c.FillText(style, vg.Point{X: (c.Min.X + c.Max.X) / 2, Y: c.Max.Y - 5}, f.look.title)
	}
	body := draw.Crop(c, 0, 0, f.footHeight(), -f.headHeight())
	if f.bar != nil {
		f.bar.draw(draw.Crop(body, c.Max.X-c.Min.X-barWidth, -6, 0, -2))
		body = draw.Crop(body, 0, -barWidth, 0, 0)
	}
	rows, columns := f.grid()
	tiles := draw.Tiles{Rows: rows, Cols: columns, PadX: 8, PadY: 8, PadLeft: 4, PadRight: 6, PadTop: 4}
	for i, panel := range f.panels {
		panel.draw(tiles.At(body, i%columns, i/columns))
	}
	f.drawFoot(draw.Crop(c, 8, -8, 0, -(c.Max.Y-c.Min.Y)+f.footHeight()))
}

// drawFoot draws legend and caption from the top of a canvas down.
func (f *Figure) drawFoot(c draw.Canvas) {
	y := c.Max.Y - lineHeight
	style := textStyle(legendSize)
	for i, at := range f.legendPositions() {
		entry, x, line := f.legend[i], c.Min.X+at.x, y-vg.Length(at.line)*lineHeight
		if middle := line + 3; entry.cross {
			c.DrawGlyph(
				draw.GlyphStyle{Color: entry.color, Radius: 2.5, Shape: draw.CrossGlyph{}},
				vg.Point{X: x + 8, Y: middle},
			)
		} else if entry.area {
			c.FillPolygon(entry.color, []vg.Point{
				{X: x, Y: middle - 4}, {X: x + 16, Y: middle - 4}, {X: x + 16, Y: middle + 4}, {X: x, Y: middle + 4},
			})
		} else {
			c.StrokeLine2(draw.LineStyle{Color: entry.color, Width: 1.5, Dashes: entry.dashes}, x, middle, x+16, middle)
		}
		c.FillText(style, vg.Point{X: x + legendMark, Y: line}, entry.text)
	}
	if n := len(f.legend); n > 0 {
		y -= vg.Length(1+f.legendPositions()[n-1].line) * lineHeight
	}
	style = textStyle(captionSize)
	for _, line := range f.captionLines() {
		c.FillText(style, vg.Point{X: c.Min.X, Y: y}, line)
		y -= lineHeight
	}
}

func textStyle(size vg.Length) draw.TextStyle {
	return draw.TextStyle{
		Color:   ink,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
		Handler: plot.DefaultTextHandler,
	}
}

// newPanel returns an empty panel.
func newPanel(title, x, y string) *panel {
	p := &panel{Plot: plot.New(), xLabel: x, yLabel: y}
	p.BackgroundColor = nil
	p.Title.Text = title
	p.Title.TextStyle = textStyle(10)
	p.Title.TextStyle.XAlign, p.Title.TextStyle.YAlign = draw.XCenter, draw.YTop
	p.Title.Padding = 3
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Tick.Label = restyled(axis.Tick.Label, 8)
		axis.LineStyle = draw.LineStyle{Color: ink, Width: 0.6}
		axis.Tick.LineStyle = draw.LineStyle{Color: ink, Width: 0.5}
		axis.Padding = 0
	}
	return p
}

// restyled returns the project's text style with the rotation and alignment of another.
func restyled(old draw.TextStyle, size vg.Length) draw.TextStyle {
	style := textStyle(size)
	style.Rotation, style.XAlign, style.YAlign = old.Rotation, old.XAlign, old.YAlign
	return style
}

// caption names the sweep, the number of points, the parameters that are held, and the condition.
func caption(set *results.Set, f *frame, o options) string {
	name := "unfinished sweep " + filepath.Base(set.Dir())
	if m := set.Manifest(); m != nil {
		name = fmt.Sprintf("sweep %s (%.8s)", m.Name, m.Sweep)
	}
	text := fmt.Sprintf("%s, solver %s; %s", name, set.Schema().Options().Solver, count(f.drawn(), "point"))
	if len(f.notes) > 0 {
		text += "; " + strings.Join(f.notes, ", ")
	}
	if o.Where != "" {
		text += "; where " + o.Where
	}
	return text
}

// captionLines breaks the caption into lines of the figure's width.
func (f *Figure) captionLines() []string {
	width := f.width()
	style := textStyle(captionSize)
	lines := []string{""}
	for _, word := range strings.Fields(f.caption) {
		last := &lines[len(lines)-1]
		if *last != "" && style.Width(*last+" "+word) > width-16 {
			lines = append(lines, word)
		} else {
			*last = strings.TrimPrefix(*last+" "+word, " ")
		}
	}
	return lines
}
