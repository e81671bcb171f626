package main

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

// The socket of a local cluster has a folder of its own below TMPDIR.
const socketFolder, socketName = "phasegrid-", "grpc"

// socketGrace is how old a folder must be before its socket counts as left behind: one that was
// just made may not listen yet.
const socketGrace = time.Minute

// listenPrivately opens a socket that only this user can reach.
func listenPrivately() (listener net.Listener, address string, remove func(), err error) {
	removeStaleSockets()
	folder, err := os.MkdirTemp("", socketFolder+"*")
	if err != nil {
		return nil, "", nil, fmt.Errorf("folder for a socket: %w; set TMPDIR to one that can be written", err)
	}
	path := filepath.Join(folder, socketName)
	if listener, err = net.Listen("unix", path); err != nil {
		os.RemoveAll(folder)
		return nil, "", nil, fmt.Errorf("local socket: %w; set TMPDIR to a shorter path", err)
	}
	return listener, "unix:" + path, func() { os.RemoveAll(folder) }, nil
}

// removeStaleSockets removes the folders of this user's runs that were killed. What cannot be
// removed stays: it is in nobody's way.
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
			_ = os.Remove(folder) // it stays where something else is in it
		}
	}
}

// ownAndOld tells whether a file is of a type, this user's and not just made.
func ownAndOld(path string, kind fs.FileMode) bool {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != kind || time.Since(info.ModTime()) < socketGrace {
		return false
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(owner.Uid) == os.Getuid()
}
