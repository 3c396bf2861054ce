/* SPDX-License-Identifier: MIT */
/* scan.c - a lexical look at a jq program before it is compiled: forbidden words, balance, which fields it reads. */
#include "map/scan.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"

#define PROGRAM_BYTES_MAX 65536
#define DEPTH_MAX 200

/* Words that read the machine, the clock, other inputs or files, or end the evaluation behind our back. */
static const char *const forbidden_words[] = {
    "env",
    "now",
    "input",
    "inputs",
    "_input",
    "import",
    "include",
    "module",
    "modulemeta",
    "debug",
    "stderr",
    "halt",
    "halt_error",
    "__loc__",
    "input_line_number",
    "input_filename",
    "get_search_list",
    "get_prog_origin",
    "get_jq_origin",
};
static const char *const forbidden_variables[] = {"ENV", "__prog_args", "__loc__"};

/* Words that hand nothing of the record on as a whole; any other one is a function and may look at all of its input. */
static const char *const blind_words[] = {"and", "or", "not", "true", "false", "null", "empty"};

/* Functions whose definitions in libjq are made with path(). */
static const char *const path_words[] = {
    "path",         "paths",        "leaf_paths", "del",       "map_values", "tostream", "fromstream",
    "from_entries", "with_entries", "bsearch",    "transpose", "_modify",    "_assign",  "truncate_stream",
};

/* Operators of which a shorter one is a prefix: the longest match counts, as in libjq. `=` kinds give the whole record back. */
static const struct {
    const char *text;
    bool assigns;
} operators[] = {
    {"?//", true}, {"//=", true}, {"|=", true},  {"+=", true},  {"-=", true},  {"*=", true},  {"/=", true},
    {"%=", true},  {"//", false}, {"==", false}, {"!=", false}, {"<=", false}, {">=", false}, {"=", true},
};

/* One open bracket, `if` or string, and what `.` means inside it. */
struct level {
    char open; /* ( [ { as written; " a string, \ its interpolation, i an if, . the program itself */
    bool rooted_at_open; /* `.` was the record where it was opened */
    bool rooted; /* `.` is the record here: no pipe has replaced it */
    bool key; /* {: a key may come next */
    bool named; /* ": the string names a field or key of the record */
};

struct scanner {
    const char *start, *at;
    struct level stack[DEPTH_MAX];
    size_t depth;
    bool dollar; /* the last token was $ */
    bool dot; /* the last token was a . that a string may follow */
    struct arena *arena;
    struct scan *out;
    struct err *e;
};

static int refuse(struct scanner *s, const char *at, const char *what, size_t n_bytes, const char *why)
{
    int line = 1;
    const char *line_start = s->start;
    for (const char *p = s->start; p < at; p++) {
        if (*p == '\n') {
            line++;
            line_start = p + 1;
        }
    }
    return err_set(s->e, ERR_CONFIG, "expression, line %d, column %d: `%.*s` %s", line, (int)(at - line_start) + 1,
                   (int)(n_bytes > 40 ? 40 : n_bytes), what, why);
}

static struct level *top(struct scanner *s)
{
    return &s->stack[s->depth - 1];
}

static bool in_list(const char *const *words, size_t n_words, const char *text, size_t n_bytes)
{
    for (size_t i = 0; i < n_words; i++) {
        if (strlen(words[i]) == n_bytes && memcmp(words[i], text, n_bytes) == 0)
            return true;
    }
    return false;
}
#define IN(list, text, n_bytes) in_list(list, sizeof(list) / sizeof(*(list)), text, n_bytes)

static int push(struct scanner *s, char open)
{
    if (s->depth == DEPTH_MAX)
        return refuse(s, s->at, s->at, 1, "is nested too deep; write the program flatter");
    bool rooted = top(s)->rooted;
    s->stack[s->depth++] = (struct level){.open = open, .rooted_at_open = rooted, .rooted = rooted, .key = open == '{'};
    return 0;
}

static void note_whole(struct scanner *s)
{
    if (top(s)->rooted)
        s->out->whole = true;
}

