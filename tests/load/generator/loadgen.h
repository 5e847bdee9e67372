/* The interfaces between the parts of the load generator. */
#ifndef LOADGEN_H
#define LOADGEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Exit codes: of a failure, and of wrong usage. */
enum { BROKEN = 1, MISUSED = 2 };

enum { ID_MAX = 1000, TOKEN_MAX = 8192, REQUEST_MAX = ID_MAX + TOKEN_MAX + 2048, OUT_SIZE = 1 << 16 };
/* "Bearer ", a token, and the number at the end of a fresh one. */
enum { AUTHORIZATION_MAX = TOKEN_MAX + 32 };

/* keys.c: the ids that are requested. */

struct key {
    const char *id;
    size_t length;
};

struct keys {
    struct key *list;
    uint32_t count;
    uint64_t random;
};

void keys_read(struct keys *keys, const char *file, uint64_t seed);
const struct key *keys_draw(struct keys *keys);

/* tally.c: the outcomes of the requests. */

struct tally {
    uint64_t from, until; /* the measured time, in ns */
    uint64_t failed;
    char first_failure[512];
    uint32_t *latencies; /* in us, of those that succeeded */
    size_t succeeded, room;
};

void tally_success(struct tally *tally, uint64_t began, uint64_t now);
bool tally_failure(struct tally *tally, uint64_t now);
void tally_print(struct tally *tally);

/* load.c: the connections, and when a request begins. */

struct address {
    char *name; /* host:port, as it was given */
    struct sockaddr_storage socket;
    socklen_t length;
};

struct load {
    const struct protocol *protocol;
    struct address *addresses;
    unsigned address_count;
    struct keys keys;
    struct tally tally;
    const char *token;
    bool fresh_tokens; /* a number follows `token`, another one in each request */
    unsigned in_flight, connection_count;
    double rate; /* requests a second; 0 if each begins as another ends */

    struct connection *connections;
    unsigned under_way, closed;
    unsigned turn; /* whose turn it is to carry a request that is due */
    uint64_t now, began, begun;
    bool starved; /* a request is due, and no connection has room for it */
    int epoll;
};

struct connection {
    struct load *load;
    const struct address *address;
    void *wire; /* the protocol's own */
    enum { CLOSED, CONNECTING, OPEN } state;
    bool was_open, has_begun;
    unsigned room, under_way;
    unsigned losses; /* with no reply between them */
    uint64_t reopen_at;
    int socket;
    uint32_t events;
    size_t out_begin, out_end; /* the unsent part of `out` */
    uint8_t out[OUT_SIZE];
};

void load_run(struct load *load);
/* Writes the value of `authorization` of the request that begins; `to` has room for AUTHORIZATION_MAX. */
void load_authorization(const struct load *load, char *to);
void request_succeeded(struct connection *connection, uint64_t began);
__attribute__((format(printf, 2, 3)))
void request_failed(struct connection *connection, const char *format, ...);
__attribute__((format(printf, 2, 3), noreturn))
void die(int code, const char *format, ...);
void *allocated(void *memory);

/* http2.c, http1.c: how a request is written and its reply read. A text that is returned describes
   what is wrong with the connection; NULL if nothing is. */

struct protocol {
    void (*open)(struct connection *connection);
    void (*close)(struct connection *connection);
    bool (*takes_more)(struct connection *connection);
    void (*begin)(struct connection *connection, const struct key *key, uint64_t began);
    const char *(*receive)(struct connection *connection, const uint8_t *data, size_t length);
    const char *(*fill)(struct connection *connection);
};

extern const struct protocol http1, grpc;

#endif
