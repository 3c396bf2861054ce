/* SPDX-License-Identifier: MIT */
/* doc.c - members and lists of JSON read through the host's door, and times as Zendesk writes them. */
#include <stdlib.h>
#include <string.h>

#include "zendesk.h"

bool doc_object(struct desk *d, const char *text, size_t n_bytes, struct object *out, const char **why)
{
    const char *message = NULL;
    int rc = d->host->json_read(d->host->ctx, text, n_bytes, &out->fields, &out->n, &out->size, &message);
    if (why)
        *why = rc == SL_OK ? NULL : message ? message : "it is no JSON object";
    return rc == SL_OK;
}

const struct sl_value *doc_member(const struct object *o, const char *name)
{
    for (uint32_t i = 0; i < o->n; i++) {
        const struct sl_value *v = sl_value_at(o->fields, o->size, i);
        if (strcmp(v->name, name) == 0)
            return v->type == SL_NULL ? NULL : v;
    }
    return NULL;
}

bool doc_inner(struct desk *d, const struct object *o, const char *name, struct object *out)
{
    const struct sl_value *v = doc_member(o, name);
    return v && v->type == SL_JSON && v->text[0] == '{' && doc_object(d, v->text, v->text_size, out, NULL);
}

const char *doc_text(const struct object *o, const char *name)
{
    const struct sl_value *v = doc_member(o, name);
    return v && v->type == SL_STRING ? v->text : NULL;
}

bool doc_number(const struct object *o, const char *name, int64_t *out)
{
    const struct sl_value *v = doc_member(o, name);
    if (!v || v->type != SL_INT)
        return false;
    *out = v->number;
    return true;
}

bool doc_list(const struct object *o, const char *name, const char **at, const char **end)
{
    const struct sl_value *v = doc_member(o, name);
    if (!v || v->type != SL_JSON || v->text[0] != '[')
        return false;
    *at = v->text;
    *end = v->text + v->text_size;
    return true;
}

bool doc_next_object(struct desk *d, const char **at, const char *end, struct object *out)
{
    const char *item = NULL;
    size_t n = 0;
    while (sl_list_next(at, end, &item, &n))
        if (item[0] == '{' && doc_object(d, item, n, out, NULL))
            return true;
    return false;
}

bool doc_value(struct desk *d, const char *text, size_t n_bytes, struct sl_value *out)
{
    /* The door reads objects: any value is one as the member of an object. */
    struct object o = {.n = 0};
    struct sl_bytes whole = {0};
    sl_bytes_text(&whole, "{\"v\":");
    sl_bytes_add(&whole, text, n_bytes);
    sl_bytes_text(&whole, "}");
    bool good = doc_object(d, whole.data, whole.size, &o, NULL) && o.n == 1;
    sl_bytes_free(&whole);
    if (good)
        *out = *o.fields;
    return good;
}

/* --- times --- */

/* n digits, then one of `ends`. */
static bool digits(const char **at, int n, int64_t *out, const char *ends)
{
    *out = 0;
    for (; n > 0; n--, ++*at) {
        if (**at < '0' || **at > '9')
            return false;
        *out = *out * 10 + (**at - '0');
    }
    return (!*ends && !**at) || (**at && strchr(ends, **at) && *(*at)++);
}

/* Days since 1970-01-01, by Howard Hinnant's days_from_civil. */
static int64_t days_of(int64_t y, int64_t m, int64_t day)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

bool date_read(const char *text, int64_t *days)
{
    int64_t y = 0, m = 0, day = 0;
    if (!digits(&text, 4, &y, "-") || !digits(&text, 2, &m, "-") || m < 1 || m > 12)
        return false;
    const char *rest = text + 2;
    if (strlen(text) < 2 || !digits(&text, 2, &day, *rest == 'T' ? "T" : "") || day < 1 || day > 31)
        return false;
    *days = days_of(y, m, day);
    return true;
}

bool stamp_read(const char *text, int64_t *ms)
{
    int64_t days = 0, h = 0, m = 0, s = 0;
    const char *t = strchr(text, 'T');
    if (!t || !date_read(text, &days))
        return false;
    t++;
    if (!digits(&t, 2, &h, ":") || !digits(&t, 2, &m, ":") || !digits(&t, 2, &s, "Z.") || h > 23 || m > 59 || s > 60)
        return false;
    *ms = (((days * 24 + h) * 60 + m) * 60 + s) * 1000;
    return true;
}

uint64_t doc_hash(uint64_t h, const char *text)
{
    for (h = h ? h : 14695981039346656037ULL; *text; text++)
        h = (h ^ (unsigned char)*text) * 1099511628211ULL;
    return h;
}
