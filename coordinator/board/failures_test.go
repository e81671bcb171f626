package board_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/phasegrid/phasegrid/coordinator/board"
)

// TestLongCausesStayText: a cause stays valid UTF-8 wherever it is cut.
func TestLongCausesStayText(t *testing.T) {
	for _, r := range []string{"x", "é", "λ→", "日本", "🙂", "a\xff"} {
		for offset := range 8 {
			s := newScene()
			for _, line := range []string{"sweep a", "attach n1"} {
				if _, err := s.do(strings.Fields(line)); err != nil {
					t.Fatal(err)
				}
			}
			cause := strings.Repeat("x", offset) + strings.Repeat(r, 600)
			saved := false
			for _, a := range s.board.Step(abandoned(cause)) {
				if l, ok := a.(board.SaveFailures); ok {
					saved = true
					if text := l.Failures.Failures[0].Cause; !utf8.ValidString(text) || len(text) > 512 ||
						len(text) < 250 {
						t.Errorf("%q after %d bytes: a cause of %d bytes, %q", r, offset, len(text), text)
					}
				}
			}
			if !saved {
				t.Fatal("the loss is not saved")
			}
		}
	}
}

// TestCausesAreOnlyText: the text of a node cannot control the terminals of its readers.
func TestCausesAreOnlyText(t *testing.T) {
	s := newScene()
	for _, line := range []string{"sweep a", "attach n1"} {
		if _, err := s.do(strings.Fields(line)); err != nil {
			t.Fatal(err)
		}
	}
	cause := "\x1b]0;title\x07red \x1b[31m\u009b2Jλ\u202e\r\n end"
	var text string
	for _, a := range s.board.Step(abandoned(cause)) {
		if l, ok := a.(board.SaveFailures); ok {
			text = l.Failures.Failures[0].Cause
		}
	}
	if want := "abandoned: ]0;titlered [31m2Jλ end"; text != want {
		t.Errorf("the cause is %q, want %q", text, want)
	}
}

// abandoned is the event that node n1 abandons shard 0 of sweep a.
func abandoned(cause string) board.Event {
	return board.ShardsAbandoned{Node: "n1", Range: board.ShardRange{Sweep: "a", Count: 1}, Cause: cause}
}
