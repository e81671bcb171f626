package coordtest

import (
	"context"

	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
	"github.com/phasegrid/phasegrid/results"
)

// Deliver sends one shard in chunks and returns the coordinator's answer.
func Deliver(
	ctx context.Context,
	c pb.NodesClient,
	header *pb.DeliverHeader,
	payload []byte,
) (pb.DeliverResponse_Outcome, error) {
	stream, err := c.Deliver(ctx)
	if err != nil {
		return 0, err
	}
	err = stream.Send(&pb.DeliverRequest{Message: &pb.DeliverRequest_Header{Header: header}})
	for chunk := range results.Chunks(payload) {
		if err != nil {
			break
		}
		err = stream.Send(&pb.DeliverRequest{Message: &pb.DeliverRequest_Chunk{Chunk: chunk}})
	}
	// An error of Send only says that the stream has ended; the answer says why.
	answer, err := stream.CloseAndRecv()
	return answer.GetOutcome(), err
}
