/* SPDX-License-Identifier: MIT */
/* api.c - /api/v1: which command a request is, and who may ask. Pure. */
#include "daemon/api.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "net/sign.h"

/* What an asker may say, and where it stands in the command. */
enum param_kind {
    PARAM_OPERAND = 1, /* a text, behind `--` */
    PARAM_VALUE, /* a text, the value of an option */
    PARAM_COUNT, /* a whole number, the value of an option */
    PARAM_JSON, /* anything, as JSON, the value of an option */
    PARAM_FLAG /* true or false: an option or none */
};

struct param {
    const char *name, *option;
    int kind; /* enum param_kind; 0 ends the list */
    bool required;
};

enum { PARAMS_MAX = 4, SHORT_S = 30, LONG_S = 300 };

#define PAIR(required)                                                                                                 \
    {                                                                                                                  \
        "pair", NULL, PARAM_OPERAND, required                                                                          \
    }
#define ID                                                                                                             \
    {                                                                                                                  \
        "id", NULL, PARAM_OPERAND, true                                                                                \
    }

/* A route's name, its method, its command; `item`: the name may be followed by a slash and one operand. */
static const struct route_row {
    const char *name, *method, *words[2];
    struct param params[PARAMS_MAX + 1];
    const char *item; /* the second word, when there is an operand behind the slash */
    bool lengthy;
} rows[] = {
    {"status", "GET", {"status"}, {PAIR(false)}, NULL, false},
    {"pairs", "GET", {"pairs"}, {{0}}, NULL, false},
    {"conflicts", "GET", {"conflicts", "list"}, {{0}}, "show", false},
    {"parked", "GET", {"parked", "list"}, {{0}}, "show", false},
    {"history",
     "GET",
     {"history"},
     {PAIR(false), {"id", NULL, PARAM_OPERAND, false}, {"since", "--since", PARAM_VALUE, false}},
     NULL,
     false},
    {"why", "GET", {"why"}, {PAIR(true), ID, {"field", NULL, PARAM_OPERAND, false}}, NULL, false},
    {"links", "GET", {"links"}, {PAIR(false)}, NULL, false},
    {"plugins", "GET", {"plugins"}, {{0}}, "", false},
    {"resolve",
     "POST",
     {"conflicts", "resolve"},
     {ID, {"take", "--take", PARAM_VALUE, false}, {"value", "--value", PARAM_JSON, false}},
     NULL,
     false},
    {"retry",
     "POST",
     {"parked", "retry"},
     {{"id", NULL, PARAM_OPERAND, false}, {"all", "--all", PARAM_FLAG, false}},
     NULL,
     false},
    {"drop", "POST", {"parked", "drop"}, {ID}, NULL, false},
    {"approve",
     "POST",
     {"approve"},
     {PAIR(true), {"deletes", "--deletes", PARAM_COUNT, false}, {"first_run", "--first-run", PARAM_FLAG, false}},
     NULL,
     false},
    {"link",
     "POST",
     {"link"},
     {PAIR(true), {"a", NULL, PARAM_OPERAND, true}, {"b", NULL, PARAM_OPERAND, true}},
     NULL,
     false},
    {"unlink", "POST", {"unlink"}, {PAIR(true), ID, {"forget", "--forget", PARAM_FLAG, false}}, NULL, false},
    {"undo",
     "POST",
     {"undo"},
     {{"run", NULL, PARAM_OPERAND, true}, {"dry_run", "--dry-run", PARAM_FLAG, false}},
     NULL,
     true},
    {"plan", "POST", {"plan"}, {PAIR(true)}, NULL, true},
    {"verify", "POST", {"verify"}, {PAIR(true), {"repair", "--repair", PARAM_FLAG, false}}, NULL, true},
    {"sync", "POST", {NULL}, {PAIR(true)}, NULL, false},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

/* --- one request --- */

struct asked {
    const struct request *r;
    struct arena *a;
    struct api_call *call;
    const char *operands[PARAMS_MAX + 1];
    size_t n_operands;
    unsigned status; /* of the refusal; 0: none */
    const char *why;
};

static bool refuse(struct asked *q, unsigned status, const char *why)
{
    if (!q->status) {
        q->status = status;
        q->why = why;
    }
    return false;
}

static void add_word(struct asked *q, const char *word)
{
    q->call->words[q->call->n_words++] = word;
}

/* --- who may ask --- */

/* Whatever is wrong with it takes the same time: the digests are compared whole, not the token. */
static bool token_is_right(const struct api_door *door, const char *header)
{
    static const char scheme[] = "bearer ";
    uint8_t digest[API_DIGEST_BYTES];
    size_t n = 0;
    while (header && n < sizeof scheme - 1 && tolower((unsigned char)header[n]) == scheme[n])
        n++;
    const char *token = n == sizeof scheme - 1 ? header + n : "";
    sign_sha256(token, strlen(token), digest);
    return sign_equal(digest, sizeof digest, door->digest, sizeof door->digest) && *token;
}

/* The page that asks, if one does, is of this very host. A browser says whose page it is; others do not, and need the token all the same. */
static bool of_this_site(const struct request *r)
{
    const char *site = request_header(r, "sec-fetch-site"), *origin = request_header(r, "origin"),
               *host = request_header(r, "host");
    if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
        return false;
    if (!origin)
        return true;
    const char *at = strstr(origin, "://");
    return host && at && strcmp(at + 3, host) == 0;
}

static bool says_json(const struct request *r)
{
    static const char json[] = "application/json";
    const char *type = request_header(r, "content-type");
    size_t n = sizeof json - 1;
    return type && strncmp(type, json, n) == 0 && (!type[n] || type[n] == ';' || type[n] == ' ');
}

static bool let_in(struct asked *q, const struct api_door *door)
{
    if (!door->open)
        return refuse(q, 403,
                      "the API is off: give the config a token, \"api\": {\"token\": {\"file\": \"api-token\"}}");
    if (!token_is_right(door, request_header(q->r, "authorization")))
        return refuse(q, 401, "this needs the API's token: Authorization: Bearer TOKEN");
    if (!of_this_site(q->r))
        return refuse(q, 403, "this comes from another site's page; ask from a page of this host, or from a program");
    return true;
}

/* --- what is asked --- */

static bool add_operand(struct asked *q, const char *name, const char *text)
{
    if (!*text)
        return refuse(q, 400, arena_printf(q->a, "%s is empty; say which", name));
    q->operands[q->n_operands++] = text;
    return true;
}

/* The text of a parameter as an argument. NULL: it was not given. An operand that is left out must be the last. */
static bool take_text(struct asked *q, const struct param *p, const char *text, bool *left_out)
{
    if (!text && p->required)
        return refuse(q, 400, arena_printf(q->a, "%s is missing; say which", p->name));
    if (p->kind == PARAM_OPERAND) {
        bool gap = text && *left_out;
        *left_out |= !text;
        if (gap)
            return refuse(q, 400, arena_printf(q->a, "%s says nothing without what stands before it", p->name));
        return !text || add_operand(q, p->name, text);
    }
    if (text) {
        add_word(q, p->option);
        add_word(q, text);
    }
    return true;
}

static const struct param *find_param(const struct route_row *row, const char *name)
{
    for (const struct param *p = row->params; p->kind; p++)
        if (strcmp(p->name, name) == 0)
            return p;
    return NULL;
}

static bool unknown_param(struct asked *q, const struct route_row *row, const char *name)
{
    const char *names[PARAMS_MAX];
    size_t n = 0;
    for (const struct param *p = row->params; p->kind; p++)
        names[n++] = p->name;
    const char *near = nearest_word(name, names, n);
    return refuse(q, 400,
                  arena_printf(q->a, "'%s' is nothing that %s takes%s%s", name, row->name,
                               near ? "; did you mean " : "", near ? near : ""));
}

/* --- a query --- */

static int hex_digit(char c)
{
    const char *at = c ? strchr("0123456789abcdef", tolower((unsigned char)c)) : NULL;
    return at ? (int)(at - "0123456789abcdef") : -1;
}

/* NULL: it is spelled wrongly, or holds a NUL or what is no UTF-8. */
static const char *unescape(struct arena *a, const char *text, size_t n, bool plus)
{
    char *out = arena_alloc(a, n + 1);
    size_t size = 0;
    for (size_t i = 0; i < n; i++) {
        int high = text[i] == '%' && i + 2 < n ? hex_digit(text[i + 1]) : -1;
        if (text[i] != '%') {
            out[size++] = plus && text[i] == '+' ? ' ' : text[i];
        } else if (high >= 0 && hex_digit(text[i + 2]) >= 0) {
            out[size++] = (char)(high * 16 + hex_digit(text[i + 2]));
            i += 2;
        } else {
            return NULL;
        }
    }
    return utf8_valid(out, size, NULL) ? out : NULL;
}

struct pair_of_query {
    const char *name, *value;
};
enum { QUERY_MAX = 16 };

/* Its members; -1 with the refusal. */
static int read_query(struct asked *q, struct pair_of_query out[QUERY_MAX])
{
    int n = 0;
    for (const char *at = q->r->query; *at;) {
        size_t size = strcspn(at, "&"), name = strcspn(at, "=&");
        const char *value = name < size ? at + name + 1 : at + size;
        if (n == QUERY_MAX)
            return refuse(q, 400, "the query has too many members; see the manual syncline-api"), -1;
        out[n].name = unescape(q->a, at, name, true);
        out[n].value = unescape(q->a, value, (size_t)(at + size - value), true);
        if (!out[n].name || !out[n].value)
            return refuse(q, 400, "the query is not spelled as a URL's: %XX of UTF-8"), -1;
        n++;
        at += size + (at[size] == '&');
    }
    return n;
}

static bool take_query(struct asked *q, const struct route_row *row)
{
    struct pair_of_query said[QUERY_MAX];
    bool left_out = false;
    int n = read_query(q, said);
    for (int i = 0; i < n; i++) {
        if (!find_param(row, said[i].name))
            return unknown_param(q, row, said[i].name);
        for (int k = 0; k < i; k++)
            if (strcmp(said[i].name, said[k].name) == 0)
                return refuse(q, 400, arena_printf(q->a, "%s is there twice", said[i].name));
    }
    for (const struct param *p = row->params; n >= 0 && p->kind; p++) {
        const char *text = NULL;
        for (int i = 0; i < n; i++)
            text = strcmp(said[i].name, p->name) == 0 ? said[i].value : text;
        if (!take_text(q, p, text, &left_out))
            return false;
    }
    return n >= 0;
}

/* --- a body --- */

static const char *const wanted_kind[] = {[PARAM_OPERAND] = "a text",
                                          [PARAM_VALUE] = "a text",
                                          [PARAM_COUNT] = "a whole number, not below 0",
                                          [PARAM_FLAG] = "true or false"};

/* As an argument's text; NULL: it is of another kind. */
static const char *text_of(struct asked *q, const struct param *p, const struct json *node)
{
    int64_t n = 0;
    if (p->kind == PARAM_COUNT)
        return json_type(node) == JSON_NUMBER && json_int(node, &n) && n >= 0 ? arena_printf(q->a, "%" PRId64, n)
                                                                              : NULL;
    if (p->kind == PARAM_JSON) {
        struct buf text = {0};
        json_put_node(&text, node);
        const char *kept = arena_text(q->a, text.data);
        buf_fini(&text);
        return kept;
    }
    if (json_type(node) == JSON_NUMBER) /* ids of numbers may be written so */
        return arena_text(q->a, json_text(node, NULL));
    return json_type(node) == JSON_STRING ? arena_text(q->a, json_text(node, NULL)) : NULL;
}

static bool take_member(struct asked *q, const struct param *p, const struct json *node, bool *left_out)
{
    if (node && p->kind == PARAM_FLAG) {
        if (json_type(node) != JSON_BOOL)
            return refuse(q, 400, arena_printf(q->a, "%s is %s", p->name, wanted_kind[p->kind]));
        if (json_bool(node))
            add_word(q, p->option);
        return true;
    }
    const char *text = node ? text_of(q, p, node) : NULL;
    if (node && !text)
        return refuse(q, 400, arena_printf(q->a, "%s is %s", p->name, wanted_kind[p->kind]));
    return take_text(q, p, text, left_out);
}

static bool take_object(struct asked *q, const struct route_row *row, const struct json *root)
{
    bool left_out = false;
    if (json_type(root) != JSON_OBJECT)
        return refuse(q, 400, "the body is one JSON object, like {\"pair\": \"tickets\"}");
    for (const struct json *node = json_first(root); node; node = json_next(node))
        if (!find_param(row, json_key(node)))
            return unknown_param(q, row, json_key(node));
    for (const struct param *p = row->params; p->kind; p++)
        if (!take_member(q, p, json_get(root, p->name), &left_out))
            return false;
    return true;
}

static bool take_body(struct asked *q, const struct route_row *row)
{
    struct err e = {0};
    if (!says_json(q->r))
        return refuse(q, 415, "send Content-Type: application/json");
    if (*q->r->query)
        return refuse(q, 400, "what this takes stands in the body, not in the query");
    struct json_doc *doc = json_parse(q->r->body, q->r->n_body, NULL, &e);
    bool taken = doc ? take_object(q, row, json_root(doc)) : refuse(q, 400, arena_printf(q->a, "the body: %s", e.text));
    json_free(doc);
    return taken;
}

/* --- the table --- */

/* Behind API_PATH: a name, or a name, a slash and one operand. *item: that operand as it was sent; NULL: none. */
static const struct route_row *find_row(const char *path, const char **item)
{
    size_t n = strcspn(path, "/");
    *item = path[n] == '/' ? path + n + 1 : NULL;
    for (size_t i = 0; i < N_ROWS; i++)
        if (strlen(rows[i].name) == n && strncmp(rows[i].name, path, n) == 0 && (!*item || rows[i].item))
            return &rows[i];
    return NULL;
}

static bool take_item(struct asked *q, const struct route_row *row, const char *item)
{
    const char *text = unescape(q->a, item, strlen(item), false);
    if (!text)
        return refuse(q, 400, "the path is not spelled as a URL's: %XX of UTF-8");
    if (*row->item)
        add_word(q, row->item);
    return add_operand(q, "what stands behind the slash", text);
}

static bool find(struct asked *q)
{
    const char *item = NULL;
    const struct route_row *row = find_row(q->r->path + strlen(API_PATH), &item);
    if (!row)
        return refuse(q, 404, "no route of the API has this path; the manual syncline-api lists them");
    bool head = strcmp(q->r->method, "HEAD") == 0 && strcmp(row->method, "GET") == 0;
    if (strcmp(q->r->method, row->method) != 0 && !head)
        return refuse(q, 405, arena_printf(q->a, "%s is asked by %s", row->name, row->method));
    q->call->lengthy = row->lengthy;
    q->call->deadline_ms = (row->lengthy ? LONG_S : SHORT_S) * 1000;
    for (size_t i = 0; i < 2 && row->words[i] && !(i && item); i++)
        add_word(q, row->words[i]);
    bool taken = strcmp(row->method, "POST") == 0 ? take_body(q, row)
                 : item                           ? take_query(q, row) && take_item(q, row, item)
                                                  : take_query(q, row);
    if (taken && !row->words[0])
        q->call->wake = q->operands[0];
    return taken;
}

bool api_plan(const struct api_door *door, const struct request *r, struct arena *a, struct api_call *out,
              struct answer *refusal)
{
    struct asked q = {.r = r, .a = a, .call = out};
    memset(out, 0, sizeof *out);
    if (let_in(&q, door) && find(&q)) {
        add_word(&q, "--");
        for (size_t i = 0; i < q.n_operands; i++)
            add_word(&q, q.operands[i]);
        return true;
    }
    static const struct request_header bearer = {"WWW-Authenticate", "Bearer"};
    struct buf text = {0};
    *refusal = api_error(r->number, q.status, q.why, &text);
    refusal->text = arena_dup(a, text.data, text.size);
    refusal->headers = &bearer;
    refusal->n_headers = q.status == 401;
    buf_fini(&text);
    return false;
}
