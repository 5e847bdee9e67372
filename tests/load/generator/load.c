/* The connections, and when a request begins: one thread, one epoll loop. */
#include "loadgen.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)
/* How long requests under way may still run once the measured time is over. */
#define DRAIN SECOND
#define REOPEN_PAUSE (SECOND / 10)

enum { LOSSES_MAX = 10, EVENTS_MAX = 256 };

static uint64_t clock_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

static uint64_t earlier(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static bool is_over(const struct load *load) {
    return load->now >= load->tally.until;
}

/* Outcomes */

static void fail(struct load *load, const char *format, va_list values) {
    struct tally *tally = &load->tally;
    if (tally_failure(tally, load->now))
        vsnprintf(tally->first_failure, sizeof tally->first_failure, format, values);
}

__attribute__((format(printf, 2, 3)))
static void fail_lost(struct load *load, const char *format, ...) {
    va_list values;
    va_start(values, format);
    fail(load, format, values);
    va_end(values);
}

static void ended(struct connection *connection) {
    connection->under_way--;
    connection->load->under_way--;
}

void request_succeeded(struct connection *connection, uint64_t began) {
    ended(connection);
    tally_success(&connection->load->tally, began, connection->load->now);
}

void request_failed(struct connection *connection, const char *format, ...) {
    va_list values;
    va_start(values, format);
    ended(connection);
    fail(connection->load, format, values);
    va_end(values);
}

/* Connections */

static void shut(struct connection *connection) {
    struct load *load = connection->load;
    if (connection->state == OPEN) load->protocol->close(connection);
    if (connection->socket >= 0) close(connection->socket);
    load->under_way -= connection->under_way;
    load->closed++;
    connection->under_way = 0;
    connection->state = CLOSED;
}

/* Fails what was under way, and sets when to reconnect; a server that is gone ends the program. */
static void lose(struct connection *connection, const char *why) {
    struct load *load = connection->load;
    const char *name = connection->address->name;
    for (unsigned i = 0; i < connection->under_way; i++)
        fail_lost(load, "%s: connection lost: %s", name, why);
    shut(connection);
    if (is_over(load)) return;
    if (!connection->was_open) die(BROKEN, "%s: %s", name, why);
    if (++connection->losses == LOSSES_MAX)
        die(BROKEN, "%s: %s; lost %u times with no reply between", name, why, LOSSES_MAX);
    connection->reopen_at = load->now + (connection->losses > 1 ? REOPEN_PAUSE : 0);
}

static void watch(struct connection *connection, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = connection};
    int operation = connection->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (events == connection->events) return;
    epoll_ctl(connection->load->epoll, operation, connection->socket, &event);
    connection->events = events;
}

