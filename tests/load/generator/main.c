/* Puts load on LiveCalls and reports the results: the options, and the main program. */
#include "loadgen.h"

#include <getopt.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "loadgen --protocol grpc|http1 --address HOST:PORT[,HOST:PORT...] --keys FILE --seconds S [...]\n"
    "\n"
    "Asks LiveCalls for calls and prints, as JSON, how many requests ended within the measured time\n"
    "(failed ones too), at what rate, and how long those that succeeded took (0 where none did).\n"
    "\n"
    "  --protocol P      grpc: GetCall by HTTP/2; http1: GET /v1/live/calls/ID by HTTP/1.1\n"
    "  --address A       where to connect, by plain text; connections take turns\n"
    "  --keys FILE       ids to draw from, one a line\n"
    "  --seconds S       how long to measure\n"
    "  --warm-up S       how long to ask before that (0)\n"
    "  --in-flight N     requests under way at once (64)\n"
    "  --connections N   connections (grpc: 1; http1: one for each request under way)\n"
    "  --rate R          requests a second, evenly spaced, timed from when they were due;\n"
    "                    without it a request begins as another ends\n"
    "  --token T         access token to show\n"
    "  --fresh-tokens P  show another one with each request: P and a number\n"
    "  --seed N          where the draw of ids begins (1)\n"
    "  --help            print this\n"
    "\n"
    "Ends with 1 where the server is not there or never answers, and with 2 where an option is wrong.\n";

void die(int code, const char *format, ...) {
    va_list values;
    va_start(values, format);
    fputs("loadgen: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    exit(code);
}

void *allocated(void *memory) {
    if (!memory) die(BROKEN, "out of memory");
    return memory;
}

/* Options */

enum {
    PROTOCOL, ADDRESS, KEYS, SECONDS, /* the required ones */
    WARM_UP, IN_FLIGHT, CONNECTIONS, RATE, TOKEN, FRESH_TOKENS, SEED, HELP_WANTED,
    OPTIONS
};

static const struct option NAMES[] = {
    {"protocol", required_argument, NULL, PROTOCOL},
    {"address", required_argument, NULL, ADDRESS},
    {"keys", required_argument, NULL, KEYS},
    {"seconds", required_argument, NULL, SECONDS},
    {"warm-up", required_argument, NULL, WARM_UP},
    {"in-flight", required_argument, NULL, IN_FLIGHT},
    {"connections", required_argument, NULL, CONNECTIONS},
    {"rate", required_argument, NULL, RATE},
    {"token", required_argument, NULL, TOKEN},
    {"fresh-tokens", required_argument, NULL, FRESH_TOKENS},
    {"seed", required_argument, NULL, SEED},
    {"help", no_argument, NULL, HELP_WANTED},
    {NULL, 0, NULL, 0},
};

static void read_options(int count, char **words, const char **values) {
    int option;
    opterr = 0;
    while ((option = getopt_long(count, words, ":", NAMES, NULL)) != -1) {
        if (option == ':') die(MISUSED, "%s needs a value", words[optind - 1]);
        if (option == '?') die(MISUSED, "%s is no option; --help names them", words[optind - 1]);
        if (option == HELP_WANTED) {
            fputs(HELP, stdout);
            exit(0);
        }
        values[option] = optarg;
    }
    if (optind < count) die(MISUSED, "%s belongs to no option", words[optind]);
    for (option = PROTOCOL; option <= SECONDS; option++)
        if (!values[option]) die(MISUSED, "--%s is missing", NAMES[option].name);
}

/* Returns the option's number, which must be within the bounds, or its default. */
static double number(const char **values, int option, double least, double most, double without) {
    char *end;
    if (!values[option]) return without;
    double value = strtod(values[option], &end);
    if (end == values[option] || *end || !(value >= least && value <= most))
        die(MISUSED, "--%s must be a number from %g to %g", NAMES[option].name, least, most);
    return value;
}

static unsigned whole_number(const char **values, int option, double least, unsigned without) {
    double value = number(values, option, least, 1e6, without);
    if (value != (unsigned)value) die(MISUSED, "--%s must be a whole number", NAMES[option].name);
    return (unsigned)value;
}

static const struct protocol *protocol_of(const char *name) {
    if (strcmp(name, "grpc") == 0) return &grpc;
    if (strcmp(name, "http1") == 0) return &http1;
    die(MISUSED, "--protocol must be grpc or http1");
}

/* By HTTP/1.1 a connection carries one request at a time, so either number implies the other. */
static void read_bounds(struct load *load, const char **values) {
    bool one_each = load->protocol == &http1;
    unsigned connections = whole_number(values, CONNECTIONS, 1, 0);
    load->in_flight = whole_number(values, IN_FLIGHT, 1, one_each && connections ? connections : 64);
    load->connection_count = connections ? connections : one_each ? load->in_flight : 1;
    if (load->connection_count > load->in_flight)
        die(MISUSED, "--connections must not exceed --in-flight");
    if (one_each && load->connection_count < load->in_flight)
        die(MISUSED, "--connections must be as many as --in-flight by http1");
}

static void read_token(struct load *load, const char **values) {
    int option = values[FRESH_TOKENS] ? FRESH_TOKENS : TOKEN;
    if (values[FRESH_TOKENS] && values[TOKEN])
        die(MISUSED, "--token and --fresh-tokens exclude each other");
    load->token = values[option];
    load->fresh_tokens = option == FRESH_TOKENS;
    if (load->token && strlen(load->token) > TOKEN_MAX)
        die(MISUSED, "--%s is longer than %d", NAMES[option].name, TOKEN_MAX);
}

static struct address resolved(char *name) {
    struct address address = {.name = strdup(name)};
    struct addrinfo *found, hints = {.ai_socktype = SOCK_STREAM};
    char *port = strrchr(name, ':');
    if (!port || port == name || strlen(name) > 255)
        die(MISUSED, "--address must be HOST:PORT, or some of these");
    *port++ = '\0';
    char *host = *name == '[' ? strtok(name, "[]") : name;
    int error = getaddrinfo(host, port, &hints, &found);
    if (error) die(BROKEN, "%s: %s", address.name, gai_strerror(error));
    memcpy(&address.socket, found->ai_addr, found->ai_addrlen);
    address.length = found->ai_addrlen;
    freeaddrinfo(found);
    return address;
}

static void read_addresses(struct load *load, const char *list) {
    char *copy = allocated(strdup(list)), *rest = copy, *name;
    while ((name = strsep(&rest, ","))) {
        size_t size = (load->address_count + 1) * sizeof *load->addresses;
        load->addresses = allocated(realloc(load->addresses, size));
        load->addresses[load->address_count++] = resolved(name);
    }
    free(copy);
}

int main(int count, char **words) {
    const char *values[OPTIONS] = {NULL};
    static struct load load;
    read_options(count, words, values);
    load.protocol = protocol_of(values[PROTOCOL]);
    read_token(&load, values);
    load.rate = number(values, RATE, 0.001, 1e7, 0);
    load.tally.from = (uint64_t)(number(values, WARM_UP, 0, 1e6, 0) * 1e9);
    load.tally.until = load.tally.from + (uint64_t)(number(values, SECONDS, 0.001, 1e6, 0) * 1e9);
    read_bounds(&load, values);
    keys_read(&load.keys, values[KEYS], (uint64_t)number(values, SEED, 0, 1e15, 1));
    read_addresses(&load, values[ADDRESS]);
    load_run(&load);
    tally_print(&load.tally);
}
