/* SPDX-License-Identifier: MIT */
/* config.c - reads the resources along the tables of keys; what is wrong is named by its path. */
#include <string.h>
#include <strings.h>

#include "rest.h"

#define PATH_ROOM 300u

/* One member of the config and where its value goes. */
struct member {
    struct rest *r;
    const struct key *key;
    const char *path; /* as shown */
    const struct sl_value *v;
    void *into;
};

static int wrong(struct rest *r, const char *path, const char *what)
{
    return refuse(r, SL_CONFIG, "%s: %s", path, what);
}

static uint32_t distance(const char *x, const char *y)
{
    uint32_t row[64], n = (uint32_t)strlen(y);
    if (n >= 64)
        return 64;
    for (uint32_t j = 0; j <= n; j++)
        row[j] = j;
    for (uint32_t i = 0; x[i]; i++) {
        uint32_t corner = row[0];
        row[0] = i + 1;
        for (uint32_t j = 0; j < n; j++) {
            uint32_t best = corner + (x[i] != y[j]);
            corner = row[j + 1];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            row[j + 1] = corner + 1 < best ? corner + 1 : best;
        }
    }
    return row[n];
}

static int unknown(struct rest *r, const char *path, const struct key *keys, const char *name)
{
    const char *near = NULL;
    uint32_t best = 2 + (uint32_t)strlen(name) / 3;
    for (const struct key *k = keys; k->name; k++) {
        uint32_t d = distance(name, k->name);
        if (d < best) {
            best = d;
            near = k->name;
        }
    }
    if (near)
        return refuse(r, SL_CONFIG, "%s.%s: this key is not known here; did you mean \"%s\"?", path, name, near);
    char all[SAID_ROOM / 2] = "";
    for (const struct key *k = keys; k->name; k++)
        snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", k == keys ? "" : ", ", k->name);
    return refuse(r, SL_CONFIG, "%s.%s: this key is not known here; use one of %s", path, name, all);
}

static const struct key *key_find(const struct key *keys, const char *name)
{
    while (keys->name && strcmp(keys->name, name) != 0)
        keys++;
    return keys->name ? keys : NULL;
}

static int take_text(const struct member *m)
{
    if (m->v->type != SL_STRING || m->v->text_size == 0)
        return wrong(m->r, m->path, "a text is expected; write one in quotes");
    *(const char **)m->into = sl_pool_dup(&m->r->config, m->v->text, m->v->text_size);
    return SL_OK;
}

static int take_pointer(const struct member *m)
{
    if (m->v->type != SL_STRING || (m->v->text_size && m->v->text[0] != '/'))
        return wrong(m->r, m->path, "a JSON pointer is expected; write one like \"/data/items\"");
    /* The root is what a pointer that is not given leads to. */
    *(const char **)m->into = m->v->text_size ? sl_pool_dup(&m->r->config, m->v->text, m->v->text_size) : NULL;
    return SL_OK;
}

static int take_member(const struct member *m)
{
    if (m->v->type != SL_STRING || m->v->text_size < 2 || m->v->text[0] != '/' || strpbrk(m->v->text + 1, "/~"))
        return wrong(m->r, m->path, "it is a member of the record itself; write it like \"/external_id\"");
    return take_text(m);
}

static int take_path(const struct member *m)
{
    if (m->v->type != SL_STRING || m->v->text[0] != '/' || m->v->text[strcspn(m->v->text, " \t\r\n#")])
        return wrong(m->r, m->path, "a path below base_url is expected; write one like \"/tickets/{id}\"");
    for (const char *c = m->v->text; (c = strpbrk(c, "{}")); c += strlen("{id}"))
        if (strncmp(c, "{id}", strlen("{id}")) != 0)
            return wrong(m->r, m->path, "only {id} can be put into a path; write the rest out");
    return take_text(m);
}

static int take_bool(const struct member *m)
{
    if (m->v->type != SL_BOOL)
        return wrong(m->r, m->path, "true or false is expected");
    *(bool *)m->into = m->v->number != 0;
    return SL_OK;
}

