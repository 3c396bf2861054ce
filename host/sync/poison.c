/* SPDX-License-Identifier: MIT */
/* poison.c - writes and reads that killed their connector: they go on in smaller and smaller company, until the one that does it is alone. */
#include "sync/poison.h"

#include <inttypes.h>
#include <stdio.h>

/* A note's number: how many together, or that it has killed alone. */
enum { ALONE = 0, PART = 32 };

struct suspect {
    uint64_t link;
    uint8_t side;
    uint32_t most; /* ALONE, or how many together */
};

static const char prefix[] = "poison.", behind[] = "poison/"; /* the first key that is none of ours */

/* Four deaths from 10,000 to one, three from 100: few enough that the connection is not parked for it. */
uint32_t poison_next(uint32_t n)
{
    return n > PART ? n / PART : 1;
}

static struct suspect *find(const struct engine *g, int t, uint64_t link)
{
    for (size_t i = 0; i < g->n_suspects; i++)
        if (g->suspects[i].link == link && g->suspects[i].side == t)
            return &g->suspects[i];
    return NULL;
}

static void keep(struct engine *g, int t, uint64_t link, uint32_t most)
{
    struct suspect *s = find(g, t, link);
    if (!s) {
        g->suspects = mem_grow(g->suspects, (g->n_suspects + 1) * sizeof *g->suspects);
        s = &g->suspects[g->n_suspects++];
    }
    *s = (struct suspect){link, (uint8_t)t, most};
}

static const char *put_key(char room[48], int t, uint64_t link)
{
    snprintf(room, 48, "%s%d.%016" PRIx64, prefix, t, link);
    return room;
}

int poison_load(struct engine *g, struct store_snap *snap)
{
    enum { ROWS = 500 };
    struct store_row rows[ROWS];
    struct row_key from = key_text(prefix), below = key_text(behind);
    for (size_t n = ROWS; n == ROWS && !g->e->code;) {
        n = 0;
        engine_fail(g, store_scan(snap, DB_META, key_slice(&from), key_slice(&below), false, ROWS, rows, &n));
        for (size_t i = 0; i < n; i++) {
            char key[48];
            int t = 0;
            uint64_t link = 0;
            snprintf(key, sizeof key, "%.*s", (int)rows[i].key.size, (const char *)rows[i].key.data);
            if (sscanf(key + sizeof prefix - 1, "%d.%" SCNx64, &t, &link) == 2)
                keep(g, t != 0, link, (uint32_t)meta_number(snap, key, 1));
            from = key_text(key);
            from.bytes[from.size++] = 0;
        }
    }
    return g->e->code;
}

uint32_t poison_most(const struct engine *g, int t, uint64_t link)
{
    const struct suspect *s = find(g, t, link);
    return !s ? 0 : s->most == ALONE ? 1 : s->most;
}

bool poison_alone(const struct engine *g, int t, uint64_t link)
{
    const struct suspect *s = find(g, t, link);
    return s && s->most == ALONE;
}

static void note(struct engine *g, int t, uint64_t link, uint32_t most)
{
    char key[48];
    keep(g, t, link, most);
    put_meta_number(&g->batch, put_key(key, t, link), most);
}

/* A first death alone may be anybody's, as of a runner that was killed from outside: the second one is its own. */
void poison_note(struct engine *g, int t, uint64_t link, uint32_t n_untold, uint32_t sent)
{
    const struct suspect *s = find(g, t, link);
    note(g, t, link, sent == 1 && s && s->most <= 1 ? ALONE : poison_next(n_untold));
}

void poison_parked(struct engine *g, int t, uint64_t link)
{
    note(g, t, link, 1);
}

void poison_passed(struct engine *g, int t, uint64_t link)
{
    char key[48];
    struct suspect *s = find(g, t, link);
    if (!s)
        return;
    struct row_key k = key_text(put_key(key, t, link));
    batch_del(&g->batch, DB_META, key_slice(&k));
    *s = g->suspects[--g->n_suspects];
}
