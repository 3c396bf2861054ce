/* SPDX-License-Identifier: MIT */
/* sim_knobs.c - every fault a connector or a store can produce, as one table. */
#include <stddef.h>

#include "sim.h"

#define AT(member) offsetof(struct memory_world, member)
#define COND NEED_CONDITIONAL

static const char forgotten[] =
    "which of two differing values is the newer is forgotten: the policy decides, the other is in the history";
static const char window[] =
    "without a conditional write an edit made between our read and our write may be lost: such edits only in "
    "histories with one";
static const char verified[] =
    "what such a listing hid behind its cursor is found by a full look at the end, not before";

static const char untold[] =
    "what such a system makes of a value looks like an edit of it: in a one-way pair that is drift, again and again";

static const char asked_on[] =
    "a question that a hint asks and that fails ends no run: on LMDB a kill could not be told from that";

/* clang-format off */
const struct knob sim_knobs[] = {
    /* what the systems are like */
    {"stubs instead of records", "F46", "I1", KNOB_TRAIT, AT(stubs), 350, 1, 1, 0, NULL, 0},
    {"deltas", "F8", "I22", KNOB_TRAIT, AT(delta), 400, 1, 1, 0,
     "where no feed tells them, deletes are found by a full look, not before", 0},
    {"deletes told in the feed", "F23", "I26", KNOB_TRAIT, AT(delete_feed), 300, 1, 1, NEED_DELTA, NULL, 0},
    {"a delta by time", "F7", "I22", KNOB_TRAIT, AT(by_time), 200, 1, 1, NEED_DELTA, NULL, 0},
    {"times of one second", "F7", "I22", KNOB_TRAIT, AT(granular_ms), 150, 1000, 1000, 0, NULL, 0},
    {"times of one minute", "F7", "I22", KNOB_TRAIT, AT(granular_ms), 50, 60000, 60000, 0, NULL, 0},
    {"its clock is ahead or behind", "F9", "I22", KNOB_TRAIT, AT(skew_ms), 150, -86400000, 86400000, 0, NULL, 0},
    {"no versions", "F11", "I13", KNOB_TRAIT, AT(versionless), 150, 1, 1, NEED_RECORDS | NEED_UNCONDITIONAL, NULL, 0},
    {"no times", "F10", "I22", KNOB_TRAIT, AT(timeless), 100, 1, 1, 0, NULL, 0},
    {"small pages", "F5", "I16", KNOB_TRAIT, AT(page_size), 500, 1, 4, 0, NULL, 0},
    {"another order", "F5", "I16", KNOB_TRAIT, AT(shuffle), 500, 1, 1000, 0, NULL, 0},
    {"small batches", "F4", "I18", KNOB_TRAIT, AT(batch_max), 400, 1, 3, 0, NULL, 0},
    {"outcomes in another order", "F4", "I18", KNOB_TRAIT, AT(reorders), 200, 1, 1, 0, NULL, 0},
    {"requests late", "F3", "I19", KNOB_TRAIT, AT(late_ms), 600, 500, 4000, NEED_KEY_LOOKUP | COND, window, 0},
    {"the index lags", "F8", "I19", KNOB_TRAIT, AT(index_lag_ms), 400, 500, 3000, NEED_KEY_LOOKUP, NULL, 0},
    {"stale reads", "F11 F12", "I24", KNOB_TRAIT, AT(stale_ms), 150, 500, 3000, COND, window, 0},
    {"trims", "F13", "I13", KNOB_TRAIT, AT(trims), 250, 1, 1, 0, NULL, 0},
    {"lower case", "F13", "I13", KNOB_TRAIT, AT(lowers), 200, 1, 1, 0, NULL, 0},
    {"truncates", "F13", "I13", KNOB_TRAIT, AT(truncates), 150, 8, 14, 0, NULL, 0},
    {"escapes", "F13", "I13", KNOB_TRAIT, AT(escapes), 150, 1, 1, 0, NULL, 0},
    {"rounds", "F13", "I13", KNOB_TRAIT, AT(rounds), 150, 100, 100, 0, NULL, 0},
    {"answers without the record", "F13", "I14", KNOB_TRAIT, AT(answers_nothing), 100, 1, 1, NEED_TWO_WAY | NEED_NO_ESCAPES,
     untold, 0},
    {"answers read back", "F13", "I13", KNOB_TRAIT, AT(reads_back), 150, 1, 1, NEED_TWO_WAY | NEED_NO_ESCAPES, untold, 0},

    /* what befalls a run */
    {"the host is killed", "F1 F39", "I20", KNOB_STRIKE, AT(die_in), 30, 1, 12, 0, NULL, 0},
    {"the reply is lost", "F2", "I19", KNOB_STRIKE, AT(lose_reply_in), 15, 1, 4, 0, NULL, 0},
    {"the request is lost", "F2", "I19", KNOB_STRIKE, AT(lose_request_in), 10, 1, 4, 0, NULL, 0},
    {"the request arrives late", "F3", "I19", KNOB_STRIKE, AT(delay_in), 10, 1, 4, NEED_KEY_LOOKUP | NEED_LATE | COND, window, 0},
    {"half a batch", "F4", "I18", KNOB_STRIKE, AT(half_in), 8, 1, 2, 0, NULL, 0},
    {"an outcome is left out", "F4", "I18", KNOB_STRIKE, AT(omit_in), 8, 1, 4, 0, NULL, 0},
    {"5xx after the effect", "F22", "I19", KNOB_STRIKE, AT(break_in), 8, 1, 2, 0, NULL, 0},
    {"429 for a write", "F21", "I20", KNOB_STRIKE, AT(rate_in), 6, 1, 4, 0, NULL, 0},
    {"a write is refused", "F20", "I23", KNOB_STRIKE, AT(reject_in), 5, 1, 4, NEED_ONE_HOST, NULL, 0},
    {"5xx", "F22", "I20", KNOB_STRIKE, AT(fail_in), 5, 1, 8, 0, NULL, SL_RETRY},
    {"429", "F21", "I20", KNOB_STRIKE, AT(fail_in), 4, 1, 8, 0, NULL, SL_RATE},
    {"401", "F19", "I20", KNOB_STRIKE, AT(fail_in), 4, 1, 8, 0, NULL, SL_AUTH},
    {"an error nobody knows", "F33", "I20", KNOB_STRIKE, AT(fail_in), 3, 1, 8, 0, NULL, 99},
    {"an answer without content", "F33 F36", "I20", KNOB_STRIKE, AT(garble_in), 5, 1, 6, 0, NULL, 0},
    {"an empty listing", "F23", "I26", KNOB_STRIKE, AT(list_empty), 6, 1, 1, NEED_GET | NEED_OWN_KEYS | NEED_STATE_KEPT, verified, 0},
    {"half a listing", "F23", "I26", KNOB_STRIKE, AT(list_half), 6, 1, 1, NEED_GET | NEED_OWN_KEYS | NEED_STATE_KEPT, verified, 0},
    {"rows repeated between pages", "F5", "I16", KNOB_STRIKE, AT(repeats), 5, 1, 1, 0, NULL, 0},
    {"rows skipped between pages", "F5", "I26", KNOB_STRIKE, AT(skips), 6, 1, 1, NEED_GET | NEED_OWN_KEYS | NEED_STATE_KEPT, verified, 0},
    {"pages of different orders", "F5", "I26", KNOB_STRIKE, AT(shifts), 6, 1, 1000, NEED_GET | NEED_OWN_KEYS | NEED_STATE_KEPT, verified, 0},
    {"the cursor expires", "F6", "I22", KNOB_STRIKE, AT(expire_in), 6, 1, 2, 0, NULL, 0},
    {"pages in a circle", "F6", "I14", KNOB_STRIKE, AT(loop_in), 3, 1, 1, 0, NULL, 0},

    /* what befalls the state */
    {"killed before a commit", "F1 F39", "I20", KNOB_STORE, MEM_KILLED_BEFORE, 10, 1, 10, NEED_MEMORY, NULL, 0},
    {"killed after a commit", "F1 F39", "I20", KNOB_STORE, MEM_KILLED_AFTER, 10, 1, 10, NEED_MEMORY, NULL, 0},
    {"a commit that happened is in doubt", "F44", "I20", KNOB_STORE, MEM_UNKNOWN_APPLIED, 6, 1, 10, NEED_MEMORY, NULL, 0},
    {"a commit that did not happen is in doubt", "F44", "I20", KNOB_STORE, MEM_UNKNOWN_LOST, 6, 1, 10, NEED_MEMORY, NULL, 0},
    {"the disk is full", "F37 F38", "I18", KNOB_STORE, MEM_FULL, 6, 1, 10, NEED_MEMORY, NULL, 0},
    {"the disk fails", "F40", "I18", KNOB_STORE, MEM_IO, 6, 1, 10, NEED_MEMORY, NULL, 0},

    /* what happens beside it */
    {"keys are exchanged", "F28", "I30", KNOB_EVENT, EVENT_KEY_SWAP, 6, 0, 0, NEED_PROOF | NEED_TWO_WAY | NEED_OWN_KEYS | NEED_STATE_KEPT, NULL, 0},
    {"two records are merged", "F27", "I26", KNOB_EVENT, EVENT_MERGED, 5, 0, 0, 0,
     "the merged record counts as deleted by its system", 0},
    {"the permission is withdrawn", "F24", "I28", KNOB_EVENT, EVENT_HIDE, 6, 30, 100, NEED_NO_CEILING | NEED_KEYS_STILL,
     "what was hidden may come to be there twice where an edit beat its delete; nothing may be deleted for it", 0},
    {"a record cannot be read", "F46", "I23", KNOB_EVENT, EVENT_UNREADABLE, 6, 0, 0, NEED_OWN_KEYS | NEED_STATE_KEPT,
     "what cannot be read when records are matched finds no partner", 0},
    {"the host's clock goes back", "F9 F45", "I20", KNOB_EVENT, EVENT_CLOCK, 5, -86400, -1, 0, NULL, 0},
    {"the host's clock leaps forward", "F9 F45", "I20", KNOB_EVENT, EVENT_CLOCK, 5, 1, 86400, NEED_NO_LAG,
     "what waits for late requests by the clock waits less: only where nothing is late", 0},
    {"a field leaves the mapping", "F31", "I29", KNOB_EVENT, EVENT_CONFIG, 5, 1, 1, NEED_STATE_KEPT, NULL, 0},
    {"the filter is edited", "F31", "I29", KNOB_EVENT, EVENT_CONFIG, 5, 2, 2, NEED_STATE_KEPT, NULL, 0},
    {"the match key is another", "F31", "I30", KNOB_EVENT, EVENT_CONFIG, 5, 3, 3, NEED_MATCH | NEED_STATE_KEPT, NULL, 0},
    {"the config is as it was", "F31", "I29", KNOB_EVENT, EVENT_CONFIG, 8, 0, 0, 0, NULL, 0},
    {"two hosts on one state", "F42", "I19", KNOB_EVENT, EVENT_TWO_HOSTS, 6, 1, 10, NEED_MEMORY | NEED_LATE | NEED_NO_REFUSAL,
     "a paused host writes what was given up meanwhile: with an edit that came before it, and nobody notes it (I5); "
     "a paused host's request may be under way as long as it likes: where another one was refused and given up, it would count twice", 0},
    {"an id is given again", "F26", "I26", KNOB_EVENT, EVENT_ID_REUSED, 5, 0, 0, NEED_OWN_KEYS | NEED_STATE_KEPT,
     "within one look it is taken for an edit of the record that had it: which of the two is where is not checked, all others are",
     0},
    {"the collection goes back to its backup", "F41", "I26", KNOB_EVENT, EVENT_RESTORED, 4, 0, 1, NEED_OWN_KEYS | NEED_KEYS_STILL,
     "what the backup undid counts as its owner's edits; what it lacks or has again may go either way; a field that its record had "
     "not yet is not reported (I35), and not there before somebody writes it; where the system does not "
     "tell, versions that come again for other contents are believed", 0},
    {"a field is not stored", "F14", "I11", KNOB_EVENT, EVENT_NOT_STORED, 5, 0, 0, NEED_STATE_KEPT,
     "the first write that is not stored is not known to be lost: titles may differ until somebody looks", 0},
    {"two automations fight", "F15", "I14", KNOB_EVENT, EVENT_FIGHT, 5, 0, 0, NEED_STATE_KEPT, NULL, 0},
    {"an older state is put back", "F41", "I21", KNOB_EVENT, EVENT_STATE_OLD, 4, 0, 0,
     NEED_MEMORY | NEED_MATCH | NEED_OWN_KEYS | NEED_KEYS_STILL | NEED_TOLD_DELETES | NEED_TRUE_LISTS | NEED_ONE_CONFIG, forgotten, 0},
    {"the state is deleted", "F41", "I21", KNOB_EVENT, EVENT_STATE_GONE, 4, 0, 0, NEED_MEMORY | NEED_MATCH | NEED_OWN_KEYS | NEED_KEYS_STILL | NEED_TRUE_LISTS,
     forgotten, 0},

    /* what webhooks tell: the same comes of it as if there were none */
    {"webhooks, some are lost", "F18", "I22", KNOB_HOOK, HOOK_SENT, 400, 20, 100, NEED_MEMORY, asked_on, 0},
    {"webhooks come again", "F16", "I13", KNOB_HOOK, HOOK_AGAIN, 200, 20, 100, NEED_MEMORY, asked_on, 0},
    {"webhooks overtake each other", "F16", "I16", KNOB_HOOK, HOOK_LATE, 200, 20, 100, NEED_MEMORY, asked_on, 0},
    {"forged webhooks", "F17", "I11", KNOB_HOOK, HOOK_FORGED, 200, 20, 100, NEED_MEMORY, asked_on, 0},
};
/* clang-format on */