static int take_int(const struct member *m)
{
    if (m->v->type != SL_INT || m->v->number < 0 || m->v->number > 1000000000)
        return wrong(m->r, m->path, "a whole number from 0 to 1000000000 is expected");
    *(int64_t *)m->into = m->v->number;
    return SL_OK;
}

static int take_word(const struct member *m)
{
    char all[SAID_ROOM / 2] = "";
    int64_t n = 1;
    for (const char *at = m->key->words; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL, n++) {
        size_t size = strcspn(at, "|");
        if (m->v->type == SL_STRING && m->v->text_size == size && memcmp(m->v->text, at, size) == 0) {
            *(int64_t *)m->into = n;
            return SL_OK;
        }
        snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%.*s", n > 1 ? ", " : "", (int)size, at);
    }
    return refuse(m->r, SL_CONFIG, "%s: \"%s\" is not known here; use one of %s", m->path,
                  m->v->type == SL_STRING ? m->v->text : "", all);
}

static int take_scalar(const struct member *m)
{
    struct sl_value *out = m->into;
    if (m->v->type == SL_JSON)
        return wrong(m->r, m->path, "one value is expected, no list or object");
    *out = *m->v;
    if (out->text)
        out->text = sl_pool_dup(&m->r->config, out->text, out->text_size);
    out->name = "eq";
    return SL_OK;
}

static int take_statuses(const struct member *m)
{
    struct statuses *out = m->into;
    const char *at = m->v->text, *item = NULL;
    size_t n = 0;
    if (m->v->type != SL_JSON || at[0] != '[')
        return wrong(m->r, m->path, "a list of status codes is expected; write one like [200, 201]");
    for (const char *end = at + m->v->text_size; sl_list_next(&at, end, &item, &n);) {
        unsigned status = 0;
        char digits[4] = "";
        memcpy(digits, item, n < 3 ? n : 3);
        if (n != 3 || sscanf(digits, "%3u", &status) != 1 || status < 200 || status > 299 ||
            out->n == sizeof(out->at) / sizeof(*out->at))
            return wrong(m->r, m->path, "status codes from 200 to 299 are expected, at most 16");
        out->at[out->n++] = status;
    }
    return SL_OK;
}

static int take_names(const struct member *m)
{
    struct pairs *out = m->into;
    const char *at = m->v->text, *item = NULL;
    size_t n = 0;
    if (m->v->type != SL_JSON || at[0] != '[')
        return wrong(m->r, m->path, "a list of field names is expected; write one like [\"tags\"]");
    for (const char *end = at + m->v->text_size; sl_list_next(&at, end, &item, &n); out->n++)
        if (item[0] != '"')
            return wrong(m->r, m->path, "the names of fields are texts; write each in quotes");
    return SL_OK;
}

/* The members of an object in the config; SL_OK with none if it is null. */
static int members(const struct member *m, const struct sl_value **fields, uint32_t *n, uint32_t *size)
{
    const char *why = NULL;
    if (m->v->type != SL_JSON || m->v->text[0] != '{')
        return wrong(m->r, m->path, "an object is expected; write {...}");
    if (m->r->host->json_read(m->r->host->ctx, m->v->text, m->v->text_size, fields, n, size, &why) != SL_OK)
        return refuse(m->r, SL_CONFIG, "%s: %s", m->path, why ? why : "this is no JSON");
    return SL_OK;
}

static int take_pairs(const struct member *m)
{
    struct pairs *out = m->into;
    const struct sl_value *fields = NULL;
    uint32_t n = 0, size = 0;
    int rc = members(m, &fields, &n, &size);
    out->at = sl_pool_take(&m->r->config, (n + 1) * sizeof(*out->at));
    for (uint32_t i = 0; i < n && rc == SL_OK; i++) {
        char room[STAMP_ROOM];
        const struct sl_value *v = sl_value_at(fields, size, i);
        const char *text = doc_text(v, room);
        if (!text)
            return refuse(m->r, SL_CONFIG, "%s.%s: a text is expected; write one in quotes", m->path, v->name);
        out->at[out->n++] = (struct sl_header){sl_pool_dup(&m->r->config, v->name, strlen(v->name)),
                                               sl_pool_dup(&m->r->config, text, strlen(text))};
    }
    return rc;
}

