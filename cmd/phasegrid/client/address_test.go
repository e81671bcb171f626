package client

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestMalformedAddressesAreRefused(t *testing.T) {
	for address, want := range map[string]struct{ dial, listen bool }{
		"127.0.0.1:7443":               {true, true},
		"[::1]:7443":                   {true, true},
		"grid.example.org:7443":        {true, true},
		"127.0.0.1:1,grid:2":           {true, false},
		"dns:///grid.example.org:7443": {true, false},
		"dns:grid.example.org:7443":    {true, false},
		"passthrough:///127.0.0.1:1":   {true, false},
		"unix:/run/phasegrid.sock":     {true, false},
		":7443":                        {false, true},
		"0.0.0.0:0":                    {false, true},
		"":                             {false, false},
		"localhost":                    {false, false},
		"localhost:":                   {false, false},
		"localhost:http":               {false, false},
		"localhost:70000":              {false, false},
		"localhost:-1":                 {false, false},
		"::1:7443":                     {false, false},
		"http://localhost:7443":        {false, false},
		"dns:///grid.example.org":      {false, false},
		"127.0.0.1:7443,localhost":     {false, false},
		"two hosts:7443":               {false, false},
	} {
		if err := CheckTarget("--coordinator", address); (err == nil) != want.dial {
			t.Errorf("dial %q: got %v, allowed should be %t", address, err, want.dial)
		}
		if err := CheckListen("--listen", address); (err == nil) != want.listen {
			t.Errorf("listen on %q: got %v, allowed should be %t", address, err, want.listen)
		}
	}
}

// TestAMalformedAddressIsRefusedAtOnce checks that no attempt to connect is made.
func TestAMalformedAddressIsRefusedAtOnce(t *testing.T) {
	err := Config{Coordinator: "localhost"}.With(t.Context(), func(context.Context, *Client) error {
		t.Error("called with a client")
		return nil
	})
	if want := `--coordinator: got "localhost", want host:port`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if !errors.As(err, new(InvalidError)) {
		t.Errorf("%T is not a usage error", err)
	}
}

// TestAnUnknownHostIsNamed checks that the note on waiting says why the name was not resolved.
func TestAnUnknownHostIsNamed(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var notes strings.Builder
	o := Config{Coordinator: "phasegrid.invalid:7443", TLS: TLS{Insecure: true}, Notes: stopAfter{&notes, cancel}}
	o.With(ctx, func(ctx context.Context, c *Client) error {
		_, err := c.List(ctx)
		return err
	})
	if !strings.Contains(notes.String(), "lookup phasegrid.invalid") {
		t.Errorf("got the note %q, want the resolver's error in it", notes.String())
	}
}

// stopAfter cancels a context after the first write.
type stopAfter struct {
	text   *strings.Builder
	cancel context.CancelFunc
}

func (w stopAfter) Write(p []byte) (int, error) {
	defer w.cancel()
	return w.text.Write(p)
}
