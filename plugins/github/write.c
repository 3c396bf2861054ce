/* SPDX-License-Identifier: MIT */
/* write.c - creating, changing, closing and deleting, one after the other with a pause between, an outcome as soon as it is known. */
#include <stdarg.h>
#include <string.h>

#include "github.h"

static void tell(struct job *j, struct sl_outcome o)
{
    o.size = sizeof(o);
    o.index = j->index;
    j->g->host->outcome(j->g->host->ctx, &o);
}

/* What is wrong with the connection is wrong with the next write, too; and whoever goes on while GitHub asks for a pause is banned. */
static void not_applied(struct job *j, int sl_class, const char *message, int64_t wait_ms)
{
    struct halt *h = j->halt;
    if (h->sl_class == 0 && (sl_class == SL_AUTH || sl_class == SL_CONFIG || sl_class == SL_RATE)) {
        h->sl_class = sl_class;
        h->wait_ms = wait_ms;
        snprintf(h->said, sizeof(h->said), "%s", message);
    }
    tell(j, (struct sl_outcome){.result = SL_NOT_APPLIED,
                                .error_class = (uint32_t)(sl_class ? sl_class : SL_BROKEN),
                                .message = message,
                                .retry_after_ms = wait_ms});
}

void job_refuse(struct job *j, int sl_class, const char *format, ...)
{
    char said[SAID_ROOM];
    va_list args;
    va_start(args, format);
    vsnprintf(said, sizeof(said), format, args);
    va_end(args);
    not_applied(j, sl_class, said, 0);
}

void job_refuse_answer(struct job *j, const struct sl_http_response *a)
{
    char said[SAID_ROOM];
    int64_t wait_ms = 0;
    int sl_class = answer_class(j->g, a, j->what, said, &wait_ms);
    not_applied(j, sl_class, said, wait_ms);
}

static void uncertain(struct job *j, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void uncertain(struct job *j, const char *format, ...)
{
    char said[SAID_ROOM];
    va_list args;
    va_start(args, format);
    vsnprintf(said, sizeof(said), format, args);
    va_end(args);
    tell(j, (struct sl_outcome){.result = SL_UNCERTAIN, .message = said});
}

/* "issue 12", "new issue \"Login loops\"", "new comment on issue 12". */
static const char *named(struct job *j)
{
    struct github *g = j->g;
    const struct sl_value *title = job_field(j, "title");
    if (j->w->id)
        return sl_pool_print(&g->call, "%s %.40s", j->t->one, j->w->id);
    if (j->t == &comments)
        return sl_pool_print(&g->call, "new comment on issue %.40s", j->w->parent_id ? j->w->parent_id : "(none)");
    return sl_pool_print(&g->call, "new issue \"%.*s\"",
                         is_empty(title) ? 0 : (int)(title->text_size < 80 ? title->text_size : 80),
                         is_empty(title) ? "" : title->text);
}

/* --- sending --- */

/* GitHub asks for a pause between two writes. */
static void wait_for_turn(struct github *g)
{
    int64_t now = g->host->now_ms(g->host->ctx), due = g->wrote_ms + g->pause_ms;
    if (g->wrote_ms && due > now && due - now <= g->pause_ms)
        g->host->sleep_ms(g->host->ctx, (uint32_t)(due - now));
}

static int send(struct job *j, const char *method, const char *url, const struct sl_value *fields, uint32_t n,
                const struct sl_http_response **a)
{
    struct github *g = j->g;
    struct ask ask;
    wait_for_turn(g);
    ask_init(g, &ask, method, url);
    if (fields) {
        ask.request.body = json_text(g, fields, n, &ask.request.body_bytes);
        ask_header(&ask, "Content-Type", "application/json");
    }
    int rc = g->host->http(g->host->ctx, &ask.request, a);
    g->wrote_ms = g->host->now_ms(g->host->ctx);
    return rc;
}

/* --- what came of it --- */

/* May the write have been carried out all the same? */
static bool doubtful(const struct sl_http_response *a)
{
    bool silent = a->end == SL_HTTP_NO_ANSWER || a->end == SL_HTTP_REFUSED;
    return silent || (a->end == SL_HTTP_ANSWERED && (a->status == 408 || a->status >= 500 || a->status < 200));
}

/* A redirect of a write is not followed: the repository has another name, or the issue is in another one. */
static bool was_moved(struct job *j, const struct sl_http_response *a)
{
    struct github *g = j->g;
    char said[SAID_ROOM];
    if (a->end != SL_HTTP_REFUSED || !a->message || !strstr(a->message, "not followed"))
        return false;
    int rc = repository_learn(g, said);
    if (rc != SL_OK)
        not_applied(j, rc, said, 0);
    else if (strcasecmp(g->repository.name, g->name) != 0)
        job_refuse(j, SL_CONFIG, "%s: repository %s is called %s now: put that into owner and repo", j->what, g->name,
                   g->repository.name);
    else
        job_refuse(j, SL_CONFLICT, "%s: was transferred to another repository: it is read again", j->what);
    return true;
}

static void tell_failure(struct job *j, const struct sl_http_response *a)
{
    struct github *g = j->g;
    char said[SAID_ROOM];
    int64_t wait_ms = 0;
    if (was_moved(j, a))
        return;
    int sl_class = answer_class(g, a, j->what, said, &wait_ms);
    if (doubtful(a)) {
        uncertain(j, "%s", said);
        return;
    }
    if (sl_class == SL_GONE && a->status == 404) { /* or is it the whole repository? */
        int rc = repository_learn(g, said);
        sl_class = rc == SL_OK ? SL_GONE : rc;
    }
    if (sl_class == SL_GONE && j->w->kind == SL_CREATE)
        sl_class = SL_REJECTED; /* the issue it belongs to */
    not_applied(j, sl_class, said, wait_ms);
}

static bool same(const struct sl_value *x, const struct sl_value *y)
{
    if (is_empty(x) || is_empty(y))
        return is_empty(x) == is_empty(y);
    return x->text_size == y->text_size && strncasecmp(x->text, y->text, x->text_size) == 0;
}

static bool same_set(const struct sl_value *x, const struct sl_value *y)
{
    for (uint32_t i = 0; i < x->n_items; i++) {
        uint32_t k = 0;
        while (k < y->n_items && !same(sl_value_at(x->items, x->item_size, i), sl_value_at(y->items, y->item_size, k)))
            k++;
        if (k == y->n_items)
            return false;
    }
    return true;
}

/* Without push access these are dropped, and the answer is a success all the same. */
static void warn_dropped(struct job *j, const struct sl_record *r)
{
    static const char *const names[] = {"labels", "assignee", "milestone", "type"};
    struct github *g = j->g;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names) && !g->warned_dropped; i++) {
        const struct sl_value *want = job_field(j, names[i]), *is = record_field(r, names[i]);
        if (is_empty(want) || !is || (want->type == SL_SET ? same_set(want, is) : same(want, is)))
            continue;
        g->warned_dropped = true;
        g->host->log(
            g->host->ctx, SL_LOG_WARN,
            sl_pool_print(&g->call,
                          "%s: GitHub took it without its %s: the token's user has no push access to %s: give it "
                          "the role write (fine-grained: Issues, read and write)",
                          j->what, names[i], g->name));
    }
}

