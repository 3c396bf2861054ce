/* SPDX-License-Identifier: MIT */
/* clean.c - makes a connector's message fit to be shown: one line, bounded, valid UTF-8, no secret in it. */
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "plugin/inside.h"

/* What is read of a message at most: secrets are looked for in this much before it is cut to MESSAGE_MAX. */
enum { MESSAGE_READ = 16384 };

int clean_cut(const char *text, size_t max)
{
    size_t n = strnlen(text, max + 1);
    if (n <= max)
        return (int)n;
    n = max;
    while (n && ((unsigned char)text[n] & 0xC0) == 0x80)
        n--;
    return (int)n;
}

/* Control characters become blanks, bytes that are no UTF-8 become '?'. */
static void plain(char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
            text[i] = ' ';
    size_t from = 0;
    size_t bad = 0;
    while (!utf8_valid(text + from, n - from, &bad)) {
        from += bad;
        text[from++] = '?';
    }
}

void clean_message(const char *message, char out[MESSAGE_MAX + 1])
{
    size_t n = message ? strnlen(message, MESSAGE_READ) : 0;
    char *copy = mem_alloc(n + 1);
    if (n)
        memcpy(copy, message, n);
    log_scrub(copy, n);
    plain(copy, strlen(copy));
    int kept = clean_cut(copy, MESSAGE_MAX);
    memcpy(out, copy, (size_t)kept);
    while (kept && out[kept - 1] == ' ')
        kept--;
    out[kept] = '\0';
    mem_free(copy);
}
