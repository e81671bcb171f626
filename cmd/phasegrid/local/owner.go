package local

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const ownerName = "owner"

var ownerID = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// Owner returns the id under which runs with a state directory own their result sets, so that a run
// after a finished one, whose state is gone, still is the owner of the set. It is in a file of the
// directory, which is written if there is none. The caller holds the lock of the directory.
func Owner(state string) (string, error) {
	name := filepath.Join(state, ownerName)
	text, err := os.ReadFile(name)
	if id := strings.TrimSpace(string(text)); err == nil && ownerID.MatchString(id) {
		return id, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the owner of result sets: %w", err)
	}
	id := rand.Text()
	if err := os.WriteFile(name+".new", []byte(id+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write the owner of result sets: %w", err)
	}
	return id, os.Rename(name+".new", name)
}