const size_t sim_n_knobs = sizeof sim_knobs / sizeof *sim_knobs;

int *knob_int(struct memory_world *w, size_t knob)
{
    return (int *)(void *)((char *)w + sim_knobs[knob].at);
}

static int trait_at(const struct sim_script *s, int side, size_t at)
{
    for (size_t i = 0; i < sim_n_knobs; i++)
        if (sim_knobs[i].kind == KNOB_TRAIT && sim_knobs[i].at == at && s->trait[side][i])
            return s->trait[side][i];
    return 0;
}

static bool lags(const struct sim_script *s, int side)
{
    return trait_at(s, side, AT(late_ms)) || trait_at(s, side, AT(index_lag_ms)) || trait_at(s, side, AT(stale_ms));
}

static bool deletes_told(const struct sim_script *s, int side)
{
    return !trait_at(s, side, AT(delta)) || trait_at(s, side, AT(delete_feed));
}

static bool happens(const struct sim_script *s, size_t first, size_t last)
{
    for (size_t i = 0; i < s->n_steps; i++) {
        const struct knob *k = &sim_knobs[s->steps[i].knob];
        if (s->steps[i].kind == STEP_KNOB && k->kind == KNOB_EVENT && k->at >= first && k->at <= last)
            return true;
    }
    return false;
}