static int take_object(const struct member *m)
{
    const struct sl_value *fields = NULL;
    uint32_t n = 0, size = 0;
    int rc = members(m, &fields, &n, &size);
    if (rc == SL_OK && n > OBJECT_MAX)
        return wrong(m->r, m->path, "at most 16 members can be sent; remove some");
    if (rc == SL_OK)
        *(const char **)m->into = sl_pool_dup(&m->r->config, m->v->text, m->v->text_size);
    return rc;
}

static int take_values(const struct member *m)
{
    struct field *f = (struct field *)(void *)((char *)m->into - offsetof(struct field, values));
    const char *at = m->v->text, *item = NULL, *end = at ? at + m->v->text_size : NULL;
    size_t n = 0;
    if (m->v->type != SL_JSON || at[0] != '[')
        return wrong(m->r, m->path, "a list of texts is expected; write one like [\"open\", \"closed\"]");
    const char **values = sl_pool_take(&m->r->config, m->v->text_size * sizeof(*values));
    while (sl_list_next(&at, end, &item, &n)) {
        struct sl_value v;
        if (item[0] != '"' || !doc_read(m->r, item, n, &v, NULL))
            return wrong(m->r, m->path, "the values of an enum are texts; write each in quotes");
        values[f->n_values++] = sl_pool_dup(&m->r->config, v.text, v.text_size);
    }
    f->values = values;
    return SL_OK;
}

static int read_group(struct rest *r, const struct key *keys, const char *path, const struct sl_value *v, void *into);

static int take_group(const struct member *m)
{
    return read_group(m->r, m->key->inner, m->path, m->v, m->into);
}

static const uint32_t types[] = {0,       SL_STRING,    SL_INT,  SL_DECIMAL, SL_BOOL,
                                 SL_DATE, SL_TIMESTAMP, SL_ENUM, SL_SET,     SL_JSON};

/* Members of any name, each a group: an array of structs of `size` bytes that have their name at name_at. */
static int read_each(const struct member *m, const struct key *keys, size_t size, size_t name_at, void *array,
                     uint32_t *n_out)
{
    const struct sl_value *fields = NULL;
    uint32_t n = 0, n_bytes = 0;
    int rc = members(m, &fields, &n, &n_bytes);
    char *at = sl_pool_take(&m->r->config, (n + 1) * size);
    memcpy(array, &at, sizeof(at));
    for (uint32_t i = 0; i < n && rc == SL_OK; i++, at += size) {
        char path[PATH_ROOM];
        const struct sl_value *v = sl_value_at(fields, n_bytes, i);
        snprintf(path, sizeof(path), "%s.%s", m->path, v->name);
        *(const char **)(void *)(at + name_at) = sl_pool_dup(&m->r->config, v->name, strlen(v->name));
        rc = read_group(m->r, keys, path, v, at);
        *n_out += rc == SL_OK;
    }
    return rc;
}

static int take_fields(const struct member *m)
{
    struct resource *res = (struct resource *)(void *)((char *)m->into - offsetof(struct resource, fields));
    int rc = read_each(m, field_keys, sizeof(struct field), offsetof(struct field, name), &res->fields, &res->n_fields);
    for (uint32_t i = 0; i < res->n_fields; i++)
        res->fields[i].type = types[res->fields[i].word];
    return rc;
}

static int take_about(const struct member *m)
{
    struct webhook *w = (struct webhook *)(void *)((char *)m->into - offsetof(struct webhook, about));
    return read_each(m, about_keys, sizeof(struct about), offsetof(struct about, name), &w->about, &w->n_about);
}

static int (*const takes[])(const struct member *m) = {
    [KEY_TEXT] = take_text,     [KEY_POINTER] = take_pointer,   [KEY_MEMBER] = take_member, [KEY_PATH] = take_path,
    [KEY_BOOL] = take_bool,     [KEY_INT] = take_int,           [KEY_WORD] = take_word,     [KEY_GROUP] = take_group,
    [KEY_SCALAR] = take_scalar, [KEY_STATUSES] = take_statuses, [KEY_PAIRS] = take_pairs,   [KEY_NAMES] = take_names,
    [KEY_OBJECT] = take_object, [KEY_VALUES] = take_values,     [KEY_FIELDS] = take_fields, [KEY_ABOUT] = take_about};

