package coordtest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Wire is a client of gRPC that writes frames of HTTP/2 itself, and so can send what no client
// library sends. It respects windows.
type Wire struct {
	conn   net.Conn
	framer *http2.Framer

	mu      sync.Mutex
	changed *sync.Cond
	next    uint32
	initial int
	windows map[uint32]int // bytes that may be sent; 0 is the connection
	codes   map[uint32]int // gRPC status of streams that ended, -1 without one
	err     error          // of the connection
}

// DialWire opens a plain text connection.
func DialWire(address string) (*Wire, error) {
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	w := &Wire{
		conn: conn, framer: http2.NewFramer(conn, conn), next: 1, initial: 65535,
		windows: map[uint32]int{0: 65535}, codes: map[uint32]int{},
	}
	w.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	w.changed = sync.NewCond(&w.mu)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		return nil, err
	}
	if err := w.framer.WriteSettings(); err != nil {
		return nil, err
	}
	go w.read()
	return w, nil
}

// Close closes the connection.
func (w *Wire) Close() { w.conn.Close() }

// read handles frames until the connection ends.
func (w *Wire) read() {
	for {
		f, err := w.framer.ReadFrame()
		w.mu.Lock()
		if err != nil {
			w.err = err
			w.changed.Broadcast()
			w.mu.Unlock()
			return
		}
		w.handle(f)
		w.changed.Broadcast()
		w.mu.Unlock()
	}
}

// handle handles a frame. The caller holds mu.
func (w *Wire) handle(f http2.Frame) {
	switch f := f.(type) {
	case *http2.SettingsFrame:
		if f.IsAck() {
			return
		}
		if v, ok := f.Value(http2.SettingInitialWindowSize); ok {
			for id := range w.windows {
				if id != 0 {
					w.windows[id] += int(v) - w.initial
				}
			}
			w.initial = int(v)
		}
		_ = w.framer.WriteSettingsAck() // the reader sees a broken connection
	case *http2.WindowUpdateFrame:
		w.windows[f.StreamID] += int(f.Increment)
	case *http2.PingFrame:
		if !f.IsAck() {
			_ = w.framer.WritePing(true, f.Data)
		}
	case *http2.MetaHeadersFrame:
		for _, field := range f.Fields {
			if code, err := strconv.Atoi(field.Value); field.Name == "grpc-status" && err == nil {
				w.codes[f.StreamID] = code
			}
		}
	case *http2.RSTStreamFrame:
		if _, ended := w.codes[f.StreamID]; !ended {
			w.codes[f.StreamID] = -1
		}
	}
}

// Call opens a stream for a method, "/package.Service/Method".
func (w *Wire) Call(method string) (id uint32, err error) {
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	for _, h := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":path", method}, {":authority", "localhost"},
		{"content-type", "application/grpc"}, {"te", "trailers"},
	} {
		if err := e.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]}); err != nil {
			return 0, err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	id = w.next
	w.next += 2
	w.windows[id] = w.initial
	return id, w.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: id, BlockFragment: block.Bytes(), EndHeaders: true,
	})
}

// Announce sends the prefix of a message of size bytes.
func (w *Wire) Announce(id uint32, size int) error {
	prefix := make([]byte, 5)
	binary.BigEndian.PutUint32(prefix[1:], uint32(size))
	_, err := w.Send(id, prefix, time.Second)
	return err
}

// Send sends bytes, and returns how many the windows allowed within patience.
func (w *Wire) Send(id uint32, data []byte, patience time.Duration) (sent int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for sent < len(data) {
		n := min(len(data)-sent, w.windows[0], w.windows[id], 16<<10)
		if n <= 0 {
			if !w.wait(patience, func() bool { return w.ended(id) || min(w.windows[0], w.windows[id]) > 0 }) {
				return sent, nil
			}
			if w.ended(id) {
				return sent, w.err
			}
			continue
		}
		if err := w.framer.WriteData(id, false, data[sent:sent+n]); err != nil {
			return sent, err
		}
		w.windows[0], w.windows[id], sent = w.windows[0]-n, w.windows[id]-n, sent+n
	}
	return sent, nil
}

// Await waits for the status of a call.
func (w *Wire) Await(id uint32, patience time.Duration) (code int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.wait(patience, func() bool { return w.ended(id) }) {
		return 0, fmt.Errorf("no answer within %v", patience)
	}
	if code, ended := w.codes[id]; ended {
		return code, nil
	}
	return 0, w.err
}

// AwaitClose waits until the server closes the connection.
func (w *Wire) AwaitClose(patience time.Duration) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.wait(patience, func() bool { return w.err != nil })
}

func (w *Wire) ended(id uint32) bool {
	_, ended := w.codes[id]
	return ended || w.err != nil
}

// wait waits for a condition, which it reports. The caller holds mu.
func (w *Wire) wait(patience time.Duration, met func() bool) bool {
	late := false
	timer := time.AfterFunc(patience, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		late = true
		w.changed.Broadcast()
	})
	defer timer.Stop()
	for !met() && !late {
		w.changed.Wait()
	}
	return met()
}
