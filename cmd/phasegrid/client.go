package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// sweepsService is whose health check tells clients which coordinator leads.
const sweepsService = "phasegrid.v1.Sweeps"

// callTimeout bounds every call but submit, watch and fetch.
const callTimeout = 30 * time.Second

// submitTimeout bounds submit: where expressions decide what a point costs, the coordinator looks
// at every point, ten million at most.
const submitTimeout = 10 * time.Minute

// sweepClient is the edge to a coordinator's clients' service: generated types stay in this file.
type sweepClient struct {
	conn    grpc.ClientConnInterface
	sweeps  pb.SweepsClient
	waiting func(error) // tells people that no coordinator answers, and why
}

func newSweepClient(conn grpc.ClientConnInterface) *sweepClient {
	return &sweepClient{conn, pb.NewSweepsClient(conn), func(error) {}}
}

func viewSweep(s *pb.Sweep) sweepView {
	p := s.GetProgress()
	view := sweepView{
		ID: s.GetId(), Name: s.GetSpec().GetName(), Phase: viewPhase(s.GetPhase()), ResultSet: s.GetResultSet(),
		Created: s.GetCreated().AsTime(), Priority: s.GetPriority(), Weight: s.GetWeight(),
		Progress: progressView{
			Indices: p.GetIndices(), PointsDone: p.GetPointsDone(),
			Shards: p.GetShards(), ShardsDone: p.GetShardsDone(), ShardsLeased: p.GetShardsLeased(),
			ShardsQuarantined: p.GetShardsQuarantined(), Parts: p.GetParts(), PartsDone: p.GetPartsDone(),
			PointsByStatus: p.GetPointsByStatus(), Nodes: p.GetNodes(), Waiting: p.GetWaiting(),
			CostTotal: p.GetCostTotal(), CostDone: p.GetCostDone(), Alarms: p.GetAlarms(),
		},
	}
	if p.GetEta() != nil {
		view.Progress.ETA = p.GetEta().AsDuration()
	}
	for _, l := range p.GetLosses() {
		loss := lossView{Shard: l.GetShard(), Attempts: l.GetAttempts(), Quarantined: l.GetQuarantined()}
		for _, c := range l.GetCauses() {
			loss.Causes = append(loss.Causes, causeView{c.GetNode(), c.GetCause(), c.GetTime().AsTime()})
		}
		view.Progress.Losses = append(view.Progress.Losses, loss)
	}
	return view
}

func viewPhase(p pb.Phase) string {
	return strings.ToLower(strings.TrimPrefix(p.String(), "PHASE_"))
}

// submit stores a sweep file; created is false where the sweep was there already.
func (c *sweepClient) submit(
	ctx context.Context,
	filename string,
	file []byte,
	priority, weight int32,
) (view sweepView, created bool, warnings []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, submitTimeout)
	defer cancel()
	answer, err := c.sweeps.Submit(
		ctx,
		&pb.SubmitRequest{File: file, Filename: printable(filename), Priority: priority, Weight: weight},
	)
	if err != nil {
		return sweepView{}, false, nil, explain("submit "+filename, err)
	}
	return viewSweep(answer.GetSweep()), answer.GetCreated(), answer.GetWarnings(), nil
}

// printable is a file's name as it may travel: file systems allow more than protobuf and terminals
// do.
func printable(filename string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(filename, "?"))
}

func (c *sweepClient) get(ctx context.Context, name string) (sweepView, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := c.sweeps.Get(ctx, &pb.GetRequest{Sweep: name})
	if err != nil {
		return sweepView{}, explain("get "+name, err)
	}
	return viewSweep(answer.GetSweep()), nil
}

func (c *sweepClient) list(ctx context.Context) ([]sweepView, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	views := []sweepView{}
	for page := ""; ; {
		answer, err := c.sweeps.List(ctx, &pb.ListRequest{PageToken: page})
		if err != nil {
			return nil, explain("list sweeps", err)
		}
		for _, s := range answer.GetSweeps() {
			views = append(views, viewSweep(s))
		}
		if page = answer.GetNextPageToken(); page == "" {
			return views, nil
		}
	}
}

