package coordtest

import (
	"context"

	pb "github.com/phasegrid/phasegrid/proto/phasegrid/v1"
)

// chunkBytes is the size of the messages that a payload is sent in.
const chunkBytes = 1 << 20

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
	for err == nil && len(payload) > 0 {
		n := min(len(payload), chunkBytes)
		err = stream.Send(&pb.DeliverRequest{Message: &pb.DeliverRequest_Chunk{Chunk: payload[:n]}})
		payload = payload[n:]
	}
	// An error of Send only says that the stream has ended; the answer says why.
	answer, err := stream.CloseAndRecv()
	return answer.GetOutcome(), err
}
