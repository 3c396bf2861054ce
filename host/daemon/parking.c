/* SPDX-License-Identifier: MIT */
/* parking.c - which connections are left alone because their connector keeps dying; pure, the clock is an argument. */
#include "daemon/parking.h"

#include <string.h>

static struct parking_spot *find(const struct parking *p, const char *connection)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->spots[i].connection, connection) == 0)
            return &p->spots[i];
    return NULL;
}

static struct parking_spot *find_or_add(struct parking *p, const char *connection)
{
    struct parking_spot *spot = find(p, connection);
    if (spot)
        return spot;
    p->spots = mem_grow(p->spots, (p->n + 1) * sizeof *p->spots);
    p->spots[p->n] = (struct parking_spot){.connection = mem_dup(connection)};
    return &p->spots[p->n++];
}

/* A clock that went back makes no death young again: what lies ahead of it counts as now. */
static bool often(const struct parking_spot *spot, int64_t now_ms)
{
    int64_t oldest_ms = spot->deaths_ms[spot->n_deaths % PARKING_DEATHS];
    return spot->n_deaths >= PARKING_DEATHS && now_ms - oldest_ms < PARKING_WITHIN_MS;
}

const struct parking_spot *parking_look(const struct parking *p, const char *connection)
{
    return find(p, connection);
}

void parking_count(struct parking *p, const char *connection, uint64_t n)
{
    find_or_add(p, connection)->total += n;
}

bool parking_died(struct parking *p, const char *connection, const char *how, int64_t now_ms)
{
    struct parking_spot *spot = find_or_add(p, connection);
    bool parked = spot->until_ms > now_ms;
    mem_free(spot->how);
    spot->how = mem_dup(how);
    spot->deaths_ms[spot->n_deaths++ % PARKING_DEATHS] = now_ms;
    if (parked || !often(spot, now_ms))
        return false;
    spot->until_ms = now_ms + PARKING_MS;
    spot->n_deaths = 0;
    return true;
}

const struct parking_spot *parking_of(struct parking *p, const char *connection, int64_t now_ms)
{
    struct parking_spot *spot = find(p, connection);
    if (!spot || !spot->until_ms)
        return NULL;
    if (spot->until_ms - now_ms > PARKING_MS)
        spot->until_ms = now_ms + PARKING_MS;
    if (spot->until_ms <= now_ms)
        spot->until_ms = 0;
    return spot->until_ms ? spot : NULL;
}

void parking_clear(struct parking *p)
{
    for (size_t i = 0; i < p->n; i++) {
        p->spots[i].n_deaths = 0;
        p->spots[i].until_ms = 0;
    }
}

void parking_fini(struct parking *p)
{
    for (size_t i = 0; i < p->n; i++) {
        mem_free(p->spots[i].connection);
        mem_free(p->spots[i].how);
    }
    mem_free(p->spots);
    *p = (struct parking){0};
}

void parking_put(struct buf *out, const struct parking_spot *spot)
{
    buf_printf(
        out,
        "connection %s is parked: its connector's process ended %d runs within %d minutes, the last one like "
        "this: %s; its pairs wait %d minutes, all others go on: put a repaired connector in its folder, edit the "
        "config, or send SIGHUP to try again at once",
        spot->connection, PARKING_DEATHS, PARKING_WITHIN_MS / 60000, spot->how, PARKING_MS / 60000);
}