/* 2xx is carried out; with the record only if the answer is the whole of it, and that very one. */
static void tell_applied(struct job *j, const struct sl_http_response *a)
{
    struct told t;
    bool read = record_read(j->g, j->t, a->body, a->body_bytes, &t) && (!j->w->id || strcmp(t.id, j->w->id) == 0);
    if (read) {
        warn_dropped(j, &t.record);
        tell(j, (struct sl_outcome){.result = SL_APPLIED, .record = &t.record});
    } else if (j->w->kind == SL_CREATE) {
        uncertain(j, "%s: was taken, and the answer does not tell its number: it is looked up", j->what);
    } else {
        tell(j, (struct sl_outcome){.result = SL_APPLIED});
    }
}

static int finish(struct job *j, const struct sl_http_response *a)
{
    if (answer_good(a))
        tell_applied(j, a);
    else
        tell_failure(j, a);
    return SL_OK;
}

/* --- the kinds of writes --- */

/* An issue created for a closed one: until it is closed as well it is no whole create, and is looked up. */
static int close_new(struct job *j, const struct sl_http_response *created)
{
    struct github *g = j->g;
    const struct sl_http_response *a = NULL;
    struct sl_value fields[FIELDS_MOST];
    uint32_t n = 0;
    struct told t;
    const struct sl_value *status = job_field(j, "status");
    if (is_empty(status) || strcmp(status->text, "closed") != 0)
        return finish(j, created);
    if (!record_read(g, j->t, created->body, created->body_bytes, &t) || !put_fields(j, true, fields, &n))
        return finish(j, created);
    int rc = send(j, "PATCH", thing_path(g, j->t, t.id), fields, n, &a);
    if (rc == SL_OK && answer_good(a))
        return finish(j, a);
    uncertain(j, "%s: was created as %s and not closed yet: it is looked up, and then closed", j->what, t.id);
    return rc;
}