static void set_fallback(const struct key *k, void *into)
{
    if (k->kind == KEY_BOOL)
        *(bool *)into = k->fallback != 0;
    else if (k->kind == KEY_INT || k->kind == KEY_WORD)
        *(int64_t *)into = k->fallback;
}

static int read_group(struct rest *r, const struct key *keys, const char *path, const struct sl_value *v, void *into)
{
    const struct sl_value *fields = NULL;
    const struct member whole = {.r = r, .path = path, .v = v};
    uint32_t n = 0, size = 0;
    uint64_t there = 0;
    int rc = members(&whole, &fields, &n, &size);
    if (rc != SL_OK)
        return rc;
    for (const struct key *k = keys; k->name; k++)
        set_fallback(k, (char *)into + k->offset);
    for (uint32_t i = 0; i < n && rc == SL_OK; i++) {
        char inner[PATH_ROOM];
        const struct sl_value *f = sl_value_at(fields, size, i);
        const struct key *k = key_find(keys, f->name);
        if (!k)
            return unknown(r, path, keys, f->name);
        snprintf(inner, sizeof(inner), "%s.%s", path, f->name);
        there |= 1ULL << (k - keys);
        rc = takes[k->kind](&(struct member){r, k, inner, f, (char *)into + k->offset});
    }
    for (const struct key *k = keys; k->name && rc == SL_OK; k++)
        if (k->required && !(there & 1ULL << (k - keys)))
            rc = refuse(r, SL_CONFIG, "%s.%s: missing; add it", path, k->name);
    *(bool *)into = true; /* `given`: every group begins with it */
    return rc;
}

/* Credentials in a header of the config would be a secret that stands there for all to read. */
static int read_headers(struct rest *r, const struct sl_value *v)
{
    static const char *const secret[] = {"authorization", "proxy-authorization", "cookie", "x-api-key"};
    int rc = take_pairs(&(struct member){.r = r, .path = "headers", .v = v, .into = &r->headers});
    for (uint32_t i = 0; rc == SL_OK && i < r->headers.n; i++)
        for (size_t j = 0; j < sizeof(secret) / sizeof(*secret); j++)
            if (strcasecmp(r->headers.at[i].name, secret[j]) == 0)
                return refuse(r, SL_CONFIG, "headers.%s: credentials do not stand here; use the setting auth",
                              r->headers.at[i].name);
    if (rc == SL_OK && r->headers.n > 4)
        return refuse(r, SL_CONFIG, "headers: at most 4 headers can be sent with every request");
    return rc;
}

static int read_webhook(struct rest *r, const struct sl_value *v)
{
    struct webhook *w = &r->webhook;
    int rc = read_group(r, webhook_keys, "webhook", v, w);
    if (rc == SL_OK)
        rc = webhook_check(r);
    if (rc == SL_OK && !w->n_about) {
        w->about = sl_pool_take(&r->config, sizeof(*w->about));
        *w->about =
            (struct about){.given = true, .name = w->resource ? w->resource : r->resources[0].name, .key = w->key};
        w->n_about = 1;
    }
    return rc;
}

int config_read(struct rest *r, const struct given *g)
{
    const struct member whole = {.r = r, .path = "resources", .v = g->resources};
    int rc = read_each(&whole, resource_keys, sizeof(struct resource), offsetof(struct resource, name), &r->resources,
                       &r->n_resources);
    if (rc == SL_OK && r->n_resources == 0)
        return wrong(r, "resources", "it names no resource; add one");
    for (uint32_t i = 0; i < r->n_resources && rc == SL_OK; i++)
        rc = resource_check(r, &r->resources[i]);
    if (rc == SL_OK && g->headers)
        rc = read_headers(r, g->headers);
    return rc == SL_OK && g->webhook ? read_webhook(r, g->webhook) : rc;
}
