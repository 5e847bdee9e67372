// Command grpc is LiveCalls as its users would write it in Go: grpc-go, and a
// SELECT of its own for every request. It requires no tokens, and sends no
// requests to Stream.
package main

import (
	"context"
	"errors"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/livecalls/livecalls/generated/go/livecalls/v1"
)

// The best of 4, 8 and 16 on two cores that PostgreSQL and the callers share.
const maxConns = 8

const selectCall = `SELECT id, host_user_id, title, scheduled_at, started_at, ended_at,
	stream_call_id, stream_call_type, recording_url, recording_ready_at,
	status, created_at, updated_at
FROM calls WHERE id = $1`

var statuses = map[string]pb.CallStatus{
	"scheduled": pb.CallStatus_CALL_STATUS_SCHEDULED,
	"live":      pb.CallStatus_CALL_STATUS_LIVE,
	"ended":     pb.CallStatus_CALL_STATUS_ENDED,
	"errored":   pb.CallStatus_CALL_STATUS_ERRORED,
}

var errNotFound = status.Error(codes.NotFound, "No call has this id.")

type liveCalls struct {
	pb.UnimplementedLiveCallsServer
	pool *pgxpool.Pool
}

func (s *liveCalls) GetCall(ctx context.Context, request *pb.GetCallRequest) (*pb.Call, error) {
	var id pgtype.UUID
	if err := id.Scan(request.GetId()); err != nil {
		return nil, errNotFound
	}
	call, err := readCall(s.pool.QueryRow(ctx, selectCall, id))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errNotFound
	}
	if err != nil {
		return nil, status.Errorf(codes.Unavailable, "The call cannot be read: %v", err)
	}
	return call, nil
}

func readCall(row pgx.Row) (*pb.Call, error) {
	var call pb.Call
	var scheduledAt, startedAt, endedAt, recordingReadyAt *time.Time
	var createdAt, updatedAt time.Time
	var callStatus string
	err := row.Scan(
		&call.Id, &call.HostUserId, &call.Title, &scheduledAt, &startedAt, &endedAt,
		&call.StreamCallId, &call.StreamCallType, &call.RecordingUrl, &recordingReadyAt,
		&callStatus, &createdAt, &updatedAt,
	)
	if err != nil {
		return nil, err
	}
	call.ScheduledAt = timestamp(scheduledAt)
	call.StartedAt = timestamp(startedAt)
	call.EndedAt = timestamp(endedAt)
	call.RecordingReadyAt = timestamp(recordingReadyAt)
	call.Status = statuses[callStatus]
	call.CreatedAt = timestamppb.New(createdAt)
	call.UpdatedAt = timestamppb.New(updatedAt)
	return &call, nil
}

func timestamp(moment *time.Time) *timestamppb.Timestamp {
	if moment == nil {
		return nil
	}
	return timestamppb.New(*moment)
}

func main() {
	if err := serve(); err != nil {
		log.Fatal(err)
	}
}

func serve() error {
	ended, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	config, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	config.MaxConns = maxConns
	pool, err := pgxpool.NewWithConfig(ended, config)
	if err != nil {
		return err
	}
	defer pool.Close()

	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", os.Getenv("PORT")))
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	pb.RegisterLiveCallsServer(server, &liveCalls{pool: pool})
	context.AfterFunc(ended, server.GracefulStop)
	return server.Serve(listener)
}
