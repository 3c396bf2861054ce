/* SPDX-License-Identifier: MIT */
/* job.c - many updates as one job of the API's, asked for until it ends, and each row's own outcome read out of it. */
#include <string.h>

#include "zendesk.h"

#define ASKS_MOST 240u
#define PAUSE_MS 500u

static void end_all(struct job_row *rows, uint32_t n, enum job_end end, const char *message)
{
    for (uint32_t i = 0; i < n; i++)
        if (!rows[i].end) {
            rows[i].end = end;
            rows[i].message = message;
        }
}

static char *body_of(struct desk *d, const struct job_row *rows, uint32_t n, size_t *n_bytes)
{
    struct sl_bytes out = {0};
    sl_bytes_text(&out, "{\"tickets\":[");
    for (uint32_t i = 0; i < n; i++) {
        bool more = strcmp(rows[i].body, "{}") != 0;
        sl_bytes_text(&out, sl_pool_print(&d->call, "%s{\"id\":%s%s%s", i ? "," : "", rows[i].id, more ? "," : "",
                                          rows[i].body + 1));
    }
    sl_bytes_text(&out, "]}");
    char *text = sl_pool_dup(&d->call, out.data, out.size);
    *n_bytes = out.size;
    sl_bytes_free(&out);
    return text;
}

static uint32_t class_of_row(const char *error)
{
    static const struct {
        const char *part;
        uint32_t sl_class;
    } known[] = {
        {"Conflict", SL_CONFLICT}, {"RecordNotFound", SL_GONE}, {"RateLimit", SL_RATE}, {"Forbidden", SL_AUTH}};
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (strstr(error, known[i].part))
            return known[i].sl_class;
    return SL_REJECTED;
}

/* A completed job says nothing of its rows: each tells for itself, in any order. */
static void take_row(struct desk *d, const struct object *o, struct job_row *rows, uint32_t n)
{
    int64_t id = 0, index = -1;
    uint32_t i = 0;
    const struct sl_value *success = doc_member(o, "success");
    char text[NUMBER_ROOM] = "";
    if (doc_number(o, "id", &id))
        snprintf(text, sizeof(text), "%lld", (long long)id);
    while (i < n && strcmp(rows[i].id, text) != 0)
        i++;
    if (i == n && !id && doc_number(o, "index", &index) && index >= 0 && index < n)
        i = (uint32_t)index;
    if (i == n || rows[i].end)
        return;
    const char *error = doc_text(o, "error"), *said = answer_words(d, o);
    if (success && success->type == SL_BOOL && success->number) {
        rows[i].end = JOB_DONE;
        return;
    }
    rows[i].end = JOB_REFUSED;
    rows[i].sl_class = class_of_row(error ? error : "");
    rows[i].message = said ? said : "the job did not carry it out and does not say why; it is tried alone";
}

static bool take_status(struct desk *d, const struct object *o, struct job_row *rows, uint32_t n)
{
    struct object job, row;
    const char *at = NULL, *end = NULL, *status = doc_inner(d, o, "job_status", &job) ? doc_text(&job, "status") : NULL;
    bool over =
        status && (strcmp(status, "completed") == 0 || strcmp(status, "failed") == 0 || strcmp(status, "killed") == 0);
    if (!over)
        return false;
    if (doc_list(&job, "results", &at, &end))
        while (doc_next_object(d, &at, end, &row))
            take_row(d, &row, rows, n);
    end_all(rows, n, JOB_UNSURE, "the job ended and says nothing of this ticket: it is read again");
    return true;
}

static int follow(struct desk *d, const char *id, struct job_row *rows, uint32_t n)
{
    struct object o;
    char *url = sl_pool_print(&d->call, "/job_statuses/%s", id);
    for (uint32_t i = 0; i < ASKS_MOST && !d->host->stopping(d->host->ctx); i++) {
        if (ask_get(d, url, "asking how a job goes", &o) != SL_OK)
            break;
        if (take_status(d, &o, rows, n))
            return SL_OK;
        d->host->sleep_ms(d->host->ctx, PAUSE_MS);
    }
    end_all(rows, n, JOB_UNSURE, "the job may still be under way: the ticket is read again");
    return SL_OK;
}

int job_run(struct desk *d, struct job_row *rows, uint32_t n)
{
    struct ask ask;
    struct object o, job;
    const struct sl_http_response *a = NULL;
    size_t n_bytes = 0;
    ask_init(d, &ask, "PUT", "/tickets/update_many");
    char *body = body_of(d, rows, n, &n_bytes);
    ask_body(&ask, body, n_bytes);
    int rc = d->host->http(d->host->ctx, &ask.request, &a);
    if (rc != SL_OK)
        return rc;
    if (!answer_good(a) && !answer_doubtful(a))
        return SL_OK; /* too many jobs, or none on this plan: one by one, then */
    const char *id =
        answer_good(a) && doc_object(d, a->body, a->body_bytes, &o, NULL) && doc_inner(d, &o, "job_status", &job)
            ? doc_text(&job, "id")
            : NULL;
    if (id)
        return follow(d, id, rows, n);
    end_all(rows, n, JOB_UNSURE, "the answer to a job was lost: the ticket is read again");
    return SL_OK;
}
