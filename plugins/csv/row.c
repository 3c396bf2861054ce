/* SPDX-License-Identifier: MIT */
/* row.c - a row as a record: id, version, values, or why it cannot be read; and values as cells. */
#include <stdio.h>
#include <string.h>

#include "connector.h"

/* FNV-1a with its bits mixed, so that sums and sorted neighbours stay apart. */
static uint64_t hash_on(uint64_t h, const char *text, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++)
        h = (h ^ (unsigned char)text[i]) * 0x100000001b3u;
    return h;
}

static uint64_t mix(uint64_t h)
{
    h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
    h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53u;
    return h ^ (h >> 33);
}

uint64_t text_hash(const char *text, size_t n_bytes)
{
    return mix(hash_on(0xcbf29ce484222325u, text, n_bytes));
}

uint64_t row_hash(const char *const *columns, const struct cell *cells, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (!cells[i].null)
            sum += mix(hash_on(hash_on(0xcbf29ce484222325u, columns[i], strlen(columns[i]) + 1), cells[i].text,
                               cells[i].size));
    }
    return sum;
}

void row_version(uint64_t hash, char out[VERSION_BYTES])
{
    snprintf(out, VERSION_BYTES, "h%016llx", (unsigned long long)hash);
}

bool is_id(const char *text, size_t n_bytes)
{
    const unsigned char *at = (const unsigned char *)text;
    for (size_t i = 0; i < n_bytes; i++) {
        /* C1 controls are two bytes in UTF-8: C2 80 to C2 9F. */
        if (at[i] < 0x20 || at[i] == 0x7f || (at[i] == 0xc2 && i + 1 < n_bytes && at[i + 1] < 0xa0))
            return false;
    }
    return n_bytes && n_bytes < ID_BYTES && sl_utf8_clean(text, n_bytes);
}

static const char *first_unclean(const struct file *f, const struct reader *r)
{
    for (size_t i = 0; i < r->n_cells && i < f->n_columns; i++) {
        if (!sl_utf8_clean(r->cells[i].text, r->cells[i].size))
            return f->columns[i];
    }
    return NULL;
}

bool row_readable(struct csv *c, const struct file *f, const struct reader *r, char id[ID_BYTES], char why[WHY_BYTES])
{
    unsigned long long line = (unsigned long long)r->line;
    const struct cell *key = f->key < r->n_cells ? &r->cells[f->key] : NULL;
    const char *unclean = first_unclean(f, r);
    size_t at;
    bool has_key = key && is_id(key->text, key->size);
    if (has_key)
        snprintf(id, ID_BYTES, "%.*s", (int)key->size, key->text);
    else
        snprintf(id, ID_BYTES, "(line %llu)", line);
    *why = 0;
    if (r->malformed)
        snprintf(why, WHY_BYTES, "%s line %llu has text behind a closing quote; correct it", f->name, line);
    else if (r->n_cells != f->n_columns)
        snprintf(why, WHY_BYTES, "%s line %llu has %zu cells where the header has %zu; correct it", f->name, line,
                 r->n_cells, f->n_columns);
    else if (!has_key)
        snprintf(why, WHY_BYTES,
                 "%s line %llu has a key that cannot be an id (empty, with a control character, or over 1024 bytes); "
                 "give its column %.100s a value",
                 f->name, line, c->key);
    else if (doubles_has(c, key->text, key->size, &at))
        snprintf(why, WHY_BYTES, "%s line %llu: the key %.100s stands in more than one row; make the keys differ",
                 f->name, line, id);
    else if (unclean)
        snprintf(why, WHY_BYTES,
                 "%s line %llu: column %.100s holds bytes that are not UTF-8 text; save the file as UTF-8", f->name,
                 line, unclean);
    return !*why;
}

static int emit(struct csv *c, const struct sl_item *item)
{
    return c->host->emit(c->host->ctx, item) ? csv_why(c, SL_BROKEN, "the host took no more records") : SL_OK;
}

static int emit_trouble(struct csv *c, const struct file *f, const struct reader *r, const char *id, const char *why)
{
    char version[VERSION_BYTES];
    size_t at;
    bool ragged = r->malformed || r->n_cells != f->n_columns;
    const struct cell *key = f->key < r->n_cells ? &r->cells[f->key] : NULL;
    /* Said once for all the rows of one key, so that one of them does not hide another's fault. */
    if (key && doubles_has(c, key->text, key->size, &at)) {
        if (c->doubles.told[at])
            return SL_OK;
        c->doubles.told[at] = true;
        *version = 0;
    } else {
        row_version(ragged ? text_hash(r->raw, r->raw_size) : row_hash(f->columns, r->cells, f->n_columns), version);
    }
    struct sl_item item = {.size = sizeof(item), .kind = SL_ITEM_UNREADABLE, .id = id, .version = version};
    item.error_class = SL_REJECTED;
    item.message = why;
    return emit(c, &item);
}

