/* SPDX-License-Identifier: MIT */
/* json.c - objects, lists and times of GitHub's JSON, through the host's door. */
#include <string.h>
#include <time.h>

#include "github.h"

bool node_read(struct github *g, const char *text, size_t n_bytes, struct node *out)
{
    const char *why = NULL;
    *out = (struct node){0};
    return g->host->json_read(g->host->ctx, text, n_bytes, &out->fields, &out->n, &out->size, &why) == SL_OK;
}

const struct sl_value *node_at(const struct node *o, const char *name)
{
    for (uint32_t i = 0; i < o->n; i++) {
        const struct sl_value *v = sl_value_at(o->fields, o->size, i);
        if (strcmp(v->name, name) == 0)
            return v->type == SL_NULL ? NULL : v;
    }
    return NULL;
}

const char *node_text(const struct node *o, const char *name)
{
    const struct sl_value *v = node_at(o, name);
    return v && v->type == SL_STRING ? v->text : NULL;
}

int64_t node_number(const struct node *o, const char *name)
{
    const struct sl_value *v = node_at(o, name);
    return v && v->type == SL_INT ? v->number : 0;
}

bool node_true(const struct node *o, const char *name, bool usual)
{
    const struct sl_value *v = node_at(o, name);
    return v && v->type == SL_BOOL ? v->number != 0 : usual;
}

bool node_in(struct github *g, const struct node *o, const char *name, struct node *out)
{
    const struct sl_value *v = node_at(o, name);
    return v && v->type == SL_JSON && v->text[0] == '{' && node_read(g, v->text, v->text_size, out);
}

bool list_read(struct github *g, const struct sl_http_response *a, const char **text, size_t *n_bytes)
{
    /* The door reads objects: a list is one's member. */
    struct node whole;
    const char *wrapped = sl_pool_print(&g->call, "{\"list\":%.*s}", (int)a->body_bytes, a->body);
    if (!node_read(g, wrapped, strlen(wrapped), &whole) || whole.n != 1)
        return false;
    const struct sl_value *v = node_at(&whole, "list");
    if (!v || v->type != SL_JSON || v->text[0] != '[')
        return false;
    *text = sl_pool_dup(&g->call, v->text, v->text_size);
    *n_bytes = v->text_size;
    return true;
}

const char *json_text(struct github *g, const struct sl_value *fields, uint32_t n, size_t *n_bytes)
{
    const char *text = NULL;
    if (g->host->json_write(g->host->ctx, fields, n, sizeof(*fields), 0, &text, n_bytes) != SL_OK)
        return NULL;
    return sl_pool_dup(&g->call, text, *n_bytes);
}

struct sl_value text_value(const char *name, const char *text)
{
    return (struct sl_value){.name = name, .type = SL_STRING, .text = text, .text_size = strlen(text)};
}

/* 2026-01-31T12:00:00Z; a fraction is cut, another zone is taken into account. */
bool time_read(const char *text, int64_t *ms)
{
    struct tm tm = {0};
    const char *at = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    int hours = 0, minutes = 0;
    char sign = '+';
    if (!at)
        return false;
    if (*at == '.')
        at += 1 + strspn(at + 1, "0123456789");
    if (strcmp(at, "Z") != 0 && sscanf(at, "%c%2d:%2d", &sign, &hours, &minutes) != 3)
        return false;
    *ms = ((int64_t)timegm(&tm) - (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60)) * 1000;
    return true;
}

const char *time_text(struct github *g, int64_t ms)
{
    char text[40];
    struct tm tm;
    time_t s = (time_t)(ms / 1000);
    gmtime_r(&s, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    return sl_pool_dup(&g->call, text, strlen(text));
}

const char *escaped(struct github *g, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    char *out = sl_pool_take(&g->call, strlen(text) * 3 + 1), *to = out;
    for (; *text; text++)
        to += strchr(plain, *text) ? sprintf(to, "%c", *text) : sprintf(to, "%%%02X", (unsigned char)*text);
    return out;
}
