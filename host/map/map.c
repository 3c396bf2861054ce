/* SPDX-License-Identifier: MIT */
/* map.c - field rules between the two sides of a pair: rename, values, convert, compute, constants, direction. */
#include "map/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

/* The value's name on the side it comes from, for messages; a computed one is known by where it goes. */
static const char *field_name(const struct rule *r, int to)
{
    return r->field[1 - to] ? r->field[1 - to] : r->field[to] ? r->field[to] : "?";
}

/* How a value reads in a value map: a text as it is, anything else as its JSON text, a time without quotes. */
static const char *listed_text(struct arena *a, const struct sl_value *v)
{
    if (v->type == SL_STRING || v->type == SL_ENUM || v->type == SL_REF || v->type == SL_DECIMAL)
        return arena_dup(a, v->text ? v->text : "", v->text_size);
    struct buf text = {0};
    value_put_json(&text, v);
    bool quoted = text.size >= 2 && text.data[0] == '"';
    const char *out = arena_dup(a, text.data + quoted, text.size - 2 * (size_t)quoted);
    buf_fini(&text);
    return out;
}

static bool is_null(const struct value_pair *p, int s)
{
    return p->type[s] == SL_NULL || (p->type[s] == SL_ABSENT && text_equal(p->side[s], "null"));
}

/* The first pair that has v on side s. */
static const struct value_pair *find_pair(const struct rule *r, int s, const struct sl_value *v, struct arena *a)
{
    const char *text = v->type == SL_NULL ? NULL : listed_text(a, v);
    for (size_t i = 0; i < r->n_values; i++) {
        if (text ? text_equal(r->values[i].side[s], text) && r->values[i].type[s] != SL_NULL
                 : is_null(&r->values[i], s))
            return &r->values[i];
    }
    return NULL;
}

static struct sl_value listed_value(const struct value_pair *p, int s)
{
    const char *text = p->side[s];
    if (is_null(p, s))
        return value_null(NULL);
    if (p->type[s] == SL_BOOL)
        return value_bool(NULL, text_equal(text, "true"));
    if (p->type[s] == SL_INT)
        return value_int(NULL, strtoll(text, NULL, 10));
    struct sl_value out = value_string(NULL, text);
    if (p->type[s] == SL_DECIMAL)
        out.type = SL_DECIMAL;
    return out;
}

static bool plain(uint32_t type)
{
    return type == SL_BOOL || type == SL_INT || type == SL_DECIMAL;
}

/* The type that all listed values of a side share and a text does not have; SL_ABSENT: none. */
static uint32_t listed_type(const struct rule *r, int s)
{
    uint32_t type = r->values[0].type[s];
    for (size_t i = 1; i < r->n_values; i++)
        if (r->values[i].type[s] != type)
            return SL_ABSENT;
    return plain(type) ? type : SL_ABSENT;
}

/* As the config wrote it; a text between listed numbers is one of them where it can be. */
static struct sl_value otherwise_value(const struct rule *r, int to, struct arena *a)
{
    struct value_pair p = {.side = {r->otherwise[to], r->otherwise[to]},
                           .type = {r->otherwise_type[to], r->otherwise_type[to]}};
    struct sl_value text = value_string(NULL, r->otherwise[to]), typed;
    struct err ignored = {0};
    if (plain(p.type[to]))
        return listed_value(&p, to);
    return value_convert(a, &text, listed_type(r, to), &typed, &ignored) == 0 ? typed : text;
}

static int map_values(const struct rule *r, int to, struct arena *a, struct sl_value *v, struct err *e)
{
    const struct value_pair *p = find_pair(r, 1 - to, v, a);
    if (p) {
        *v = listed_value(p, to);
        return 0;
    }
    if (v->type == SL_NULL)
        return 0;
    if (r->otherwise[to]) {
        *v = otherwise_value(r, to, a);
        return 0;
    }
    struct buf brief = {0};
    value_put_brief(&brief, v, 80);
    int rc = err_set(e, ERR_INPUT, "field %s: %s has no entry in `values`; add it to `values` or give `%s`",
                     field_name(r, to), brief.data, to == 1 ? "otherwise" : "otherwise_a");
    buf_fini(&brief);
    return rc;
}

