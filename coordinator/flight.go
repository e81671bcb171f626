package coordinator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"

	"github.com/apache/arrow/go/v15/arrow/flight/gen/flight"

	"github.com/phasegrid/phasegrid/coordinator/ledger"
	"github.com/phasegrid/phasegrid/coordinator/spool"
	"github.com/phasegrid/phasegrid/results"
)

// flightServer serves the committed rows of sweeps by Arrow Flight, merged or not: read only. A
// flight is one table of one sweep; its descriptor is the path [sweep, table] or a ticket as a
// command, and its ticket is JSON:
//
//	{"sweep": "1a2b3c4d", "table": "points", "columns": ["point", "loss"], "first": 0, "end": 1000}
//
// Without columns all of them are sent, without first and end all points. Rows come in the order of
// their points, each once.
type flightServer struct {
	flight.UnimplementedFlightServiceServer
	leader leader
	calls  *calls
}

const maxTicket = 64 << 10

type ticket struct {
	Sweep   string   `json:"sweep"`
	Table   string   `json:"table"`
	Columns []string `json:"columns,omitempty"`
	First   int64    `json:"first,omitempty"`
	End     int64    `json:"end,omitempty"` // 0: to the end
}

// tableFlight is what a ticket stands for.
type tableFlight struct {
	term       *term
	entry      *entry
	projection results.Projection
}

func (s *flightServer) ListFlights(_ *flight.Criteria, stream flight.FlightService_ListFlightsServer) error {
	ctx := stream.Context()
	t, err := s.leader.leading(ctx)
	if err != nil {
		return err
	}
	t.mu.RLock()
	var entries []*entry
	for _, e := range t.sweeps {
		if e.failure == "" {
			entries = append(entries, e)
		}
	}
	t.mu.RUnlock()
	for _, e := range entries {
		for _, table := range flightTables(e.design.schema) {
			info, err := s.info(ctx, ticket{Sweep: e.design.id, Table: table.String()})
			if err != nil {
				return err
			}
			if err := stream.Send(info); err != nil {
				return err
			}
		}
	}
	return nil
}

// flightTables are the tables that are sent: the log of shards comes with the merged files only.
func flightTables(s *results.Schema) []results.Table {
	var tables []results.Table
	for _, t := range s.Tables() {
		if t != results.Shards {
			tables = append(tables, t)
		}
	}
	return tables
}

func (s *flightServer) GetFlightInfo(ctx context.Context, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	t, err := descriptorTicket(d)
	if err != nil {
		return nil, err
	}
	return s.info(ctx, t)
}

func (s *flightServer) GetSchema(ctx context.Context, d *flight.FlightDescriptor) (*flight.SchemaResult, error) {
	info, err := s.GetFlightInfo(ctx, d)
	if err != nil {
		return nil, err
	}
	return &flight.SchemaResult{Schema: info.GetSchema()}, nil
}

func descriptorTicket(d *flight.FlightDescriptor) (ticket, error) {
	switch {
	case d.GetType() == flight.FlightDescriptor_PATH && len(d.GetPath()) == 2:
		return ticket{Sweep: d.GetPath()[0], Table: d.GetPath()[1]}, nil
	case d.GetType() == flight.FlightDescriptor_CMD:
		return parseTicket(d.GetCmd())
	}
	return ticket{}, badField("descriptor", "want the path [sweep, table], or a command that is a ticket as JSON")
}

func parseTicket(data []byte) (t ticket, err error) {
	if len(data) > maxTicket {
		return t, badField("ticket", "%d bytes; at most %d", len(data), maxTicket)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		return t, badField("ticket", "%v; want {\"sweep\": \"<id>\", \"table\": \"points\"}", err)
	}
	return t, nil
}

// find resolves a ticket.
func (s *flightServer) find(ctx context.Context, k ticket) (tableFlight, error) {
	t, e, err := resolve(ctx, s.leader, k.Sweep)
	if err != nil {
		return tableFlight{}, err
	}
	if e.failure != "" {
		return tableFlight{}, fmt.Errorf("sweep %s cannot be read by this release: %s", e.design.id, e.failure)
	}
	if k.First < 0 || k.End < 0 {
		return tableFlight{}, badField("ticket.first", "points are counted from 0")
	}
	f := tableFlight{
		term:       t,
		entry:      e,
		projection: results.Projection{Columns: k.Columns, First: k.First, End: math.MaxInt64},
	}
	if k.End > 0 {
		f.projection.End = k.End
	}
	for _, table := range flightTables(e.design.schema) {
		if table.String() == k.Table {
			f.projection.Table = table
			return f, nil
		}
	}
	return tableFlight{}, badField(
		"ticket.table",
		"sweep %s has no table %q to send; it has %v",
		e.design.id,
		k.Table,
		flightTables(e.design.schema),
	)
}

func (s *flightServer) info(ctx context.Context, k ticket) (*flight.FlightInfo, error) {
	f, err := s.find(ctx, k)
	if err != nil {
		return nil, err
	}
	schema, err := f.entry.design.schema.ArrowSchema(f.projection)
	if err != nil {
		return nil, badField("ticket.columns", "%v", err)
	}
	k.Sweep = f.entry.design.id
	encoded, err := json.Marshal(k)
	if err != nil {
		return nil, fmt.Errorf("encode a ticket: %w", err)
	}
	return &flight.FlightInfo{
		Schema:           schema,
		FlightDescriptor: &flight.FlightDescriptor{Type: flight.FlightDescriptor_PATH, Path: []string{f.entry.design.id, k.Table}},
		// No location: the rows come from where the information came from.
		Endpoint:     []*flight.FlightEndpoint{{Ticket: &flight.Ticket{Ticket: encoded}}},
		TotalRecords: -1, TotalBytes: -1,
	}, nil
}

