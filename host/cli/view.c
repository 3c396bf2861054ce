/* SPDX-License-Identifier: MIT */
/* view.c - how the connections stand, as `status` tells it: pace, budget, pauses, and whether they answer. */
#include "cli/view.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"
#include "base/text.h"
#include "store/shared.h"

/* False: nothing is known, as of a folder or a file. */
static bool look(const struct conf *conf, const char *connection, struct rate_view *out)
{
    struct rate bytes;
    return shared_look(conf->state, connection, &bytes, sizeof bytes) && rate_look(&bytes, clock_mono_us(), out);
}

static const char *state_of(const struct rate_view *v)
{
    return v->down_ms ? "down" : v->waits_ms ? "waits" : "up";
}

static const char *at(struct arena *a, int64_t in_ms)
{
    return in_ms > 0 ? out_time(a, clock_now_ms() + in_ms) : NULL;
}

static int64_t again_ms(const struct rate_view *v)
{
    return v->down_ms > v->waits_ms ? v->down_ms : v->waits_ms;
}

static const struct trouble_row none = {.how = ""};

static const struct trouble_row *row_of(const struct trouble_row *rows, const char *connection)
{
    for (; rows; rows = rows->next)
        if (text_equal(rows->connection, connection))
            return rows;
    return &none;
}

static int64_t parked_ms(const struct trouble_row *row)
{
    int64_t left_ms = row->until_ms - clock_boot_ms();
    return left_ms > 0 ? left_ms : 0;
}

static void put_side(struct buf *out, const struct conf *conf, const char *connection, const struct trouble_row *row)
{
    struct rate_view v = {.limit = -1, .left = -1};
    struct arena a = {0};
    bool known = look(conf, connection, &v);
    buf_byte(out, '{');
    json_put_text(out, "connection", connection);
    out_text(out, "state", known ? state_of(&v) : NULL);
    out_count(out, "per_minute", v.per_minute ? v.per_minute : -1);
    out_count(out, "limit", v.limit);
    out_count(out, "left", v.left);
    out_text(out, "resets_at", at(&a, v.resets_ms));
    out_text(out, "again_at", at(&a, again_ms(&v)));
    out_count(out, "requests", known ? (int64_t)v.sent : -1);
    out_count(out, "refused", known ? (int64_t)v.outcomes[RATE_REFUSED] : -1);
    out_count(out, "faults", known ? (int64_t)v.outcomes[RATE_FAULT] : -1);
    out_text(out, "parked_until", at(&a, parked_ms(row)));
    out_number(out, "runner_deaths", (int64_t)row->deaths);
    buf_byte(out, '}');
    arena_fini(&a);
}

void view_json(struct buf *out, const struct conf *conf, const struct conf_pair *pair, const struct trouble_row *rows)
{
    for (int s = 0; s < 2; s++) {
        buf_text(out, s ? ", \"b\": " : ", \"connections\": {\"a\": ");
        put_side(out, conf, pair->side[s].connection, row_of(rows, pair->side[s].connection));
    }
    buf_byte(out, '}');
}

static void print_one(struct cli *c, const char *name, const struct rate_view *v)
{
    printf("connection %s: %" PRIu64 " requests so far", name, v->sent);
    if (v->left >= 0 && v->limit >= 0)
        printf(", %" PRId64 " of %" PRId64 " left", v->left, v->limit);
    if (v->resets_ms > 0)
        printf(" until %s", at(&c->arena, v->resets_ms));
    if (v->per_minute)
        printf(", at most %" PRId64 " a minute", v->per_minute);
    printf("\n");
    if (v->down_ms)
        printf("    its last requests met no good answer; it is asked again at %s\n", at(&c->arena, v->down_ms));
    else if (v->waits_ms)
        printf("    it asked for a pause, until %s\n", at(&c->arena, v->waits_ms));
}

static void print_runners(struct cli *c, const char *name, const struct trouble_row *row)
{
    int64_t left_ms = parked_ms(row);
    if (row->deaths)
        printf("connection %s: its connector's process has died %" PRIu64 " times since `syncline run` began\n", name,
               row->deaths);
    if (left_ms)
        printf("    it is parked until %s, the last one died like this: %s\n"
               "    put a repaired connector in its folder, edit the config, or send SIGHUP to try again at once\n",
               at(&c->arena, left_ms), row->how);
}

void view_print(struct cli *c, const struct conf *conf, const struct trouble_row *rows)
{
    struct rate_view v;
    for (size_t i = 0; i < conf->n_connections; i++) {
        const char *name = conf->connections[i].name;
        if (look(conf, name, &v) && v.sent)
            print_one(c, name, &v);
        print_runners(c, name, row_of(rows, name));
    }
}