// fenced lists the nodes that get no work, and why.
func (c *sweepClient) fenced(ctx context.Context) ([]fencedView, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := c.sweeps.ListNodes(ctx, &pb.ListNodesRequest{})
	if err != nil {
		return nil, explain("list nodes", err)
	}
	var views []fencedView
	for _, n := range answer.GetNodes() {
		if n.GetFenced() != "" {
			views = append(views, fencedView{n.GetInfo().GetName(), n.GetFenced()})
		}
	}
	return views, nil
}

// watch calls see with the sweep now and whenever it changes, until it ends. It comes back by
// itself when a coordinator goes away, to the sweep that it has seen first, whatever else has its
// name by then.
func (c *sweepClient) watch(ctx context.Context, name string, see func(sweepView)) (sweepView, error) {
	var last sweepView
	said := false
	for wait := time.Duration(0); ; wait = min(2*wait+100*time.Millisecond, 3*time.Second) {
		if !pause(ctx, wait) {
			return last, ctx.Err()
		}
		stream, err := c.sweeps.Watch(ctx, &pb.WatchRequest{Sweep: name})
		for err == nil {
			var m *pb.WatchResponse
			if m, err = stream.Recv(); err == nil {
				wait, said = 0, false
				last = viewSweep(m.GetSweep())
				name = last.ID
				see(last)
			}
		}
		switch {
		case ctx.Err() != nil:
			return last, ctx.Err()
		case errors.Is(err, io.EOF) && last.ended():
			return last, nil
		case errors.Is(err, io.EOF) || status.Code(err) == codes.Unavailable:
			if !said {
				said = true
				c.waiting(err)
			}
			continue
		}
		return last, explain("watch "+name, err)
	}
}

// pause waits and tells whether ctx is still alive.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// change is a verb on a sweep that answers with the sweep.
type change string

const (
	changePause  change = "pause"
	changeResume change = "resume"
	changeCancel change = "cancel"
)

// change asks for a verb on the sweep with an id; the answer is the sweep after it.
func (c *sweepClient) change(ctx context.Context, verb change, id string) (sweepView, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var answer interface{ GetSweep() *pb.Sweep }
	var err error
	switch verb {
	case changePause:
		answer, err = c.sweeps.Pause(ctx, &pb.PauseRequest{Sweep: id})
	case changeResume:
		answer, err = c.sweeps.Resume(ctx, &pb.ResumeRequest{Sweep: id})
	case changeCancel:
		answer, err = c.sweeps.Cancel(ctx, &pb.CancelRequest{Sweep: id})
	}
	if err != nil {
		return sweepView{}, explain(string(verb)+" "+shortID(id), err)
	}
	return viewSweep(answer.GetSweep()), nil
}

// retry lifts the quarantines of the sweep with an id, and returns how many shards run again.
func (c *sweepClient) retry(ctx context.Context, id string) (sweepView, int64, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := c.sweeps.Retry(ctx, &pb.RetryRequest{Sweep: id})
	if err != nil {
		return sweepView{}, 0, explain("retry "+shortID(id), err)
	}
	return viewSweep(answer.GetSweep()), answer.GetShards(), nil
}

// remove removes the sweep with an id, which was there. One that is not there any more is removed:
// by this call, if its first answer was lost.
func (c *sweepClient) remove(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := c.sweeps.Delete(ctx, &pb.DeleteRequest{Sweep: id})
	switch status.Code(err) {
	case codes.NotFound:
		return nil
	case codes.DeadlineExceeded:
		return fmt.Errorf(
			"rm %s: not done after %v; the coordinator goes on with it: `phasegrid ls` lists the sweep until it is removed",
			shortID(id),
			callTimeout,
		)
	}
	return explain("rm "+shortID(id), err)
}

// fileView is one file of a result set.
type fileView struct {
	Path   string
	Bytes  int64
	SHA256 string
	Rows   int64
}