static void start_connecting(struct connection *connection) {
    const struct address *address = connection->address;
    connection->load->closed--;
    connection->state = CONNECTING;
    connection->out_begin = connection->out_end = connection->events = 0;
    connection->socket = socket(address->socket.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (connection->socket < 0) die(BROKEN, "socket: %s", strerror(errno));
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    int result = connect(connection->socket, (const struct sockaddr *)&address->socket, address->length);
    if (result < 0 && errno != EINPROGRESS)
        lose(connection, strerror(errno));
    else
        watch(connection, EPOLLOUT);
}

static const char *finish_connecting(struct connection *connection) {
    int error = 0;
    getsockopt(connection->socket, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
    if (error) return strerror(error);
    connection->state = OPEN;
    connection->was_open = true;
    connection->load->protocol->open(connection);
    return NULL;
}

static void reopen_closed(struct load *load) {
    if (!load->closed) return;
    for (unsigned i = 0; i < load->connection_count; i++) {
        struct connection *connection = &load->connections[i];
        if (connection->state == CLOSED && connection->reopen_at <= load->now)
            start_connecting(connection);
    }
}

static uint64_t next_reopening(const struct load *load) {
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; load->closed && i < load->connection_count; i++)
        if (load->connections[i].state == CLOSED) next = earlier(next, load->connections[i].reopen_at);
    return next;
}

/* Bytes */

/* Sends what the socket accepts. */
static const char *flush(struct connection *connection) {
    for (;;) {
        if (connection->out_begin == connection->out_end) {
            connection->out_begin = connection->out_end = 0;
            const char *trouble = connection->load->protocol->fill(connection);
            if (trouble) return trouble;
        }
        size_t length = connection->out_end - connection->out_begin;
        watch(connection, EPOLLIN);
        if (!length) return NULL;
        const uint8_t *unsent = connection->out + connection->out_begin;
        ssize_t sent = send(connection->socket, unsent, length, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return strerror(errno);
        if (sent < 0) {
            watch(connection, EPOLLIN | EPOLLOUT);
            return NULL;
        }
        connection->out_begin += (size_t)sent;
    }
}

static const char *receive(struct connection *connection) {
    static uint8_t data[1 << 18];
    struct load *load = connection->load;
    ssize_t length = recv(connection->socket, data, sizeof data, 0);
    if (length < 0) return errno == EAGAIN ? NULL : strerror(errno);
    if (length == 0) return "closed by the server";
    /* One reading of the clock for all replies in it: none of these came later. */
    load->now = clock_ns();
    return load->protocol->receive(connection, data, (size_t)length);
}

/* Requests */

static bool has_room(struct connection *connection) {
    return connection->state == OPEN && connection->under_way < connection->room &&
           OUT_SIZE - connection->out_end >= REQUEST_MAX &&
           connection->load->protocol->takes_more(connection);
}

static void begin(struct connection *connection, uint64_t at) {
    struct load *load = connection->load;
    load->begun++;
    load->under_way++;
    connection->under_way++;
    connection->has_begun = true;
    load->protocol->begin(connection, keys_draw(&load->keys), at);
}

void load_authorization(const struct load *load, char *to) {
    if (load->fresh_tokens)
        snprintf(to, AUTHORIZATION_MAX, "Bearer %s%" PRIu64, load->token, load->begun);
    else
        snprintf(to, AUTHORIZATION_MAX, "Bearer %s", load->token);
}

static uint64_t next_due(const struct load *load) {
    return load->began + (uint64_t)((double)load->begun * 1e9 / load->rate);
}

static struct connection *next_with_room(struct load *load) {
    for (unsigned i = 0; i < load->connection_count; i++) {
        struct connection *connection = &load->connections[load->turn++ % load->connection_count];
        if (has_room(connection)) return connection;
    }
    return NULL;
}

/* Begins the requests due by the rate; a latency counts from when its request was due. */
static void begin_due(struct load *load) {
    load->starved = false;
    while (next_due(load) <= load->now && !load->starved) {
        struct connection *connection = next_with_room(load);
        if (connection) begin(connection, next_due(load));
        load->starved = !connection;
    }
    for (unsigned i = 0; i < load->connection_count; i++) {
        struct connection *connection = &load->connections[i];
        const char *trouble = connection->has_begun ? flush(connection) : NULL;
        connection->has_begun = false;
        if (trouble) lose(connection, trouble);
    }
}

static void keep_busy(struct connection *connection) {
    while (has_room(connection)) begin(connection, connection->load->now);
}

static const char *serve(struct connection *connection, uint32_t events) {
    struct load *load = connection->load;
    const char *trouble = NULL;
    if (connection->state == CONNECTING)
        trouble = finish_connecting(connection);
    else if (events & ~(uint32_t)EPOLLOUT)
        trouble = receive(connection);
    if (trouble) return trouble;
    if (!load->rate && !is_over(load)) keep_busy(connection);
    if (!connection->under_way && !load->protocol->takes_more(connection)) return "ended by the server";
    return flush(connection);
}

/* The loop */

/* Returns when there is something to do even if no byte arrives. */
static uint64_t next_wake(const struct load *load) {
    if (is_over(load)) return load->tally.until + DRAIN;
    uint64_t wake = earlier(load->tally.until, next_reopening(load));
    return load->rate && !load->starved ? earlier(wake, next_due(load)) : wake;
}

static void wait_and_serve(struct load *load) {
    struct epoll_event events[EVENTS_MAX];
    uint64_t wake = next_wake(load);
    uint64_t pause = wake > load->now ? wake - load->now : 0;
    struct timespec timeout = {(time_t)(pause / SECOND), (long)(pause % SECOND)};
    int count = epoll_pwait2(load->epoll, events, EVENTS_MAX, &timeout, NULL);
    if (count < 0 && errno != EINTR) die(BROKEN, "epoll_pwait2: %s", strerror(errno));
    load->now = clock_ns();
    for (int i = 0; i < count; i++) {
        struct connection *connection = events[i].data.ptr;
        const char *trouble = serve(connection, events[i].events);
        if (trouble) lose(connection, trouble);
    }
}

static void make_connections(struct load *load) {
    unsigned count = load->connection_count;
    load->connections = allocated(calloc(count, sizeof *load->connections));
    load->closed = count;
    for (unsigned i = 0; i < count; i++) {
        struct connection *connection = &load->connections[i];
        connection->load = load;
        connection->address = &load->addresses[i % load->address_count];
        connection->room = load->in_flight / count + (i < load->in_flight % count);
        connection->socket = -1;
    }
}

void load_run(struct load *load) {
    /* Else the kernel would let each wait last 50 us longer, to save power. */
    prctl(PR_SET_TIMERSLACK, 1);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load->epoll < 0) die(BROKEN, "epoll_create1: %s", strerror(errno));
    make_connections(load);
    load->now = load->began = clock_ns();
    load->tally.from += load->now;
    load->tally.until += load->now;
    while (!is_over(load) || (load->under_way && load->now < load->tally.until + DRAIN)) {
        if (!is_over(load)) {
            reopen_closed(load);
            if (load->rate) begin_due(load);
        }
        wait_and_serve(load);
    }
    for (unsigned i = 0; i < load->connection_count; i++)
        if (load->connections[i].state != CLOSED) shut(&load->connections[i]);
    free(load->connections);
    close(load->epoll);
}
