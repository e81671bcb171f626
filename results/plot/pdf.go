package plot

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"io"
	"math"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// pdfCanvas writes a PDF page with text that can be searched and copied, Greek letters included:
// the plotting library's own canvas encodes text as Windows-1252. Equal figures have equal bytes.
type pdfCanvas struct {
	doc    *fpdf.Fpdf
	width  float64
	height float64
	zoom   float64
	states []pdfState // the last one is current
	fonts  map[string]bool
	err    error
}

// pdfState is what Push saves.
type pdfState struct {
	// The affine map from user space to the page, y upwards: x' = a x + c y + e, y' = b x + d y +
	// f.
	a, b, c, d, e, f float64
	color            color.Color
	width            vg.Length
	dashes           []vg.Length
	offset           vg.Length
}

// newPDF returns a page of a size, everything on which is zoomed.
func newPDF(width, height vg.Length, zoom float64, about about) *pdfCanvas {
	doc := fpdf.NewCustom(&fpdf.InitType{
		UnitStr: "pt",
		Size:    fpdf.SizeType{Wd: zoom * width.Points(), Ht: zoom * height.Points()},
	})
	doc.SetMargins(0, 0, 0)
	doc.SetAutoPageBreak(false, 0)
	doc.SetCatalogSort(true)
	doc.SetCreationDate(time.Unix(0, 0).UTC())
	doc.SetModificationDate(time.Unix(0, 0).UTC())
	doc.SetTitle(about.title, true)
	doc.SetSubject(about.text(), true)
	doc.SetCreator("phasegrid", true)
	doc.AddPage()
	c := &pdfCanvas{
		doc:    doc,
		width:  width.Points(),
		height: height.Points(),
		zoom:   zoom,
		states: []pdfState{{a: zoom, d: zoom, color: color.Black}},
		fonts:  map[string]bool{},
	}
	vg.Initialize(c)
	return c
}

func (c *pdfCanvas) state() *pdfState { return &c.states[len(c.states)-1] }

// Size implements vg.CanvasSizer.
func (c *pdfCanvas) Size() (width, height vg.Length) {
	return vg.Length(c.width), vg.Length(c.height)
}

// SetLineWidth implements vg.Canvas.
func (c *pdfCanvas) SetLineWidth(width vg.Length) { c.state().width = width }

// SetLineDash implements vg.Canvas.
func (c *pdfCanvas) SetLineDash(dashes []vg.Length, offset vg.Length) {
	c.state().dashes, c.state().offset = dashes, offset
}

// SetColor implements vg.Canvas.
func (c *pdfCanvas) SetColor(to color.Color) {
	if to == nil {
		to = color.Black
	}
	c.state().color = to
}

// Rotate implements vg.Canvas.
func (c *pdfCanvas) Rotate(angle float64) {
	sin, cos := math.Sincos(angle)
	s := c.state()
	s.a, s.b, s.c, s.d = cos*s.a+sin*s.c, cos*s.b+sin*s.d, cos*s.c-sin*s.a, cos*s.d-sin*s.b
}

// Translate implements vg.Canvas.
func (c *pdfCanvas) Translate(by vg.Point) {
	s := c.state()
	s.e, s.f = c.user(by)
}

// Scale implements vg.Canvas.
func (c *pdfCanvas) Scale(x, y float64) {
	s := c.state()
	s.a, s.b, s.c, s.d = s.a*x, s.b*x, s.c*y, s.d*y
}

// Push implements vg.Canvas.
func (c *pdfCanvas) Push() { c.states = append(c.states, *c.state()) }

// Pop implements vg.Canvas.
func (c *pdfCanvas) Pop() { c.states = c.states[:len(c.states)-1] }

// user returns a point of user space in points of the page, y upwards.
func (c *pdfCanvas) user(p vg.Point) (x, y float64) {
	s := c.state()
	return s.a*p.X.Points() + s.c*p.Y.Points() + s.e, s.b*p.X.Points() + s.d*p.Y.Points() + s.f
}

// page returns a point of user space in the document's coordinates, y downwards.
func (c *pdfCanvas) page(p vg.Point) (x, y float64) {
	x, y = c.user(p)
	return x, c.zoom*c.height - y
}

