package main

import (
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	livecallsv1 "github.com/livecalls/livecalls/generated/go/livecalls/v1"
)

type outcome struct {
	Name  string     `json:"name"`
	Call  *seenCall  `json:"call,omitempty"`
	Error *seenError `json:"error,omitempty"`
}

type seenCall struct {
	ID               string    `json:"id"`
	HostUserID       string    `json:"host_user_id"`
	Title            string    `json:"title"`
	ScheduledAt      *string   `json:"scheduled_at"`
	StartedAt        *string   `json:"started_at"`
	EndedAt          *string   `json:"ended_at"`
	StreamCallID     *string   `json:"stream_call_id"`
	StreamCallType   string    `json:"stream_call_type"`
	RecordingURL     *string   `json:"recording_url"`
	RecordingReadyAt *string   `json:"recording_ready_at"`
	Status           any       `json:"status"`
	CreatedAt        *string   `json:"created_at"`
	UpdatedAt        *string   `json:"updated_at"`
	Live             *seenLive `json:"live"`
}

type seenLive struct {
	IsLive           bool    `json:"is_live"`
	CurrentSessionID *string `json:"current_session_id"`
	EndedAt          *string `json:"ended_at"`
}

type seenError struct {
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Reason  *string `json:"reason"`
	Domain  *string `json:"domain"`
	RetryMS *int64  `json:"retry_ms"`
}

func seeCall(call *livecallsv1.Call) *seenCall {
	return &seenCall{
		ID:               call.GetId(),
		HostUserID:       call.GetHostUserId(),
		Title:            call.GetTitle(),
		ScheduledAt:      seeTime(call.GetScheduledAt()),
		StartedAt:        seeTime(call.GetStartedAt()),
		EndedAt:          seeTime(call.GetEndedAt()),
		StreamCallID:     call.StreamCallId,
		StreamCallType:   call.GetStreamCallType(),
		RecordingURL:     call.RecordingUrl,
		RecordingReadyAt: seeTime(call.GetRecordingReadyAt()),
		Status:           seeStatus(call.GetStatus()),
		CreatedAt:        seeTime(call.GetCreatedAt()),
		UpdatedAt:        seeTime(call.GetUpdatedAt()),
		Live:             seeLive(call.GetLive()),
	}
}

func seeLive(live *livecallsv1.LiveStatus) *seenLive {
	if live == nil {
		return nil
	}
	return &seenLive{
		IsLive:           live.GetIsLive(),
		CurrentSessionID: live.CurrentSessionId,
		EndedAt:          seeTime(live.GetEndedAt()),
	}
}

// The status's name, or its number if these stubs know no name.
func seeStatus(status livecallsv1.CallStatus) any {
	if name, known := livecallsv1.CallStatus_name[int32(status)]; known {
		return name
	}
	return status
}

func seeTime(moment *timestamppb.Timestamp) *string {
	if moment == nil {
		return nil
	}
	text := moment.AsTime().Format("2006-01-02T15:04:05.000000Z")
	return &text
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
