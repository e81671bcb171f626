package local

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// The socket of a local cluster has a directory of its own below TMPDIR.
const socketFolder, socketName = "phasegrid-", "grpc"

// socketGrace is the age at which a socket without a listener counts as stale: a new one may
// not listen yet.
const socketGrace = time.Minute

// listenPrivately opens a socket that only this user can reach. remove removes its directory.
func listenPrivately() (listener net.Listener, address string, remove func(), err error) {
	removeStaleSockets()
	folder, err := os.MkdirTemp("", socketFolder+"*")
	if err != nil {
		return nil, "", nil, fmt.Errorf(
			"create a directory for the local socket: %w; set TMPDIR to a writable directory", err,
		)
	}
	path := filepath.Join(folder, socketName)
	if listener, err = net.Listen("unix", path); err != nil {
		os.RemoveAll(folder)
		return nil, "", nil, fmt.Errorf("listen on the local socket: %w; set TMPDIR to a shorter path", err)
	}
	return listener, "unix:" + path, func() { os.RemoveAll(folder) }, nil
}

// removeStaleSockets removes the socket directories of this user's runs that were killed. Errors
// are ignored: what stays does no harm.
func removeStaleSockets() {
	sockets, _ := filepath.Glob(filepath.Join(os.TempDir(), socketFolder+"*", socketName)) // the pattern is well formed
	for _, socket := range sockets {
		folder := filepath.Dir(socket)
		if !ownAndOld(folder, fs.ModeDir) || !ownAndOld(socket, fs.ModeSocket) {
			continue
		}
		conn, err := net.Dial("unix", socket)
		if err == nil {
			conn.Close()
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			continue
		}
		if os.Remove(socket) == nil {
			_ = os.Remove(folder) // fails if something else is in it
		}
	}
}

// ownAndOld reports whether a file has a type, belongs to this user and is older than socketGrace.
func ownAndOld(path string, kind fs.FileMode) bool {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != kind || time.Since(info.ModTime()) < socketGrace {
		return false
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(owner.Uid) == os.Getuid()
}
