/* SPDX-License-Identifier: MIT */
/* answer.c - what the child says, line by line, checked and handed to the host. */
#include "exec.h"
#include "words.h"

#include <stdio.h>
#include <string.h>

/* What an answer's handler says: go on, the call is over, or a class that was told. */
#define GO_ON (-1)

static int broken(struct exec *x, const struct call *c, const char *what)
{
    return refuse(x, SL_BROKEN, "broke the protocol in answer to \"%s\": %s", c->name, what);
}

/* What is in the answer: {"record": {...}} → {...}. */
static bool inside(struct exec *x, const struct sl_value *v, struct fields *out)
{
    const char *message;
    return v->type == SL_JSON && v->text[0] == '{' && object_read(x, v->text, v->text_size, out, &message);
}

static int emit(struct exec *x, struct sl_item *item)
{
    item->size = sizeof(*item);
    return x->host->emit(x->host->ctx, item) == 0 ? GO_ON : SL_BROKEN;
}

static int emit_unreadable(struct exec *x, const char *id, const char *version, uint32_t sl_class, const char *why)
{
    struct sl_item item = {
        .kind = SL_ITEM_UNREADABLE, .id = id, .version = version, .error_class = sl_class, .message = why};
    return emit(x, &item);
}

/* Reads a record. NULL, or why it is none (pooled or constant); *id is set as soon as there is one. */
static const char *read_record(struct exec *x, const struct call *c, const struct fields *f, struct sl_record *r)
{
    struct fields own = {.field_size = sizeof(*own.at)};
    const struct sl_value *v = field(f, "fields");
    *r = (struct sl_record){.size = sizeof(*r),
                            .id = field_text(x, f, "id"),
                            .version = field_text(x, f, "version"),
                            .modified_ms = field_int(f, "modified_ms"),
                            .created_ms = field_int(f, "created_ms"),
                            .modified_grain_ms = (uint32_t)field_int(f, "modified_grain_ms"),
                            .label = field_text(x, f, "label"),
                            .parent_id = field_text(x, f, "parent_id"),
                            .correlation = field_text(x, f, "correlation")};
    if (v && !inside(x, v, &own))
        return "its \"fields\" are no JSON object";
    const char *why = schema_apply(x, c->schema, &own);
    r->fields = own.at;
    r->n_fields = own.n;
    r->field_size = own.field_size;
    return why;
}

static int on_record(struct exec *x, struct call *c, const struct fields *f)
{
    struct sl_record r;
    const char *why = read_record(x, c, f, &r);
    if (!r.id)
        return broken(x, c, "a record without an \"id\"");
    if (why)
        return emit_unreadable(x, r.id, r.version, SL_REJECTED, why);
    struct sl_item item = {.kind = SL_ITEM_RECORD, .id = r.id, .version = r.version, .record = &r};
    return emit(x, &item);
}

static int emit_named(struct exec *x, struct call *c, const struct fields *f, uint32_t kind)
{
    struct sl_item item = {.kind = kind,
                           .id = field_text(x, f, "id"),
                           .version = field_text(x, f, "version"),
                           .successor_id = field_text(x, f, "successor_id")};
    return item.id ? emit(x, &item) : broken(x, c, "an item without an \"id\"");
}

static int on_stub(struct exec *x, struct call *c, const struct fields *f)
{
    return emit_named(x, c, f, SL_ITEM_STUB);
}

static int on_tombstone(struct exec *x, struct call *c, const struct fields *f)
{
    return emit_named(x, c, f, SL_ITEM_TOMBSTONE);
}

static int on_hint(struct exec *x, struct call *c, const struct fields *f)
{
    return emit_named(x, c, f, SL_ITEM_HINT);
}

static int on_unreadable(struct exec *x, struct call *c, const struct fields *f)
{
    const char *id = field_text(x, f, "id"), *message = field_text(x, f, "message");
    uint64_t sl_class = word_value(class_words, field_text(x, f, "class"));
    if (!id || !message)
        return broken(x, c, "an unreadable record without \"id\" or \"message\"");
    return emit_unreadable(x, id, field_text(x, f, "version"), (uint32_t)(sl_class ? sl_class : SL_REJECTED), message);
}

static int on_page(struct exec *x, struct call *c, const struct fields *f)
{
    struct sl_page page = {.size = sizeof(page),
                           .kind = (uint32_t)word_value(page_words, field_text(x, f, "kind")),
                           .cursor = field_text(x, f, "cursor"),
                           .epoch = field_text(x, f, "epoch")};
    if (!page.kind)
        return broken(x, c, "a page whose \"kind\" is none of more, done, complete");
    c->paged = true;
    return x->host->page(x->host->ctx, &page) == 0 ? GO_ON : SL_BROKEN;
}

