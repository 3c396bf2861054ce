/* SPDX-License-Identifier: MIT */
/* status.c - `status`: what is in step, what is not and why, pair by pair. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/view.h"
#include "daemon/board.h"
#include "daemon/claim.h"

static long daemon_pid; /* of `run` on this state; 0: none is at work */
static const char *hooks_trouble; /* the last thing that is wrong with webhooks */
static const char *refused; /* why it does not take the config in as it is now; NULL: it does */
static struct buf board; /* what it plans for each pair */
static const struct trouble_row *runners; /* and of connections whose runners die */
static bool disk_full;

/* When a pair runs next. */
struct next {
    bool known, running;
    const char *at; /* NULL: never by itself, or it runs now */
    unsigned failures; /* in a row */
};

/* Children run right behind their parent. Without a daemon it is what `every` says. */
static struct next next_run(struct cli *c, const struct conf_pair *pair, int64_t last_ms)
{
    const struct conf_pair *p = pair->parent ? pair->parent : pair;
    struct board_row row;
    struct next next = {0};
    if (daemon_pid && board_find(&board, (size_t)(p - c->conf->pairs), p->name, &row)) {
        next = (struct next){true, row.running, NULL, row.failures};
        if (!row.running && row.due_ms != INT64_MAX)
            next.at = out_time(&c->arena, clock_now_ms() + row.due_ms - clock_boot_ms());
    } else if (!daemon_pid && p->every_ms > 0) {
        next.at = last_ms ? out_time(&c->arena, last_ms + p->every_ms) : "now";
    }
    return next;
}

/* A change made before the last good run began is on the other side, or waits and is counted. -1: there was none. */
static int64_t lag_s(int64_t last_ms)
{
    int64_t now = clock_now_ms();
    return !last_ms ? -1 : now > last_ms ? (now - last_ms) / 1000 : 0;
}

static const char *last_text(const struct status_counts *n, const char *key, struct arena *a)
{
    struct err ignored = {0};
    if (!n->last.json)
        return NULL;
    struct json_doc *doc = json_parse(n->last.json, strlen(n->last.json), NULL, &ignored);
    const struct json *node = doc ? json_get(json_root(doc), key) : NULL;
    const char *text = node ? arena_text(a, json_text(node, NULL)) : NULL;
    json_free(doc);
    return text;
}

static void print_json(struct cli *c, const struct conf_pair *pair, const struct status_counts *n, const char *run)
{
    struct buf b = {0};
    struct next next = next_run(c, pair, n->last.at_ms);
    out_begin(&b);
    out_text(&b, "pair", pair->name);
    out_number(&b, "in_step", (int64_t)n->in_step);
    out_number(&b, "excluded", (int64_t)n->excluded);
    out_number(&b, "conflicts", (int64_t)n->conflicts);
    out_number(&b, "parked", (int64_t)n->parked);
    out_number(&b, "withheld", (int64_t)n->withheld);
    out_number(&b, "pending", (int64_t)n->pending);
    out_number(&b, "unlinked", (int64_t)n->unlinked);
    out_bool(&b, "review", run && n->undecided);
    out_text(&b, "last_run", run);
    out_text(&b, "last_run_at", run ? out_time(&c->arena, n->last.at_ms) : NULL);
    out_text(&b, "next_run", next.at);
    out_bool(&b, "running", next.running);
    out_number(&b, "failures", next.failures);
    out_count(&b, "lag_s", lag_s(n->last.at_ms));
    out_text(&b, "last_error", pair_last_error(c, pair));
    view_json(&b, c->conf, pair, runners);
    out_bool(&b, "disk_full", disk_full);
    out_count(&b, "daemon", daemon_pid ? daemon_pid : -1);
    out_text(&b, "config_refused", refused);
    out_text(&b, "hooks_trouble", hooks_trouble);
    out_end(&b);
    buf_fini(&b);
}

/* What the schedule has with it; a pair that is only run by hand has nothing to tell. */
static void print_next(struct cli *c, const struct conf_pair *pair, int64_t last_ms)
{
    struct next next = next_run(c, pair, last_ms);
    int64_t lag = lag_s(last_ms);
    if (next.running)
        printf("    runs now");
    else if (next.at)
        printf("    next run %s%s", next.at, next.known ? "" : ", if `syncline run` is started");
    else
        return;
    if (lag >= 0)
        printf("; lag %" PRId64 " s", lag);
    if (next.failures)
        printf("; %u runs in a row failed", next.failures);
    printf("\n");
}

