package ledger

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// TestEmbeddedEtcdSaysWhyItEnds: an etcd that cannot write, because its disk is full, ends the
// process. The reason is logged above debug.
func TestEmbeddedEtcdSaysWhyItEnds(t *testing.T) {
	var out bytes.Buffer
	var cause error
	core := zapLog{log: slog.New(slog.NewTextHandler(&out, nil)), cause: &cause}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		log := zap.New(core, zap.WithFatalHook(zapcore.WriteThenGoexit))
		log.Error("some complaint")
		log.Fatal("failed to commit tx", zap.Error(errors.New("no space left on device")))
	}()
	<-ended
	if text := out.String(); !strings.Contains(text, "failed to commit tx") ||
		!strings.Contains(text, "no space left") ||
		strings.Contains(text, "complaint") {
		t.Errorf("the log is %q", text)
	}
}
