/* SPDX-License-Identifier: MIT */
/* proof.c - what certify has proven of one binary: kept beside it, read when it is loaded. */
#include "plugin/proof.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "syncline/syncline.h"

enum { FORMAT = 1, BYTES_MAX = 64 << 10, HEX_SIZE = 33 };

static const struct {
    uint64_t bit;
    const char *name;
} names[] = {{SL_CAP_CREATE, "create"},
             {SL_CAP_UPDATE, "update"},
             {SL_CAP_DELETE, "delete"},
             {SL_CAP_ARCHIVE, "archive"},
             {SL_CAP_DELTA, "delta"},
             {SL_CAP_COMPLETE, "complete-listing"},
             {SL_CAP_DELETE_FEED, "delete-feed"},
             {SL_CAP_GET, "get"},
             {SL_CAP_FIND_CORRELATION, "find-by-key"},
             {SL_CAP_FIND_KEY, "find"},
             {SL_CAP_IDEMPOTENT, "idempotent-create"},
             {SL_CAP_RESERVED_ID, "reserved-ids"},
             {SL_CAP_CONDITIONAL, "conditional-write"},
             {SL_CAP_VERSION_ORDER, "version-order"},
             {SL_CAP_WEBHOOK, "webhooks"},
             {SL_CAP_OPEN_SCHEMA, "open-schema"},
             {SL_REACH_FILES, "reaches-files"},
             {SL_REACH_DATABASE, "reaches-database"},
             {SL_REACH_PROCESS, "starts-process"}};
enum { N_NAMES = sizeof names / sizeof *names };

const char *cap_name(uint64_t cap)
{
    for (size_t i = 0; i < N_NAMES; i++)
        if (names[i].bit == cap)
            return names[i].name;
    return NULL;
}

void caps_put(struct buf *out, uint64_t caps, const char *quote)
{
    const char *comma = "";
    for (size_t i = 0; i < N_NAMES; i++)
        if (caps & names[i].bit) {
            buf_printf(out, "%s%s%s%s", comma, quote, names[i].name, quote);
            comma = ", ";
        }
}

/* A name that this version does not know is of no use to it. */
static uint64_t caps_get(const struct json *list)
{
    uint64_t caps = 0;
    for (const struct json *n = list && json_type(list) == JSON_LIST ? json_first(list) : NULL; n; n = json_next(n))
        for (size_t i = 0; i < N_NAMES; i++)
            if (json_type(n) == JSON_STRING && strcmp(json_text(n, NULL), names[i].name) == 0)
                caps |= names[i].bit;
    return caps;
}

/* "folder/NAME.proven" of "folder/NAME.so". */
static const char *path_of(const char *file, struct arena *a)
{
    size_t n = strlen(file), so = strlen(".so");
    return arena_printf(a, "%.*s.proven", (int)(n > so ? n - so : n), file);
}

/* Of the file's bytes: a build of another day is another one. */
static bool digest_of(int fd, char hex[HEX_SIZE])
{
    struct buf bytes = {0};
    enum { PIECE = 1 << 16 };
    ssize_t n = 0;
    while ((n = pread(fd, buf_room(&bytes, PIECE), PIECE, (off_t)bytes.size)) > 0)
        buf_took(&bytes, (size_t)n);
    if (n == 0) {
        struct hash128 h = hash128(bytes.data, bytes.size);
        hex_encode(h.bytes, sizeof h.bytes, hex);
    }
    buf_fini(&bytes);
    return n == 0;
}

static struct proof proof_of(const struct json *root, int fd)
{
    struct proof p = {.state = PROOF_NONE};
    char hex[HEX_SIZE];
    int64_t format = 0;
    const struct json *member = json_type(root) == JSON_OBJECT ? json_get(root, "syncline_proven") : NULL;
    const struct json *digest = member ? json_get(root, "digest") : NULL;
    if (!member || !json_int(member, &format) || format != FORMAT || !digest || json_type(digest) != JSON_STRING)
        return p;
    bool same = digest_of(fd, hex) && strcmp(json_text(digest, NULL), hex) == 0;
    p.state = same ? PROOF_HERE : PROOF_STALE;
    p.judged = same ? caps_get(json_get(root, "judged")) : 0;
    p.proven = p.judged & caps_get(json_get(root, "proven"));
    return p;
}

struct proof proof_read(const char *file, int fd)
{
    struct proof p = {.state = PROOF_NONE};
    struct arena a = {0};
    struct buf text = {0};
    struct err ignored = {0};
    struct json_doc *doc = NULL;
    if (file_read(path_of(file, &a), BYTES_MAX, &text, &ignored) == 0 && text.size)
        doc = json_parse(text.data, text.size, NULL, &ignored);
    if (doc)
        p = proof_of(json_root(doc), fd);
    json_free(doc);
    buf_fini(&text);
    arena_fini(&a);
    return p;
}

int proof_write(const char *file, const char *version, uint64_t judged, uint64_t proven, struct err *e)
{
    struct arena a = {0};
    struct buf text = {0};
    struct err why = {0};
    char hex[HEX_SIZE] = "", when[32];
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    bool read = fd >= 0 && digest_of(fd, hex);
    timestamp_format(clock_now_ms(), 1000, when);
    buf_printf(&text, "{\"syncline_proven\": %d, \"version\": ", FORMAT);
    json_put_string(&text, version, strlen(version));
    buf_printf(&text, ", \"digest\": \"%s\", \"at\": \"%s\",\n \"judged\": [", hex, when);
    caps_put(&text, judged, "\"");
    buf_text(&text, "],\n \"proven\": [");
    caps_put(&text, proven & judged, "\"");
    buf_text(&text, "]}\n");
    if (!read || file_write_atomic(path_of(file, &a), 0644, text.data, text.size, &why))
        err_set(e, ERR_FAILED, "what was proven is not kept: %s; hosts go by what %s declares", why.text, file);
    if (fd >= 0)
        close(fd);
    buf_fini(&text);
    arena_fini(&a);
    return e->code;
}
