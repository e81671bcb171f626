package chaos

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
)

// becameLeader is what a coordinator logs when its term begins.
const becameLeader = "became leader"

// logLine is as much of a line of a process's log as the audit needs.
type logLine struct {
	Time   time.Time `json:"time"`
	Msg    string    `json:"msg"`
	Sweep  string    `json:"sweep_id"`
	Shard  int64     `json:"shard_id"`
	First  int64     `json:"first"`
	Shards int64     `json:"shards"`
	Node   string    `json:"node"`
	Reason string    `json:"reason"`
	Epoch  uint64    `json:"epoch"`
}

// Audit counts what happened to shards, according to the logs of coordinators and nodes.
type Audit struct {
	Started  int `json:"shards_started" yaml:"shards_started"` // by nodes, repetitions included
	Acked    int `json:"shards_acked" yaml:"shards_acked"`     // different ones
	Granted  int `json:"shards_granted" yaml:"shards_granted"`
	Rejected int `json:"deliveries_rejected" yaml:"deliveries_rejected"`
	Terms    int `json:"terms" yaml:"terms"`
	// LateRepetitions were started after the acknowledgement of their shard, by nodes that had been
	// granted it before, and were suspended or cut off.
	LateRepetitions int `json:"late_repetitions" yaml:"late_repetitions"`
	// Recomputed were granted after their acknowledgement.
	Recomputed []string `json:"granted_after_ack" yaml:"granted_after_ack"`
	// Panics are log lines of panics and fatal errors.
	Panics []string `json:"panics" yaml:"panics"`
}

// shardKey identifies a shard of a sweep.
type shardKey struct {
	sweep string
	shard int64
}

// auditLogs reads the logs of all processes.
func auditLogs(c *cluster) (Audit, error) {
	var a Audit
	acked := map[shardKey]time.Time{}
	var errs []error
	for _, p := range c.nodes {
		errs = append(errs, a.read(p, func(l logLine) {
			k := shardKey{l.Sweep, l.Shard}
			switch l.Msg {
			case "shard started":
				a.Started++
			case "shard committed":
				if first, ok := acked[k]; !ok || l.Time.Before(first) {
					acked[k] = l.Time
				}
			}
		}))
	}
	a.Acked = len(acked)
	for _, p := range c.coordinators {
		errs = append(errs, a.read(p, func(l logLine) {
			switch l.Msg {
			case "delivery rejected":
				a.Rejected++
			case becameLeader:
				a.Terms++
			case "shards granted":
				a.Granted += int(l.Shards)
				for s := l.First; s < l.First+l.Shards; s++ {
					if at, ok := acked[shardKey{l.Sweep, s}]; ok && l.Time.After(at) {
						a.Recomputed = append(
							a.Recomputed,
							fmt.Sprintf("%s of epoch %d granted shard %d of %s to %s %v after it was acknowledged",
								p.name, l.Epoch, s, client.ShortID(l.Sweep), l.Node, l.Time.Sub(at)),
						)
					}
				}
			}
		}))
	}
	panics := a.Panics // the logs of nodes are read twice
	for _, p := range c.nodes {
		errs = append(errs, a.read(p, func(l logLine) {
			if at, ok := acked[shardKey{l.Sweep, l.Shard}]; ok && l.Msg == "shard started" && l.Time.After(at) {
				a.LateRepetitions++
			}
		}))
	}
	a.Panics = panics
	for _, p := range c.etcds {
		errs = append(errs, a.read(p, func(logLine) {}))
	}
	return a, errors.Join(errs...)
}

// read calls see with every line of a process's log that is JSON, and collects the lines of panics.
func (a *Audit) read(p *process, see func(logLine)) error {
	f, err := os.Open(p.log)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read a log: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l logLine
		switch text := lines.Text(); {
		case json.Unmarshal(lines.Bytes(), &l) == nil && l.Msg != "":
			see(l)
			if strings.Contains(l.Msg, "panic") {
				a.Panics = append(a.Panics, p.name+": "+text)
			}
		case strings.HasPrefix(text, "panic:") || strings.HasPrefix(text, "fatal error:"):
			a.Panics = append(a.Panics, p.name+": "+text)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the log of %s: %w", p.name, err)
	}
	return nil
}
