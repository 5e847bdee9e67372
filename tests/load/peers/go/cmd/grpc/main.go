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
	"reflect"
	"regexp"
	"strings"
	"syscall"

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

// The columns of a call: the fields of its message but `live`, by their names in the contract.
var columns, fields = columnsOfCall()

var selectCall = "SELECT " + strings.Join(columns, ", ") + " FROM calls WHERE id = $1"

var statuses = map[string]pb.CallStatus{
	"scheduled": pb.CallStatus_CALL_STATUS_SCHEDULED,
	"live":      pb.CallStatus_CALL_STATUS_LIVE,
	"ended":     pb.CallStatus_CALL_STATUS_ENDED,
	"errored":   pb.CallStatus_CALL_STATUS_ERRORED,
}

// In the tags of the message's fields.
var nameInContract = regexp.MustCompile(`\bname=(\w+)`)

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

// Scans straight into the fields of the message, which costs no more than to name them.
func readCall(row pgx.Row) (*pb.Call, error) {
	call := new(pb.Call)
	message := reflect.ValueOf(call).Elem()
	targets := make([]any, len(fields))
	for i, field := range fields {
		targets[i] = scannable(message.Field(field).Addr().Interface())
	}
	if err := row.Scan(targets...); err != nil {
		return nil, err
	}
	return call, nil
}

func columnsOfCall() (columns []string, fields []int) {
	message := reflect.TypeFor[pb.Call]()
	for i := range message.NumField() {
		name := nameInContract.FindStringSubmatch(message.Field(i).Tag.Get("protobuf"))
		if name != nil && name[1] != "live" {
			columns, fields = append(columns, name[1]), append(fields, i)
		}
	}
	return columns, fields
}

// Wraps a pointer to a field that pgx itself cannot scan into.
func scannable(field any) any {
	switch field := field.(type) {
	case **timestamppb.Timestamp:
		return timestamp{field}
	case *pb.CallStatus:
		return callStatus{field}
	default:
		return field
	}
}

type timestamp struct{ field **timestamppb.Timestamp }

func (t timestamp) ScanTimestamptz(value pgtype.Timestamptz) error {
	if value.Valid {
		*t.field = timestamppb.New(value.Time)
	}
	return nil
}

type callStatus struct{ field *pb.CallStatus }

func (s callStatus) ScanText(value pgtype.Text) error {
	*s.field = statuses[value.String]
	return nil
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
