/* The outcomes of the requests that ended within the measured time. */
#include "loadgen.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool counts(const struct tally *tally, uint64_t now) {
    return now >= tally->from && now < tally->until;
}

void tally_success(struct tally *tally, uint64_t began, uint64_t now) {
    if (!counts(tally, now)) return;
    if (tally->succeeded == tally->room) {
        tally->room = tally->room ? 2 * tally->room : 1 << 16;
        tally->latencies = allocated(realloc(tally->latencies, tally->room * sizeof *tally->latencies));
    }
    uint64_t us = (now - began) / 1000;
    tally->latencies[tally->succeeded++] = us < UINT32_MAX ? us : UINT32_MAX;
}

/* Returns whether it is the first that counts, and so to be described. */
bool tally_failure(struct tally *tally, uint64_t now) {
    return counts(tally, now) && tally->failed++ == 0;
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Returns the smallest latency that this share of all do not exceed. */
static uint32_t percentile(const struct tally *tally, double share) {
    if (!tally->succeeded) return 0;
    size_t rank = (size_t)ceil(share * (double)tally->succeeded);
    return tally->latencies[rank ? rank - 1 : 0];
}

static double mean(const struct tally *tally) {
    double sum = 0;
    for (size_t i = 0; i < tally->succeeded; i++) sum += tally->latencies[i];
    return tally->succeeded ? sum / (double)tally->succeeded : 0;
}

static void print_text(const char *text) {
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') putchar('\\');
        putchar(*text < ' ' || *text > '~' ? '?' : *text);
    }
    putchar('"');
}

void tally_print(struct tally *tally) {
    uint64_t requests = tally->succeeded + tally->failed;
    double seconds = (double)(tally->until - tally->from) / 1e9;
    if (!requests) die(BROKEN, "no request ended within the measured time");
    if (tally->succeeded) qsort(tally->latencies, tally->succeeded, sizeof *tally->latencies, by_size);
    printf("{\"requests\": %lu, \"failed\": %lu, \"seconds\": %.3f, \"rate\": %.3f, \"mean_us\": %.1f, ",
           requests, tally->failed, seconds, (double)requests / seconds, mean(tally));
    printf("\"p50_us\": %u, \"p99_us\": %u, ", percentile(tally, 0.5), percentile(tally, 0.99));
    printf("\"p999_us\": %u, \"max_us\": %u, ", percentile(tally, 0.999), percentile(tally, 1));
    printf("\"first_failure\": ");
    if (tally->failed)
        print_text(tally->first_failure);
    else
        printf("null");
    puts("}");
}
