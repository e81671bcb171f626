package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

const benchBucket = "bench"

// benchS3 is an S3 server in this process, which keeps its bucket in memory: what is measured
// against it is the protocol's share, on a socket of this machine.
type benchS3 struct {
	server *http.Server
	served chan error
	url    string // of the bucket, as --store takes it
}

func startBenchS3() (*benchS3, error) {
	backend := s3mem.New()
	if err := backend.CreateBucket(benchBucket); err != nil {
		return nil, fmt.Errorf("create a bucket: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for S3: %w", err)
	}
	s := &benchS3{
		server: &http.Server{
			Handler:           gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server(),
			ReadHeaderTimeout: 10 * time.Second,
		},
		served: make(chan error, 1),
		url: fmt.Sprintf(
			"s3://%s?region=us-east-1&use_path_style=true&disable_https=true&anonymous=true&endpoint=http://%s",
			benchBucket,
			listener.Addr(),
		),
	}
	go func() { s.served <- s.server.Serve(listener) }()
	return s, nil
}

func (s *benchS3) close() error {
	err := s.server.Close()
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