static int on_outcome(struct exec *x, struct call *c, const struct fields *f)
{
    struct fields own;
    struct sl_record r;
    const struct sl_value *index = field(f, "index"), *v = field(f, "record");
    struct sl_outcome o = {.size = sizeof(o),
                           .result = (uint32_t)word_value(result_words, field_text(x, f, "result")),
                           .error_class = (uint32_t)word_value(class_words, field_text(x, f, "class")),
                           .message = field_text(x, f, "message"),
                           .read_back = field_true(f, "read_back"),
                           .retry_after_ms = field_int(f, "retry_after_ms")};
    if (!index || index->type != SL_INT || index->number < 0 || index->number >= (int64_t)c->n_writes)
        return broken(x, c, "an outcome whose \"index\" is no write of the batch");
    if (!o.result || (o.result == SL_NOT_APPLIED && !o.error_class))
        return broken(x, c, "an outcome without a known \"result\", or not_applied without a known \"class\"");
    o.index = (uint32_t)index->number;
    if (v && inside(x, v, &own)) {
        /* A value that does not fit its declared type is not told: the host reads the record instead. */
        if (!read_record(x, c, &own, &r) && r.id)
            o.record = &r;
    } else if (v) {
        return broken(x, c, "an outcome whose \"record\" is no JSON object");
    }
    return x->host->outcome(x->host->ctx, &o) == 0 ? GO_ON : SL_BROKEN;
}

/* The bits of a list of words. False: one is not known, its text is in *bad. */
static bool words_read(struct exec *x, const struct sl_value *v, const struct word *words, uint64_t *bits,
                       const char **bad)
{
    struct fields list;
    *bits = 0;
    *bad = "something that is no list";
    if (!v)
        return true;
    if (!list_read(x, v, &list))
        return false;
    for (uint32_t i = 0; i < list.n; i++) {
        const struct sl_value *item = fields_at(&list, i);
        uint64_t bit = item->type == SL_STRING ? word_value(words, item->text) : 0;
        if (!bit) {
            *bad = item->type == SL_STRING ? item->text : "something that is no text";
            return false;
        }
        *bits |= bit;
    }
    return true;
}

static int bad_word(struct exec *x, const struct call *c, const char *where, const char *word)
{
    char what[200];
    snprintf(what, sizeof(what), "\"%s\" holds %.80s, which README.md does not list", where, word);
    return broken(x, c, what);
}

/* The values of an enum as an array of texts. */
static bool texts_read(struct exec *x, const struct sl_value *v, struct sl_field *out)
{
    struct fields list;
    if (!list_read(x, v, &list))
        return false;
    const char **texts = sl_pool_take(&x->pool, (list.n + 1u) * sizeof(*texts));
    for (uint32_t i = 0; i < list.n; i++) {
        const struct sl_value *item = fields_at(&list, i);
        if (item->type != SL_STRING)
            return false;
        texts[i] = item->text;
    }
    out->values = texts;
    out->n_values = list.n;
    return true;
}

static int read_field(struct exec *x, const struct call *c, const struct sl_value *v, struct sl_field *out)
{
    struct fields f;
    uint64_t flags;
    const char *bad;
    if (!inside(x, v, &f) || !field_text(x, &f, "name"))
        return broken(x, c, "a field of an object without a \"name\"");
    const char *type = field_text(x, &f, "type");
    *out = (struct sl_field){.name = field_text(x, &f, "name"),
                             .type = (uint32_t)word_value(type_words, type),
                             .label = field_text(x, &f, "label"),
                             .max_bytes = (uint32_t)field_int(&f, "max_bytes"),
                             .ref_object = field_text(x, &f, "ref_object")};
    if (type && !out->type)
        return bad_word(x, c, "type", type);
    if (!words_read(x, field(&f, "flags"), flag_words, &flags, &bad))
        return bad_word(x, c, "flags", bad);
    if (field(&f, "values") && !texts_read(x, field(&f, "values"), out))
        return broken(x, c, "\"values\" of a field that are no list of texts");
    out->flags = (uint32_t)flags;
    return SL_OK;
}

static int read_fields(struct exec *x, const struct call *c, const struct fields *f, struct sl_object *out)
{
    struct fields list = {0};
    const struct sl_value *v = field(f, "fields");
    if (v && !list_read(x, v, &list))
        return broken(x, c, "\"fields\" of an object that are no list");
    struct sl_field *fields = sl_pool_take(&x->pool, (list.n + 1u) * sizeof(*fields));
    int rc = SL_OK;
    for (uint32_t i = 0; i < list.n && rc == SL_OK; i++)
        rc = read_field(x, c, fields_at(&list, i), &fields[i]);
    out->fields = fields;
    out->n_fields = list.n;
    out->field_size = sizeof(*fields);
    return rc;
}

