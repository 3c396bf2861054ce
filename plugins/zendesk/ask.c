/* SPDX-License-Identifier: MIT */
/* ask.c - requests to the API, and what its answers and its four kinds of error say. */
#include <string.h>

#include "zendesk.h"

void ask_init(struct desk *d, struct ask *a, const char *method, const char *path)
{
    char *url = sl_pool_print(&d->call, "%s%s", d->prefix, path);
    *a = (struct ask){.request = {.size = sizeof(a->request), .method = method, .url = url}};
    a->request.headers = a->headers;
    a->request.header_size = sizeof(*a->headers);
    a->headers[a->request.n_headers++] = (struct sl_header){"Accept", "application/json"};
}

void ask_body(struct ask *a, const char *body, size_t n_bytes)
{
    a->request.body = body;
    a->request.body_bytes = n_bytes;
    a->headers[a->request.n_headers++] = (struct sl_header){"Content-Type", "application/json"};
}

static void add_encoded(struct sl_bytes *out, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (; *text; text++) {
        char code[4];
        snprintf(code, sizeof(code), "%%%02X", (unsigned char)*text);
        sl_bytes_add(out, strchr(plain, *text) ? text : code, strchr(plain, *text) ? 1 : 3);
    }
}

char *url_query(struct desk *d, const char *url, const char *name, const char *value)
{
    struct sl_bytes out = {0};
    sl_bytes_text(&out, url);
    sl_bytes_text(&out, strchr(url, '?') ? "&" : "?");
    add_encoded(&out, name);
    sl_bytes_text(&out, "=");
    add_encoded(&out, value);
    char *text = sl_pool_dup(&d->call, out.data, out.size);
    sl_bytes_free(&out);
    return text;
}

bool answer_good(const struct sl_http_response *a)
{
    return a->end == SL_HTTP_ANSWERED && a->status >= 200 && a->status <= 299;
}

const struct sl_http_response *answer_at(const struct sl_http_response *answers, uint32_t size, uint32_t i)
{
    return (const void *)((const char *)(const void *)answers + (size_t)size * i);
}

bool number_good(const char *id)
{
    size_t n = strspn(id, "0123456789");
    return n > 0 && n < 19 && !id[n];
}

/* --- what an error says --- */

const char *answer_error(struct desk *d, const struct sl_http_response *a)
{
    struct object o, inner;
    const char *at = NULL, *end = NULL, *word = NULL;
    if (a->end != SL_HTTP_ANSWERED || !doc_object(d, a->body, a->body_bytes, &o, NULL))
        return "";
    word = doc_text(&o, "error");
    if (!word && doc_inner(d, &o, "error", &inner))
        word = doc_text(&inner, "title");
    if (!word && doc_list(&o, "errors", &at, &end) && doc_next_object(d, &at, end, &inner))
        word = doc_text(&inner, "code");
    return word ? word : "";
}

static void add_part(struct sl_bytes *out, const char *text)
{
    if (!text || !*text)
        return;
    sl_bytes_text(out, out->size ? "; " : "");
    sl_bytes_text(out, text);
}

/* {"details": {"FIELD": [{"description"}]}}: each field's own sentence. */
static void add_details(struct desk *d, const struct object *o, struct sl_bytes *out)
{
    struct object details, one;
    if (!doc_inner(d, o, "details", &details))
        return;
    for (uint32_t i = 0; i < details.n; i++) {
        const char *name = sl_value_at(details.fields, details.size, i)->name, *at = NULL, *end = NULL;
        if (!doc_list(&details, name, &at, &end))
            continue;
        while (doc_next_object(d, &at, end, &one))
            add_part(out, doc_text(&one, "description"));
    }
}

static void add_said(struct desk *d, const struct object *o, struct sl_bytes *out)
{
    struct object inner;
    const char *at = NULL, *end = NULL;
    add_details(d, o, out);
    if (!out->size)
        add_part(out, doc_text(o, "description"));
    if (!out->size)
        add_part(out, doc_text(o, "error"));
    if (doc_inner(d, o, "error", &inner))
        add_part(out, doc_text(&inner, "message"));
    if (doc_list(o, "errors", &at, &end))
        while (doc_next_object(d, &at, end, &inner))
            add_part(out, doc_text(&inner, doc_text(&inner, "detail") ? "detail" : "title"));
}

const char *answer_words(struct desk *d, const struct object *o)
{
    struct sl_bytes said = {0};
    add_said(d, o, &said);
    const char *text = said.size ? sl_pool_dup(&d->call, said.data, said.size) : NULL;
    sl_bytes_free(&said);
    return text;
}

void answer_said(struct desk *d, const struct sl_http_response *a, const char *what, char out[SAID_ROOM])
{
    struct object o;
    const char *words = NULL;
    if (a->end == SL_HTTP_ANSWERED && doc_object(d, a->body, a->body_bytes, &o, NULL))
        words = answer_words(d, &o);
    if (words)
        snprintf(out, SAID_ROOM, "%s: Zendesk answers %u: %.500s", what, a->status, words);
    else if (a->message && *a->message)
        snprintf(out, SAID_ROOM, "%s: %s", what, a->message);
    else if (a->end == SL_HTTP_ANSWERED)
        snprintf(out, SAID_ROOM, "%s: Zendesk answers %u", what, a->status);
    else
        snprintf(out, SAID_ROOM, "%s: Zendesk did not answer; is it reachable?", what);
}

