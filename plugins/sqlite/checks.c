/* SPDX-License-Identifier: MIT */
/* checks.c - finds the allowed values of a column in a table's CHECK (column IN ('a', 'b')). */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "connector.h"

/* A token of SQL: a word, a quoted name, a text, or one character. */
struct token {
    char kind; /* 'w' word or quoted name, 't' text, 0 the end, else the character itself */
    const char *text;
};

struct scanner {
    struct sl_pool *pool;
    const char *at;
};

static const char *skip_blank(const char *at)
{
    for (;;) {
        const char *end = NULL;
        if (isspace((unsigned char)*at))
            end = at + 1;
        else if (!strncmp(at, "--", 2))
            end = at + strcspn(at, "\n");
        else if (!strncmp(at, "/*", 2)) {
            end = strstr(at + 2, "*/");
            end = end ? end + 2 : at + strlen(at);
        }
        if (!end)
            return at;
        at = end;
    }
}

/* From behind the opening quote; a doubled closing quote stands for itself. */
static const char *quoted(struct scanner *s, char close)
{
    const char *end = s->at;
    while (*end && (*end != close || (close != ']' && end[1] == close)))
        end += *end == close ? 2 : 1;
    char *out = sl_pool_take(s->pool, (size_t)(end - s->at) + 1), *to = out;
    for (; s->at < end; s->at++) {
        s->at += *s->at == close;
        *to++ = *s->at;
    }
    s->at += *s->at != 0;
    return out;
}

static struct token next(struct scanner *s)
{
    struct token t = {0, ""};
    s->at = skip_blank(s->at);
    if (!*s->at)
        return t;
    char c = *s->at++;
    if (c == '\'' || c == '"' || c == '`' || c == '[') {
        t.kind = c == '\'' ? 't' : 'w';
        t.text = quoted(s, c == '[' ? ']' : c);
    } else if (isalnum((unsigned char)c) || c == '_' || (c & 0x80)) {
        const char *begin = s->at - 1;
        while (isalnum((unsigned char)*s->at) || *s->at == '_' || (*s->at & 0x80))
            s->at++;
        t.kind = 'w';
        t.text = sl_pool_dup(s->pool, begin, (size_t)(s->at - begin));
    } else {
        t.kind = c;
    }
    return t;
}

static bool is_word(struct token t, const char *word)
{
    return t.kind == 'w' && !strcasecmp(t.text, word);
}

/* Reads ( column IN ( 'a' , 'b' ) ) behind CHECK; anything else is no certain list. */
static uint32_t read_list(struct scanner *s, const char *column, const char **values, uint32_t room)
{
    uint32_t n = 0;
    if (next(s).kind != '(' || !is_word(next(s), column) || !is_word(next(s), "in") || next(s).kind != '(')
        return 0;
    for (;;) {
        struct token value = next(s);
        if (value.kind != 't' || n == room)
            return 0;
        values[n++] = value.text;
        char behind = next(s).kind;
        if (behind == ')')
            return next(s).kind == ')' ? n : 0;
        if (behind != ',')
            return 0;
    }
}

uint32_t check_values(struct sl_pool *p, const char *sql, const char *column, const char *const **values)
{
    enum { MOST_VALUES = 100 };
    struct scanner s = {p, sql};
    if (strlen(sql) > 65536)
        return 0;
    for (struct token t = next(&s); t.kind; t = next(&s)) {
        if (!is_word(t, "check"))
            continue;
        const char **list = sl_pool_take(p, MOST_VALUES * sizeof(*list));
        struct scanner ahead = s;
        uint32_t n = read_list(&ahead, column, list, MOST_VALUES);
        if (n) {
            *values = list;
            return n;
        }
    }
    return 0;
}
