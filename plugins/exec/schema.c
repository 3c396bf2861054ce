/* SPDX-License-Identifier: MIT */
/* schema.c - the types a describe declared, given to values that JSON cannot type: dates, times, sets, references. */
#include "exec.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct schema *schema_of(const struct exec *x, const char *object)
{
    struct schema *s = x->schemas;
    while (s && strcmp(s->object, object) != 0)
        s = s->next;
    return s;
}

static void typed_free(struct schema *s)
{
    while (s->typed) {
        struct typed *t = s->typed;
        s->typed = t->next;
        free(t->name);
        free(t->object);
        free(t);
    }
}

struct schema *schema_new(struct exec *x, const char *object)
{
    struct schema *s = schema_of(x, object);
    if (s) {
        typed_free(s);
        return s;
    }
    s = sl_checked(calloc(1, sizeof(*s)));
    s->object = sl_checked(strdup(object));
    s->next = x->schemas;
    x->schemas = s;
    return s;
}

void schemas_free(struct exec *x)
{
    while (x->schemas) {
        struct schema *s = x->schemas;
        x->schemas = s->next;
        typed_free(s);
        free(s->object);
        free(s);
    }
}

/* n digits as a number; -1: they are none. */
static int digits(const char *s, int n)
{
    int value = 0;
    for (int i = 0; i < n; i++) {
        if (!isdigit((unsigned char)s[i]))
            return -1;
        value = value * 10 + (s[i] - '0');
    }
    return value;
}

static bool leap(int y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

/* Days since 1970-01-01 of the date at s (ten characters). */
static bool read_date(const char *s, int64_t *days)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    if (strnlen(s, 10) < 10 || s[4] != '-' || s[7] != '-')
        return false;
    int y = digits(s, 4), m = digits(s + 5, 2), d = digits(s + 8, 2);
    if (y < 1 || m < 1 || m > 12 || d < 1 || d > before[m] - before[m - 1] + (m == 2 && leap(y)))
        return false;
    int64_t p = y - 1;
    *days = p * 365 + p / 4 - p / 100 + p / 400 + before[m - 1] + (m > 2 && leap(y)) + d - 1 - 719162;
    return true;
}

/* The fraction behind the seconds: milliseconds and how exact they are. Returns where it ends. */
static const char *read_fraction(const char *s, int64_t *ms, uint32_t *grain_ms)
{
    *ms = 0;
    *grain_ms = 1000;
    if (*s != '.' || !isdigit((unsigned char)s[1]))
        return s;
    for (s++; isdigit((unsigned char)*s); s++) {
        if (*grain_ms == 1)
            continue;
        *grain_ms /= 10;
        *ms += (*s - '0') * (int64_t)*grain_ms;
    }
    return s;
}

/* Z or +02:00, in minutes. */
static bool read_zone(const char *s, int *minutes)
{
    *minutes = 0;
    if ((*s == 'Z' || *s == 'z') && !s[1])
        return true;
    if ((*s != '+' && *s != '-') || strlen(s) != 6 || s[3] != ':')
        return false;
    int h = digits(s + 1, 2), m = digits(s + 4, 2);
    *minutes = (h * 60 + m) * (*s == '-' ? -1 : 1);
    return h >= 0 && h < 24 && m >= 0 && m < 60;
}

static bool read_timestamp(const char *s, int64_t *at_ms, uint32_t *grain_ms)
{
    int64_t days, ms;
    int zone;
    if (strnlen(s, 20) < 20 || !read_date(s, &days) || !strchr("Tt ", s[10]) || s[13] != ':' || s[16] != ':')
        return false;
    int h = digits(s + 11, 2), m = digits(s + 14, 2), sec = digits(s + 17, 2);
    if (h < 0 || h > 23 || m < 0 || m > 59 || sec < 0 || sec > 60)
        return false;
    if (!read_zone(read_fraction(s + 19, &ms, grain_ms), &zone))
        return false;
    *at_ms = ((days * 24 + h) * 60 + m - zone) * 60000 + sec * 1000 + ms;
    return true;
}

static bool to_date(struct exec *x, const struct typed *t, struct sl_value *v)
{
    (void)x;
    (void)t;
    bool ok = v->type == SL_STRING && v->text_size == 10 && read_date(v->text, &v->number);
    v->type = SL_DATE;
    return ok;
}