bool answer_not_found(struct desk *d, const struct sl_http_response *a)
{
    return a->end == SL_HTTP_ANSWERED && a->status == 404 && strcmp(answer_error(d, a), "RecordNotFound") == 0;
}

bool answer_doubtful(const struct sl_http_response *a)
{
    bool silent = a->end == SL_HTTP_NO_ANSWER || a->end == SL_HTTP_REFUSED;
    bool passing = a->advice == SL_RETRY && (a->status == 408 || a->status >= 500);
    bool odd = (a->status >= 200 && a->status <= 299) || a->status >= 600 || a->status < 200;
    return silent || (a->end == SL_HTTP_ANSWERED && (passing || odd));
}

/* What a person can do about it, beside what Zendesk says. */
static const struct {
    uint32_t status;
    const char *error, *hint; /* error NULL: any */
} hints[] = {
    {401, NULL, "; give another token, or the e-mail address that the API token belongs to"},
    {403, NULL,
     "; the token's user must be an admin, and an OAuth token needs the scopes tickets:read, tickets:write and "
     "users:read"},
    {404, "InvalidEndpoint", "; this plan of Zendesk does not have it, or `subdomain` or `base_url` leads elsewhere"},
};

static const char *hint_for(struct desk *d, const struct sl_http_response *a)
{
    for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++)
        if (a->end == SL_HTTP_ANSWERED && a->status == hints[i].status &&
            (!hints[i].error || strcmp(hints[i].error, answer_error(d, a)) == 0))
            return hints[i].hint;
    /* A 404 in none of its envelopes is not Zendesk's. */
    if (a->end == SL_HTTP_ANSWERED && a->status == 404 && !*answer_error(d, a))
        return "; there is no Zendesk at this address: correct `subdomain` or `base_url`";
    return "";
}

static uint32_t class_of(struct desk *d, const struct sl_http_response *a)
{
    if (a->end == SL_HTTP_NOT_SENT || a->end == SL_HTTP_NO_ANSWER)
        return SL_RETRY;
    if (a->end == SL_HTTP_ANSWERED && a->status == 404 && !answer_not_found(d, a))
        return SL_CONFIG;
    return a->advice ? a->advice : SL_BROKEN;
}

int answer_object(struct desk *d, const struct sl_http_response *a, const char *what, struct object *out)
{
    char said[SAID_ROOM];
    const char *why = NULL;
    if (!answer_good(a)) {
        answer_said(d, a, what, said);
        return refuse(d, (int)class_of(d, a), "%s%s", said, hint_for(d, a));
    }
    if (!doc_object(d, a->body, a->body_bytes, out, &why))
        return refuse(d, SL_BROKEN, "%s: the answer is no JSON object: %s; is there a proxy between?", what, why);
    return SL_OK;
}

int ask_get(struct desk *d, const char *url, const char *what, struct object *out)
{
    struct ask ask;
    const struct sl_http_response *a = NULL;
    ask_init(d, &ask, "GET", url);
    int rc = d->host->http(d->host->ctx, &ask.request, &a);
    return rc == SL_OK ? answer_object(d, a, what, out) : rc;
}

/* --- outcomes and items --- */

static void tell(struct desk *d, uint32_t index, const struct sl_outcome *o)
{
    struct sl_outcome full = *o;
    full.size = sizeof(full);
    full.index = index;
    d->host->outcome(d->host->ctx, &full);
}

void outcome_refused(struct desk *d, uint32_t index, uint32_t sl_class, const char *message)
{
    tell(d, index, &(struct sl_outcome){.result = SL_NOT_APPLIED, .error_class = sl_class, .message = message});
}

void outcome_uncertain(struct desk *d, uint32_t index, const char *message)
{
    tell(d, index, &(struct sl_outcome){.result = SL_UNCERTAIN, .message = message});
}

void outcome_failed(struct desk *d, uint32_t index, const struct sl_http_response *a, const char *what)
{
    char said[SAID_ROOM];
    const char *closed = strstr(a->body ? a->body : "", "closed prevents");
    answer_said(d, a, what, said);
    if (answer_doubtful(a)) {
        outcome_uncertain(d, index, said);
        return;
    }
    const char *hint = closed && a->status == 422
                           ? "; it is closed for ever: unlink it, and go on in a follow-up ticket"
                           : hint_for(d, a);
    tell(d, index,
         &(struct sl_outcome){.result = SL_NOT_APPLIED,
                              .error_class = class_of(d, a),
                              .message = sl_pool_print(&d->call, "%s%s", said, hint),
                              .retry_after_ms = a->retry_after_ms});
}

int emit_gone(struct desk *d, const char *id)
{
    struct sl_item item = {.size = sizeof(item), .kind = SL_ITEM_TOMBSTONE, .id = id};
    return d->host->emit(d->host->ctx, &item) ? SL_BROKEN : SL_OK;
}

int emit_unreadable(struct desk *d, const char *id, const char *why)
{
    struct sl_item item = {
        .size = sizeof(item), .kind = SL_ITEM_UNREADABLE, .id = id, .error_class = SL_REJECTED, .message = why};
    return d->host->emit(d->host->ctx, &item) ? SL_BROKEN : SL_OK;
}
