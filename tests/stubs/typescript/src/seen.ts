/** Returns what the stubs' own accessors read. */

import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { type Call, CallStatusSchema, type LiveStatus } from "@livecalls/client";
import type { ErrorInfo, RetryInfo } from "@livecalls/client/errors";
import type { SeenCall, SeenError, SeenLive } from "./cases.js";

export function seenCall(call: Call): SeenCall {
  return {
    id: call.id,
    host_user_id: call.hostUserId,
    title: call.title,
    scheduled_at: time(call.scheduledAt),
    started_at: time(call.startedAt),
    ended_at: time(call.endedAt),
    stream_call_id: call.streamCallId ?? null,
    stream_call_type: call.streamCallType,
    recording_url: call.recordingUrl ?? null,
    recording_ready_at: time(call.recordingReadyAt),
    status: CallStatusSchema.value[call.status]?.name ?? call.status,
    created_at: time(call.createdAt),
    updated_at: time(call.updatedAt),
    live: call.live ? seenLive(call.live) : null,
  };
}

/** An error whose code may be spelt as in NotFound, or as in gRPC. */
export function seenError(code: string, message: string, info?: ErrorInfo, retry?: RetryInfo): SeenError {
  const delay = retry?.retryDelay;
  return {
    code: code.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase(),
    message,
    reason: info?.reason ?? null,
    domain: info?.domain ?? null,
    retry_ms: delay ? Number(delay.seconds) * 1000 + delay.nanos / 1e6 : null,
  };
}

function seenLive(live: LiveStatus): SeenLive {
  return {
    is_live: live.isLive,
    current_session_id: live.currentSessionId ?? null,
    ended_at: time(live.endedAt),
  };
}

/** With microseconds: a Date has only milliseconds. */
function time(timestamp: Timestamp | undefined): string | null {
  if (!timestamp) return null;
  const seconds = new Date(Number(timestamp.seconds) * 1000).toISOString().slice(0, -".000Z".length);
  return `${seconds}.${String(timestamp.nanos / 1000).padStart(6, "0")}Z`;
}