static bool to_timestamp(struct exec *x, const struct typed *t, struct sl_value *v)
{
    (void)x;
    (void)t;
    bool ok = v->type == SL_STRING && read_timestamp(v->text, &v->number, &v->grain_ms);
    v->type = SL_TIMESTAMP;
    return ok;
}

/* A number is an id as well as its text is. */
static bool to_text(struct exec *x, const struct typed *t, struct sl_value *v)
{
    char number[32];
    if (v->type == SL_INT) {
        v->text_size = (size_t)snprintf(number, sizeof(number), "%lld", (long long)v->number);
        v->text = sl_pool_dup(&x->pool, number, v->text_size);
    } else if (v->type != SL_STRING && v->type != SL_DECIMAL) {
        return false;
    }
    v->type = t->type;
    v->object = t->type == SL_REF ? t->object : NULL;
    return true;
}

static bool to_decimal(struct exec *x, const struct typed *t, struct sl_value *v)
{
    return v->type == SL_DECIMAL || (v->type == SL_INT && to_text(x, t, v));
}

static bool to_set(struct exec *x, const struct typed *t, struct sl_value *v)
{
    struct fields list;
    (void)t;
    if (!list_read(x, v, &list))
        return false;
    struct sl_value *items = sl_pool_take(&x->pool, (list.n + 1u) * sizeof(*items));
    for (uint32_t i = 0; i < list.n; i++) {
        items[i] = *fields_at(&list, i);
        items[i].name = NULL;
        if (items[i].type == SL_JSON || items[i].type == SL_NULL)
            return false;
    }
    *v = (struct sl_value){
        .name = v->name, .type = SL_SET, .items = items, .n_items = list.n, .item_size = sizeof(*items)};
    return true;
}

/* Types whose JSON form says less than they do. */
static const struct {
    uint32_t type;
    const char *form;
    bool (*to)(struct exec *, const struct typed *, struct sl_value *);
} forms[] = {
    {SL_DATE, "a date such as \"2026-11-23\"", to_date},
    {SL_TIMESTAMP, "a time such as \"2026-11-23T09:00:00Z\"", to_timestamp},
    {SL_ENUM, "a text", to_text},
    {SL_REF, "an id", to_text},
    {SL_DECIMAL, "a number", to_decimal},
    {SL_SET, "a list of plain values", to_set},
};
#define N_FORMS (sizeof(forms) / sizeof(*forms))

void schema_add(struct schema *s, const struct sl_field *f)
{
    for (size_t i = 0; i < N_FORMS; i++) {
        if (forms[i].type != f->type)
            continue;
        struct typed *t = sl_checked(calloc(1, sizeof(*t)));
        t->name = sl_checked(strdup(f->name));
        t->object = f->ref_object ? sl_checked(strdup(f->ref_object)) : NULL;
        t->type = f->type;
        t->next = s->typed;
        s->typed = t;
    }
}

static const char *apply_one(struct exec *x, const struct typed *t, struct sl_value *v)
{
    for (size_t i = 0; i < N_FORMS; i++) {
        if (forms[i].type != t->type || forms[i].to(x, t, v))
            continue;
        char *why = sl_pool_take(&x->pool, SAID_ROOM);
        snprintf(why, SAID_ROOM,
                 "field \"%.200s\" is declared as %s and is something else: correct the value, or describe", t->name,
                 forms[i].form);
        return why;
    }
    return NULL;
}

const char *schema_apply(struct exec *x, const struct schema *s, struct fields *f)
{
    if (!s || !s->typed || f->n == 0)
        return NULL;
    struct sl_value *copy = sl_pool_take(&x->pool, f->n * sizeof(*copy));
    for (uint32_t i = 0; i < f->n; i++)
        copy[i] = *fields_at(f, i);
    f->at = copy;
    f->field_size = sizeof(*copy);
    for (uint32_t i = 0; i < f->n; i++) {
        for (const struct typed *t = s->typed; t; t = t->next) {
            if (copy[i].type == SL_NULL || strcmp(t->name, copy[i].name) != 0)
                continue;
            const char *why = apply_one(x, t, &copy[i]);
            if (why)
                return why;
            break;
        }
    }
    return NULL;
}
