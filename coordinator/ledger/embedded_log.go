package ledger

import (
	"context"
	"log/slog"

	"go.uber.org/zap/zapcore"
)

// LevelFatal is the level of a message before the process ends.
const LevelFatal = slog.LevelError + 4

// zapLog passes errors of etcd to the coordinator's log, at debug: what matters to operators is
// returned by calls, or is the last message of the process.
type zapLog struct {
	log   *slog.Logger
	cause *error // set before a panic
}

var _ zapcore.Core = zapLog{}

func (c zapLog) Enabled(l zapcore.Level) bool { return l >= zapcore.ErrorLevel }

func (c zapLog) With([]zapcore.Field) zapcore.Core { return c }

func (c zapLog) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return checked.AddCore(e, c)
	}
	return checked
}

func (c zapLog) Write(e zapcore.Entry, fields []zapcore.Field) error {
	encoder := zapcore.NewMapObjectEncoder()
	for _, f := range fields {
		f.AddTo(encoder)
		if err, ok := f.Interface.(error); ok && e.Level == zapcore.PanicLevel {
			*c.cause = err
		}
	}
	if e.Level == zapcore.FatalLevel { // etcd ends the process when this returns
		c.log.Log(
			context.Background(),
			LevelFatal,
			"embedded etcd failed and the process ends; acknowledged shards are kept; free disk space and restart",
			"cause",
			e.Message,
			"fields",
			encoder.Fields,
		)
		return nil
	}
	c.log.Debug("etcd error", "message", e.Message, "fields", encoder.Fields)
	return nil
}

func (c zapLog) Sync() error { return nil }
