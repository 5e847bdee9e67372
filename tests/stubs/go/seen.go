package main

import (
	"encoding/json"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	livecallsv1 "github.com/livecalls/livecalls/generated/go/livecalls/v1"
)

type outcome struct {
	Name  string          `json:"name"`
	Call  json.RawMessage `json:"call,omitempty"`
	Error *seenError      `json:"error,omitempty"`
}

type seenError struct {
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Reason  *string `json:"reason"`
	Domain  *string `json:"domain"`
	RetryMS *int64  `json:"retry_ms"`
}

// A call as protobuf's JSON, by the names of the contract.
func seeCall(call *livecallsv1.Call) (json.RawMessage, error) {
	return protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}.Marshal(call)
}

func seeError(err error) *seenError {
	failure := status.Convert(err)
	// Codes' own String is in Go's spelling; google.rpc has the same numbers by gRPC's names.
	seen := seenError{Code: code.Code(failure.Code()).String(), Message: failure.Message()}
	for _, detail := range failure.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			seen.Reason, seen.Domain = &detail.Reason, &detail.Domain
		case *errdetails.RetryInfo:
			delay := detail.GetRetryDelay().AsDuration().Milliseconds()
			seen.RetryMS = &delay
		}
	}
	return &seen
}
