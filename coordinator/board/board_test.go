package board_test

import (
	"bufio"
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/phasegrid/phasegrid/coordinator/board"
)

var update = flag.Bool(
	"update",
	false,
	"rewrite the expected output of testdata/*.txt; read the difference before you commit it",
)

// TestBoardScripts runs the scripts of testdata. A script has one event a line, followed by the
// actions, indented.
func TestBoardScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, want)
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			} else if !bytes.Equal(got, want) {
				t.Errorf("the board does otherwise:\n%s", got)
			}
		})
	}
}

// play runs the events of a script and returns the script with the actual actions.
func play(t *testing.T, script []byte) []byte {
	t.Helper()
	s := newScene()
	var out bytes.Buffer
	lines := bufio.NewScanner(bytes.NewReader(script))
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "\t") {
			continue
		}
		fmt.Fprintln(&out, line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		text, err := s.do(strings.Fields(line))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		out.WriteString(text)
		for _, err := range s.board.Check() {
			t.Errorf("after %q: %v", line, err)
		}
	}
	return out.Bytes()
}

// scene is a board and the names that a script uses.
type scene struct {
	board  *board.Board
	now    time.Time
	conns  map[string]uint64
	conn   uint64
	tokens uint64
}

func newScene() *scene {
	s := &scene{
		board: board.New(10*time.Second, 3*time.Second, 0),
		now:   time.Unix(1e9, 0).UTC(),
		conns: map[string]uint64{},
	}
	s.board.Step(board.Tick{Now: s.now})
	return s
}

// evenCuts cut a sweep into parts of equal size, with shards of cost 1.
type evenCuts struct {
	shards, part int
	memory       int64
}

func (c evenCuts) Shards() int                 { return c.shards }
func (c evenCuts) Parts() int                  { return (c.shards + c.part - 1) / c.part }
func (c evenCuts) Part(i int) (first, end int) { return i * c.part, min((i+1)*c.part, c.shards) }
func (c evenCuts) PartOf(shard int) int        { return shard / c.part }
func (c evenCuts) Cost(int) float64            { return 1 }
func (c evenCuts) Memory(shard int) int64      { return c.memory * int64(shard+1) }

