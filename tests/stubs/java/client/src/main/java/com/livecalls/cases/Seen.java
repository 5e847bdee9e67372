package com.livecalls.cases;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Timestamp;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import com.google.rpc.Status;
import com.livecalls.v1.Call;
import com.livecalls.v1.CallStatus;
import com.livecalls.v1.LiveStatus;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a caller reads of a call, and of an error. */
final class Seen {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);

  private Seen() {}

  static Map<String, Object> call(Call call) {
    Map<String, Object> seen = new LinkedHashMap<>();
    seen.put("id", call.getId());
    seen.put("host_user_id", call.getHostUserId());
    seen.put("title", call.getTitle());
    seen.put("scheduled_at", call.hasScheduledAt() ? time(call.getScheduledAt()) : null);
    seen.put("started_at", call.hasStartedAt() ? time(call.getStartedAt()) : null);
    seen.put("ended_at", call.hasEndedAt() ? time(call.getEndedAt()) : null);
    seen.put("stream_call_id", call.hasStreamCallId() ? call.getStreamCallId() : null);
    seen.put("stream_call_type", call.getStreamCallType());
    seen.put("recording_url", call.hasRecordingUrl() ? call.getRecordingUrl() : null);
    seen.put("recording_ready_at", call.hasRecordingReadyAt() ? time(call.getRecordingReadyAt()) : null);
    seen.put("status", status(call));
    seen.put("created_at", time(call.getCreatedAt()));
    seen.put("updated_at", time(call.getUpdatedAt()));
    seen.put("live", call.hasLive() ? live(call.getLive()) : null);
    return seen;
  }

  /** The status's name, or its number if these stubs know no name. */
  private static Object status(Call call) {
    return call.getStatus() == CallStatus.UNRECOGNIZED ? call.getStatusValue() : call.getStatus().name();
  }

  private static Map<String, Object> live(LiveStatus live) {
    Map<String, Object> seen = new LinkedHashMap<>();
    seen.put("is_live", live.getIsLive());
    seen.put("current_session_id", live.hasCurrentSessionId() ? live.getCurrentSessionId() : null);
    seen.put("ended_at", live.hasEndedAt() ? time(live.getEndedAt()) : null);
    return seen;
  }

  private static String time(Timestamp moment) {
    return TIME.format(Instant.ofEpochSecond(moment.getSeconds(), moment.getNanos()));
  }

  static Map<String, Object> error(StatusRuntimeException error) throws InvalidProtocolBufferException {
    Map<String, Object> seen = new LinkedHashMap<>();
    seen.put("code", error.getStatus().getCode().name());
    seen.put("message", error.getStatus().getDescription());
    seen.put("reason", null);
    seen.put("domain", null);
    seen.put("retry_ms", null);
    Status status = StatusProto.fromThrowable(error);
    for (Any detail : status.getDetailsList()) {
      if (detail.is(ErrorInfo.class)) {
        ErrorInfo info = detail.unpack(ErrorInfo.class);
        seen.put("reason", info.getReason());
        seen.put("domain", info.getDomain());
      } else if (detail.is(RetryInfo.class)) {
        var delay = detail.unpack(RetryInfo.class).getRetryDelay();
        seen.put("retry_ms", delay.getSeconds() * 1000 + delay.getNanos() / 1_000_000);
      }
    }
    return seen;
  }
}
