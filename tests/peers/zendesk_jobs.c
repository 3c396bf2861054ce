/* SPDX-License-Identifier: MIT */
/* zendesk_jobs.c - the profile zendesk's jobs: many tickets changed at once, an outcome for each, told to whoever asks later. */
#include <stdio.h>
#include <string.h>

#include "zendesk.h"

enum { ROWS_MOST = 100 };

static void change_one(struct peer *p, const struct json *input, size_t index, struct buf *out)
{
    const struct json *id = json_get(input, "id");
    struct record *r = id ? record_find(p, json_text(id, NULL)) : NULL;
    struct answer a = {.status = 200};
    if (!r || record_now(r)->gone || record_hidden(p, r))
        zd_error(&a, 404, "RecordNotFound", "Not found");
    else
        zd_change(p, r, input, &a);
    buf_printf(out, "{\"index\":%zu,\"id\":%s,\"action\":\"update\"", index, id ? json_text(id, NULL) : "0");
    if (a.status == 200) {
        buf_text(out, ",\"status\":\"Updated\",\"success\":true}");
    } else {
        a.body.data[a.body.size - 1] = '\0'; /* its members among ours */
        buf_printf(out, ",\"status\":\"Failed\",\"success\":false,%s}", a.body.data + 1);
    }
    buf_fini(&a.body);
}

static struct zd_job *job_new(struct peer *p, size_t n)
{
    struct zendesk *z = zd(p);
    z->jobs = mem_grow(z->jobs, (z->n_jobs + 1) * sizeof *z->jobs);
    struct zd_job *job = &z->jobs[z->n_jobs++];
    *job = (struct zd_job){.total = (int64_t)n, .asks = z->job_asks};
    snprintf(job->id, sizeof job->id, "job-%zu", z->n_jobs);
    return job;
}

static void put_job(const struct zd_job *job, bool completed, struct buf *out)
{
    buf_printf(out, "{\"job_status\":{\"id\":\"%s\",\"job_type\":\"Bulk Update Ticket\",\"total\":%lld,", job->id,
               (long long)job->total);
    if (completed)
        buf_printf(out, "\"progress\":%lld,\"status\":\"completed\",\"message\":\"Completed\",\"results\":%s}}",
                   (long long)job->total, job->results);
    else
        buf_text(out, "\"progress\":0,\"status\":\"working\",\"message\":null,\"results\":null}}");
}

/* Outcomes are told in another order than the rows; one may be left out. */
static void carry_out(struct peer *p, struct zd_job *job, const struct json *rows, size_t n)
{
    struct buf out = {0}, *one = mem_alloc((n + 1) * sizeof *one);
    const struct json *row = json_first(rows);
    bool left_out = struck(p, KNOB_OUTCOME_OUT);
    for (size_t i = 0; i < n; i++, row = json_next(row))
        change_one(p, row, i, &one[i]);
    buf_byte(&out, '[');
    for (size_t i = n; i-- > 0;) {
        if (!left_out || i + 1 < n)
            buf_printf(&out, "%s%s", out.size > 1 ? "," : "", one[i].data);
        buf_fini(&one[i]);
    }
    buf_byte(&out, ']');
    mem_free(one);
    job->results = out.data;
}

void zd_update_many(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    const struct json *rows = NULL;
    struct json_doc *doc = zd_body(q, "tickets", &rows, a);
    size_t n = doc ? json_count(rows) : 0;
    (void)id;
    if (doc && n > ROWS_MOST) {
        zd_bad(a, "TooManyRows", "at most 100 tickets");
    } else if (doc && zd(p)->jobs_most < 0) {
        zd_error(a, 422, "TooManyJobs", "This account has too many jobs queued or running"); /* 429 waits by itself */
    } else if (doc) {
        bool half = struck(p, KNOB_HALF_BATCH);
        struct zd_job *job = job_new(p, n);
        carry_out(p, job, rows, half ? n / 2 : n);
        put_job(job, false, &a->body);
        a->dropped = half;
    }
    json_free(doc);
}

void zd_job(struct peer *p, struct request *q, const char *id, struct answer *a)
{
    struct zendesk *z = zd(p);
    (void)q;
    for (size_t i = 0; i < z->n_jobs; i++)
        if (is(z->jobs[i].id, id)) {
            put_job(&z->jobs[i], z->jobs[i].asks-- <= 0, &a->body);
            return;
        }
    zd_error(a, 404, "RecordNotFound", "Not found");
}
