package com.livecalls.cases;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import com.google.protobuf.util.JsonFormat.Printer;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import com.google.rpc.Status;
import com.livecalls.v1.Call;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a caller reads of a call, and of an error. */
final class Seen {
  private static final Printer PRINTER =
      JsonFormat.printer().preservingProtoFieldNames().alwaysPrintFieldsWithNoPresence();

  private Seen() {}

  /** A call as protobuf's JSON, by the names of the contract. */
  static JsonElement call(Call call) throws InvalidProtocolBufferException {
    return JsonParser.parseString(PRINTER.print(call));
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
