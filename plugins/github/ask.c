/* SPDX-License-Identifier: MIT */
/* ask.c - requests to GitHub, and what it means by an answer: a table of statuses and words, each a class and the next step. */
#include <string.h>

#include "github.h"

/* The secondary limit comes without a time to wait at times: a minute at least, says the manual. */
enum { SECONDARY_MS = 60000 };

void ask_header(struct ask *a, const char *name, const char *value)
{
    a->headers[a->request.n_headers++] = (struct sl_header){name, value};
}

void ask_init(struct github *g, struct ask *a, const char *method, const char *url)
{
    (void)g;
    *a = (struct ask){.request = {.size = sizeof(a->request), .method = method, .url = url}};
    a->request.headers = a->headers;
    a->request.header_size = sizeof(*a->headers);
    ask_header(a, "Accept", "application/vnd.github+json");
    ask_header(a, "X-GitHub-Api-Version", "2022-11-28");
}

const char *answer_header(const struct sl_http_response *a, const char *name)
{
    for (uint32_t i = 0; i < a->n_headers; i++) {
        const struct sl_header *h = (const void *)((const char *)(const void *)a->headers + (size_t)a->header_size * i);
        if (strcmp(h->name, name) == 0)
            return h->value;
    }
    return NULL;
}

bool answer_good(const struct sl_http_response *a)
{
    return a->end == SL_HTTP_ANSWERED && a->status >= 200 && a->status <= 299;
}

int ask_get(struct github *g, const char *url, const struct sl_http_response **a)
{
    struct ask ask;
    ask_init(g, &ask, "GET", url);
    return g->host->http(g->host->ctx, &ask.request, a);
}

/* --- what an answer means --- */

static const struct meaning {
    uint32_t status;
    const char *word; /* in the message; NULL: whatever it says */
    int sl_class;
    const char *next; /* behind what GitHub said */
} meanings[] = {
    {401, NULL, SL_AUTH, "the token has expired, was revoked or is mistyped: give a new one"},
    {403, "secondary rate limit", SL_RATE, "GitHub asks for a pause; it goes on by itself"},
    {403, "abuse detection", SL_RATE, "GitHub asks for a pause; it goes on by itself"},
    {403, "rate limit exceeded", SL_RATE, "the hour's requests are used up; it goes on by itself"},
    {403, "archived", SL_CONFIG,
     "an archived repository takes no writes: unarchive it, or take the pair out of the config"},
    {403, "locked", SL_REJECTED, "unlock the conversation on GitHub, then `syncline parked retry`"},
    {403, NULL, SL_AUTH, "give the token what it lacks"},
    {404, NULL, SL_GONE, "it is not there, or the token may not see it"},
    {410, "disabled", SL_CONFIG, "switch issues on in the repository's settings"},
    {410, NULL, SL_GONE, "it was deleted"},
    {422, NULL, SL_REJECTED, "correct the record"},
    {429, NULL, SL_RATE, "GitHub asks for a pause; it goes on by itself"},
};

static const struct meaning *meaning_of(const struct sl_http_response *a, const char *message)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++) {
        const struct meaning *m = &meanings[i];
        if (m->status == a->status && (!m->word || strcasestr(message, m->word)))
            return m;
    }
    return NULL;
}

/* One of the errors of a 422: "title is missing", "body is too long (maximum is 65536 characters)". */
static const char *error_text(struct github *g, const char *item, size_t n_bytes)
{
    struct node e;
    if (*item != '{' || !node_read(g, item, n_bytes, &e))
        return sl_pool_dup(&g->call, item, n_bytes < 200 ? n_bytes : 200);
    const char *field = node_text(&e, "field"), *code = node_text(&e, "code"), *message = node_text(&e, "message");
    const char *value = node_text(&e, "value");
    if (message)
        return message;
    if (field && value && strcmp(field, "assignees") == 0)
        return sl_pool_print(
            &g->call, "nobody called %.100s can be assigned there: correct his login in `users`, or give him access",
            value);
    return sl_pool_print(&g->call, "%s is %s%s%s", field ? field : "a field", code ? code : "refused",
                         value ? ": " : "", value ? value : "");
}

/* What GitHub says in the answer's body. */
static const char *said_in(struct github *g, const struct sl_http_response *a)
{
    struct node o;
    const char *item = NULL, *text = NULL;
    size_t n_bytes = 0;
    if (!node_read(g, a->body, a->body_bytes, &o) || !node_text(&o, "message"))
        return sl_pool_print(&g->call, "answered %u", a->status);
    text = node_text(&o, "message");
    const struct sl_value *errors = node_at(&o, "errors");
    const char *at = errors && errors->type == SL_JSON && errors->text[0] == '[' ? errors->text : "[]";
    const char *end = at + strlen(at);
    const char *all = NULL;
    while (sl_list_next(&at, end, &item, &n_bytes))
        all = sl_pool_print(&g->call, "%s%s%s", all ? all : "", all ? "; " : "", error_text(g, item, n_bytes));
    return all ? sl_pool_print(&g->call, "%s: %s", text, all) : text;
}

static int class_of_end(const struct sl_http_response *a)
{
    if (a->end == SL_HTTP_NOT_SENT || a->end == SL_HTTP_NO_ANSWER)
        return a->advice ? (int)a->advice : SL_RETRY;
    return a->advice ? (int)a->advice : SL_BROKEN;
}

int answer_class(struct github *g, const struct sl_http_response *a, const char *what, char out[SAID_ROOM],
                 int64_t *wait_ms)
{
    *wait_ms = a->retry_after_ms;
    if (a->end != SL_HTTP_ANSWERED) {
        snprintf(out, SAID_ROOM, "%s: %s", what, a->message && *a->message ? a->message : "GitHub did not answer");
        return class_of_end(a);
    }
    const char *message = said_in(g, a), *lacks = answer_header(a, "x-accepted-github-permissions");
    const struct meaning *m = meaning_of(a, message);
    int sl_class = m ? m->sl_class : class_of_end(a);
    if (a->status == 403 && sl_class == SL_AUTH && lacks)
        snprintf(out, SAID_ROOM, "%s: %s; give the token the permission %s", what, message, lacks);
    else
        snprintf(out, SAID_ROOM, "%s: %s%s%s", what, message, m ? "; " : "", m ? m->next : "");
    if (sl_class == SL_RATE && *wait_ms <= 0)
        *wait_ms = SECONDARY_MS;
    return sl_class;
}

int answer_check(struct github *g, const struct sl_http_response *a, const char *what)
{
    char said[SAID_ROOM];
    int64_t wait_ms = 0;
    if (answer_good(a))
        return SL_OK;
    int sl_class = answer_class(g, a, what, said, &wait_ms);
    return refuse(g, sl_class ? sl_class : SL_BROKEN, "%s", said);
}
