package com.livecalls.cases;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.livecalls.v1.GetCallRequest;
import com.livecalls.v1.LiveCallsGrpc;
import com.livecalls.v1.LiveCallsGrpc.LiveCallsBlockingStub;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.stub.MetadataUtils;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

import static java.nio.charset.StandardCharsets.UTF_8;

/** Runs the cases on standard input by the stubs for Java, and writes an outcome a line. */
public final class Client {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private static final Map<String, ?> SERVICE_CONFIG =
      Map.of(
          "methodConfig",
          List.of(
              Map.of(
                  "name", List.of(Map.of("service", "livecalls.v1.LiveCalls")),
                  "retryPolicy",
                      Map.of(
                          "maxAttempts", 4.0,
                          "initialBackoff", "0.05s",
                          "maxBackoff", "0.5s",
                          "backoffMultiplier", 2.0,
                          "retryableStatusCodes", List.of("UNAVAILABLE")))));

  private record Target(String address, String ca) {}

  private record Case(
      String name, String target, String id, String token, Long timeout_ms, Long cancel_after_ms) {}

  private record Errand(Map<String, Target> targets, List<Case> cases) {}

  private final Map<String, ManagedChannel> channels = new HashMap<>();
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();

  public static void main(String[] arguments) throws Exception {
    Gson gson = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();
    Errand errand = gson.fromJson(new InputStreamReader(System.in, UTF_8), Errand.class);
    PrintStream out = new PrintStream(System.out, true, UTF_8);
    Client client = new Client(errand.targets());
    for (Case asked : errand.cases()) {
      out.println(gson.toJson(client.outcome(asked)));
    }
    client.close();
  }

  private Client(Map<String, Target> targets) throws IOException {
    for (var target : targets.entrySet()) {
      channels.put(target.getKey(), channel(target.getValue()));
    }
  }

  private static ManagedChannel channel(Target target) throws IOException {
    return Grpc.newChannelBuilder(target.address(), credentials(target.ca()))
        .defaultServiceConfig(SERVICE_CONFIG)
        .build();
  }

  private static ChannelCredentials credentials(String ca) throws IOException {
    return ca == null
        ? InsecureChannelCredentials.create()
        : TlsChannelCredentials.newBuilder().trustManager(new File(ca)).build();
  }

  private Map<String, Object> outcome(Case asked) throws Exception {
    LiveCallsBlockingStub stub = stub(channels.get(asked.target()), asked);
    GetCallRequest request = GetCallRequest.newBuilder().setId(asked.id()).build();
    try (CancellableContext context = Context.current().withCancellation()) {
      if (asked.cancel_after_ms() != null) {
        timer.schedule(() -> context.cancel(null), asked.cancel_after_ms(), TimeUnit.MILLISECONDS);
      }
      var call = context.call(() -> stub.getCall(request));
      return Map.of("name", asked.name(), "call", Seen.call(call));
    } catch (StatusRuntimeException error) {
      return Map.of("name", asked.name(), "error", Seen.error(error));
    }
  }

  private static LiveCallsBlockingStub stub(Channel channel, Case asked) {
    LiveCallsBlockingStub stub = LiveCallsGrpc.newBlockingStub(channel);
    if (asked.token() != null) {
      Metadata headers = new Metadata();
      headers.put(AUTHORIZATION, "Bearer " + asked.token());
      stub = stub.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
    }
    if (asked.timeout_ms() != null) {
      stub = stub.withDeadlineAfter(asked.timeout_ms(), TimeUnit.MILLISECONDS);
    }
    return stub;
  }

  private void close() {
    timer.shutdown();
    channels.values().forEach(ManagedChannel::shutdownNow);
  }
}