/* A list is not squeezed into a text only because that side held a text, unless that text was a list too. */
static uint32_t restored_type(const struct sl_value *v, const struct sl_value *prior)
{
    if (!prior || prior->type == SL_NULL || prior->type == SL_ABSENT)
        return SL_ABSENT;
    bool list = v->type == SL_JSON || v->type == SL_SET;
    bool held_list = prior->text && prior->text_size > 0 && (prior->text[0] == '[' || prior->text[0] == '{');
    if (list && prior->type == SL_STRING && !held_list)
        return SL_ABSENT;
    return prior->type;
}

static int convert(const struct rule *r, int to, const struct sl_value *prior, struct arena *a, struct sl_value *v,
                   struct err *e)
{
    uint32_t want = r->type[to];
    struct err why = {0};
    struct sl_value converted;
    bool strict = want != SL_ABSENT;
    if (!strict)
        want = restored_type(v, prior);
    v->name = field_name(r, to); /* the sentence of a refusal begins with it */
    int rc = value_convert(a, v, want, &converted, &why);
    if (rc)
        return strict ? err_set(e, rc, "field %s", why.text) : 0;
    *v = converted;
    if (v->type == SL_REF && !v->object && prior && prior->type == SL_REF)
        v->object = prior->object;
    return 0;
}

/* The value before values and conversion; ABSENT: nothing to write. */
static int source(const struct rule *r, int to, const struct sl_record *from, int64_t now_ms, struct arena *a,
                  struct sl_value *out, struct err *e)
{
    *out = value_absent(NULL);
    if (r->constant[to]) {
        *out = *r->constant[to];
        return 0;
    }
    if (r->expr[to]) {
        struct err why = {0};
        if (jq_value(r->expr[to], from, now_ms, a, out, &why))
            return err_set(e, ERR_INPUT, "field %s: %s", r->field[to] ? r->field[to] : "?", why.text);
        return 0;
    }
    const struct sl_value *v = r->field[1 - to] ? record_field(from, r->field[1 - to]) : NULL;
    if (v)
        *out = *v;
    return 0;
}

int map_value(const struct rule *r, int to, const struct sl_record *from, const struct sl_value *prior, int64_t now_ms,
              struct arena *a, struct sl_value *out, struct err *e)
{
    struct sl_value v;
    *out = value_absent(r->field[to]);
    int rc = source(r, to, from, now_ms, a, &v, e);
    if (!rc && v.type != SL_ABSENT && r->n_values > 0 && !r->constant[to])
        rc = map_values(r, to, a, &v, e);
    if (!rc && r->names_user && !r->constant[to])
        rc = map_user(r, to, &v, e);
    if (!rc && r->byline[to])
        map_byline(r, to, from, a, &v);
    if (!rc && v.type != SL_ABSENT)
        rc = convert(r, to, prior, a, &v, e);
    if (rc)
        return rc;
    v.name = r->field[to];
    *out = v;
    return 0;
}

static int by_name(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static bool skipped(const struct map *m, const char *name)
{
    return text_equal(m->open_skip[0], name) || text_equal(m->open_skip[1], name);
}

struct rule *map_open_rules(const struct map *m, const struct sl_record *const side[2], struct arena *a, size_t *n)
{
    size_t room = 0, n_names = 0;
    for (int s = 0; s < 2; s++)
        room += side[s] ? side[s]->n_fields : 0;
    const char **names = arena_alloc(a, (room + 1) * sizeof(*names));
    for (int s = 0; s < 2; s++) {
        for (uint32_t i = 0; side[s] && i < side[s]->n_fields; i++) {
            const char *name = sl_value_at(side[s]->fields, side[s]->field_size, i)->name;
            if (!skipped(m, name))
                names[n_names++] = name;
        }
    }
    qsort(names, n_names, sizeof(*names), by_name);
    struct rule *rules = arena_alloc(a, (n_names + 1) * sizeof(*rules));
    *n = 0;
    for (size_t i = 0; i < n_names; i++) {
        if (i > 0 && strcmp(names[i], names[i - 1]) == 0)
            continue;
        struct rule *r = &rules[(*n)++];
        *r = m->open_rule;
        r->field[0] = r->field[1] = arena_text(a, names[i]);
    }
    return rules;
}