// Stroke implements vg.Canvas.
func (c *pdfCanvas) Stroke(path vg.Path) {
	s := c.state()
	if s.width <= 0 {
		return
	}
	dashes := make([]float64, len(s.dashes))
	for i, d := range s.dashes {
		dashes[i] = c.zoom * d.Points()
	}
	c.doc.SetDashPattern(dashes, c.zoom*s.offset.Points())
	c.doc.SetLineWidth(c.zoom * s.width.Points())
	c.draw(path, "D")
}

// Fill implements vg.Canvas.
func (c *pdfCanvas) Fill(path vg.Path) { c.draw(path, "F") }

// paint sets the document's colours and opacity to the current colour.
func (c *pdfCanvas) paint() {
	rgba := color.NRGBAModel.Convert(c.state().color).(color.NRGBA)
	r, g, b := int(rgba.R), int(rgba.G), int(rgba.B)
	c.doc.SetFillColor(r, g, b)
	c.doc.SetDrawColor(r, g, b)
	c.doc.SetTextColor(r, g, b)
	c.doc.SetAlpha(float64(rgba.A)/255, "Normal")
}

func (c *pdfCanvas) draw(path vg.Path, style string) {
	c.paint()
	for _, step := range path {
		x, y := c.page(step.Pos)
		switch step.Type {
		case vg.MoveComp:
			c.doc.MoveTo(x, y)
		case vg.LineComp:
			c.doc.LineTo(x, y)
		case vg.ArcComp:
			c.arc(step)
		case vg.CloseComp:
			c.doc.ClosePath()
		default:
			c.err = fmt.Errorf("plot: write pdf: paths of kind %d are not supported", step.Type)
		}
	}
	c.doc.DrawPath(style)
}

// arc continues the path along a circle, by a Bézier curve for each quarter or less.
func (c *pdfCanvas) arc(step vg.PathComp) {
	n := max(int(math.Ceil(math.Abs(step.Angle)/(math.Pi/2))), 1)
	part := step.Angle / float64(n)
	handle := 4.0 / 3 * math.Tan(part/4)
	at := func(angle, along float64) (x, y float64) {
		sin, cos := math.Sincos(angle)
		return c.page(vg.Point{
			X: step.Pos.X + step.Radius*vg.Length(cos-along*sin),
			Y: step.Pos.Y + step.Radius*vg.Length(sin+along*cos),
		})
	}
	c.doc.LineTo(at(step.Start, 0))
	for i := range n {
		from, to := step.Start+float64(i)*part, step.Start+float64(i+1)*part
		x1, y1 := at(from, handle)
		x2, y2 := at(to, -handle)
		x, y := at(to, 0)
		c.doc.CurveBezierCubicTo(x1, y1, x2, y2, x, y)
	}
}

// FillString implements vg.Canvas.
func (c *pdfCanvas) FillString(face font.Face, at vg.Point, text string) {
	if name := face.Name(); !c.fonts[name] {
		var file bytes.Buffer
		if _, err := face.Face.WriteSourceTo(nil, &file); err != nil {
			c.err = fmt.Errorf("plot: write pdf: read font %s: %w", name, err)
			return
		}
		c.doc.AddUTF8FontFromBytes(name, "", file.Bytes())
		c.fonts[name] = true
	}
	c.paint()
	c.doc.SetFont(face.Name(), "", c.zoom*face.Font.Size.Points())
	x, y := c.page(at)
	s := c.state()
	c.doc.TransformBegin()
	c.doc.TransformRotate(math.Atan2(s.b, s.a)*180/math.Pi, x, y)
	c.doc.Text(x, y, text)
	c.doc.TransformEnd()
}

// DrawImage implements vg.Canvas; figures have no images.
func (c *pdfCanvas) DrawImage(vg.Rectangle, image.Image) {
	c.err = fmt.Errorf("plot: write pdf: images are not supported")
}

// WriteTo implements io.WriterTo.
func (c *pdfCanvas) WriteTo(w io.Writer) (int64, error) {
	if c.err != nil {
		return 0, c.err
	}
	var b bytes.Buffer
	if err := c.doc.Output(&b); err != nil {
		return 0, err
	}
	return b.WriteTo(w)
}
