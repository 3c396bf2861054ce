/* SPDX-License-Identifier: MIT */
/* check.c - is a value map total and reversible: what the config's reader refuses, with the values named. */
#include <string.h>

#include "base/text.h"
#include "map/map.h"

static const char side_letter[2] = {'a', 'b'};
static const char *const otherwise_word[2] = {"otherwise_a", "otherwise"};

static void list_value(struct buf *out, const char *text, bool first)
{
    buf_printf(out, first ? "\"%s\"" : ", \"%s\"", text);
}

static void end_sentence(struct buf *problems, const struct buf *sentence)
{
    if (problems->size > 0 && problems->data[problems->size - 1] != '\n')
        buf_byte(problems, '\n');
    buf_add(problems, sentence->data, sentence->size);
}

static bool has_entry(const struct rule *r, int s, const char *value)
{
    for (size_t i = 0; i < r->n_values; i++) {
        if (text_equal(r->values[i].side[s], value))
            return true;
    }
    return false;
}

/* Values the other side may hold that have no entry on the way to side `to`. */
static size_t check_total(const struct rule *r, int to, const char *const *values, uint32_t n_values,
                          struct buf *problems)
{
    int from = 1 - to;
    uint32_t n_missing = 0;
    struct buf text = {0};
    buf_printf(&text, "`%s` on side %c may hold ", r->field[from] ? r->field[from] : "?", side_letter[from]);
    for (uint32_t i = 0; values && i < n_values; i++) {
        if (!has_entry(r, from, values[i]))
            list_value(&text, values[i], n_missing++ == 0);
    }
    buf_printf(&text, ", which `values` does not map to side %c; add %s or give `%s`", side_letter[to],
               n_missing == 1 ? "it" : "them", otherwise_word[to]);
    if (n_missing > 0)
        end_sentence(problems, &text);
    buf_fini(&text);
    return n_missing > 0;
}

/* Entry i is the first with its text on side 1-to, and a later one has the same text there: nothing says which one comes back. */
static size_t check_back(const struct rule *r, int to, size_t i, struct buf *problems)
{
    const char *shared = r->values[i].side[1 - to];
    size_t n_same = 1;
    struct buf text = {0};
    for (size_t j = 0; j < i; j++) {
        if (text_equal(r->values[j].side[1 - to], shared))
            return 0;
    }
    list_value(&text, r->values[i].side[to], true);
    for (size_t j = i + 1; j < r->n_values; j++) {
        if (!text_equal(r->values[j].side[1 - to], shared) || text_equal(r->values[j].side[to], r->values[i].side[to]))
            continue;
        list_value(&text, r->values[j].side[to], false);
        n_same++;
    }
    buf_printf(&text,
               " on side %c are all \"%s\" on side %c, so the way back is not clear; map them apart, give `%s`, or "
               "make the rule "
               "one-way with `direction`",
               side_letter[to], shared, side_letter[1 - to], otherwise_word[to]);
    if (n_same > 1)
        end_sentence(problems, &text);
    buf_fini(&text);
    return n_same > 1;
}

size_t map_check_values(const struct rule *r, const char *const *const enums[2], const uint32_t n_enums[2],
                        struct buf *problems)
{
    size_t n_problems = 0;
    bool two_way = r->to[0] && r->to[1];
    for (int to = 0; to < 2; to++) {
        if (!r->to[to] || r->n_values == 0 || r->otherwise[to])
            continue;
        n_problems += check_total(r, to, enums[1 - to], n_enums[1 - to], problems);
        for (size_t i = 0; two_way && i < r->n_values; i++)
            n_problems += check_back(r, to, i, problems);
    }
    return n_problems;
}
