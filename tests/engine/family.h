/* SPDX-License-Identifier: MIT */
/* family.h - tickets on both sides, and the comments on them: shared by the tests of children. */
#ifndef TESTS_ENGINE_FAMILY_H
#define TESTS_ENGINE_FAMILY_H

#include "pairs.h"

/* Tickets on both sides, and the comments on them. */
struct family {
    struct kit *tickets, *comments;
};

static inline struct family family_new(int tier)
{
    struct family f = {pair_of("first=create_only", RESERVED), pair_of("", tier)};
    struct kit *c = f.comments;
    f.tickets->pair.n_children = 1;
    c->parent = f.tickets;
    c->pair.parent = &f.tickets->pair;
    c->pair.append = true;
    c->pair.delete_policy = DELETE_IGNORE;
    c->pair.first_run = FIRST_MATCH_OR_CREATE;
    for (int s = 0; s < 2; s++) {
        c->pair.side[s].connection = s ? "code" : "desk";
        c->pair.side[s].object = "comments";
        c->w[s].parents = &f.tickets->w[s];
        c->w[s].no_author = 1;
    }
    kit_edit(f.tickets, 0, "1:title=one | 2:title=two");
    return f;
}

static inline void family_free(struct family *f)
{
    kit_free(f->comments);
    kit_free(f->tickets);
}

static inline void clock_of(struct family *f)
{
    f->comments->now_ms = f->tickets->now_ms;
    kit_tick(f->comments, 0);
    kit_tick(f->tickets, 1000);
    kit_tick(f->comments, 1000);
}

/* One `sync`: the tickets, then their comments. */
static inline int family_run(struct family *f)
{
    int rc = kit_run(f->tickets);
    f->comments->now_ms = f->tickets->now_ms;
    kit_tick(f->comments, 0);
    rc = rc ? rc : kit_run(f->comments);
    clock_of(f);
    return rc;
}

/* At rest after some runs, and then nothing is written any more. */
static inline void family_rest(struct family *f)
{
    for (int i = 0; i < KIT_SETTLE; i++)
        family_run(f);
    uint64_t before = writes(f->comments) + writes(f->tickets);
    CU_ASSERT_EQUAL(family_run(f), 0);
    CU_ASSERT_EQUAL(writes(f->comments) + writes(f->tickets), before);
}

static inline void say(struct family *f, int s, const char *id, const char *ticket, const char *fields)
{
    memory_comment(&f->comments->w[s], id, ticket, fields);
    clock_of(f);
}

/* The comments on a ticket in the order in which they were made, as "body/body". */
static inline const char *thread(struct family *f, int s, const char *ticket, struct arena *a)
{
    struct buf b = {0};
    const struct memory_world *w = &f->comments->w[s];
    for (uint32_t i = 0; i < w->n_records; i++) {
        const char *body = memory_field(&w->records[i], "body");
        const char *last = body ? strrchr(body, '\n') : NULL; /* without the line that says whose it is */
        if (!w->records[i].gone && strcmp(w->records[i].parent, ticket) == 0)
            buf_printf(&b, "%s%s", b.size ? "/" : "", last ? last + 1 : body);
    }
    const char *text = arena_text(a, b.data ? b.data : "");
    buf_fini(&b);
    return text;
}

static inline void threads(struct family *f, const char *ticket, const char *a, const char *b)
{
    struct arena arena = {0};
    expect(a, thread(f, 0, ticket, &arena), "side a");
    expect(b, thread(f, 1, ticket, &arena), "side b");
    arena_fini(&arena);
}

#endif