static int on_object(struct exec *x, struct call *c, const struct fields *f)
{
    const char *bad, *rule = field_text(x, f, "id_rule");
    struct sl_object o = {.size = sizeof(o),
                          .id_rule = rule ? (uint32_t)word_value(rule_words, rule) : SL_ID_SERVER,
                          .name = field_text(x, f, "name"),
                          .model = field_text(x, f, "model"),
                          .id_max_bytes = (uint32_t)field_int(f, "id_max_bytes"),
                          .batch_max = (uint32_t)field_int(f, "batch_max"),
                          .next_id = field_int(f, "next_id"),
                          .late_ms = (uint32_t)field_int(f, "late_ms"),
                          .index_lag_ms = (uint32_t)field_int(f, "index_lag_ms"),
                          .stale_ms = (uint32_t)field_int(f, "stale_ms"),
                          .idempotency_ttl_s = (uint32_t)field_int(f, "idempotency_ttl_s")};
    if (!o.name)
        return broken(x, c, "an object without a \"name\"");
    if (!o.id_rule)
        return bad_word(x, c, "id_rule", rule);
    if (!words_read(x, field(f, "caps"), cap_words, &o.caps, &bad))
        return bad_word(x, c, "caps", bad);
    int rc = read_fields(x, c, f, &o);
    if (rc != SL_OK)
        return rc;
    struct schema *s = schema_new(x, o.name);
    for (uint32_t i = 0; i < o.n_fields; i++)
        schema_add(s, &o.fields[i]);
    if (c->quiet)
        return GO_ON;
    return x->host->object(x->host->ctx, &o) == 0 ? GO_ON : SL_BROKEN;
}

static int on_error(struct exec *x, struct call *c, const struct fields *f)
{
    const char *message = field_text(x, f, "message");
    uint64_t sl_class = word_value(class_words, field_text(x, f, "class"));
    if (!sl_class || !message)
        return broken(x, c, "an error without a known \"class\", or without a \"message\"");
    if (c->optional && sl_class == SL_UNSUPPORTED)
        return SL_OK;
    return refuse(x, (int)sl_class, "%s", message);
}

/* Which answers may come to which calls; names as in the requests. */
static const struct {
    const char *key;
    const char *calls;
    int (*take)(struct exec *, struct call *, const struct fields *);
} answers[] = {
    {"record", "pull get find", on_record},
    {"stub", "pull", on_stub},
    {"tombstone", "pull get", on_tombstone},
    {"hint", "pull", on_hint},
    {"unreadable", "pull get find", on_unreadable},
    {"page", "pull", on_page},
    {"object", "describe", on_object},
    {"outcome", "write", on_outcome},
    {"error", "check describe pull get find write", on_error},
};

static int take_done(struct exec *x, const struct call *c)
{
    if (strcmp(c->name, "pull") == 0 && !c->paged)
        return broken(x, c, "done, and no page before it");
    return SL_OK;
}

static int take(struct exec *x, struct call *c, const struct fields *line)
{
    struct fields own;
    if (field_true(line, "done"))
        return take_done(x, c);
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        const struct sl_value *v = field(line, answers[i].key);
        if (!v)
            continue;
        if (!strstr(answers[i].calls, c->name) || (c->paged && answers[i].take != on_error)) {
            char what[80];
            snprintf(what, sizeof(what), "\"%s\" has no place there", answers[i].key);
            return broken(x, c, what);
        }
        return inside(x, v, &own) ? answers[i].take(x, c, &own) : broken(x, c, "an answer that holds no JSON object");
    }
    return broken(x, c, "a line that is none of the answers in README.md");
}

static int take_line(struct exec *x, struct call *c, const char *line, size_t n_bytes)
{
    struct fields f;
    const char *message = NULL;
    int rc;
    if (object_read(x, line, n_bytes, &f, &message)) {
        rc = take(x, c, &f);
    } else {
        char what[400];
        snprintf(what, sizeof(what), "a line that is no JSON object (%.300s)", message ? message : "not said why");
        rc = broken(x, c, what);
    }
    x->host->json_free(x->host->ctx);
    sl_pool_free(&x->pool);
    return rc;
}

int call_run(struct exec *x, struct call *c)
{
    const char *line;
    size_t n_bytes;
    int rc = child_start(x);
    if (rc == SL_OK && x->in.size > x->in_at) {
        child_stop(x, false);
        rc = broken(x, c, "it had said more after the call before was done");
    }
    if (rc != SL_OK)
        return rc;
    bool writing = strcmp(c->name, "write") == 0;
    child_ask(x);
    do {
        rc = child_line(x, writing, &line, &n_bytes);
        if (rc != SL_OK)
            return rc;
        rc = take_line(x, c, line, n_bytes);
    } while (rc == GO_ON);
    if (rc == SL_BROKEN)
        child_stop(x, false); /* what else it says would be taken for answers to the next call */
    return rc;
}
