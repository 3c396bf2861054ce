/* SPDX-License-Identifier: MIT */
/* trial.c - one check's state: its sentences, its session, and putting away what it made. */
#include <stdio.h>
#include <string.h>

#include "certify.h"

/* The first thing that is wrong stays: later ones are its consequences. */
static void __attribute__((format(printf, 3, 0))) say(struct trial *t, bool *which, const char *format, va_list args)
{
    if (t->wrong || t->left)
        return;
    vsnprintf(t->said, sizeof t->said, format, args);
    *which = true;
}

void wrong(struct trial *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(t, &t->wrong, format, args);
    va_end(args);
}

void left_out(struct trial *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(t, &t->left, format, args);
    va_end(args);
}

void note(struct trial *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(t->note, sizeof t->note, format, args);
    va_end(args);
}

bool done(const struct trial *t)
{
    return t->wrong || t->left;
}

bool can(const struct trial *t, uint64_t caps)
{
    return (t->o.caps & caps) == caps;
}

struct session *trial_session(struct trial *t)
{
    const struct subject *j = t->subject;
    struct session *s = NULL;
    err_clear(&t->e);
    if (session_open(j->plugin, "certify", j->settings, j->n_settings, t->world, &s, &t->e)) {
        wrong(t, "%s", t->e.text);
        return NULL;
    }
    session_set_net(s, &j->net);
    return s;
}

static int abilities(uint64_t caps)
{
    return __builtin_popcountll(caps) + ((caps & SL_CAP_CREATE) ? 100 : 0);
}

static void choose(struct trial *t, const struct object_info *list)
{
    int best = -1;
    for (; list; list = list->next)
        if (abilities(list->object.caps) > best) {
            best = abilities(list->object.caps);
            t->o = list->object;
        }
}

void trial_open(struct trial *t)
{
    struct object_info *list = NULL;
    t->s = trial_session(t);
    if (!t->s)
        return;
    if (session_describe(t->s, t->subject->object, &t->a, &list, &t->e))
        wrong(t, "describe: %s", t->e.text);
    choose(t, list);
    if (!t->o.name)
        wrong(t, "describe tells of no object; give it a connection with data");
}

/* What was made is deleted again, where that can be done. */
static void put_away(struct trial *t)
{
    struct sl_write writes[50];
    for (uint32_t at = 0; t->s && can(t, SL_CAP_DELETE) && at < t->n_kept;) {
        uint32_t n = 0, room = t->o.batch_max && t->o.batch_max < 50 ? t->o.batch_max : 50;
        for (; n < room && at < t->n_kept; at++)
            writes[n++] = plain(SL_DELETE, t->made[at]);
        write_many(t, writes, n);
    }
}

void trial_close(struct trial *t)
{
    put_away(t);
    session_close(t->s);
    t->s = NULL;
    arena_fini(&t->a);
}
