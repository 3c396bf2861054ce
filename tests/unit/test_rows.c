/* SPDX-License-Identifier: MIT */
/* test_rows.c - the rows of a write on its way: what is not spelled out in them comes back as it was. */
#include "check.h"
#include "sync/state.h"
#include "syncline/syncline.h"
#include "values.h"

static struct sl_value text(const char *name, const char *s)
{
    return value_string(name, s);
}

/* Each form a change can take: alike or not in name, value, before and lost. */
static size_t make_changes(struct field_change c[6])
{
    struct sl_value old = text("a", "old"), new = text("a", "new");
    size_t n = 0;
    c[n++] =
        (struct field_change){.name = "a", .source = "a", .before = value_absent("a"), .after = new, .origin = new};
    c[n++] = (struct field_change){
        .name = "a", .source = "b", .before = old, .after = new, .origin = text("b", "NEW"), .lost = old, .reason = 3};
    c[n++] = (struct field_change){.name = "a", .before = old, .after = value_null("a"), .origin = value_null("=a")};
    c[n++] = (struct field_change){
        .name = "a", .source = "a", .before = old, .after = new, .origin = text("a", "new"), .lost = text("a", "gone")};
    c[n++] = (struct field_change){
        .name = "a", .source = "a", .before = value_int("a", 1), .after = value_int("a", 2), .keeps_bases = true};
    c[n++] = (struct field_change){.name = "", .source = "", .after = text("", ""), .origin = text("", "")};
    return n;
}

static void check_changes(const struct field_change *x, const struct field_change *y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        CU_ASSERT_STRING_EQUAL(x[i].name, y[i].name);
        CU_ASSERT(text_equal(x[i].source, y[i].source));
        CU_ASSERT(value_same(&x[i].before, &y[i].before) && value_same(&x[i].after, &y[i].after));
        CU_ASSERT(value_same(&x[i].origin, &y[i].origin) && value_same(&x[i].lost, &y[i].lost));
        CU_ASSERT(x[i].reason == y[i].reason && x[i].keeps_bases == y[i].keeps_bases);
    }
}

static void an_intent_comes_back(void)
{
    struct arena a = {0};
    struct buf once = {0}, twice = {0};
    struct err e = {0};
    struct field_change c[6];
    struct sl_value f = text("f", "held");
    struct sl_record r = {
        .size = sizeof r, .id = "7", .version = "v1", .fields = &f, .n_fields = 1, .field_size = sizeof f};
    struct intent i = {.number = 5, .ulid = "01M849GGYW51X7BZRSTY6C27Y1", .link = 9, .side = 1, .kind = SL_UPDATE};
    struct intent got, again;
    i.before = &r;
    i.changes = c;
    i.n_changes = make_changes(c);
    intent_encode(&once, &i);
    CU_ASSERT_EQUAL_FATAL(intent_decode(slice_of(once.data, once.size), 5, &a, &got, &e), 0);
    CU_ASSERT_EQUAL(got.n_changes, i.n_changes);
    check_changes(c, got.changes, i.n_changes);
    CU_ASSERT_PTR_NULL(got.source);
    CU_ASSERT_STRING_EQUAL(got.before->version, "v1");
    CU_ASSERT_STRING_EQUAL(record_field(got.before, "f")->text, "held");
    intent_encode(&twice, &got);
    CU_ASSERT_EQUAL_FATAL(intent_decode(slice_of(twice.data, twice.size), 5, &a, &again, &e), 0);
    check_changes(c, again.changes, i.n_changes);
    buf_fini(&once);
    buf_fini(&twice);
    arena_fini(&a);
}

static void history_comes_back(void)
{
    struct arena a = {0};
    struct buf row = {0};
    struct err e = {0};
    struct field_change c[6];
    struct history_row got, h = {.number = 1, .run = "r", .link = 2, .side = 1, .kind = SL_UPDATE, .label = "A record"};
    struct sl_value bases[12] = {{0}};
    h.changes = c;
    h.n_changes = make_changes(c);
    h.bases = bases;
    bases[3] = text("a", "agreed");
    history_encode(&row, &h);
    CU_ASSERT_EQUAL_FATAL(history_decode(slice_of(row.data, row.size), 1, &a, &got, &e), 0);
    check_changes(c, got.changes, h.n_changes);
    for (size_t i = 0; i < 2 * h.n_changes; i++)
        CU_ASSERT(value_same(&bases[i], &got.bases[i]));
    CU_ASSERT_PTR_NULL(got.kept);
    buf_fini(&row);
    arena_fini(&a);
}

/* A torn or altered row is refused, never half believed. */
static void a_damaged_row_is_refused(void)
{
    struct arena a = {0};
    struct buf row = {0};
    struct field_change c[6];
    struct intent got, i = {.number = 5, .changes = c, .n_changes = make_changes(c)};
    intent_encode(&row, &i);
    for (size_t at = 0; at < row.size; at++) {
        struct err e = {0};
        row.data[at] = (char)(row.data[at] ^ 1);
        CU_ASSERT_NOT_EQUAL(intent_decode(slice_of(row.data, row.size), 5, &a, &got, &e), 0);
        row.data[at] = (char)(row.data[at] ^ 1);
        err_clear(&e);
        CU_ASSERT_NOT_EQUAL(intent_decode(slice_of(row.data, at), 5, &a, &got, &e), 0);
    }
    buf_fini(&row);
    struct notes notes;
    struct err e = {0};
    CU_ASSERT_NOT_EQUAL(notes_decode(slice_of("torn", 4), &a, &notes, &e), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "the notes on links"));
    arena_fini(&a);
}

static const struct check tests[] = {
    {"an intent comes back as it went in (I18, I20)", an_intent_comes_back},
    {"history comes back as it went in (I5)", history_comes_back},
    {"a damaged row is refused (I18)", a_damaged_row_is_refused},
};
CHECK_MAIN("rows", tests)
