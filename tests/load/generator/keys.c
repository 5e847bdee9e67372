/* The ids that are requested, drawn at random. */
#include "loadgen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *whole(const char *name) {
    FILE *file = fopen(name, "r");
    char *text = NULL;
    size_t size = 0;
    if (!file) die(MISUSED, "%s: %s", name, strerror(errno));
    /* No id contains a NUL: this reads the whole file. */
    if (getdelim(&text, &size, '\0', file) < 0) die(MISUSED, "%s: no id in it", name);
    fclose(file);
    return text;
}

/* Ids are put in a path unescaped. */
static bool is_id(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] > '~') return false;
    return length > 0 && length <= ID_MAX;
}

static void add(struct keys *keys, const char *id, size_t length) {
    /* The list grows as its length reaches a power of two. */
    if ((keys->count & (keys->count - 1)) == 0) {
        size_t room = keys->count ? 2 * (size_t)keys->count : 1;
        keys->list = allocated(realloc(keys->list, room * sizeof *keys->list));
    }
    keys->list[keys->count++] = (struct key){id, length};
}

void keys_read(struct keys *keys, const char *file, uint64_t seed) {
    keys->random = seed;
    for (char *line = whole(file); *line;) {
        size_t length = strcspn(line, "\n");
        if (!is_id(line, length)) die(MISUSED, "%s: line %u is no id", file, keys->count + 1);
        add(keys, line, length);
        line += length + (line[length] == '\n');
    }
}

/* SplitMix64: a few instructions, and any seed does. */
const struct key *keys_draw(struct keys *keys) {
    uint64_t z = keys->random += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    return &keys->list[((z >> 32) * keys->count) >> 32];
}
