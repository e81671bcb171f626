package plot

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot/vg"

	"github.com/phasegrid/phasegrid/results"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// look is how a figure looks, whatever it shows.
type look struct {
	title string
	size  [2]vg.Length // of the whole figure; zero: what fits the panels
	zoom  float64      // of letters and lines
	dpi   float64
	about about
}

// about says what a figure is, in the metadata of its file.
type about struct{ title, command, source string }

const (
	defaultFont = 8 // points of tick labels and legend
	defaultDPI  = 200
	maxDots     = 100_000_000 // of a PNG
)

// lookOf returns the look that the options ask for.
func lookOf(set *results.Set, o options) look {
	l := look{title: o.Title, zoom: 1, dpi: defaultDPI}
	l.size = [2]vg.Length{vg.Length(o.Size[0]), vg.Length(o.Size[1])}
	if o.FontSize > 0 {
		l.zoom = o.FontSize / defaultFont
	}
	if o.DPI > 0 {
		l.dpi = o.DPI
	}
	source := "phasegrid result set " + filepath.Base(set.Dir())
	if m := set.Manifest(); m != nil {
		source = fmt.Sprintf("phasegrid sweep %s, id %s", m.Name, m.Sweep)
	}
	l.about = about{
		title:   o.Title,
		command: "phasegrid plot " + filepath.Base(set.Dir()) + flagsOf(o),
		source:  source + ", solver " + set.Schema().Options().Solver.String(),
	}
	if l.about.title == "" {
		l.about.title = strings.Join(o.metrics(), ", ") + " over " + o.X
	}
	return l
}

// flagsOf are the flags of phasegrid plot that draw the figure again.
func flagsOf(o options) string {
	f := figure.Figure(o)
	var b strings.Builder
	for _, k := range figure.Keys() {
		value := k.Value(&f)
		switch {
		case value == "" || k.Name == "name":
		case k.Shape() == figure.Switch:
			b.WriteString(" --" + k.Flag())
		default:
			b.WriteString(" --" + k.Flag() + " " + quoted(value))
		}
	}
	return b.String()
}

// quoted writes a text as one word of a shell.
func quoted(text string) string {
	if strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.,:=+-") == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// text is the metadata as one text.
func (a about) text() string { return a.source + "; drawn by " + a.command }

// describeSVG adds title and description to an SVG.
func (a about) describeSVG(data []byte) []byte {
	end := bytes.Index(data, []byte("<svg"))
	if end < 0 {
		return data
	}
	end += bytes.IndexByte(data[end:], '>') + 1
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	added := fmt.Sprintf("\n<title>%s</title>\n<desc>%s</desc>", escape.Replace(a.title), escape.Replace(a.text()))
	return append(append(append([]byte{}, data[:end]...), added...), data[end:]...)
}

// zoomSVG sets the size at which an SVG is shown; its view box is that in which it was drawn.
func zoomSVG(data []byte, width, height vg.Length, zoom float64) []byte {
	if zoom == 1 {
		return data
	}
	old := fmt.Sprintf(`width="%.5gpt" height="%.5gpt"`, width.Points(), height.Points())
	return bytes.Replace(data, []byte(old),
		fmt.Appendf(nil, `width="%.5gpt" height="%.5gpt"`, zoom*width.Points(), zoom*height.Points()), 1)
}

// describePNG adds texts behind the header of a PNG, whose length is fixed.
func (a about) describePNG(data []byte) []byte {
	const header = 8 + 25 // signature and IHDR
	if len(data) < header {
		return data
	}
	out := append([]byte{}, data[:header]...)
	for _, t := range [][2]string{{"Title", a.title}, {"Source", a.source}, {"Comment", a.command}} {
		chunk := append([]byte("iTXt"+t[0]), 0, 0, 0, 0, 0) // not compressed, no language, no translation
		chunk = append(chunk, t[1]...)
		out = binary.BigEndian.AppendUint32(out, uint32(len(chunk)-4))
		out = append(out, chunk...)
		out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(chunk))
	}
	return append(out, data[header:]...)
}
