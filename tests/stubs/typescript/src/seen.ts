/** Returns what a caller reads of a call, and of an error. */

import { type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Call, CallSchema } from "@livecalls/client";
import type { ErrorInfo, RetryInfo } from "@livecalls/client/errors";
import type { SeenError } from "./cases.js";

/** A call as protobuf's JSON, by the names of the contract. */
export function seenCall(call: Call): JsonValue {
  return toJson(CallSchema, call, { useProtoFieldName: true, alwaysEmitImplicit: true });
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