static void note_name(struct scanner *s, const char *name, size_t n_bytes)
{
    if (!top(s)->rooted)
        return;
    for (size_t i = 0; i < s->out->n_names; i++) {
        if (strlen(s->out->names[i]) == n_bytes && memcmp(s->out->names[i], name, n_bytes) == 0)
            return;
    }
    if ((s->out->n_names & (s->out->n_names + 1)) == 0) { /* room is always a power of two less one: full */
        const char **more = arena_alloc(s->arena, (2 * s->out->n_names + 1) * sizeof(*more));
        if (s->out->n_names)
            memcpy(more, s->out->names, s->out->n_names * sizeof(*more));
        s->out->names = more;
    }
    s->out->names[s->out->n_names++] = arena_dup(s->arena, name, n_bytes);
}

static bool word_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t word_length(const char *p)
{
    size_t n = 0;
    while (word_start(p[n]) || digit(p[n]) || (p[n] == ':' && p[n + 1] == ':'))
        n += p[n] == ':' ? 2 : 1;
    return n;
}

/* `if` opens a level like a bracket; its parts begin with what `.` was before it; `end` closes it. */
static int read_keyword(struct scanner *s, const char *word, size_t n, bool *known)
{
    static const char *const parts[] = {"then", "elif", "else"};
    *known = true;
    if (n == 2 && memcmp(word, "if", 2) == 0)
        return push(s, 'i');
    bool is_end = n == 3 && memcmp(word, "end", 3) == 0;
    if (!is_end && !IN(parts, word, n)) {
        *known = false;
        return 0;
    }
    if (top(s)->open != 'i')
        return refuse(s, word, word, n, "does not belong to an `if` here; close brackets and `if ... end` in order");
    if (is_end)
        s->depth--;
    else
        top(s)->rooted = top(s)->rooted_at_open;
    return 0;
}

static int read_variable(struct scanner *s, const char *word, size_t n)
{
    if (IN(forbidden_variables, word, n))
        return refuse(s, word, word, n, "is not available as a variable; an expression sees only the record and $now");
    if (n == 3 && memcmp(word, "now", 3) == 0)
        s->out->uses_now = true;
    return 0;
}

static int read_word(struct scanner *s, bool key)
{
    const char *word = s->at;
    size_t n = word_length(word);
    s->at += n;
    if (memchr(word, ':', n))
        return refuse(s, word, word, n, "names a module; write the function out instead");
    if (s->dollar)
        return read_variable(s, word, n);
    if (key) {
        note_name(s, word, n);
        return 0;
    }
    if (IN(forbidden_words, word, n))
        return refuse(s, word, word, n,
                      n == 3 && word[0] == 'n' ? "is not available; use $now, the time of the run in seconds"
                                               : "is not available; an expression sees only the record and $now");
    bool known = false;
    int rc = read_keyword(s, word, n, &known);
    if (rc || known)
        return rc;
    if (IN(path_words, word, n))
        s->out->paths = true;
    if (!IN(blind_words, word, n))
        note_whole(s);
    return 0;
}

/* Inside a string: up to its end or its next interpolation. */
static int read_string(struct scanner *s)
{
    const char *from = s->at;
    bool plain = true;
    while (*s->at && *s->at != '"' && !(s->at[0] == '\\' && s->at[1] == '(')) {
        if (*s->at == '\\') {
            plain = false;
            s->at++;
        }
        if (*s->at)
            s->at++;
    }
    if (!*s->at)
        return refuse(s, from - 1, from - 1, 1, "opens a string that is not closed; add the missing \"");
    if (*s->at == '"') {
        bool named = top(s)->named;
        s->depth--;
        if (named && plain && from[-1] == '"')
            note_name(s, from, (size_t)(s->at - from));
        else if (named)
            note_whole(s);
        s->at++;
        return 0;
    }
    int rc = push(s, '\\');
    s->at += 2;
    return rc;
}

static int read_close(struct scanner *s)
{
    static const char pairs[] = "()[]{}\\)";
    char open = top(s)->open;
    for (size_t i = 0; pairs[i]; i += 2) {
        if (pairs[i] == open && pairs[i + 1] == *s->at) {
            s->depth--;
            s->at++;
            return 0;
        }
    }
    return refuse(s, s->at, s->at, 1, "closes nothing that is open here; balance the brackets");
}

static int read_open(struct scanner *s, bool key)
{
    char c = *s->at;
    int rc = push(s, c);
    if (c == '"')
        top(s)->named = s->dot || key;
    s->at++;
    return rc;
}