static int create(struct job *j)
{
    struct github *g = j->g;
    const struct sl_http_response *a = NULL;
    struct sl_value fields[FIELDS_MOST];
    uint32_t n = 0;
    const char *url = sl_pool_print(&g->call, "%s/issues", g->home);
    if (j->t == &comments) {
        const char *parent = j->w->parent_id ? thing_path(g, &issues, j->w->parent_id) : NULL;
        if (!parent) {
            job_refuse(j, SL_REJECTED, "%s: it names no issue that it belongs to: one is created first", j->what);
            return SL_OK;
        }
        url = sl_pool_print(&g->call, "%s/comments", parent);
    }
    if (!put_fields(j, false, fields, &n))
        return SL_OK;
    int rc = send(j, "POST", url, fields, n, &a);
    if (rc != SL_OK)
        return rc;
    return j->t == &issues && answer_good(a) ? close_new(j, a) : finish(j, a);
}

static int update(struct job *j)
{
    const struct sl_http_response *a = NULL;
    struct sl_value fields[FIELDS_MOST];
    uint32_t n = 0;
    if (!put_fields(j, false, fields, &n))
        return SL_OK;
    int rc = send(j, "PATCH", thing_path(j->g, j->t, j->w->id), fields, n, &a);
    return rc == SL_OK ? finish(j, a) : rc;
}

/*
 * An issue is never deleted: it is closed as not planned, with a line in its body that nobody sees. From then on it is not listed, until
 * somebody opens it again.
 */
static int archive(struct job *j)
{
    struct github *g = j->g;
    const struct sl_http_response *a = NULL;
    struct node o;
    struct sl_value fields[] = {text_value("state", "closed"), text_value("state_reason", "not_planned"),
                                text_value("body", marker_away)};
    int rc = ask_get(g, thing_path(g, j->t, j->w->id), &a);
    if (rc != SL_OK)
        return rc;
    if (!answer_good(a) || !node_read(g, a->body, a->body_bytes, &o)) {
        job_refuse_answer(j, a);
        return SL_OK;
    }
    const char *old = node_text(&o, "body");
    if (old && *old)
        fields[2] =
            text_value("body", strstr(old, marker_away) ? old : sl_pool_print(&g->call, "%s\n\n%s", old, marker_away));
    rc = send(j, "PATCH", thing_path(g, j->t, j->w->id), fields, 3, &a);
    return rc == SL_OK ? finish(j, a) : rc;
}

static int take_away(struct job *j)
{
    const struct sl_http_response *a = NULL;
    int rc = send(j, "DELETE", thing_path(j->g, j->t, j->w->id), NULL, 0, &a);
    if (rc != SL_OK)
        return rc;
    if (answer_good(a))
        tell(j, (struct sl_outcome){.result = SL_APPLIED});
    else
        tell_failure(j, a);
    return SL_OK;
}

static const struct {
    uint32_t kind;
    uint64_t cap;
    int (*carry_out)(struct job *j);
} kinds[] = {
    {SL_CREATE, SL_CAP_CREATE, create},
    {SL_UPDATE, SL_CAP_UPDATE, update},
    {SL_ARCHIVE, SL_CAP_ARCHIVE, archive},
    {SL_DELETE, SL_CAP_DELETE, take_away},
};

static int carry_out(struct job *j)
{
    if (j->w->kind != SL_CREATE && !thing_path(j->g, j->t, j->w->id ? j->w->id : "")) {
        job_refuse(j, SL_GONE, "%s: is no number that GitHub gives out", j->what);
        return SL_OK;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (kinds[i].kind == j->w->kind && (j->t->caps & kinds[i].cap))
            return kinds[i].carry_out(j);
    job_refuse(j, SL_UNSUPPORTED, "%s: GitHub does not offer that: set deletes to unlink or archive", j->what);
    return SL_OK;
}

/* One after the other: GitHub asks for it, and the comments of an issue keep their order. */
int github_write(void *session, const struct sl_batch *batch)
{
    struct github *g = session;
    call_begin(g);
    const struct thing *t = thing_find(g, batch->object);
    struct halt halt = {0};
    int rc = t ? SL_OK : SL_CONFIG;
    for (uint32_t i = 0; i < batch->n_writes && rc == SL_OK; i++) {
        struct job j = {.g = g, .t = t, .w = sl_write_at(batch, i), .index = i, .halt = &halt};
        j.what = named(&j);
        if (halt.sl_class)
            not_applied(&j, halt.sl_class, halt.said, halt.wait_ms);
        else if (g->host->stopping(g->host->ctx))
            job_refuse(&j, SL_RETRY, "%s: not sent, for this run ends here: a later run sends it", j.what);
        else
            rc = carry_out(&j);
        g->host->json_free(g->host->ctx);
    }
    return rc;
}