int row_emit(struct csv *c, const struct file *f, const struct reader *r)
{
    char id[ID_BYTES], why[WHY_BYTES], version[VERSION_BYTES];
    struct sl_value few[64];
    struct sl_pool pool = {0};
    if (!row_readable(c, f, r, id, why))
        return emit_trouble(c, f, r, id, why);
    struct sl_value *values = f->n_columns > 64 ? sl_pool_take(&pool, f->n_columns * sizeof(*values)) : few;
    uint32_t n = 0;
    for (size_t i = 0; i < f->n_columns; i++) {
        if (!*f->columns[i])
            continue;
        values[n++] = (struct sl_value){.name = f->columns[i],
                                        .type = r->cells[i].null ? SL_NULL : SL_STRING,
                                        .text = r->cells[i].text,
                                        .text_size = r->cells[i].size};
    }
    row_version(row_hash(f->columns, r->cells, f->n_columns), version);
    struct sl_record record = {.size = sizeof(record), .id = id, .version = version, .fields = values, .n_fields = n};
    record.field_size = sizeof(*values);
    struct sl_item item = {.size = sizeof(item), .kind = SL_ITEM_RECORD, .id = id, .record = &record};
    int result = emit(c, &item);
    sl_pool_free(&pool);
    return result;
}

/* A date of the Gregorian calendar, counting years from March. */
static void put_date(int64_t days, char out[40])
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    int day = (int)(of_year - (153 * month + 2) / 5 + 1);
    month = month < 10 ? month + 3 : month - 9;
    snprintf(out, 40, "%04d-%02d-%02d", (int)(year + era * 400 + (month <= 2)), (int)month, day);
}

static void put_moment(int64_t ms, char out[40])
{
    char date[40], part[8] = "";
    int64_t day_ms = 86400000;
    int64_t days = ms >= 0 ? ms / day_ms : -((-ms + day_ms - 1) / day_ms);
    int rest = (int)(ms - days * day_ms);
    put_date(days, date);
    if (rest % 1000)
        snprintf(part, sizeof(part), ".%03d", rest % 1000);
    snprintf(out, 40, "%.16sT%02d:%02d:%02d%sZ", date, rest / 3600000, rest / 60000 % 60, rest / 1000 % 60, part);
}

/* A set becomes a JSON list: what stands behind the key in {"v":[...]}. */
static int set_text(struct csv *c, struct sl_pool *p, const struct sl_value *v, struct cell *out)
{
    const char *text = NULL;
    size_t size = 0;
    struct sl_value named = *v;
    named.name = "v";
    int result = c->host->json_write(c->host->ctx, &named, 1, sizeof(named), 0, &text, &size);
    const char *list = text ? memchr(text, '[', size) : NULL;
    if (result || !list)
        return csv_why(c, SL_REJECTED, "column %s cannot hold this set; map it to a text", v->name);
    out->size = (size_t)(text + size - 1 - list);
    out->text = sl_pool_dup(p, list, out->size);
    c->host->json_free(c->host->ctx);
    return SL_OK;
}

int cell_from(struct csv *c, struct sl_pool *p, const struct sl_value *v, struct cell *out)
{
    char text[40] = "";
    *out =
        (struct cell){.null = v->type == SL_NULL, .text = v->text ? v->text : "", .size = v->text ? v->text_size : 0};
    switch (v->type) {
    case SL_NULL:
        out->size = 0;
        return SL_OK;
    case SL_STRING:
    case SL_DECIMAL:
    case SL_ENUM:
    case SL_REF:
    case SL_JSON:
        return SL_OK;
    case SL_SET:
        return set_text(c, p, v, out);
    case SL_BOOL:
        snprintf(text, sizeof(text), "%s", v->number ? "true" : "false");
        break;
    case SL_INT:
        snprintf(text, sizeof(text), "%lld", (long long)v->number);
        break;
    case SL_DATE:
        put_date(v->number, text);
        break;
    case SL_TIMESTAMP:
        put_moment(v->number, text);
        break;
    default:
        return csv_why(c, SL_REJECTED,
                       "column %s is given a value of a type (%u) this connector does not know; update it", v->name,
                       (unsigned)v->type);
    }
    out->size = strlen(text);
    out->text = sl_pool_dup(p, text, out->size);
    return SL_OK;
}

bool cell_same(const struct cell *x, const struct cell *y)
{
    return x->null == y->null && x->size == y->size && (!x->size || !memcmp(x->text, y->text, x->size));
}
