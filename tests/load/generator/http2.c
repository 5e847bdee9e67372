/* gRPC: POSTs of a GetCallRequest by HTTP/2, as many at once as the connection may carry. */
#include "loadgen.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

enum {
    WINDOW = INT32_MAX, /* the maximum: flow control never delays a reply */
    FRAME_MAX = 9 + 16384 + 256,
    PREFIX = 5,            /* of a gRPC message: whether it is compressed, and its length */
    FIELD = 1 + 2 + ID_MAX, /* the tag of `id`, its length, the id */
    NO_STATUS = -1
};

struct request {
    struct request *next_free;
    const struct key *key;
    uint64_t began;
    uint64_t reply_length;
    size_t sent;
    int status, grpc_status;
    char message[200]; /* grpc-message */
};

struct http2 {
    nghttp2_session *session;
    struct request *requests, *free;
    char authorization[AUTHORIZATION_MAX];
};

/* The message of a request */

static size_t encode(const struct key *key, uint8_t *to) {
    uint8_t *at = to + PREFIX;
    *at++ = 1 << 3 | 2; /* field 1, length-delimited */
    if (key->length > 127) *at++ = (key->length & 127) | 128;
    *at++ = key->length > 127 ? key->length >> 7 : key->length;
    memcpy(at, key->id, key->length);
    size_t length = (size_t)(at - to) - PREFIX + key->length;
    memcpy(to, (uint8_t[PREFIX]){0, 0, 0, length >> 8, length & 255}, PREFIX);
    return PREFIX + length;
}

static ssize_t on_read(nghttp2_session *session, int32_t stream, uint8_t *to, size_t room,
                       uint32_t *flags, nghttp2_data_source *source, void *connection) {
    (void)session, (void)stream, (void)connection;
    struct request *request = source->ptr;
    uint8_t message[PREFIX + FIELD];
    size_t left = encode(request->key, message) - request->sent;
    size_t length = left < room ? left : room;
    memcpy(to, message + request->sent, length);
    request->sent += length;
    if (length == left) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)length;
}

/* Its reply */

static bool is(const uint8_t *text, size_t length, const char *other) {
    return length == strlen(other) && memcmp(text, other, length) == 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                     void *connection) {
    (void)flags, (void)value_length, (void)connection;
    bool status = is(name, name_length, ":status");
    bool grpc_status = !status && is(name, name_length, "grpc-status");
    bool message = !status && !grpc_status && is(name, name_length, "grpc-message");
    if (!status && !grpc_status && !message) return 0;
    struct request *request = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (!request) return 0;
    /* nghttp2 ends each value with a NUL. */
    if (status) request->status = atoi((const char *)value);
    if (grpc_status) request->grpc_status = atoi((const char *)value);
    if (message) snprintf(request->message, sizeof request->message, "%s", (const char *)value);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data,
                   size_t length, void *connection) {
    (void)flags, (void)data, (void)connection;
    struct request *request = nghttp2_session_get_stream_user_data(session, stream);
    if (request) request->reply_length += length;
    return 0;
}

static void judge(struct connection *connection, const struct request *request, uint32_t error) {
    if (error)
        request_failed(connection, "stream reset: %s", nghttp2_http2_strerror(error));
    else if (request->status != 200)
        request_failed(connection, "status %d", request->status);
    else if (request->grpc_status == NO_STATUS)
        request_failed(connection, "no grpc-status");
    else if (request->grpc_status)
        request_failed(connection, "grpc-status %d: %s", request->grpc_status, request->message);
    else if (request->reply_length <= PREFIX)
        request_failed(connection, "an empty message");
    else
        request_succeeded(connection, request->began);
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t error, void *user) {
    struct connection *connection = user;
    struct http2 *wire = connection->wire;
    struct request *request = nghttp2_session_get_stream_user_data(session, stream);
    if (!request) return 0;
    if (request->status) connection->losses = 0;
    judge(connection, request, error);
    request->next_free = wire->free;
    wire->free = request;
    return 0;
}

