/* REST: GETs of a call by HTTP/1.1, one at a time on a persistent connection. */
#include "loadgen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LINE_MAX = 8192, HEADERS_MAX = TOKEN_MAX + 1024 };

struct http1 {
    enum { IDLE, STATUS, HEADERS, BODY, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILERS } state;
    int status;
    bool has_length, chunked, closes;
    uint64_t left, reply_length, began;
    char line[LINE_MAX]; /* the received part of an incomplete line */
    size_t line_length;
    char headers[HEADERS_MAX]; /* of each request, from the version on */
    size_t headers_length;
};

static void write_headers(struct connection *connection) {
    struct http1 *wire = connection->wire;
    const char *token = connection->load->token;
    char authorization[AUTHORIZATION_MAX] = "";
    if (token) load_authorization(connection->load, authorization);
    wire->headers_length = (size_t)snprintf(
        wire->headers, HEADERS_MAX, " HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n", connection->address->name,
        token ? "Authorization: " : "", authorization, token ? "\r\n" : "");
}

static void http1_open(struct connection *connection) {
    struct http1 *wire = connection->wire = allocated(calloc(1, sizeof *wire));
    write_headers(connection);
}

static void http1_close(struct connection *connection) {
    free(connection->wire);
}

static bool http1_takes_more(struct connection *connection) {
    struct http1 *wire = connection->wire;
    return !wire->closes;
}

static void add(struct connection *connection, const char *text, size_t length) {
    memcpy(connection->out + connection->out_end, text, length);
    connection->out_end += length;
}

static void http1_begin(struct connection *connection, const struct key *key, uint64_t began) {
    struct http1 *wire = connection->wire;
    wire->state = STATUS;
    wire->began = began;
    wire->reply_length = 0;
    if (connection->load->fresh_tokens) write_headers(connection);
    add(connection, "GET /v1/live/calls/", strlen("GET /v1/live/calls/"));
    add(connection, key->id, key->length);
    add(connection, wire->headers, wire->headers_length);
}

/* Requests are written as they begin. */
static const char *http1_fill(struct connection *connection) {
    (void)connection;
    return NULL;
}

static void end(struct connection *connection) {
    struct http1 *wire = connection->wire;
    wire->state = IDLE;
    connection->losses = 0;
    if (wire->status != 200)
        request_failed(connection, "status %d", wire->status);
    else if (!wire->reply_length)
        request_failed(connection, "an empty body");
    else
        request_succeeded(connection, wire->began);
}

/* Returns the value of a header if the line is that header, else NULL. */
static const char *value_of(const char *line, const char *name) {
    size_t length = strlen(name);
    if (strncasecmp(line, name, length) != 0 || line[length] != ':') return NULL;
    return line + length + 1 + strspn(line + length + 1, " \t");
}

static void read_header(struct http1 *wire, const char *line) {
    const char *value;
    if ((value = value_of(line, "content-length"))) {
        wire->has_length = true;
        wire->left = strtoull(value, NULL, 10);
    } else if ((value = value_of(line, "transfer-encoding"))) {
        wire->chunked = strcasecmp(value, "chunked") == 0;
    } else if ((value = value_of(line, "connection"))) {
        wire->closes = strcasecmp(value, "close") == 0;
    }
}

static const char *end_headers(struct connection *connection) {
    struct http1 *wire = connection->wire;
    bool is_empty = wire->has_length && !wire->left;
    wire->state = wire->chunked ? CHUNK_SIZE : BODY;
    if (wire->status < 200)
        wire->state = STATUS; /* an interim reply: the final one follows */
    else if (wire->status == 204 || wire->status == 304 || (wire->state == BODY && is_empty))
        end(connection);
    else if (!wire->has_length && !wire->chunked)
        return "a reply without its length";
    return NULL;
}

static const char *read_status(struct http1 *wire, const char *line) {
    if (sscanf(line, "HTTP/1.1 %d", &wire->status) != 1) return "a reply that is not HTTP/1.1";
    wire->has_length = wire->chunked = wire->closes = false;
    wire->state = HEADERS;
    return NULL;
}

static const char *read_line(struct connection *connection, const char *line) {
    struct http1 *wire = connection->wire;
    switch (wire->state) {
    case STATUS:
        return read_status(wire, line);
    case HEADERS:
        if (!*line) return end_headers(connection);
        read_header(wire, line);
        return NULL;
    case CHUNK_SIZE:
        wire->left = strtoull(line, NULL, 16);
        wire->state = wire->left ? CHUNK : TRAILERS;
        return NULL;
    case CHUNK_END:
        wire->state = CHUNK_SIZE;
        return NULL;
    case TRAILERS:
        if (!*line) end(connection);
        return NULL;
    default:
        return "a reply that nobody asked for";
    }
}

/* Buffers the received part of a line; reads the line once it is complete. */
static const char *take_line(struct connection *connection, const char *data, size_t length,
                             size_t *taken) {
    struct http1 *wire = connection->wire;
    const char *end = memchr(data, '\n', length);
    size_t part = end ? (size_t)(end - data) : length;
    if (wire->line_length + part >= LINE_MAX) return "a line of more than 8 KiB";
    memcpy(wire->line + wire->line_length, data, part);
    wire->line_length += part;
    *taken = part + (end != NULL);
    if (!end) return NULL;
    if (wire->line_length && wire->line[wire->line_length - 1] == '\r') wire->line_length--;
    wire->line[wire->line_length] = '\0';
    wire->line_length = 0;
    return read_line(connection, wire->line);
}

static size_t take_body(struct connection *connection, size_t length) {
    struct http1 *wire = connection->wire;
    size_t taken = wire->left < length ? wire->left : length;
    wire->left -= taken;
    wire->reply_length += taken;
    if (!wire->left && wire->state == BODY)
        end(connection);
    else if (!wire->left)
        wire->state = CHUNK_END;
    return taken;
}

static const char *http1_receive(struct connection *connection, const uint8_t *data, size_t length) {
    struct http1 *wire = connection->wire;
    while (length) {
        size_t taken = 0;
        if (wire->state == BODY || wire->state == CHUNK) {
            taken = take_body(connection, length);
        } else {
            const char *trouble = take_line(connection, (const char *)data, length, &taken);
            if (trouble) return trouble;
        }
        data += taken;
        length -= taken;
    }
    return NULL;
}

const struct protocol http1 = {
    http1_open, http1_close, http1_takes_more, http1_begin, http1_receive, http1_fill,
};
