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

// flightServer serves the committed rows of sweeps by Arrow Flight, read only, whether their parts
// are merged or not. A flight is one table of one sweep. Its descriptor is the path [sweep, table],
// or a ticket as a command; its ticket is JSON:
//
//	{"sweep": "1a2b3c4d", "table": "points", "columns": ["point", "loss"], "first": 0, "end": 1000}
//
// columns, first and end are optional: by default all columns and all points are sent. Rows come in
// the order of their points, each once.
type flightServer struct {
	flight.UnimplementedFlightServiceServer
	leader leader
	calls  *calls
}

const maxTicket = 64 << 10

// ticket is the JSON of a ticket; see flightServer.
type ticket struct {
	Sweep   string   `json:"sweep"`
	Table   string   `json:"table"`
	Columns []string `json:"columns,omitempty"`
	First   int64    `json:"first,omitempty"`
	End     int64    `json:"end,omitempty"` // 0: no bound
}

// tableFlight is a resolved ticket.
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

// flightTables returns the tables that can be sent. The shards table exists in merged files only.
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
	return ticket{}, badField("descriptor", "want the path [sweep, table], or a ticket as JSON command")
}

func parseTicket(data []byte) (t ticket, err error) {
	if len(data) > maxTicket {
		return t, badField("ticket", "got %d bytes, want at most %d", len(data), maxTicket)
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
		return tableFlight{}, fmt.Errorf("read sweep %s: this release cannot: %s", e.design.id, e.failure)
	}
	if k.First < 0 {
		return tableFlight{}, badField("ticket.first", "got %d, want 0 or more", k.First)
	}
	if k.End < 0 {
		return tableFlight{}, badField("ticket.end", "got %d, want 0 or more", k.End)
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
		"sweep %s: got table %q, want one of %v", e.design.id, k.Table, flightTables(e.design.schema),
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
		return nil, fmt.Errorf("encode ticket: %w", err)
	}
	return &flight.FlightInfo{
		Schema: schema,
		FlightDescriptor: &flight.FlightDescriptor{
			Type: flight.FlightDescriptor_PATH,
			Path: []string{f.entry.design.id, k.Table},
		},
		// Without a location, the rows come from the server that gave the information.
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
	case <-silence.timer.C: // the stream ends, and what waits for its reader releases its memory
		return fmt.Errorf(
			"send rows: reader took nothing for %v: %w", f.term.cfg.ReaderTimeout, context.DeadlineExceeded,
		)
	}
}

// send sends the rows, part by part.
func (f tableFlight) send(ctx context.Context, records *results.RecordStream) error {
	for part := range int(f.entry.design.plan.Parts()) {
		first, end := f.entry.design.partIndices(int64(part))
		if end <= f.projection.First || first >= f.projection.End {
			continue
		}
		if err := f.sendPart(ctx, part, records); err != nil {
			return errors.Join(err, records.Close())
		}
	}
	return records.Close()
}

// sendPart sends the rows of a part from its file if it is merged, otherwise from the spool. If the
// part is merged meanwhile, the rest comes from the file.
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

// merged reports whether the file of a part has all of its rows.
func (f tableFlight) merged(part int) bool {
	f.term.mu.RLock()
	defer f.term.mu.RUnlock()
	state, stored := f.entry.parts[part]
	return stored && len(state.Missing) == 0
}

// sendFile sends the rows of a merged part.
func (f tableFlight) sendFile(ctx context.Context, part int, records *results.RecordStream) error {
	name := path.Join(f.entry.design.set, results.PartName(f.projection.Table, int64(part)))
	weight := f.fileMemory(part)
	if err := f.term.reading.Acquire(ctx, weight); err != nil {
		return err
	}
	defer f.term.reading.Release(weight)
	o, err := f.term.cfg.Store.Open(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("open %s: missing in the store; submit the sweep again to compute it", name)
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

// sendSpooled sends the committed shards of a part in order. If it is repeated, shards that were
// sent are skipped.
func (f tableFlight) sendSpooled(ctx context.Context, part int, records *results.RecordStream) error {
	opened := spool.Cache{}
	defer opened.Close()
	for _, it := range f.term.index.items(partRef{f.entry.design.id, part}) {
		first, end := f.entry.design.plan.Shard(int64(it.Shard))
		if end <= f.projection.First || first >= f.projection.End {
			continue
		}
		e := results.Expectation{First: first, End: end, Points: it.Rows.Rows()}
		if err := f.sendShard(ctx, it, e, opened, records); err != nil {
			return err
		}
		records.Skip(end)
	}
	return nil
}

// readerMemory bounds the bytes of shards and row groups in memory for readers. Deliveries have a
// bound of their own, so that readers cannot stop a sweep.
const readerMemory = 256 << 20

// rowGroupMemory is approximately what the reader of a large row group with all columns takes.
const rowGroupMemory = 64 << 20

// fileMemory estimates the memory to send the file of a part: its bytes, the decompressed pages,
// and the rows; at most that of one row group.
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

// sendShard sends the rows of a spooled shard.
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
