package ledger

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// LockFolder takes an exclusive lock on a state folder, which it creates for its user alone if
// there is none. The lock ends with the process. Errors name flag, the option that chose the
// folder.
func LockFolder(folder, flag string) (unlock func(), err error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("lock state directory: %w; choose another %s", err, flag)
	}
	name := filepath.Join(folder, "lock")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock state directory: %w; choose another %s", err, flag)
	}
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		holder, _ := io.ReadAll(io.LimitReader(f, 64))
		f.Close()
		return nil, fmt.Errorf(
			"lock state directory %s: in use by process %s; wait until it ends, or choose another %s",
			folder, strings.TrimSpace(string(holder)), flag,
		)
	case err != nil:
		f.Close()
		return nil, fmt.Errorf("lock %s: %w; choose a %s on a local disk", name, err, flag)
	}
	if err = f.Truncate(0); err == nil {
		_, err = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("write %s: %w; choose another %s", name, err, flag)
	}
	return func() { f.Close() }, nil
}