// do runs one line: a verb, names, and key=value.
func (s *scene) do(words []string) (string, error) {
	var names []string
	args := map[string]string{}
	for _, w := range words[1:] {
		if k, v, ok := strings.Cut(w, "="); ok {
			args[k] = v
		} else {
			names = append(names, w)
		}
	}
	name := func(i int) string {
		if i < len(names) {
			return names[i]
		}
		return ""
	}
	num := func(key string, otherwise int) int {
		if v, ok := args[key]; ok {
			n, err := strconv.Atoi(v)
			if err != nil {
				panic(err)
			}
			return n
		}
		return otherwise
	}
	s.tokens++
	node := name(0)
	switch words[0] {
	case "tick":
		d, err := time.ParseDuration(name(0))
		if err != nil {
			return "", err
		}
		s.now = s.now.Add(d)
		return s.step(board.Tick{Now: s.now}), nil
	case "stalled":
		d, err := time.ParseDuration(name(0))
		if err != nil {
			return "", err
		}
		return s.step(board.Stalled{Gap: d}), nil
	case "sweep":
		e := board.SweepAdded{
			ID: name(
				0,
			), Cuts: evenCuts{num("shards", 10), num("part", 5), int64(num("memory", 0))}, Priority: num("priority", 0),
			Weight: num("weight", 1), Solver: cmp.Or(args["solver"], "1"), Phase: board.Running,
		}
		if done := args["done"]; done != "" {
			r, err := parseRange("x/" + done)
			if err != nil {
				return "", err
			}
			for i := range r.Count {
				e.Done = append(e.Done, r.First+i)
			}
		}
		return s.step(e), nil
	case "attach":
		s.conn++
		s.conns[node] = s.conn
		var held []board.ShardRange
		for _, text := range names[1:] {
			r, err := parseRange(text)
			if err != nil {
				return "", err
			}
			held = append(held, r)
		}
		class := args["class"]
		if class == "" {
			class = "fma"
		}
		return s.step(
			board.NodeAttached{
				Conn:     s.conn,
				Instance: args["instance"],
				Capacity: num("capacity", 4),
				Held:     held,
				Info: board.NodeInfo{
					Name: node, Slots: num("slots", 2), Solver: cmp.Or(args["solver"], "1"), Class: class,
					MemoryBytes: int64(num("memory", 0)),
				},
			},
		), nil
	case "beat":
		return s.step(board.NodeHeartbeat{Conn: s.conns[node], Node: node, Capacity: num("capacity", 4)}), nil
	case "drain":
		var returned []board.ShardRange
		for _, text := range names[1:] {
			r, err := parseRange(text)
			if err != nil {
				return "", err
			}
			returned = append(returned, r)
		}
		return s.step(board.NodeDraining{Conn: s.conns[node], Node: node, Returned: returned}), nil
	case "leave":
		return s.step(board.NodeLeft{Conn: s.conns[node], Node: node}), nil
	case "break":
		return s.step(board.StreamBroken{Conn: s.conns[node], Node: node}), nil
	case "abandon", "reject", "deliver":
		r, err := parseRange(name(1))
		if err != nil {
			return "", err
		}
		class := args["class"]
		if class == "" {
			class = "fma"
		}
		switch words[0] {
		case "abandon":
			return s.step(board.ShardsAbandoned{Node: node, Range: r, Cause: "cannot"}), nil
		case "reject":
			return s.step(board.DeliveryRejected{Node: node, Sweep: r.Sweep, Shard: r.First, Cause: "bad bytes"}), nil
		}
		return s.step(
			board.ShardDelivered{
				Token:  uint64(r.First),
				Sweep:  r.Sweep,
				Shard:  r.First,
				Node:   node,
				Solver: cmp.Or(args["solver"], "1"),
				Class:  class,
				Counts: board.Counts{OK: 10},
			},
		), nil
	case "committed":
		var text string
		r, err := parseRange(name(0))
		for i := range r.Count {
			text += s.step(board.ShardCommitted{Sweep: r.Sweep, Shard: r.First + i})
		}
		return text, err
	case "compute": // deliver and commit a run
		r, err := parseRange(name(1))
		for i := range r.Count {
			s.board.Step(
				board.ShardDelivered{
					Token:  uint64(r.First + i),
					Sweep:  r.Sweep,
					Shard:  r.First + i,
					Node:   node,
					Solver: "1",
					Class:  "fma",
				},
			)
		}
		var text string
		for i := range r.Count {
			text += s.step(board.ShardCommitted{Sweep: r.Sweep, Shard: r.First + i})
		}
		return text, err
	case "stored":
		return s.step(board.PartStored{Sweep: name(0), Part: num("part", 0)}), nil
	case "commit-cancelled":
		r, err := parseRange(name(0))
		return s.step(board.CommitCancelled{Sweep: r.Sweep, Shard: r.First}), err
	case "merge-cancelled":
		return s.step(board.MergeCancelled{Sweep: name(0), Part: num("part", 0)}), nil
	case "manifest-cancelled":
		return s.step(board.ManifestCancelled{Sweep: name(0)}), nil
	case "manifest-stored":
		return s.step(board.ManifestStored{Sweep: name(0)}), nil
	case "done-stored":
		return s.step(board.DoneStored{Sweep: name(0)}), nil
	case "pause", "resume", "cancel":
		p := map[string]board.Phase{"pause": board.Paused, "resume": board.Running, "cancel": board.Cancelled}[words[0]]
		return s.step(board.PhaseRequested{Token: 1000, Sweep: name(0), Phase: p}), nil
	case "retry":
		return s.step(board.RetryRequested{Token: 1000, Sweep: name(0)}), nil
	case "reopen":
		return s.step(
			board.ReopenRequested{Token: 1000, Sweep: name(0), Parts: map[int]board.Counts{num("part", 0): {}}},
		), nil
	case "remove":
		return s.step(board.RemovalRequested{Token: 1000, Sweep: name(0)}), nil
	case "removed":
		return s.step(board.SweepRemoved{Sweep: name(0)}), nil
	case "status":
		p, ok := s.board.Progress(name(0))
		if !ok {
			return "\tno such sweep\n", nil
		}
		return fmt.Sprintf(
			"\t%v: %d/%d shards, %d leased, %d quarantined, %d/%d parts, eta %v, %q\n",
			p.Phase,
			p.ShardsDone,
			p.Shards,
			p.Leased,
			p.Quarantined,
			p.PartsDone,
			p.Parts,
			p.ETA.Round(time.Second),
			p.Waiting,
		), nil
	}
	return "", fmt.Errorf("unknown verb %q", words[0])
}

