package local

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestStaleSockets: the next run removes the socket directory of a killed run. It keeps those of
// runs that are alive or have just begun, and what is not a socket.
func TestStaleSockets(t *testing.T) {
	tmp, err := os.MkdirTemp("/tmp", "pg") // a path short enough for sockets below it
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	t.Setenv("TMPDIR", tmp)
	made := func(name string, age time.Duration, leave func(path string)) string {
		folder := filepath.Join(tmp, socketFolder+name)
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		leave(filepath.Join(folder, socketName))
		for _, path := range []string{filepath.Join(folder, socketName), folder} {
			if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
				t.Fatal(err)
			}
		}
		return folder
	}
	listen := func(path string) *net.UnixListener {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		t.Cleanup(func() { l.Close() })
		return l
	}
	killed := func(path string) { listen(path).Close() }
	folders := map[string]bool{ // whether they stay
		made("killed", time.Hour, killed):                              false,
		made("just-made", 0, killed):                                   true,
		made("listens", time.Hour, func(path string) { listen(path) }): true,
		made("file", time.Hour, func(path string) {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}): true,
	}
	listener, _, remove, err := listenPrivately()
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	remove()
	for folder, stays := range folders {
		if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) == stays {
			t.Errorf("%s: %v, stays: %v", folder, err, stays)
		}
	}
}
