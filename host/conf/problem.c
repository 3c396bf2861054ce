/* SPDX-License-Identifier: MIT */
/* problem.c - what is wrong with a config, each problem with its place, told in the order of the file. */
#include "conf/problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct problem {
    int line; /* 0: the whole file */
    int column;
    size_t order; /* two at one place stay in the order they were found in */
    char *text;
};

static void flatten(struct buf *text)
{
    for (size_t i = 0; i < text->size; i++)
        if ((unsigned char)text->data[i] < 0x20 || text->data[i] == 0x7F)
            text->data[i] = ' ';
}

/* Takes the text out of the buffer. */
static void add(struct problems *p, int line, int column, struct buf *text)
{
    flatten(text);
    p->list = mem_grow(p->list, (p->n + 1) * sizeof(*p->list));
    p->list[p->n] = (struct problem){line, column, p->n, text->data};
    p->n++;
    *text = (struct buf){0};
}

static bool plain_key(const char *key)
{
    return *key && !key[strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-$")];
}

static void put_step(struct buf *path, const struct json *child, size_t index)
{
    const char *key = json_key(child);
    if (!key) {
        buf_printf(path, "[%zu]", index);
    } else if (plain_key(key)) {
        buf_printf(path, "%s%s", path->size ? "." : "", key);
    } else {
        buf_byte(path, '[');
        json_put_string(path, key, strlen(key));
        buf_byte(path, ']');
    }
}

/* Nodes do not know their parents: the path is found from the root. */
static bool find_path(const struct json *at, const struct json *wanted, struct buf *path)
{
    size_t before = path->size;
    size_t index = 0;
    if (at == wanted)
        return true;
    for (const struct json *child = json_first(at); child; child = json_next(child)) {
        put_step(path, child, index++);
        if (find_path(child, wanted, path))
            return true;
        path->size = before;
    }
    return false;
}

void problem_path(const struct problems *p, const struct json *node, struct buf *out)
{
    struct buf path = {0};
    find_path(json_root(p->doc), node, &path);
    buf_add(out, path.data, path.size);
    buf_fini(&path);
}

/* The root has no path; a missing key of it has. */
static void __attribute__((format(printf, 5, 0)))
add_node(struct problems *p, const struct json *node, int place, const char *key, const char *format, va_list args)
{
    int line = 0;
    int column = 0;
    struct buf text = {0};
    json_where(p->doc, node, place == AT_KEY, &line, &column);
    problem_path(p, node, &text);
    if (key)
        buf_printf(&text, "%s%s", text.size ? "." : "", key);
    if (text.size)
        buf_text(&text, ": ");
    buf_vprintf(&text, format, args);
    add(p, line, column, &text);
}

void problem_at(struct problems *p, const struct json *node, int place, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_node(p, node, place, NULL, format, args);
    va_end(args);
}

void problem_missing(struct problems *p, const struct json *object, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_node(p, object, AT_VALUE, key, format, args);
    va_end(args);
}

void problem_file(struct problems *p, const char *format, ...)
{
    struct buf text = {0};
    va_list args;
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    add(p, 0, 0, &text);
}

void problem_syntax(struct problems *p, const char *text)
{
    int line = 0;
    int column = 0;
    int n_prefix = 0;
    struct buf rest = {0};
    if (sscanf(text, "line %d, column %d: %n", &line, &column, &n_prefix) < 2)
        n_prefix = 0;
    buf_text(&rest, text + n_prefix);
    add(p, line, column, &rest);
}

static int by_place(const void *x, const void *y)
{
    const struct problem *a = x;
    const struct problem *b = y;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

void problem_tell(struct problems *p, struct buf *out)
{
    if (p->n)
        qsort(p->list, p->n, sizeof(*p->list), by_place);
    for (size_t i = 0; i < p->n; i++) {
        if (p->list[i].line)
            buf_printf(out, "%s:%d:%d: %s\n", p->file, p->list[i].line, p->list[i].column, p->list[i].text);
        else
            buf_printf(out, "%s: %s\n", p->file, p->list[i].text);
    }
}

void problem_fini(struct problems *p)
{
    for (size_t i = 0; i < p->n; i++)
        mem_free(p->list[i].text);
    mem_free(p->list);
    p->list = NULL;
    p->n = 0;
}
