package plot_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"io"
	"testing"
	"unicode/utf16"

	"github.com/phasegrid/phasegrid/results/plot"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// TestPDFHasText: the words of a figure, Greek letters included, are strings of the page, and equal
// figures have equal bytes.
func TestPDFHasText(t *testing.T) {
	picture, err := plot.Draw(context.Background(), write(t, phaseRuns()), figure.Figure{})
	if err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	for _, b := range []*bytes.Buffer{&first, &second} {
		if err := picture.Write(b, "pdf"); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same figure was written with different bytes")
	}
	if bytes.Count(first.Bytes(), []byte("D:19700101000000")) != 2 { // of creation and modification
		t.Error("the PDF has the time at which it was written")
	}
	var content []byte
	for _, part := range bytes.Split(first.Bytes(), []byte("stream\n"))[1:] {
		if r, err := zlib.NewReader(bytes.NewReader(part)); err == nil {
			text, _ := io.ReadAll(r) // what follows the compressed data is not of it
			content = append(content, text...)
		}
	}
	if !bytes.Contains(content, []byte("0.00000 1.00000 -1.00000 0.00000")) {
		t.Error("no text is turned, as the label of the vertical axis is")
	}
	for _, text := range []string{"anisotropy λ", "signal alignment", "theory for gd: λ = 2", "specgd"} {
		var want []byte
		for _, unit := range utf16.Encode([]rune(text)) {
			want = binary.BigEndian.AppendUint16(want, unit)
		}
		if !bytes.Contains(content, want) {
			t.Errorf("the PDF has no text %q", text)
		}
	}
}