// step applies an event and prints the actions.
func (s *scene) step(e board.Event) string {
	var out strings.Builder
	for _, a := range s.board.Step(e) {
		text := strings.TrimPrefix(fmt.Sprintf("%T", a), "board.")
		switch a := a.(type) {
		case board.Grant:
			fmt.Fprintf(&out, "\t%s %s %s\n", text, a.Node, printRanges(a.Ranges))
		case board.Revoke:
			fmt.Fprintf(&out, "\t%s %s %s\n", text, a.Node, printRanges(a.Ranges))
		case board.SaveFailures:
			f := a.Failures
			fmt.Fprintf(&out, "\t%s %s/%d", text, a.Sweep, f.Shard)
			fmt.Fprintf(&out, " attempts=%d quarantined=%v", f.Attempts, f.Quarantined)
			for _, c := range f.Failures {
				fmt.Fprintf(&out, " %s:%q", c.Node, c.Cause)
			}
			fmt.Fprintln(&out)
		default:
			fmt.Fprintf(&out, "\t%s %+v\n", text, a)
		}
	}
	if out.Len() == 0 {
		return "\tnothing\n"
	}
	return out.String()
}

// parseRange parses a/3 or a/3+4.
func parseRange(text string) (board.ShardRange, error) {
	id, rest, _ := strings.Cut(text, "/")
	first, count, more := strings.Cut(rest, "+")
	r := board.ShardRange{Sweep: id, Count: 1}
	var err error
	if r.First, err = strconv.Atoi(first); err != nil {
		return r, err
	}
	if more {
		r.Count, err = strconv.Atoi(count)
	}
	return r, err
}

func printRanges(ranges []board.ShardRange) string {
	var words []string
	for _, r := range ranges {
		words = append(words, fmt.Sprintf("%s/%d+%d", r.Sweep, r.First, r.Count))
	}
	return strings.Join(words, " ")
}

// TestGrantThatWaitedIsNotComputedAgain: a lease failure is saved before the new lease is sent. If
// a late delivery of the shard is committed in between, the lease is dropped.
func TestGrantThatWaitedIsNotComputedAgain(t *testing.T) {
	s := newScene()
	s.board.Step(
		board.SweepAdded{ID: "a", Cuts: evenCuts{3, 3, 0}, Weight: 1, Solver: "1", Phase: board.Running},
	)
	for _, line := range []string{
		"attach n1 capacity=2", "attach n2 capacity=3", "deliver n2 a/2", "committed a/2", "break n1",
	} {
		if _, err := s.do(strings.Fields(line)); err != nil {
			t.Fatal(err)
		}
	}
	s.now = s.now.Add(4 * time.Second)
	var late board.Grant
	for _, a := range s.board.Step(board.Tick{Now: s.now}) {
		if g, ok := a.(board.Grant); ok {
			late = g
		}
	}
	late.Ranges = slices.Clone(late.Ranges)
	if got := s.board.Standing(late); len(got) == 0 || !slices.Equal(got, late.Ranges) {
		t.Fatalf("the grant %+v stands as %+v before anything has happened", late, got)
	}
	shard := late.Ranges[0].First
	for _, line := range []string{fmt.Sprintf("deliver n1 a/%d", shard), fmt.Sprintf("committed a/%d", shard)} {
		if _, err := s.do(strings.Fields(line)); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range s.board.Standing(late) {
		if r.First <= shard && shard < r.First+r.Count {
			t.Errorf("shard %d is committed, and still part of the grant %+v", shard, r)
		}
	}
}
