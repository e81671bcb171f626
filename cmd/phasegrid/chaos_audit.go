package main

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

// chaosLogLine is what the audit reads of a line of a process's log.
type chaosLogLine struct {
	Time   time.Time `json:"time"`
	Msg    string    `json:"msg"`
	Sweep  string    `json:"sweep_id"`
	Shard  int64     `json:"shard_id"`
	First  int64     `json:"first"`
	Shards int64     `json:"shards"`
	Node   string    `json:"node_id"`
	Reason string    `json:"reason"`
	Epoch  uint64    `json:"epoch"`
}

// chaosAudit is what became of shards, by the logs of those who handled them.
type chaosAudit struct {
	Started  int `json:"shards_started" yaml:"shards_started"` // by nodes, twins included
	Acked    int `json:"shards_acked" yaml:"shards_acked"`     // different ones
	Granted  int `json:"shards_granted" yaml:"shards_granted"`
	Rejected int `json:"deliveries_rejected" yaml:"deliveries_rejected"`
	Terms    int `json:"terms" yaml:"terms"`
	// LateTwins were started after the shard's acknowledgement by a node that had been granted it
	// before: one that slept or was cut off.
	LateTwins int `json:"late_twins" yaml:"late_twins"`
	// Recomputed were granted after their acknowledgement.
	Recomputed []string `json:"granted_after_ack" yaml:"granted_after_ack"`
	// Panics are lines of logs that no process should write.
	Panics []string `json:"panics" yaml:"panics"`
}

type chaosShard struct {
	sweep string
	shard int64
}

// auditLogs reads what coordinators and nodes wrote.
func auditLogs(c *chaosCluster) (chaosAudit, error) {
	var a chaosAudit
	acked := map[chaosShard]time.Time{}
	var errs []error
	for _, p := range c.nodes {
		errs = append(errs, a.read(p, func(l chaosLogLine) {
			k := chaosShard{l.Sweep, l.Shard}
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
		errs = append(errs, a.read(p, func(l chaosLogLine) {
			switch l.Msg {
			case "delivery refused":
				a.Rejected++
			case "leads":
				a.Terms++
			case "shards granted":
				a.Granted += int(l.Shards)
				for s := l.First; s < l.First+l.Shards; s++ {
					if at, ok := acked[chaosShard{l.Sweep, s}]; ok && l.Time.After(at) {
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
	panics := a.Panics // the nodes' logs are read twice
	for _, p := range c.nodes {
		errs = append(errs, a.read(p, func(l chaosLogLine) {
			if at, ok := acked[chaosShard{l.Sweep, l.Shard}]; ok && l.Msg == "shard started" && l.Time.After(at) {
				a.LateTwins++
			}
		}))
	}
	a.Panics = panics
	for _, p := range c.etcds {
		errs = append(errs, a.read(p, func(chaosLogLine) {}))
	}
	return a, errors.Join(errs...)
}

// read calls see with every line of a process's log that is JSON; of the others, those that are a
// panic's are kept.
func (a *chaosAudit) read(p *chaosProcess, see func(chaosLogLine)) error {
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
		var l chaosLogLine
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
