package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v15/arrow/flight"
	flightpb "github.com/apache/arrow/go/v15/arrow/flight/gen/flight"
	"google.golang.org/grpc"

	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// maxFilesBytes bounds the list of a set's files, for some hundred thousand of them.
const maxFilesBytes = 64 << 20

// File is one file of a result set.
type File struct {
	Path   string // below the set's folder, with slashes
	Bytes  int64
	sha256 string
}

// files lists the files of a sweep's result set.
func (c *Client) files(ctx context.Context, id string) ([]File, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := c.sweeps.Files(ctx, &pb.FilesRequest{Sweep: id}, grpc.MaxCallRecvMsgSize(maxFilesBytes))
	if err != nil {
		return nil, explain("fetch "+id, err)
	}
	var files []File
	for _, f := range answer.GetFiles() {
		files = append(files, File{f.GetPath(), f.GetBytes(), f.GetSha256()})
	}
	return files, nil
}

// fetch writes one file of a result set to w, beginning at an offset.
func (c *Client) fetch(ctx context.Context, id, path string, offset int64, w io.Writer) error {
	stream, err := c.sweeps.Fetch(ctx, &pb.FetchRequest{Sweep: id, Path: path, Offset: offset})
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

// Rows reads the committed rows of one table of a sweep, merged or not, by Arrow Flight: the named
// columns, or all if none is named. The caller releases the reader.
func (c *Client) Rows(ctx context.Context, id, table string, columns ...string) (*flight.Reader, error) {
	ticket, err := json.Marshal(struct {
		Sweep   string   `json:"sweep"`
		Table   string   `json:"table"`
		Columns []string `json:"columns,omitempty"`
	}{id, table, columns})
	if err != nil {
		return nil, fmt.Errorf("encode a ticket: %w", err)
	}
	stream, err := flightpb.NewFlightServiceClient(c.conn).DoGet(ctx, &flightpb.Ticket{Ticket: ticket})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", table, err)
	}
	rows, err := flight.NewRecordReader(stream)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", table, err)
	}
	return rows, nil
}