static void print_error(const char *error)
{
    if (error)
        printf("    its last run did not come to its end: %s\n", error);
}

static void print_text(struct cli *c, const struct conf_pair *pair, const struct status_counts *n, const char *change,
                       const char *run)
{
    printf("%s: %" PRIu64 " in step", pair->name, n->in_step);
    const struct {
        uint64_t count;
        const char *word;
    } rest[] = {{n->excluded, "excluded"},         {n->conflicts, "in conflict"}, {n->parked, "parked"},
                {n->withheld, "deletes withheld"}, {n->pending, "pending"},       {n->unlinked, "unlinked"}};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
        if (rest[i].count)
            printf(", %" PRIu64 " %s", rest[i].count, rest[i].word);
    printf("\n");
    if (change)
        printf("    last change %s (run %s)\n", out_time(&c->arena, ulid_time_ms(change)), change);
    if (run && !text_equal(run, change))
        printf("    last run %s (run %s)\n", out_time(&c->arena, n->last.at_ms), run);
    if (run && n->undecided)
        printf("    its first run waits for you: look at `syncline plan %s`, then `syncline approve %s --first-run`\n",
               pair->name, pair->name);
    if (n->conflicts)
        printf("    see `syncline conflicts list`\n");
    if (n->parked)
        printf("    see `syncline parked list`\n");
    if (n->withheld)
        printf("    look at the other side, then `syncline approve %s --deletes %" PRIu64 "`\n", pair->name,
               n->withheld);
}

static int status_one(struct cli *c, struct conf_pair *pair)
{
    struct pair_open open;
    struct status_counts n = {0};
    if (pair_open(c, pair, OPEN_READ, &open))
        return err_exit(&c->err);
    if (!open.store && !c->json) {
        printf("%s: never ran; `syncline plan %s` shows what a first run would do\n", pair->name, pair->name);
        print_next(c, pair, 0);
        print_error(pair_last_error(c, pair));
        return 0;
    }
    if (open.store && act_status(open.store, &c->arena, &n, &c->err)) {
        pair_close(&open);
        return err_exit(&c->err);
    }
    const char *change = last_text(&n, "run", &c->arena), *run = pair_last_run(c, pair);
    if (!run || (change && strcmp(change, run) > 0)) /* ULIDs stand in the order of time */
        run = change;
    n.last.at_ms = ulid_time_ms(run);
    if (c->json)
        print_json(c, pair, &n, run);
    else
        print_text(c, pair, &n, change, run);
    if (!c->json) {
        print_next(c, pair, n.last.at_ms);
        print_error(pair_last_error(c, pair));
    }
    pair_close(&open);
    return n.conflicts || n.parked || n.withheld || (run && n.undecided) ? 3 : 0;
}

static void print_daemon(void)
{
    if (daemon_pid)
        printf("`syncline run` is at work (process %ld)\n", daemon_pid);
    if (refused)
        printf("    it works by the config as it was; the edited one is refused:\n%s%s", refused,
               refused[strlen(refused) - 1] == '\n' ? "" : "\n");
    if (hooks_trouble)
        printf("    %s\n", hooks_trouble);
}

int cmd_status(struct cli *c)
{
    if (cli_options(c, NULL, 0) || cli_conf(c))
        return 2;
    daemon_pid = claim_look(c->conf->state, &c->conf->arena, &refused, &hooks_trouble);
    if (daemon_pid) {
        board_read(c->conf->state, &board);
        runners = trouble_read(c->conf->state, &c->conf->arena);
    }
    disk_full = file_room(c->conf->state) < DISK_FULL_BYTES;
    int rc = cli_each(c, status_one);
    buf_fini(&board);
    if (c->json)
        return rc;
    view_print(c, c->conf, runners);
    print_daemon();
    if (disk_full)
        printf("the disk under the state is full: free space at %s, the next runs go on by themselves\n",
               c->conf->state);
    return rc;
}
