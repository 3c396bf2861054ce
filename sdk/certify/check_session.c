/* SPDX-License-Identifier: MIT */
/* check_session.c - checks of a session's life: open, check, close, again and side by side. */
#include <string.h>

#include "certify.h"

static void opens(struct trial *t)
{
    t->s = trial_session(t);
}

static void opens_again(struct trial *t)
{
    for (int i = 0; i < 20 && !done(t); i++) {
        struct session *s = trial_session(t);
        if (s && session_check(s, &t->e))
            wrong(t, "check, the time %d: %s", i + 1, t->e.text);
        session_close(s);
    }
}

static void closes_nothing(struct trial *t)
{
    t->subject->plugin->close(NULL);
}

static void two_at_once(struct trial *t)
{
    struct session *other = trial_session(t), *mine = t->s;
    struct listing first, second;
    if (!other)
        return;
    list_all(t, &first);
    t->s = other;
    list_all(t, &second);
    t->s = mine;
    session_close(other);
    if (!done(t) && first.n != second.n && !t->subject->own)
        note(t, "%u and %u records", first.n, second.n);
    list_all(t, &first);
}

static void unknown_setting(struct trial *t)
{
    const struct subject *j = t->subject;
    struct sl_value *settings = arena_alloc(&t->a, (j->n_settings + 1) * sizeof *settings);
    struct session *s = NULL;
    if (j->n_settings)
        memcpy(settings, j->settings, j->n_settings * sizeof *settings);
    settings[j->n_settings] = value_string("of_a_later_version", "x");
    if (session_open(j->plugin, "certify", settings, j->n_settings + 1, t->world, &s, &t->e))
        wrong(t, "%s", t->e.text);
    session_close(s);
}

static void check_good(struct trial *t)
{
    for (int i = 0; i < 2; i++)
        if (session_check(t->s, &t->e))
            wrong(t, "%s", t->e.text);
}

const struct check checks_session[] = {
    {"session.opens", "a session opens and closes", 0, OFFLINE, opens},
    {"session.reopens", "it does so twenty times, with a check in each", 0, OFFLINE, opens_again},
    {"session.close-null", "close takes NULL", 0, OFFLINE, closes_nothing},
    {"session.two", "two sessions at once do not disturb each other", SL_CAP_COMPLETE, FOR_ALL, two_at_once},
    {"session.later-setting", "a setting it does not know is no reason to fail", 0, OFFLINE, unknown_setting},
    {"session.check", "check finds system and credentials good", 0, FOR_ALL, check_good},
    {0},
};
