package main

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestTerminalHasASize(t *testing.T) {
	tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here:", err)
	}
	defer tty.Close()
	if terminal(tty) {
		t.Error("a bar would be drawn on a terminal of no size, and not be seen")
	}
	if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
		t.Fatal(err)
	}
	if !terminal(tty) {
		t.Error("24 rows of 80 columns are no terminal")
	}
}
