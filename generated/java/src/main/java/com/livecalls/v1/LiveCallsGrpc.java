package com.livecalls.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Returns the state of a live call: the stored row of the call and, best
 * effort, what Stream Video says about it right now.
 * Any RPC may end with these errors. A reason in capitals is that of an
 * ErrorInfo detail, whose domain is "livecalls.v1":
 *   - UNAUTHENTICATED: TOKEN_REQUIRED if the request has no access token,
 *     TOKEN_INVALID if it has one that is not accepted.
 *   - PERMISSION_DENIED: SCOPE_MISSING if the token lacks a required scope.
 *   - INVALID_ARGUMENT: MALFORMED_REQUEST if the bytes are not the message.
 *   - RESOURCE_EXHAUSTED: TOO_BUSY if too many requests are under way; retry
 *     after the delay in the RetryInfo detail. Without a reason if the request
 *     or its metadata is too large, or the gateway's rate limit is reached.
 *   - UNAVAILABLE: STORE_UNAVAILABLE if the calls cannot be read,
 *     KEYS_UNAVAILABLE or INTROSPECTION_UNAVAILABLE if the token cannot be
 *     checked; retry after the delay in the RetryInfo detail. Without a reason
 *     if the server cannot be reached.
 *   - INTERNAL: INTERNAL_FAULT for a fault of the server, whose log has the
 *     request id in the RequestInfo detail.
 *   - DEADLINE_EXCEEDED, without a reason: the caller's deadline passed, and
 *     the work was given up.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class LiveCallsGrpc {

  private LiveCallsGrpc() {}

  public static final java.lang.String SERVICE_NAME = "livecalls.v1.LiveCalls";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<com.livecalls.v1.GetCallRequest,
      com.livecalls.v1.Call> getGetCallMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetCall",
      requestType = com.livecalls.v1.GetCallRequest.class,
      responseType = com.livecalls.v1.Call.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<com.livecalls.v1.GetCallRequest,
      com.livecalls.v1.Call> getGetCallMethod() {
    io.grpc.MethodDescriptor<com.livecalls.v1.GetCallRequest, com.livecalls.v1.Call> getGetCallMethod;
    if ((getGetCallMethod = LiveCallsGrpc.getGetCallMethod) == null) {
      synchronized (LiveCallsGrpc.class) {
        if ((getGetCallMethod = LiveCallsGrpc.getGetCallMethod) == null) {
          LiveCallsGrpc.getGetCallMethod = getGetCallMethod =
              io.grpc.MethodDescriptor.<com.livecalls.v1.GetCallRequest, com.livecalls.v1.Call>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetCall"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  com.livecalls.v1.GetCallRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  com.livecalls.v1.Call.getDefaultInstance()))
              .setSchemaDescriptor(new LiveCallsMethodDescriptorSupplier("GetCall"))
              .build();
        }
      }
    }
    return getGetCallMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static LiveCallsStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<LiveCallsStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<LiveCallsStub>() {
        @java.lang.Override
        public LiveCallsStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new LiveCallsStub(channel, callOptions);
        }
      };
    return LiveCallsStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static LiveCallsBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<LiveCallsBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<LiveCallsBlockingV2Stub>() {
        @java.lang.Override
        public LiveCallsBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new LiveCallsBlockingV2Stub(channel, callOptions);
        }
      };
    return LiveCallsBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static LiveCallsBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<LiveCallsBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<LiveCallsBlockingStub>() {
        @java.lang.Override
        public LiveCallsBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new LiveCallsBlockingStub(channel, callOptions);
        }
      };
    return LiveCallsBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static LiveCallsFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<LiveCallsFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<LiveCallsFutureStub>() {
        @java.lang.Override
        public LiveCallsFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new LiveCallsFutureStub(channel, callOptions);
        }
      };
    return LiveCallsFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Returns the state of a live call: the stored row of the call and, best
   * effort, what Stream Video says about it right now.
   * Any RPC may end with these errors. A reason in capitals is that of an
   * ErrorInfo detail, whose domain is "livecalls.v1":
   *   - UNAUTHENTICATED: TOKEN_REQUIRED if the request has no access token,
   *     TOKEN_INVALID if it has one that is not accepted.
   *   - PERMISSION_DENIED: SCOPE_MISSING if the token lacks a required scope.
   *   - INVALID_ARGUMENT: MALFORMED_REQUEST if the bytes are not the message.
   *   - RESOURCE_EXHAUSTED: TOO_BUSY if too many requests are under way; retry
   *     after the delay in the RetryInfo detail. Without a reason if the request
   *     or its metadata is too large, or the gateway's rate limit is reached.
   *   - UNAVAILABLE: STORE_UNAVAILABLE if the calls cannot be read,
   *     KEYS_UNAVAILABLE or INTROSPECTION_UNAVAILABLE if the token cannot be
   *     checked; retry after the delay in the RetryInfo detail. Without a reason
   *     if the server cannot be reached.
   *   - INTERNAL: INTERNAL_FAULT for a fault of the server, whose log has the
   *     request id in the RequestInfo detail.
   *   - DEADLINE_EXCEEDED, without a reason: the caller's deadline passed, and
   *     the work was given up.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Returns the state of one call.
     * The row is read anew for every request. Stream never makes the request
     * fail: if it gives no answer in time, `live` is unset.
     * In addition to the errors of any RPC it returns:
     *   - NOT_FOUND: CALL_NOT_FOUND if the id names no call or is not a UUID.
     *   - INVALID_ARGUMENT: ID_REQUIRED if the id is empty.
     * </pre>
     */
    default void getCall(com.livecalls.v1.GetCallRequest request,
        io.grpc.stub.StreamObserver<com.livecalls.v1.Call> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetCallMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service LiveCalls.
   * <pre>
   * Returns the state of a live call: the stored row of the call and, best
   * effort, what Stream Video says about it right now.
   * Any RPC may end with these errors. A reason in capitals is that of an
   * ErrorInfo detail, whose domain is "livecalls.v1":
   *   - UNAUTHENTICATED: TOKEN_REQUIRED if the request has no access token,
   *     TOKEN_INVALID if it has one that is not accepted.
   *   - PERMISSION_DENIED: SCOPE_MISSING if the token lacks a required scope.
   *   - INVALID_ARGUMENT: MALFORMED_REQUEST if the bytes are not the message.
   *   - RESOURCE_EXHAUSTED: TOO_BUSY if too many requests are under way; retry
   *     after the delay in the RetryInfo detail. Without a reason if the request
   *     or its metadata is too large, or the gateway's rate limit is reached.
   *   - UNAVAILABLE: STORE_UNAVAILABLE if the calls cannot be read,
   *     KEYS_UNAVAILABLE or INTROSPECTION_UNAVAILABLE if the token cannot be
   *     checked; retry after the delay in the RetryInfo detail. Without a reason
   *     if the server cannot be reached.
   *   - INTERNAL: INTERNAL_FAULT for a fault of the server, whose log has the
   *     request id in the RequestInfo detail.
   *   - DEADLINE_EXCEEDED, without a reason: the caller's deadline passed, and
   *     the work was given up.
   * </pre>
   */
  public static abstract class LiveCallsImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return LiveCallsGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service LiveCalls.
   * <pre>
   * Returns the state of a live call: the stored row of the call and, best
   * effort, what Stream Video says about it right now.
   * Any RPC may end with these errors. A reason in capitals is that of an
   * ErrorInfo detail, whose domain is "livecalls.v1":
   *   - UNAUTHENTICATED: TOKEN_REQUIRED if the request has no access token,
   *     TOKEN_INVALID if it has one that is not accepted.
   *   - PERMISSION_DENIED: SCOPE_MISSING if the token lacks a required scope.
   *   - INVALID_ARGUMENT: MALFORMED_REQUEST if the bytes are not the message.
   *   - RESOURCE_EXHAUSTED: TOO_BUSY if too many requests are under way; retry
   *     after the delay in the RetryInfo detail. Without a reason if the request
   *     or its metadata is too large, or the gateway's rate limit is reached.
   *   - UNAVAILABLE: STORE_UNAVAILABLE if the calls cannot be read,
   *     KEYS_UNAVAILABLE or INTROSPECTION_UNAVAILABLE if the token cannot be
   *     checked; retry after the delay in the RetryInfo detail. Without a reason
   *     if the server cannot be reached.
   *   - INTERNAL: INTERNAL_FAULT for a fault of the server, whose log has the
   *     request id in the RequestInfo detail.
   *   - DEADLINE_EXCEEDED, without a reason: the caller's deadline passed, and
   *     the work was given up.
   * </pre>
   */
  public static final class LiveCallsStub
      extends io.grpc.stub.AbstractAsyncStub<LiveCallsStub> {
    private LiveCallsStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected LiveCallsStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new LiveCallsStub(channel, callOptions);
    }

    /**
     * <pre>
     * Returns the state of one call.
     * The row is read anew for every request. Stream never makes the request
     * fail: if it gives no answer in time, `live` is unset.
     * In addition to the errors of any RPC it returns:
     *   - NOT_FOUND: CALL_NOT_FOUND if the id names no call or is not a UUID.
     *   - INVALID_ARGUMENT: ID_REQUIRED if the id is empty.
     * </pre>
     */
    public void getCall(com.livecalls.v1.GetCallRequest request,
        io.grpc.stub.StreamObserver<com.livecalls.v1.Call> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetCallMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service LiveCalls.
   * <pre>
   * Returns the state of a live call: the stored row of the call and, best
   * effort, what Stream Video says about it right now.
   * Any RPC may end with these errors. A reason in capitals is that of an
   * ErrorInfo detail, whose domain is "livecalls.v1":
   *   - UNAUTHENTICATED: TOKEN_REQUIRED if the request has no access token,
   *     TOKEN_INVALID if it has one that is not accepted.
   *   - PERMISSION_DENIED: SCOPE_MISSING if the token lacks a required scope.
   *   - INVALID_ARGUMENT: MALFORMED_REQUEST if the bytes are not the message.
   *   - RESOURCE_EXHAUSTED: TOO_BUSY if too many requests are under way; retry
   *     after the delay in the RetryInfo detail. Without a reason if the request
   *     or its metadata is too large, or the gateway's rate limit is reached.
   *   - UNAVAILABLE: STORE_UNAVAILABLE if the calls cannot be read,
   *     KEYS_UNAVAILABLE or INTROSPECTION_UNAVAILABLE if the token cannot be
   *     checked; retry after the delay in the RetryInfo detail. Without a reason
   *     if the server cannot be reached.
   *   - INTERNAL: INTERNAL_FAULT for a fault of the server, whose log has the
   *     request id in the RequestInfo detail.
   *   - DEADLINE_EXCEEDED, without a reason: the caller's deadline passed, and
   *     the work was given up.
   * </pre>
   */
  public static final class LiveCallsBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<LiveCallsBlockingV2Stub> {
    private LiveCallsBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected LiveCallsBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new LiveCallsBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Returns the state of one call.
     * The row is read anew for every request. Stream never makes the request
     * fail: if it gives no answer in time, `live` is unset.
     * In addition to the errors of any RPC it returns:
     *   - NOT_FOUND: CALL_NOT_FOUND if the id names no call or is not a UUID.
     *   - INVALID_ARGUMENT: ID_REQUIRED if the id is empty.
     * </pre>
     */
    public com.livecalls.v1.Call getCall(com.livecalls.v1.GetCallRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGetCallMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service LiveCalls.
   * <pre>
   * Returns the state of a live call: the stored row of the call and, best
   * effort, what Stream Video says about it right now.
   * Any RPC may end with these errors. A reason in capitals is that of an
   * ErrorInfo detail, whose domain is "livecalls.v1":
   *   - UNAUTHENTICATED: TOKEN_REQUIRED if the request has no access token,
   *     TOKEN_INVALID if it has one that is not accepted.
   *   - PERMISSION_DENIED: SCOPE_MISSING if the token lacks a required scope.
   *   - INVALID_ARGUMENT: MALFORMED_REQUEST if the bytes are not the message.
   *   - RESOURCE_EXHAUSTED: TOO_BUSY if too many requests are under way; retry
   *     after the delay in the RetryInfo detail. Without a reason if the request
   *     or its metadata is too large, or the gateway's rate limit is reached.
   *   - UNAVAILABLE: STORE_UNAVAILABLE if the calls cannot be read,
   *     KEYS_UNAVAILABLE or INTROSPECTION_UNAVAILABLE if the token cannot be
   *     checked; retry after the delay in the RetryInfo detail. Without a reason
   *     if the server cannot be reached.
   *   - INTERNAL: INTERNAL_FAULT for a fault of the server, whose log has the
   *     request id in the RequestInfo detail.
   *   - DEADLINE_EXCEEDED, without a reason: the caller's deadline passed, and
   *     the work was given up.
   * </pre>
   */
  public static final class LiveCallsBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<LiveCallsBlockingStub> {
    private LiveCallsBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected LiveCallsBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new LiveCallsBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Returns the state of one call.
     * The row is read anew for every request. Stream never makes the request
     * fail: if it gives no answer in time, `live` is unset.
     * In addition to the errors of any RPC it returns:
     *   - NOT_FOUND: CALL_NOT_FOUND if the id names no call or is not a UUID.
     *   - INVALID_ARGUMENT: ID_REQUIRED if the id is empty.
     * </pre>
     */
    public com.livecalls.v1.Call getCall(com.livecalls.v1.GetCallRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetCallMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service LiveCalls.
   * <pre>
   * Returns the state of a live call: the stored row of the call and, best
   * effort, what Stream Video says about it right now.
   * Any RPC may end with these errors. A reason in capitals is that of an
   * ErrorInfo detail, whose domain is "livecalls.v1":
   *   - UNAUTHENTICATED: TOKEN_REQUIRED if the request has no access token,
   *     TOKEN_INVALID if it has one that is not accepted.
   *   - PERMISSION_DENIED: SCOPE_MISSING if the token lacks a required scope.
   *   - INVALID_ARGUMENT: MALFORMED_REQUEST if the bytes are not the message.
   *   - RESOURCE_EXHAUSTED: TOO_BUSY if too many requests are under way; retry
   *     after the delay in the RetryInfo detail. Without a reason if the request
   *     or its metadata is too large, or the gateway's rate limit is reached.
   *   - UNAVAILABLE: STORE_UNAVAILABLE if the calls cannot be read,
   *     KEYS_UNAVAILABLE or INTROSPECTION_UNAVAILABLE if the token cannot be
   *     checked; retry after the delay in the RetryInfo detail. Without a reason
   *     if the server cannot be reached.
   *   - INTERNAL: INTERNAL_FAULT for a fault of the server, whose log has the
   *     request id in the RequestInfo detail.
   *   - DEADLINE_EXCEEDED, without a reason: the caller's deadline passed, and
   *     the work was given up.
   * </pre>
   */
  public static final class LiveCallsFutureStub
      extends io.grpc.stub.AbstractFutureStub<LiveCallsFutureStub> {
    private LiveCallsFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected LiveCallsFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new LiveCallsFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Returns the state of one call.
     * The row is read anew for every request. Stream never makes the request
     * fail: if it gives no answer in time, `live` is unset.
     * In addition to the errors of any RPC it returns:
     *   - NOT_FOUND: CALL_NOT_FOUND if the id names no call or is not a UUID.
     *   - INVALID_ARGUMENT: ID_REQUIRED if the id is empty.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<com.livecalls.v1.Call> getCall(
        com.livecalls.v1.GetCallRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetCallMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_GET_CALL = 0;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final AsyncService serviceImpl;
    private final int methodId;

    MethodHandlers(AsyncService serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_GET_CALL:
          serviceImpl.getCall((com.livecalls.v1.GetCallRequest) request,
              (io.grpc.stub.StreamObserver<com.livecalls.v1.Call>) responseObserver);
          break;
        default:
          throw new AssertionError();
      }
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public io.grpc.stub.StreamObserver<Req> invoke(
        io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getGetCallMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              com.livecalls.v1.GetCallRequest,
              com.livecalls.v1.Call>(
                service, METHODID_GET_CALL)))
        .build();
  }

  private static abstract class LiveCallsBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    LiveCallsBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return com.livecalls.v1.LiveCallsProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("LiveCalls");
    }
  }

  private static final class LiveCallsFileDescriptorSupplier
      extends LiveCallsBaseDescriptorSupplier {
    LiveCallsFileDescriptorSupplier() {}
  }

  private static final class LiveCallsMethodDescriptorSupplier
      extends LiveCallsBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    LiveCallsMethodDescriptorSupplier(java.lang.String methodName) {
      this.methodName = methodName;
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.MethodDescriptor getMethodDescriptor() {
      return getServiceDescriptor().findMethodByName(methodName);
    }
  }

  private static volatile io.grpc.ServiceDescriptor serviceDescriptor;

  public static io.grpc.ServiceDescriptor getServiceDescriptor() {
    io.grpc.ServiceDescriptor result = serviceDescriptor;
    if (result == null) {
      synchronized (LiveCallsGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new LiveCallsFileDescriptorSupplier())
              .addMethod(getGetCallMethod())
              .build();
        }
      }
    }
    return result;
  }
}
