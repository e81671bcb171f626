package coordinator

import (
	"fmt"
	"testing"
	"time"
)

// TestBoardForgetsNodesThatLeft: a node under a new name each time does not fill the memory, and does not rid the others of their strikes.
func TestBoardForgetsNodesThatLeft(t *testing.T) {
	b := NewBoard(10*time.Second, 3*time.Second, 0)
	now := time.Unix(1e9, 0)
	b.Step(Tick{now})
	visit := func(conn int, name string, between ...Event) {
		b.Step(Attach{Conn: uint64(conn), Info: NodeInfo{Name: name, Slots: 1, Class: "test"}, Capacity: 2})
		for _, e := range between {
			b.Step(e)
		}
		b.Step(Leave{Conn: uint64(conn), Node: name})
	}
	for i := range maxGone {
		visit(i, fmt.Sprint("early-", i))
	}
	wrong := Refuse{Node: "bad"}
	visit(maxGone, "bad", wrong, wrong, wrong, wrong, wrong)
	for i := range maxGone - 1 {
		visit(2*maxGone+i, fmt.Sprint("late-", i))
	}
	if len(b.nodes) != maxGone || len(b.idle) > 2*maxGone+16 {
		t.Errorf("%d nodes, %d of them idle, are remembered", len(b.nodes), len(b.idle))
	}
	if n := b.nodes["bad"]; n == nil || n.fenceReason == "" {
		t.Errorf("the fenced node is %+v", n)
	}
	for _, err := range b.Check() {
		t.Error(err)
	}
	b.Step(Tick{now.Add(goneAfter + time.Second)})
	if len(b.nodes) != 0 {
		t.Errorf("%d nodes are remembered after %v", len(b.nodes), goneAfter)
	}
}

// TestBoardForgetsInTheMiddleOfALook: a node is lost in the same moment as the fence of one falls that left long ago.
func TestBoardForgetsInTheMiddleOfALook(t *testing.T) {
	b := NewBoard(10*time.Second, 3*time.Second, 0)
	now := time.Unix(1e9, 0)
	b.Step(Tick{now})
	b.Step(Attach{Conn: 1, Info: NodeInfo{Name: "silent", Slots: 1, Class: "test"}, Capacity: 2})
	b.Step(Attach{Conn: 2, Info: NodeInfo{Name: "wrong", Slots: 1, Class: "test"}, Capacity: 2})
	for range fenceStrikes {
		b.Step(Refuse{Node: "wrong"})
	}
	b.Step(Leave{Conn: 2, Node: "wrong"})
	b.Step(Tick{now.Add(2 * goneAfter)})
	if n := b.nodes["silent"]; n == nil || n.link != linkGone || len(b.nodes) != 1 {
		t.Errorf("%d nodes are remembered; the silent one is %+v", len(b.nodes), n)
	}
}

// TestTickCostsNothing: the loop tells the time at every wake, however many nodes there are.
func TestTickCostsNothing(t *testing.T) {
	b := NewBoard(10*time.Second, 3*time.Second, 0)
	now := time.Unix(1e9, 0)
	b.Step(Tick{now})
	for i := range 1000 {
		b.Step(Attach{Conn: uint64(i), Info: NodeInfo{Name: fmt.Sprint("n", i), Slots: 1, Class: "test"}, Capacity: 2})
	}
	var tick Event = Tick{now.Add(time.Second)} // boxed once
	if n := testing.AllocsPerRun(100, func() { b.Step(tick) }); n != 0 {
		t.Errorf("a tick allocates %v times", n)
	}
}