/* On one side only: exchanged on both, two new records may come to have one key, which then says that they are the same. */
static bool exchanged(const struct sim_script *s, int side)
{
    for (size_t i = 0; i < s->n_steps; i++) {
        const struct knob *k = &sim_knobs[s->steps[i].knob];
        if (s->steps[i].kind == STEP_KNOB && k->kind == KNOB_EVENT && k->at == EVENT_KEY_SWAP &&
            s->steps[i].side == side)
            return true;
    }
    return false;
}

static bool strikes(const struct sim_script *s, size_t at)
{
    for (size_t i = 0; i < s->n_steps; i++) {
        const struct knob *k = &sim_knobs[s->steps[i].knob];
        if (s->steps[i].kind == STEP_KNOB && k->kind == KNOB_STRIKE && k->at == at)
            return true;
    }
    return false;
}

static bool meets(const struct sim_script *s, int side, unsigned need)
{
    const int *c = s->choice;
    switch (need) {
    case NEED_CONDITIONAL:
        return !c[CHOICE_CONDITIONAL];
    case NEED_UNCONDITIONAL:
        return c[CHOICE_CONDITIONAL];
    case NEED_KEY_LOOKUP:
        return c[CHOICE_TIER] == 2;
    case NEED_PROOF:
        return c[CHOICE_TIER] != 3 && !exchanged(s, 1 - side) && !happens(s, EVENT_RESTORED, EVENT_HIDE);
    case NEED_MATCH:
        return c[CHOICE_FIRST] == 0;
    case NEED_MEMORY:
        return !c[CHOICE_STORE];
    case NEED_NO_LAG:
        return !lags(s, 0) && !lags(s, 1);
    case NEED_NO_CEILING:
        return c[CHOICE_CEILING] == 2;
    case NEED_TWO_WAY:
        return c[CHOICE_MODE] == 0;
    case NEED_DELTA:
        return trait_at(s, side, AT(delta));
    case NEED_OWN_KEYS:
        return c[CHOICE_START] == 0;
    case NEED_LATE:
        return c[CHOICE_TIER] != 2 || (trait_at(s, 0, AT(late_ms)) && trait_at(s, 1, AT(late_ms)));
    case NEED_RECORDS:
        return !trait_at(s, side, AT(stubs));
    case NEED_NO_ESCAPES:
        return !trait_at(s, side, AT(escapes));
    case NEED_KEYS_STILL:
        return !happens(s, EVENT_KEY_SWAP, EVENT_KEY_SWAP) && !happens(s, EVENT_ID_REUSED, EVENT_ID_REUSED);
    case NEED_STATE_KEPT:
        return !happens(s, EVENT_STATE_OLD, EVENT_STATE_GONE);
    case NEED_ONE_HOST:
        return !happens(s, EVENT_TWO_HOSTS, EVENT_TWO_HOSTS);
    case NEED_TOLD_DELETES:
        return deletes_told(s, 0) && deletes_told(s, 1);
    case NEED_ONE_CONFIG:
        return !happens(s, EVENT_CONFIG, EVENT_CONFIG);
    case NEED_TRUE_LISTS:
        return !strikes(s, AT(list_empty)) && !strikes(s, AT(list_half)) && !strikes(s, AT(skips)) &&
               !strikes(s, AT(shifts)) && !happens(s, EVENT_UNREADABLE, EVENT_UNREADABLE);
    case NEED_NO_REFUSAL:
        return !strikes(s, AT(reject_in));
    default:
        return true;
    }
}

bool knob_allowed(const struct sim_script *s, int side, size_t knob)
{
    for (unsigned need = 1; need <= sim_knobs[knob].needs; need <<= 1)
        if (sim_knobs[knob].needs & need && !meets(s, side, need))
            return false;
    return true;
}

bool script_allowed(const struct sim_script *s)
{
    for (size_t i = 0; i < sim_n_knobs; i++)
        for (int side = 0; side < 2; side++)
            if (s->trait[side][i] && !knob_allowed(s, side, i))
                return false;
    for (size_t i = 0; i < s->n_steps; i++) {
        const struct step *t = &s->steps[i];
        if (t->kind == STEP_KNOB && !knob_allowed(s, t->side, t->knob))
            return false;
        if (t->between && s->choice[CHOICE_CONDITIONAL])
            return false;
    }
    return true;
}