// maxFilesBytes bounds the list of a set's files, for some hundred thousand of them.
const maxFilesBytes = 64 << 20

func (c *sweepClient) files(ctx context.Context, name string) ([]fileView, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := c.sweeps.Files(ctx, &pb.FilesRequest{Sweep: name}, grpc.MaxCallRecvMsgSize(maxFilesBytes))
	if err != nil {
		return nil, explain("fetch "+name, err)
	}
	var files []fileView
	for _, f := range answer.GetFiles() {
		files = append(files, fileView{f.GetPath(), f.GetBytes(), f.GetSha256(), f.GetRows()})
	}
	return files, nil
}

// fetch writes one file of a result set to w, from an offset on.
func (c *sweepClient) fetch(ctx context.Context, name, path string, offset int64, w io.Writer) error {
	stream, err := c.sweeps.Fetch(ctx, &pb.FetchRequest{Sweep: name, Path: path, Offset: offset})
	for err == nil {
		var m *pb.FetchResponse
		if m, err = stream.Recv(); err == nil {
			if _, err := w.Write(m.GetData()); err != nil {
				return fmt.Errorf("write %s: %w", path, err)
			}
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return explain("fetch "+path, err)
}

// explain turns a coordinator's status into a sentence for people. Field violations become lines of
// their own, and make the command's use wrong rather than its run.
func explain(what string, err error) error {
	if err == nil {
		return nil
	}
	s := status.Convert(err)
	var lines, alarms []string
	for _, detail := range s.Details() {
		switch m := detail.(type) {
		case *errdetails.BadRequest:
			for _, v := range m.GetFieldViolations() {
				lines = append(lines, v.GetField()+": "+v.GetDescription())
			}
		case *errdetails.PreconditionFailure:
			for _, v := range m.GetViolations() {
				alarms = append(alarms, v.GetSubject()+": "+v.GetDescription())
			}
		}
	}
	switch {
	case len(lines) > 0:
		return usageError{errors.New(strings.Join(lines, "\n"))}
	case s.Code() == codes.InvalidArgument:
		return usageError{fmt.Errorf("%s: %s", what, s.Message())}
	case len(alarms) > 0:
		return fmt.Errorf("%s: no coordinator leads; this is why:\n%s", what, strings.Join(alarms, "\n"))
	case s.Code() == codes.Unavailable && !fromFollower(err):
		return fmt.Errorf(
			"%s: no coordinator answers (%s); check --coordinator, the --tls flags and that one is running",
			what,
			s.Message(),
		)
	case s.Code() == codes.DeadlineExceeded:
		return fmt.Errorf("%s: the coordinator did not answer in time; try again, or look at its log", what)
	}
	return fmt.Errorf("%s: %s", what, s.Message())
}

// askFollower is the error by which a coordinator tells why it does not lead, or nil where none
// answers, or one leads.
func askFollower(ctx context.Context, conn grpc.ClientConnInterface) error {
	_, err := pb.NewSweepsClient(conn).List(ctx, &pb.ListRequest{PageSize: 1})
	if fromFollower(err) {
		return err
	}
	return nil
}

// fromFollower tells whether an error is the answer of a coordinator that does not lead.
func fromFollower(err error) bool {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetReason() == "NOT_LEADER" {
			return true
		}
	}
	return false
}

// submitWhenLed submits as soon as the coordinator leads, which a local one does a moment after its
// start.
func (c *sweepClient) submitWhenLed(ctx context.Context, filename string, file []byte) (sweepView, error) {
	for {
		answer, err := c.sweeps.Submit(
			ctx,
			&pb.SubmitRequest{File: file, Filename: printable(filename)},
			grpc.WaitForReady(true),
		)
		switch {
		case err == nil:
			return viewSweep(answer.GetSweep()), nil
		case status.Code(err) != codes.Unavailable:
			return sweepView{}, explain("submit "+filename, err)
		case !pause(ctx, 20*time.Millisecond):
			return sweepView{}, ctx.Err()
		}
	}
}