/* The connection */

static nghttp2_session *make_session(struct connection *connection) {
    nghttp2_session *session;
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_option_new(&option);
    /* Other tests check that headers are well-formed: it would cost time here. */
    nghttp2_option_set_no_http_messaging(option, 1);
    if (nghttp2_session_client_new2(&session, callbacks, connection, option))
        die(BROKEN, "out of memory");
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    return session;
}

static void http2_open(struct connection *connection) {
    struct http2 *wire = connection->wire = allocated(calloc(1, sizeof *wire));
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW},
    };
    wire->session = make_session(connection);
    nghttp2_submit_settings(wire->session, NGHTTP2_FLAG_NONE, settings, 2);
    nghttp2_session_set_local_window_size(wire->session, NGHTTP2_FLAG_NONE, 0, WINDOW);
    wire->requests = allocated(calloc(connection->room, sizeof *wire->requests));
    for (unsigned i = 0; i < connection->room; i++) {
        wire->requests[i].next_free = wire->free;
        wire->free = &wire->requests[i];
    }
    if (connection->load->token)
        load_authorization(connection->load, wire->authorization);
}

static void http2_close(struct connection *connection) {
    struct http2 *wire = connection->wire;
    nghttp2_session_del(wire->session);
    free(wire->requests);
    free(wire);
}

static bool http2_takes_more(struct connection *connection) {
    struct http2 *wire = connection->wire;
    return nghttp2_session_check_request_allowed(wire->session);
}

static nghttp2_nv header(const char *name, const char *value) {
    uint8_t flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE;
    return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value), flags};
}

static void http2_begin(struct connection *connection, const struct key *key, uint64_t began) {
    struct http2 *wire = connection->wire;
    struct request *request = wire->free;
    wire->free = request->next_free;
    *request = (struct request){.key = key, .began = began, .grpc_status = NO_STATUS};
    if (connection->load->fresh_tokens) load_authorization(connection->load, wire->authorization);
    nghttp2_nv headers[] = {
        header(":method", "POST"),
        header(":scheme", "http"),
        header(":path", "/livecalls.v1.LiveCalls/GetCall"),
        header(":authority", connection->address->name),
        header("content-type", "application/grpc"),
        header("te", "trailers"),
        header("authorization", wire->authorization),
    };
    size_t last = sizeof headers / sizeof *headers - 1;
    /* The next request overwrites a fresh token, maybe before this one is sent. */
    if (connection->load->fresh_tokens) headers[last].flags &= (uint8_t)~NGHTTP2_NV_FLAG_NO_COPY_VALUE;
    size_t count = last + (connection->load->token != NULL);
    const nghttp2_data_provider body = {{.ptr = request}, on_read};
    if (nghttp2_submit_request(wire->session, NULL, headers, count, &body, request) < 0)
        die(BROKEN, "out of memory");
}

static const char *http2_receive(struct connection *connection, const uint8_t *data, size_t length) {
    struct http2 *wire = connection->wire;
    ssize_t taken = nghttp2_session_mem_recv(wire->session, data, length);
    return taken < 0 ? nghttp2_strerror((int)taken) : NULL;
}

static const char *http2_fill(struct connection *connection) {
    struct http2 *wire = connection->wire;
    while (OUT_SIZE - connection->out_end >= FRAME_MAX) {
        const uint8_t *frame;
        ssize_t length = nghttp2_session_mem_send(wire->session, &frame);
        if (length < 0) return nghttp2_strerror((int)length);
        if (length == 0) break;
        memcpy(connection->out + connection->out_end, frame, (size_t)length);
        connection->out_end += (size_t)length;
    }
    return NULL;
}

const struct protocol grpc = {
    http2_open, http2_close, http2_takes_more, http2_begin, http2_receive, http2_fill,
};