func (s *flightServer) DoGet(r *flight.Ticket, stream flight.FlightService_DoGetServer) error {
	k, err := parseTicket(r.GetTicket())
	if err != nil {
		return err
	}
	ctx := stream.Context()
	f, err := s.find(ctx, k)
	if err != nil {
		return err
	}
	silence := newSilence(f.term.cfg.ReaderTimeout)
	records, err := f.entry.design.schema.NewRecordStream(f.projection, func(header, body []byte) error {
		defer silence.begin()()
		return stream.Send(&flight.FlightData{DataHeader: header, DataBody: body})
	})
	if err != nil {
		return badField("ticket.columns", "%v", err)
	}
	sent := s.calls.inBackground("DoGet", func() error { return f.send(ctx, records) })
	select {
	case err := <-sent:
		return err
	case <-silence.timer.C: // with the stream ends what waits for its reader, and others have the memory that it holds
		return fmt.Errorf("the reader took nothing for %v: %w", f.term.cfg.ReaderTimeout, context.DeadlineExceeded)
	}
}

// send sends the rows, part by part.
func (f tableFlight) send(ctx context.Context, records *results.RecordStream) error {
	for part := range int(f.entry.design.plan.Parts()) {
		first, end := f.bounds(part)
		if end <= f.projection.First || first >= f.projection.End {
			continue
		}
		if err := f.sendPart(ctx, part, records); err != nil {
			return errors.Join(err, records.Close())
		}
	}
	return records.Close()
}

// bounds are the indices of a part.
func (f tableFlight) bounds(part int) (first, end int64) {
	a, b := f.entry.design.plan.Part(int64(part))
	first, _ = f.entry.design.plan.Shard(a)
	_, end = f.entry.design.plan.Shard(b - 1)
	return first, end
}

// sendPart sends a part's rows: from its file once it is merged, before from the spool. A part may
// be merged while it is sent; what is left of it then comes from the file.
func (f tableFlight) sendPart(ctx context.Context, part int, records *results.RecordStream) error {
	for {
		if f.merged(part) {
			return f.sendFile(ctx, part, records)
		}
		err := f.sendSpooled(ctx, part, records)
		if err == nil && !f.merged(part) {
			return nil
		}
		if err != nil && (ctx.Err() != nil || !f.merged(part)) {
			return err
		}
	}
}

// merged tells whether a part's file has all of its rows.
func (f tableFlight) merged(part int) bool {
	f.term.mu.RLock()
	defer f.term.mu.RUnlock()
	record, stored := f.entry.parts[part]
	return stored && len(record.Missing) == 0
}

func (f tableFlight) sendFile(ctx context.Context, part int, records *results.RecordStream) error {
	name := path.Join(f.entry.design.set, results.PartName(f.projection.Table, int64(part)))
	weight := f.fileMemory(part)
	if err := f.term.reading.Acquire(ctx, weight); err != nil {
		return err
	}
	defer f.term.reading.Release(weight)
	o, err := f.term.cfg.Store.Open(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is gone from the store: submit the sweep again to write it anew", name)
	}
	if err != nil {
		return err
	}
	defer o.Close()
	r, err := results.NewReader(o, o.Size())
	if err != nil {
		return err
	}
	return records.AddPart(ctx, r)
}

// sendSpooled sends the committed shards of a part in order. What was sent is skipped if the part
// is sent again.
func (f tableFlight) sendSpooled(ctx context.Context, part int, records *results.RecordStream) error {
	opened := spool.Cache{}
	defer opened.Close()
	for _, it := range f.term.index.items(partRef{f.entry.design.id, part}) {
		first, end := f.entry.design.plan.Shard(int64(it.Shard))
		if end <= f.projection.First || first >= f.projection.End {
			continue
		}
		if err := f.sendShard(ctx, it, results.Expectation{First: first, End: end, Points: it.Rows.Rows()}, opened, records); err != nil {
			return err
		}
		records.Skip(end)
	}
	return nil
}

// readerMemory bounds the shards and row groups in memory that are sent to readers. Deliveries have
// a bound of their own: the sweep must go on, whatever readers do.
const readerMemory = 256 << 20

// rowGroupMemory is about what the reader of a large row group of all columns holds.
const rowGroupMemory = 64 << 20

// fileMemory is about what sending a part's file takes: its bytes, the pages that are decompressed,
// and what is made of them; never more than for one row group.
func (f tableFlight) fileMemory(part int) int64 {
	f.term.mu.RLock()
	defer f.term.mu.RUnlock()
	size := int64(0)
	for _, file := range f.entry.parts[part].Files {
		if file.Path == results.PartName(f.projection.Table, int64(part)) {
			size = file.Bytes
		}
	}
	return min(6*size, rowGroupMemory)
}

func (f tableFlight) sendShard(
	ctx context.Context,
	it ledger.DoneShard,
	e results.Expectation,
	opened spool.Cache,
	records *results.RecordStream,
) error {
	weight := min(it.Bytes, readerMemory)
	if err := f.term.reading.Acquire(ctx, weight); err != nil {
		return err
	}
	defer f.term.reading.Release(weight)
	fr, err := f.term.spool.Read(ctx, frameOf(it), opened)
	if err != nil {
		return err
	}
	_, d, err := deliveryFromFrame(fr)
	if err != nil {
		return err
	}
	return records.AddShard(d, e)
}
