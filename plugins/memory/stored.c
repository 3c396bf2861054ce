/* SPDX-License-Identifier: MIT */
/* stored.c - values between the world and the host, and what the system does to them: trims, rounds, escapes, drops. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_set(const char *text)
{
    return *text == '[' || *text == '{';
}

struct sl_value stored_value(const struct memory_field *f)
{
    struct sl_value v = {.name = f->name, .type = SL_STRING, .text = f->text, .text_size = strlen(f->text)};
    if (strcmp(f->text, "~") == 0)
        v = (struct sl_value){.name = f->name, .type = SL_NULL};
    else if (*f->text == '#')
        v = (struct sl_value){.name = f->name, .type = SL_INT, .number = strtoll(f->text + 1, NULL, 10)};
    else if (is_set(f->text))
        v.type = SL_JSON;
    return v;
}

static void trim(char *text)
{
    size_t n = strlen(text), from = strspn(text, " ");
    while (n > from && text[n - 1] == ' ')
        n--;
    memmove(text, text + from, n - from);
    text[n - from] = '\0';
}

static void lower(char *text)
{
    for (char *c = text; *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
}

/* Never in the middle of a character. */
static void truncate_to(char *text, size_t n_bytes)
{
    if (strlen(text) <= n_bytes)
        return;
    while (n_bytes > 0 && ((unsigned char)text[n_bytes] & 0xc0) == 0x80)
        n_bytes--;
    text[n_bytes] = '\0';
}

static void escape(char out[MEMORY_TEXT])
{
    char text[MEMORY_TEXT];
    size_t n = 0;
    memcpy(text, out, sizeof(text));
    for (const char *c = text; *c && n + 6 < MEMORY_TEXT; c++)
        n += (size_t)snprintf(out + n, MEMORY_TEXT - n, *c == '&' ? "&amp;" : "%c", *c);
    out[n] = '\0';
}

static long long rounded(const struct memory_world *w, long long n)
{
    return w->rounds ? n - n % w->rounds : n;
}

/* The text of a value as this system stores it. */
static void text_of(const struct memory_world *w, const struct sl_value *v, char out[MEMORY_TEXT])
{
    bool text = v->type == SL_STRING || v->type == SL_ENUM || v->type == SL_REF;
    if (v->type == SL_NULL)
        snprintf(out, MEMORY_TEXT, "~");
    else if (v->type == SL_INT || v->type == SL_BOOL)
        snprintf(out, MEMORY_TEXT, "#%lld", rounded(w, v->number));
    else
        snprintf(out, MEMORY_TEXT, "%s%.*s", v->type == SL_DECIMAL ? "#" : "", (int)v->text_size,
                 v->text ? v->text : "");
    if (!text)
        return;
    if (w->trims)
        trim(out);
    if (w->lowers)
        lower(out);
    if (w->escapes)
        escape(out);
    if (w->truncates)
        truncate_to(out, (size_t)w->truncates);
}

void stored_fields(const struct memory_world *w, struct memory_content *c, const struct sl_write *write)
{
    char text[MEMORY_TEXT];
    for (uint32_t i = 0; i < write->n_fields; i++) {
        const struct sl_value *v = sl_value_at(write->fields, write->field_size, i);
        if (v->type == SL_ABSENT || strcmp(v->name, w->drops) == 0)
            continue;
        text_of(w, v, text);
        world_set(c, v->name, text);
    }
}

void stored_version(const struct memory_world *w, const struct memory_content *c, char out[24])
{
    out[0] = '\0';
    if (!w->versionless)
        snprintf(out, 24, "%08llu", (unsigned long long)c->version);
}

int64_t stored_time(const struct memory_world *w, int64_t ms)
{
    int64_t told = ms + w->skew_ms;
    return w->granular_ms ? told - told % w->granular_ms : told;
}

const struct sl_record *stored_show(const struct memory_world *w, const struct memory_record *r, bool stale,
                                    struct shown *s)
{
    const struct memory_content *c = &r->now;
    if (stale && w->stale_ms && r->before.version && w->now_ms < r->now.modified_ms + w->stale_ms)
        c = &r->before;
    stored_version(w, c, s->version);
    for (uint32_t i = 0; i < c->n_fields; i++)
        s->fields[i] = stored_value(&c->fields[i]);
    s->record = (struct sl_record){.size = sizeof(s->record),
                                   .id = r->id,
                                   .version = *s->version ? s->version : NULL,
                                   .modified_ms = w->timeless ? 0 : stored_time(w, c->modified_ms),
                                   .created_ms = stored_time(w, r->created_ms),
                                   .parent_id = *r->parent ? r->parent : NULL,
                                   .correlation = *r->correlation ? r->correlation : NULL,
                                   .fields = s->fields,
                                   .n_fields = c->n_fields,
                                   .field_size = sizeof(*s->fields)};
    return &s->record;
}
