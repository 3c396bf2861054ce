/* SPDX-License-Identifier: MIT */
/* ask.c - requests to the API and what their answers say. */
#include <string.h>
#include <strings.h>

#include "rest.h"

void ask_header(struct ask *a, const char *name, const char *value)
{
    if (a->request.n_headers == sizeof(a->headers) / sizeof(*a->headers))
        return; /* check.c leaves room for what a request can have */
    a->headers[a->request.n_headers++] = (struct sl_header){name, value};
}

void ask_init(struct rest *r, struct ask *a, const char *method, const char *url)
{
    *a = (struct ask){.request = {.size = sizeof(a->request), .method = method, .url = url}};
    a->request.headers = a->headers;
    a->request.header_size = sizeof(*a->headers);
    bool accept = false;
    for (uint32_t i = 0; i < r->headers.n; i++) {
        ask_header(a, r->headers.at[i].name, r->headers.at[i].value);
        accept |= strcasecmp(r->headers.at[i].name, "accept") == 0;
    }
    if (!accept)
        ask_header(a, "Accept", "application/json");
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

bool answer_good(const struct sl_http_response *a, const struct statuses *ok)
{
    bool good = a->end == SL_HTTP_ANSWERED && a->status >= 200 && a->status <= 299;
    for (uint32_t i = 0; good && ok && i < ok->n; i++)
        if (ok->at[i] == a->status)
            return true;
    return good && !(ok && ok->n);
}

void answer_said(const struct sl_http_response *a, const char *what, char out[SAID_ROOM])
{
    if (a->message && *a->message)
        snprintf(out, SAID_ROOM, "%s: %s", what, a->message);
    else if (a->end == SL_HTTP_ANSWERED)
        snprintf(out, SAID_ROOM, "%s: the server answered %u: %.*s", what, a->status,
                 (int)(a->body_bytes < 300 ? a->body_bytes : 300), a->body);
    else
        snprintf(out, SAID_ROOM, "%s: the server did not answer; is it reachable?", what);
}

int answer_check(struct rest *r, const struct sl_http_response *a, const char *what)
{
    char said[SAID_ROOM];
    if (answer_good(a, NULL))
        return SL_OK;
    answer_said(a, what, said);
    int sl_class = a->end == SL_HTTP_NOT_SENT || a->end == SL_HTTP_NO_ANSWER ? SL_RETRY : (int)a->advice;
    return refuse(r, sl_class ? sl_class : SL_BROKEN, "%s", said);
}
