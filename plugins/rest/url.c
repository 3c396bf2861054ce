/* SPDX-License-Identifier: MIT */
/* url.c - paths and queries with values put in, percent-encoded. */
#include <stdlib.h>
#include <string.h>

#include "rest.h"

static void add_encoded(struct sl_bytes *out, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (; *text; text++) {
        char code[4];
        if (strchr(plain, *text)) {
            sl_bytes_add(out, text, 1);
        } else {
            snprintf(code, sizeof(code), "%%%02X", (unsigned char)*text);
            sl_bytes_add(out, code, 3);
        }
    }
}

static char *done(struct rest *r, struct sl_bytes *b)
{
    char *text = sl_pool_dup(&r->call, b->data ? b->data : "", b->size);
    free(b->data);
    return text;
}

char *url_path(struct rest *r, const char *path, const char *id)
{
    struct sl_bytes out = {0};
    const char *brace = strstr(path, "{id}");
    /* These would lead to the collection, or above it, however they are encoded. */
    if (brace && (!id || !*id || strcmp(id, ".") == 0 || strcmp(id, "..") == 0))
        return NULL;
    for (; brace; brace = strstr(path, "{id}")) {
        sl_bytes_add(&out, path, (size_t)(brace - path));
        add_encoded(&out, id);
        path = brace + strlen("{id}");
    }
    sl_bytes_text(&out, path);
    return done(r, &out);
}

char *url_query(struct rest *r, const char *url, const char *name, const char *value)
{
    struct sl_bytes out = {0};
    sl_bytes_text(&out, url);
    sl_bytes_text(&out, strchr(url, '?') ? "&" : "?");
    add_encoded(&out, name);
    sl_bytes_text(&out, "=");
    add_encoded(&out, value);
    return done(r, &out);
}