/* The number token of libjq 1.6 takes any run of digits and dots. */
static void read_number(struct scanner *s)
{
    while (digit(*s->at) || *s->at == '.')
        s->at++;
    const char *p = s->at;
    if (*p == 'e' || *p == 'E') {
        p += p[1] == '+' || p[1] == '-' ? 2 : 1;
        if (digit(*p))
            for (s->at = p; digit(*s->at);)
                s->at++;
    }
}

static void read_dot(struct scanner *s)
{
    size_t n_run = strspn(s->at, "0123456789.");
    if (word_start(s->at[1])) {
        size_t n = 1;
        while (word_start(s->at[n]) || digit(s->at[n]))
            n++;
        note_name(s, s->at + 1, n - 1);
        s->at += n;
    } else if (n_run > 1 && !(n_run == 2 && s->at[1] == '.')) {
        read_number(s);
    } else {
        s->dot = n_run == 1 && s->at[1] == '"';
        if (!s->dot)
            note_whole(s);
        s->at += n_run;
    }
}

static void read_operator(struct scanner *s)
{
    struct level *l = top(s);
    for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++) {
        size_t n = strlen(operators[i].text);
        if (strncmp(s->at, operators[i].text, n) == 0) {
            s->out->whole = s->out->whole || operators[i].assigns;
            s->out->paths = s->out->paths || operators[i].assigns;
            s->at += n;
            return;
        }
    }
    if (*s->at == '|')
        l->rooted = false;
    if (*s->at == ';' || (*s->at == ',' && l->open == '{'))
        l->rooted = l->rooted_at_open;
    l->key = *s->at == ',' && l->open == '{';
    s->dollar = s->dollar || *s->at == '$';
    s->at++;
}

static int read_format(struct scanner *s)
{
    note_whole(s);
    s->at++;
    while (word_start(*s->at) || digit(*s->at))
        s->at++;
    return 0;
}

static bool skip_blank(struct scanner *s)
{
    const char *from = s->at;
    s->at += strspn(s->at, " \t\n");
    if (*s->at == '#')
        s->at += strcspn(s->at, "\n");
    return s->at != from;
}

static int read_token(struct scanner *s)
{
    if (top(s)->open == '"')
        return read_string(s);
    if (skip_blank(s))
        return 0;
    struct level *here = top(s);
    bool key = here->key && !s->dollar;
    bool was_dollar = s->dollar;
    char c = *s->at;
    int rc = 0;
    if (c == '$' && here->key) { /* {$now}: a key, but of a variable */
        s->dollar = true;
        s->at++;
        here->key = false;
        return 0;
    }
    here->key = false;
    if (word_start(c))
        rc = read_word(s, key);
    else if (c == ')' || c == ']' || c == '}')
        rc = read_close(s);
    else if (c == '(' || c == '[' || c == '{' || c == '"')
        rc = read_open(s, key);
    else if (c == '@')
        rc = read_format(s);
    else if (digit(c))
        read_number(s);
    else if (c == '.')
        read_dot(s);
    else
        read_operator(s);
    if (was_dollar && c != '$')
        s->dollar = false;
    if (c != '.')
        s->dot = false;
    return rc;
}

static int check_bytes(struct scanner *s)
{
    size_t n = strlen(s->start);
    if (n > PROGRAM_BYTES_MAX)
        return err_set(s->e, ERR_CONFIG, "expression: it is %zu bytes long, more than %d; write a shorter one", n,
                       PROGRAM_BYTES_MAX);
    size_t bad = 0;
    if (!utf8_valid(s->start, n, &bad))
        return err_set(s->e, ERR_CONFIG, "expression: byte %zu is not UTF-8; save the config as UTF-8", bad + 1);
    for (const char *p = s->start; *p; p++) {
        if (((unsigned char)*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f)
            return refuse(s, p, "?", 1, "is a control character; write it as an escape such as \\r in a string");
    }
    return 0;
}

int scan_program(const char *program, struct arena *a, struct scan *out, struct err *e)
{
    struct scanner s = {.start = program, .at = program, .arena = a, .out = out, .e = e, .depth = 1};
    memset(out, 0, sizeof(*out));
    s.stack[0] = (struct level){.open = '.', .rooted_at_open = true, .rooted = true};
    if (check_bytes(&s))
        return e->code;
    while (*s.at) {
        if (read_token(&s))
            return e->code;
    }
    if (top(&s)->open == '"' || s.depth > 1)
        return refuse(&s, s.at, program, strlen(program), "ends before everything it opened is closed; balance it");
    return 0;
}
